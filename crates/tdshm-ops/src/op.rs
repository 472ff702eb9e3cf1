//! What an operator is: its type as data, and the code that cooks it.
//!
//! An operator type is an [`OpSpec`] (names, inputs, parameters, when it cooks) with a function that makes an
//! [`Operator`]. A [`Registry`] holds the types that a network can create; other crates add theirs to it.

use core::fmt;
use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use crate::cook::Cook;
use crate::error::OpError;
use crate::par::ParSpec;
use crate::script::ScriptCallback;
use crate::table::Table;

/// What kind of data an operator puts out. Wires join operators of one family.
///
/// # Source
///
/// operators §0: the families that occur here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Family {
    /// Channels.
    Chop,
    /// Images.
    Top,
    /// Tables and text.
    Dat,
    /// Components, which hold networks.
    Comp,
}

impl Family {
    /// TD's word for it: `CHOP`, `TOP`, `DAT`, `COMP`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Chop => "CHOP",
            Self::Top => "TOP",
            Self::Dat => "DAT",
            Self::Comp => "COMP",
        }
    }
}

impl fmt::Display for Family {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// When an operator cooks (operators §9.1).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum CookPolicy {
    /// When it is asked and has a reason.
    #[default]
    WithReason,
    /// Whenever it is asked, once a frame: what brings data in.
    WhenAsked,
    /// Every frame without being asked, while its parameter `active` is on: what sends data out.
    EveryFrame,
}

/// Which of the pages that a family shares an operator has (operators §1.3, §1.6).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum CommonPage {
    /// None.
    #[default]
    None,
    /// The CHOP Common page.
    Chop,
    /// The TOP Common page.
    Top,
}

/// An operator type, as data.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct OpSpec {
    /// The type with its family, as `OP.opType` gives it: `sharedmeminCHOP`.
    pub op_type: &'static str,
    /// The family.
    pub family: Family,
    /// The name that people read: `Shared Mem In`.
    pub label: &'static str,
    /// What it does, in a sentence or two.
    pub summary: &'static str,
    /// Inputs that must be connected.
    pub min_inputs: usize,
    /// Inputs that can be connected; `usize::MAX` for any number.
    pub max_inputs: usize,
    /// When it cooks.
    pub policy: CookPolicy,
    /// Its parameters in the order of its pages, those of the common page behind them.
    pub pars: Vec<Arc<ParSpec>>,
    /// Whether it has the common page of its family.
    pub common: CommonPage,
    /// Whether the operator does itself what the parameter Time Slice says. The output of any other one is cut.
    pub slices_itself: bool,
    /// Makes one.
    pub make: fn() -> Box<dyn Operator>,
    /// Where its parameters are, by all their names: made when a registry takes the type.
    pub(crate) places: HashMap<Cow<'static, str>, usize>,
}

impl OpSpec {
    /// A type without inputs and parameters that cooks with a reason. `op_type` ends in the name of its family.
    #[must_use]
    pub fn new(
        op_type: &'static str,
        family: Family,
        label: &'static str,
        summary: &'static str,
        make: fn() -> Box<dyn Operator>,
    ) -> Self {
        Self {
            op_type,
            family,
            label,
            summary,
            min_inputs: 0,
            max_inputs: 0,
            policy: CookPolicy::WithReason,
            pars: Vec::new(),
            common: CommonPage::None,
            slices_itself: false,
            make,
            places: HashMap::new(),
        }
    }

    /// How many inputs must, and how many can be connected.
    #[must_use]
    pub fn inputs(mut self, min: usize, max: usize) -> Self {
        self.min_inputs = min;
        self.max_inputs = max;
        self
    }

    /// When it cooks.
    #[must_use]
    pub fn policy(mut self, policy: CookPolicy) -> Self {
        self.policy = policy;
        self
    }

    /// Its own parameters, in order; [`common_page`](Self::common_page) comes after it.
    #[must_use]
    pub fn pars(mut self, pars: Vec<ParSpec>) -> Self {
        self.pars = pars.into_iter().map(Arc::new).collect();
        self
    }

    /// Adds the parameters of its family's common page behind its own.
    #[must_use]
    pub fn common_page(mut self) -> Self {
        let (page, pars) = match self.family {
            Family::Chop => (CommonPage::Chop, crate::common::chop::pars()),
            Family::Top => (CommonPage::Top, crate::common::top::pars()),
            Family::Dat | Family::Comp => return self,
        };
        self.common = page;
        self.pars.extend(pars.into_iter().map(Arc::new));
        self
    }

    /// It does itself what the parameter Time Slice says: its output is left as it is.
    #[must_use]
    pub fn slices_itself(mut self) -> Self {
        self.slices_itself = true;
        self
    }

    /// Leaves parameters out, of the common page as a rule: an operator that renames has no second Rename.
    #[must_use]
    pub fn without(mut self, pars: &[&str]) -> Self {
        self.pars.retain(|spec| !pars.contains(&spec.name.as_ref()));
        self
    }

    /// Changes the default of a parameter that is there already: of the common page, as a rule.
    #[must_use]
    pub fn with_default(mut self, par: &str, default: impl Into<crate::Value>) -> Self {
        let default = default.into();
        for spec in self.pars.iter_mut().filter(|spec| spec.is_called(par)) {
            Arc::make_mut(spec).default = default.clone();
        }
        self
    }

    /// The type without its family, as `OP.type` gives it: `sharedmemin`.
    #[must_use]
    pub fn short_type(&self) -> &'static str {
        self.op_type.strip_suffix(self.family.name()).unwrap_or(self.op_type)
    }

    /// The place of a parameter, by its name or by another that is accepted for it.
    #[must_use]
    pub fn par_index(&self, name: &str) -> Option<usize> {
        self.pars
            .iter()
            .position(|par| par.name == name)
            .or_else(|| self.pars.iter().position(|par| par.aliases.contains(&name)))
    }
}

/// The code of an operator. One value lives in each node of a network, as long as the node does.
///
/// Everything it needs comes through the [`Cook`]; it must not wait, beyond the limit that [`Cook::patience`] gives.
pub trait Operator: Send {
    /// Computes the output. What is neither filled nor passed through stays as it was.
    ///
    /// Errors and warnings are told with [`Cook::error`] and [`Cook::warn`]; those of the last cook are gone by now.
    fn cook(&mut self, cook: &mut Cook);

    /// Adds the channels of the separate info set `shm`, in order (operators §8.5): what goes on at the operator's other end.
    fn shm_info(&self, _add: &mut dyn FnMut(&'static str, f64)) {}

    /// Takes a closure that does the cooking. Gives it back where the operator is no script.
    ///
    /// # Errors
    ///
    /// The closure, where the operator takes none.
    fn set_script(&mut self, script: ScriptCallback) -> Result<(), ScriptCallback> {
        Err(script)
    }

    /// Takes a table as its contents. Gives it back where the operator holds none.
    ///
    /// # Errors
    ///
    /// The table, where the operator takes none.
    fn set_table(&mut self, table: Table) -> Result<(), Table> {
        Err(table)
    }

    /// The table it holds.
    fn table(&self) -> Option<&Table> {
        None
    }

    /// The same, to be changed.
    fn table_mut(&mut self) -> Option<&mut Table> {
        None
    }
}

/// The operator types that a network can create.
///
/// ```
/// let registry = tdshm_ops::Registry::standard();
/// assert_eq!(registry.find("sharedmemoutCHOP")?.label, "Shared Mem Out");
/// # Ok::<(), tdshm_ops::OpError>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct Registry {
    types: BTreeMap<&'static str, Arc<OpSpec>>,
}

impl Registry {
    /// No types at all.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The types of this crate.
    #[must_use]
    pub fn standard() -> Self {
        let mut registry = Self::new();
        crate::ops::register(&mut registry);
        registry
    }

    /// Adds a type; one of the same name is replaced.
    pub fn add(&mut self, mut spec: OpSpec) {
        spec.places.clear();
        for (at, par) in spec.pars.iter().enumerate().rev() {
            spec.places.extend(par.aliases.iter().map(|&alias| (Cow::Borrowed(alias), at)));
        }
        // Where one has a name that another answers to as well, the name counts.
        for (at, par) in spec.pars.iter().enumerate().rev() {
            spec.places.insert(par.name.clone(), at);
        }
        self.types.insert(spec.op_type, Arc::new(spec));
    }

    /// The type of that name: `sharedmeminCHOP`, or `sharedmemin` where only one family has it.
    ///
    /// # Errors
    ///
    /// [`OpError::UnknownType`], with those that look alike; [`OpError::AmbiguousType`] where families must be told apart.
    pub fn find(&self, name: &str) -> Result<&Arc<OpSpec>, OpError> {
        if let Some(spec) = self.types.get(name) {
            return Ok(spec);
        }
        let mut alike = self.types.values().filter(|spec| spec.short_type() == name);
        match (alike.next(), alike.next()) {
            (Some(only), None) => Ok(only),
            (Some(one), Some(other)) => Err(OpError::AmbiguousType {
                name: name.into(),
                candidates: format!("{} or {}", one.op_type, other.op_type),
            }),
            (None, _) => Err(OpError::UnknownType { name: name.into(), hint: self.hint(name) }),
        }
    }

    /// All types, by name.
    pub fn types(&self) -> impl ExactSizeIterator<Item = &Arc<OpSpec>> {
        self.types.values()
    }

    fn hint(&self, name: &str) -> String {
        let lower = name.to_ascii_lowercase();
        let near: Vec<_> = self
            .types
            .keys()
            .filter(|known| {
                let known = known.to_ascii_lowercase();
                known.starts_with(&lower)
                    || lower.starts_with(known.trim_end_matches(char::is_alphabetic))
                    || (lower.len() >= 4 && known.contains(&lower))
            })
            .filter(|known| !known.is_empty())
            .take(3)
            .copied()
            .collect();
        if near.is_empty() {
            "see the list of types for what there is".into()
        } else {
            format!("did you mean {}?", near.join(", "))
        }
    }
}
