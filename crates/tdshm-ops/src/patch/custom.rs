//! Custom parameters of components: `custom.Speed = 1.0`, or a table that says more.

use toml::de::{DeTable, DeValue};

use super::KEYS;
use super::mistake::{did_you_mean, listed};
use super::ops::Raw;
use super::pars;
use super::read::{Entry, Item, Reader, cut, entries};
use crate::Value;
use crate::op::Family;
use crate::par::{MenuEntry, ParSpec, Style};

const STYLES: [Style; 12] = [
    Style::Toggle,
    Style::Str,
    Style::StrMenu,
    Style::Menu,
    Style::Int,
    Style::Float,
    Style::Pulse,
    Style::Op,
    Style::Chop,
    Style::Top,
    Style::Dat,
    Style::File,
];

/// Reads the custom parameters of an operator.
pub(super) fn read<'t>(reader: &mut Reader<'t>, raw: &Raw<'_, 't>, entry: Entry<'_, 't>) -> Vec<ParSpec> {
    let key = format!("{}.custom", raw.key);
    if let Some(spec) = &raw.spec
        && spec.family != Family::Comp
    {
        let what = format!("a {} has no custom parameters", spec.op_type);
        reader.wrong(entry.key.span(), &key, what, "components have: give them to a baseCOMP");
        return Vec::new();
    }
    let help = "write a custom parameter as custom.NAME = …";
    let Some(table) = reader.table(entry.item, &key, help) else { return Vec::new() };
    let mut pars: Vec<ParSpec> = Vec::new();
    for entry in entries(table) {
        let key = format!("{key}.{}", cut(entry.name));
        let is_legal = entry.name.starts_with(|c: char| c.is_ascii_uppercase())
            && entry.name.chars().all(|c| c.is_ascii_alphanumeric())
            && entry.name.len() <= 255;
        if !is_legal {
            let what = format!("{:?} cannot be the name of a custom parameter", cut(entry.name));
            reader.wrong(
                entry.key.span(),
                &key,
                what,
                "it begins with a capital letter and has letters and digits only",
            );
        } else if raw.spec.as_ref().is_some_and(|spec| spec.par_index(entry.name).is_some()) {
            let what = format!("{:?} is a parameter of the operator already", entry.name);
            reader.wrong(entry.key.span(), &key, what, "choose another name");
        }
        let spec = match entry.item.get_ref().as_table() {
            Some(table) => long(reader, entry, table, &key),
            None => short(reader, entry, &key),
        };
        if let Some(spec) = spec.filter(|_| is_legal) {
            pars.push(ParSpec { is_custom: true, ..spec });
        }
    }
    pars
}

/// What kind of parameter a value is one of.
fn style_of(item: &Item<'_>) -> Option<Style> {
    match item.get_ref() {
        DeValue::Boolean(_) => Some(Style::Toggle),
        DeValue::Integer(_) => Some(Style::Int),
        DeValue::Float(_) => Some(Style::Float),
        DeValue::String(_) => Some(Style::Str),
        _ => None,
    }
}

/// `custom.Speed = 1.0`: the value says what it is.
fn short<'t>(reader: &mut Reader<'t>, entry: Entry<'_, 't>, key: &str) -> Option<ParSpec> {
    let Some(style) = style_of(entry.item) else {
        let help =
            "give its default (true, 1, 1.0 or a text), or a table such as { default = 1.0, max = 10.0 }";
        reader.wrong_kind(entry.item, key, help);
        return None;
    };
    let spec = plain(entry.name, style);
    let default = pars::constant(reader, &spec, entry.item, key)?;
    Some(spec.default_to(default))
}

/// A parameter of that style with the default that TD gives it.
fn plain(name: &str, style: Style) -> ParSpec {
    let name = name.to_owned();
    let spec = match style {
        Style::Toggle => ParSpec::toggle(name.clone(), name, false),
        Style::Str => ParSpec::text(name.clone(), name, ""),
        Style::StrMenu => ParSpec::text_menu(name.clone(), name, "", &[]),
        Style::Menu => ParSpec::menu(name.clone(), name, &[]),
        Style::Int => ParSpec::int(name.clone(), name, 0),
        Style::Float => ParSpec::float(name.clone(), name, 0.0),
        Style::Pulse => ParSpec::pulse(name.clone(), name),
        Style::Op | Style::Chop | Style::Top | Style::Dat => ParSpec::op(name.clone(), name, style, ""),
        Style::File => ParSpec::file(name.clone(), name),
    };
    spec.page("Custom")
}

/// A table that says more than the default.
fn long<'t>(
    reader: &mut Reader<'t>,
    entry: Entry<'_, 't>,
    table: &DeTable<'t>,
    key: &str,
) -> Option<ParSpec> {
    let all = entries(table);
    if let Some(live) = all.iter().find(|entry| matches!(entry.name, "expr" | "bind")) {
        let what = format!("found {:?} where the parameter is made", live.name);
        let help = format!(
            "give it a default here, and write par.{} = {{ {} = \"…\" }} for this",
            entry.name, live.name
        );
        reader.wrong(live.key.span(), key, what, help);
        return None;
    }
    let of = |name: &str| all.iter().find(|entry| entry.name == name).copied();
    let style = match of("style") {
        Some(entry) => {
            let key = format!("{key}.style");
            let text = reader.text(entry.item, &key)?;
            let Some(style) = STYLES.into_iter().find(|style| style.name() == text) else {
                let names = STYLES.map(Style::name);
                let help = did_you_mean(text, names, || format!("use {}", listed(&names, "or")));
                reader.wrong(entry.item.span(), &key, format!("there is no style {:?}", cut(text)), help);
                return None;
            };
            style
        }
        None if of("menu").is_some() => Style::Menu,
        None => match of("default").and_then(|entry| style_of(entry.item)) {
            Some(style) => style,
            None => {
                let help = "add one of them, say default = 1.0 or style = \"Pulse\"";
                reader.missing(entry.key.span(), key, "found neither a style nor a default", help);
                return None;
            }
        },
    };
    let mut spec = plain(entry.name, style);
    for entry in &all {
        let key = format!("{key}.{}", cut(entry.name));
        match entry.name {
            "style" | "default" => {}
            "label" => spec.label = reader.text(entry.item, &key)?.to_owned().into(),
            "page" => spec.page = reader.text(entry.item, &key)?.to_owned().into(),
            "help" => spec.help = reader.text(entry.item, &key)?.to_owned().into(),
            "min" | "max" => {
                if !style.is_number() {
                    let what = format!("the style {} has no least or greatest number", style.name());
                    reader.wrong(entry.key.span(), &key, what, "remove it, or use the style Int or Float");
                    continue;
                }
                let number = reader.number(entry.item, &key)?;
                if entry.name == "min" {
                    (spec.min, spec.clamp_min, spec.norm.0) = (Some(number), true, number);
                } else {
                    (spec.max, spec.clamp_max, spec.norm.1) = (Some(number), true, number);
                }
            }
            "menu" => spec.menu = menu(reader, style, *entry, &key)?,
            _ => reader.unknown_key(*entry, &key, "custom", KEYS),
        }
    }
    if let (Some(min), Some(max)) = (spec.min, spec.max)
        && min > max
    {
        let what = format!("the smallest number {min} is above the greatest, {max}");
        reader.wrong(entry.key.span(), key, what, "exchange min and max");
        return None;
    }
    if style == Style::Menu {
        let Some(first) = spec.menu.first() else {
            let help = "add its entries, say menu = [\"slow\", \"fast\"]";
            reader.missing(entry.key.span(), key, "found a Menu without entries", help);
            return None;
        };
        spec.default = Value::from(first.name.as_ref());
    }
    if let Some(entry) = of("default") {
        spec.default = pars::constant(reader, &spec, entry.item, &format!("{key}.default"))?;
    }
    Some(spec)
}

/// The entries of a menu: texts, or pairs of name and label.
fn menu<'t>(
    reader: &mut Reader<'t>,
    style: Style,
    entry: Entry<'_, 't>,
    key: &str,
) -> Option<Vec<MenuEntry>> {
    if !matches!(style, Style::Menu | Style::StrMenu) {
        let what = format!("the style {} has no menu", style.name());
        reader.wrong(entry.key.span(), key, what, "remove it, or use the style Menu or StrMenu");
        return None;
    }
    let help = "give a list of names, say [\"slow\", \"fast\"]";
    let Some(list) = entry.item.get_ref().as_array() else {
        reader.wrong_kind(entry.item, key, help);
        return None;
    };
    let mut menu: Vec<MenuEntry> = Vec::new();
    for item in list {
        let Some(name) = item.get_ref().as_str().filter(|name| !name.is_empty()) else {
            reader.wrong_kind(item, key, help);
            continue;
        };
        if menu.iter().any(|entry| entry.name == name) {
            let what = format!("the entry {:?} stands here a second time", cut(name));
            reader.wrong(item.span(), key, what, "give each entry once");
            continue;
        }
        menu.push(MenuEntry { name: name.to_owned().into(), label: name.to_owned().into() });
    }
    Some(menu)
}
