//! Parameters as data: what an operator's settings are called, what they take, and when they count (operators §1, §10.3).
//!
//! A [`ParSpec`] says everything about a parameter that does not change while the network runs. Operators declare theirs
//! in their [`OpSpec`](crate::OpSpec), components get custom ones at run time, and patches, documents and bindings
//! read the same data.

pub(crate) mod state;

use std::borrow::Cow;

use crate::Value;

/// What a parameter takes, and how it is shown.
///
/// # Source
///
/// operators §0: the styles of TD's parameters, as far as the operators here have them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Style {
    /// On or off.
    Toggle,
    /// Any text.
    Str,
    /// Any text, with suggestions.
    StrMenu,
    /// One entry of a closed list.
    Menu,
    /// A whole number.
    Int,
    /// A number.
    Float,
    /// A button: cooks once, then is off again.
    Pulse,
    /// A path to any operator.
    Op,
    /// A path to a CHOP.
    Chop,
    /// A path to a TOP.
    Top,
    /// A path to a DAT.
    Dat,
    /// A path to a file.
    File,
}

impl Style {
    /// TD's word for it, as `Par.style` gives it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Toggle => "Toggle",
            Self::Str => "Str",
            Self::StrMenu => "StrMenu",
            Self::Menu => "Menu",
            Self::Int => "Int",
            Self::Float => "Float",
            Self::Pulse => "Pulse",
            Self::Op => "OP",
            Self::Chop => "CHOP",
            Self::Top => "TOP",
            Self::Dat => "DAT",
            Self::File => "File",
        }
    }

    /// Whether it takes numbers: what a channel can be exported to, with toggles, menus and pulses.
    #[must_use]
    pub fn is_number(self) -> bool {
        matches!(self, Self::Int | Self::Float)
    }

    /// Whether it names an operator by its path.
    #[must_use]
    pub fn is_op(self) -> bool {
        matches!(self, Self::Op | Self::Chop | Self::Top | Self::Dat)
    }

    /// Whether a channel can drive it (operators §7.1, §7.5).
    #[must_use]
    pub fn takes_exports(self) -> bool {
        matches!(self, Self::Toggle | Self::Menu | Self::Int | Self::Float | Self::Pulse)
    }
}

/// Which of a parameter's values counts.
///
/// # Source
///
/// operators §7.2: documented.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum ParMode {
    /// The constant.
    #[default]
    Constant,
    /// The result of the expression.
    Expression,
    /// The exporting channel or cell.
    Export,
    /// The bind master's value, both ways.
    Bind,
}

impl ParMode {
    /// TD's word for it: `CONSTANT`, `EXPRESSION`, `EXPORT`, `BIND`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Constant => "CONSTANT",
            Self::Expression => "EXPRESSION",
            Self::Export => "EXPORT",
            Self::Bind => "BIND",
        }
    }
}

/// An entry of a menu: what is written in code, and what is shown.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct MenuEntry {
    /// The name, which is the parameter's value.
    pub name: Cow<'static, str>,
    /// The label.
    pub label: Cow<'static, str>,
}

/// When a parameter can be set in TD's dialog; where it cannot, it is greyed out and has no effect.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Enable {
    /// Always.
    #[default]
    Always,
    /// While another parameter of the operator has one of these values.
    When {
        /// The other parameter's name.
        par: &'static str,
        /// Its values; a toggle's are `1` and `0`.
        is: &'static [&'static str],
    },
}

/// Whether the operator that a parameter names is asked to cook before its own one does.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Asks {
    /// No: the path is only data.
    #[default]
    No,
    /// Yes.
    Yes,
    /// Yes, while this toggle of the same operator is off.
    Unless(&'static str),
}

/// Everything about a parameter that stays the same while a network runs.
///
/// Made by the constructor of its [`Style`] and changed by the methods that take and give it back.
///
/// # Source
///
/// operators §10.3: the members of TD's `Par` of the same names.
///
/// ```
/// use tdshm_ops::ParSpec;
///
/// let spec = ParSpec::menu("memtype", "Shared Mem Type", &[("local", "Local"), ("global", "Global")])
///     .page("SharedMemOut")
///     .help("Local is what other programs can use.");
/// assert_eq!(spec.menu_names().collect::<Vec<_>>(), ["local", "global"]);
/// assert_eq!(spec.default.to_string(), "local");
/// ```
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct ParSpec {
    /// The scripting name: lower case and digits; a custom one begins with a capital.
    pub name: Cow<'static, str>,
    /// The label that is shown.
    pub label: Cow<'static, str>,
    /// The page it is on.
    pub page: Cow<'static, str>,
    /// What it takes.
    pub style: Style,
    /// The value it begins with.
    pub default: Value,
    /// The entries of a menu, or the suggestions of a [`Style::StrMenu`].
    pub menu: Vec<MenuEntry>,
    /// Entries that a menu takes and does not show: those of older versions.
    pub unlisted: Vec<MenuEntry>,
    /// The parameters that an entry's numbers set when it is picked, in the order of the numbers: `1920x1080` sets two.
    pub sets: &'static [&'static str],
    /// The smallest number, and whether smaller ones are raised to it.
    pub min: Option<f64>,
    /// The greatest number, and whether greater ones are lowered to it.
    pub max: Option<f64>,
    /// Whether numbers below [`min`](Self::min) are raised to it.
    pub clamp_min: bool,
    /// Whether numbers above [`max`](Self::max) are lowered to it.
    pub clamp_max: bool,
    /// The slider's range.
    pub norm: (f64, f64),
    /// When it can be set.
    pub enable: Enable,
    /// Whether the operator it names cooks first.
    pub asks: Asks,
    /// The group it belongs to and its place there, from 0: `resolution` has `resolutionw` and `resolutionh`.
    pub group: Option<(&'static str, usize)>,
    /// Other names under which it is accepted.
    pub aliases: &'static [&'static str],
    /// Whether it was made at run time.
    pub is_custom: bool,
    /// One or two sentences for the reader of a schema: what it does, and what is ours in that.
    pub help: Cow<'static, str>,
}

impl ParSpec {
    fn new(
        name: impl Into<Cow<'static, str>>,
        label: impl Into<Cow<'static, str>>,
        style: Style,
        default: Value,
    ) -> Self {
        Self {
            name: name.into(),
            label: label.into(),
            page: Cow::Borrowed(""),
            style,
            default,
            menu: Vec::new(),
            unlisted: Vec::new(),
            sets: &[],
            min: None,
            max: None,
            clamp_min: false,
            clamp_max: false,
            norm: (0.0, 1.0),
            enable: Enable::Always,
            asks: Asks::No,
            group: None,
            aliases: &[],
            is_custom: false,
            help: Cow::Borrowed(""),
        }
    }

    /// A switch.
    #[must_use]
    pub fn toggle(name: impl Into<Cow<'static, str>>, label: impl Into<Cow<'static, str>>, on: bool) -> Self {
        Self::new(name, label, Style::Toggle, Value::Bool(on))
    }

    /// A text.
    #[must_use]
    pub fn text(
        name: impl Into<Cow<'static, str>>,
        label: impl Into<Cow<'static, str>>,
        default: &str,
    ) -> Self {
        Self::new(name, label, Style::Str, default.into())
    }

    /// A text with suggestions.
    #[must_use]
    pub fn text_menu(
        name: impl Into<Cow<'static, str>>,
        label: impl Into<Cow<'static, str>>,
        default: &str,
        suggestions: &[(&'static str, &'static str)],
    ) -> Self {
        Self { menu: entries(suggestions), ..Self::new(name, label, Style::StrMenu, default.into()) }
    }

    /// A closed list of names and labels. The first is the default; [`default_to`](Self::default_to) chooses another.
    #[must_use]
    pub fn menu(
        name: impl Into<Cow<'static, str>>,
        label: impl Into<Cow<'static, str>>,
        menu: &[(&'static str, &'static str)],
    ) -> Self {
        let first = menu.first().map_or("", |(name, _)| name);
        Self { menu: entries(menu), ..Self::new(name, label, Style::Menu, first.into()) }
    }

    /// A whole number.
    #[must_use]
    pub fn int(
        name: impl Into<Cow<'static, str>>,
        label: impl Into<Cow<'static, str>>,
        default: i64,
    ) -> Self {
        Self::new(name, label, Style::Int, Value::Int(default))
    }

    /// A number.
    #[must_use]
    pub fn float(
        name: impl Into<Cow<'static, str>>,
        label: impl Into<Cow<'static, str>>,
        default: f64,
    ) -> Self {
        Self::new(name, label, Style::Float, Value::Float(default))
    }

    /// A button.
    #[must_use]
    pub fn pulse(name: impl Into<Cow<'static, str>>, label: impl Into<Cow<'static, str>>) -> Self {
        Self::new(name, label, Style::Pulse, Value::Bool(false))
    }

    /// A path to an operator; `style` is [`Style::Op`] or the one of a family.
    #[must_use]
    pub fn op(
        name: impl Into<Cow<'static, str>>,
        label: impl Into<Cow<'static, str>>,
        style: Style,
        default: &str,
    ) -> Self {
        Self::new(name, label, style, default.into())
    }

    /// A path to a file.
    #[must_use]
    pub fn file(name: impl Into<Cow<'static, str>>, label: impl Into<Cow<'static, str>>) -> Self {
        Self::new(name, label, Style::File, "".into())
    }

    /// The entries of a menu, or the suggestions of a text, that are made at run time: names and labels. The first one is the
    /// default of a menu.
    #[must_use]
    pub fn with_menu(mut self, menu: impl IntoIterator<Item = (String, String)>) -> Self {
        let entry = |(name, label): (String, String)| MenuEntry { name: name.into(), label: label.into() };
        self.menu = menu.into_iter().map(entry).collect();
        if self.style == Style::Menu {
            self.default = self.menu.first().map_or("", |entry| entry.name.as_ref()).into();
        }
        self
    }

    /// The value it begins with. A name that is not in a menu is a mistake of the caller, which reading the value tells.
    #[must_use]
    pub fn default_to(mut self, value: impl Into<Value>) -> Self {
        self.default = value.into();
        self
    }

    /// The page it is on.
    #[must_use]
    pub fn page(mut self, page: impl Into<Cow<'static, str>>) -> Self {
        self.page = page.into();
        self
    }

    /// Limits of a number beyond which values are not taken; the slider has the same.
    #[must_use]
    pub fn clamped(mut self, min: f64, max: f64) -> Self {
        self.min = Some(min);
        self.max = Some(max);
        self.clamp_min = true;
        self.clamp_max = true;
        self.norm = (min, max);
        self
    }

    /// A lower limit; there is no upper one.
    #[must_use]
    pub fn at_least(mut self, min: f64) -> Self {
        self.min = Some(min);
        self.clamp_min = true;
        self
    }

    /// The range of the slider, which limits nothing.
    #[must_use]
    pub fn slider(mut self, from: f64, to: f64) -> Self {
        self.norm = (from, to);
        self
    }

    /// When it can be set.
    #[must_use]
    pub fn enabled_when(mut self, par: &'static str, is: &'static [&'static str]) -> Self {
        self.enable = Enable::When { par, is };
        self
    }

    /// Entries that a menu takes besides, and does not show.
    #[must_use]
    pub fn also_takes(mut self, unlisted: &[(&'static str, &'static str)]) -> Self {
        self.unlisted = entries(unlisted);
        self
    }

    /// The parameters that the numbers in an entry's name set when it is picked. It begins with none picked.
    #[must_use]
    pub fn sets(mut self, pars: &'static [&'static str]) -> Self {
        self.sets = pars;
        self.default = "".into();
        self
    }

    /// The operator it names cooks first.
    #[must_use]
    pub fn asks(mut self, asks: Asks) -> Self {
        self.asks = asks;
        self
    }

    /// It is the `index`th of a group, from 0.
    #[must_use]
    pub fn in_group(mut self, group: &'static str, index: usize) -> Self {
        self.group = Some((group, index));
        self
    }

    /// Other names under which it is accepted.
    #[must_use]
    pub fn aliases(mut self, aliases: &'static [&'static str]) -> Self {
        self.aliases = aliases;
        self
    }

    /// What it does, in a sentence or two.
    #[must_use]
    pub fn help(mut self, help: impl Into<Cow<'static, str>>) -> Self {
        self.help = help.into();
        self
    }

    /// The names of the menu's entries, in order; none for what is no menu.
    pub fn menu_names(&self) -> impl ExactSizeIterator<Item = &str> {
        self.menu.iter().map(|entry| entry.name.as_ref())
    }

    /// The labels of the menu's entries, in order.
    pub fn menu_labels(&self) -> impl ExactSizeIterator<Item = &str> {
        self.menu.iter().map(|entry| entry.label.as_ref())
    }

    /// The place of a name in the menu, from 0.
    #[must_use]
    pub fn menu_index(&self, name: &str) -> Option<usize> {
        self.menu.iter().position(|entry| entry.name == name)
    }

    /// The name of a menu's entry as the menu has it, shown or not.
    pub(crate) fn entry(&self, name: &str) -> Option<&MenuEntry> {
        self.menu.iter().chain(&self.unlisted).find(|entry| entry.name == name)
    }

    /// Whether it is called so, by its name or by another that is accepted.
    #[must_use]
    pub fn is_called(&self, name: &str) -> bool {
        self.name == name || self.aliases.contains(&name)
    }
}

fn entries(menu: &[(&'static str, &'static str)]) -> Vec<MenuEntry> {
    menu.iter()
        .map(|&(name, label)| MenuEntry { name: Cow::Borrowed(name), label: Cow::Borrowed(label) })
        .collect()
}
