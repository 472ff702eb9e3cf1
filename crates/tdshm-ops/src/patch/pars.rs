//! Parameters: a constant of the kind that each takes, an expression, or a bind.

use toml::de::{DeTable, DeValue};

use super::Setting;
use super::mistake::{did_you_mean, listed};
use super::ops::{Places, Raw};
use super::read::{Entry, Item, Reader, cut, entries, found, integer, number};
use crate::Value;
use crate::expr::Expr;
use crate::op::Family;
use crate::par::state::{Bind, coerce};
use crate::par::{ParSpec, Style};
use crate::pattern::{Pattern, Rename};

/// The operator whose parameters are read, and the others.
pub(super) struct At<'r, 'a, 't> {
    pub(super) raw: &'r Raw<'a, 't>,
    pub(super) raws: &'r [Raw<'a, 't>],
    pub(super) places: &'r Places,
    pub(super) customs: &'r [ParSpec],
}

impl At<'_, '_, '_> {
    fn specs(&self) -> impl Iterator<Item = &ParSpec> {
        self.raw.spec.iter().flat_map(|spec| &spec.pars).map(AsRef::as_ref).chain(self.customs)
    }

    fn find(&self, name: &str) -> Option<&ParSpec> {
        self.specs().find(|spec| spec.name == name).or_else(|| self.specs().find(|spec| spec.is_called(name)))
    }
}

/// Reads the parameters of an operator.
pub(super) fn read<'t>(
    reader: &mut Reader<'t>,
    at: &At<'_, '_, 't>,
    table: &DeTable<'t>,
    key: &str,
) -> Vec<(String, Setting)> {
    let mut settings: Vec<(String, Setting)> = Vec::new();
    // What cannot be told without the type is told once it is there.
    if at.raw.spec.is_none() {
        return settings;
    }
    for entry in entries(table) {
        let key = format!("{key}.{}", cut(entry.name));
        let mut add = |reader: &mut Reader<'t>, spec: &ParSpec, item: &Item<'t>| {
            if settings.iter().any(|(name, _)| *name == spec.name) {
                let what = format!("the parameter {:?} stands here a second time", spec.name);
                reader.wrong(
                    entry.key.span(),
                    &key,
                    what,
                    "give each parameter once, under one of its names",
                );
            } else if let Some(setting) = setting(reader, at, spec, item, &key) {
                settings.push((spec.name.to_string(), setting));
            }
        };
        if let Some(spec) = at.find(entry.name) {
            add(reader, spec, entry.item);
            continue;
        }
        let group: Vec<&ParSpec> =
            at.specs().filter(|spec| spec.group.is_some_and(|(name, _)| name == entry.name)).collect();
        if group.is_empty() {
            unknown(reader, at, entry, &key);
            continue;
        }
        match entry.item.get_ref().as_array().filter(|list| list.len() == group.len()) {
            Some(list) => group.into_iter().zip(list.iter()).for_each(|(spec, item)| add(reader, spec, item)),
            None => {
                let names: Vec<&str> = group.iter().map(|spec| spec.name.as_ref()).collect();
                let help = format!("give a list of {}: {}", names.len(), listed(&names, "and"));
                reader.wrong_kind(entry.item, &key, help);
            }
        }
    }
    rename(reader, at, table, &settings, key);
    settings
}

fn unknown(reader: &mut Reader<'_>, at: &At<'_, '_, '_>, entry: Entry<'_, '_>, key: &str) {
    let known: Vec<&str> = at
        .specs()
        .flat_map(|spec| [Some(spec.name.as_ref()), spec.group.map(|(group, _)| group)])
        .flatten()
        .collect();
    // A label is what people see, and take for the name.
    let wanted: String = entry.name.chars().filter(|c| !c.is_whitespace() && *c != '_').collect();
    let by_label = at
        .specs()
        .find(|spec| spec.label.split_whitespace().collect::<String>().eq_ignore_ascii_case(&wanted));
    let op_type = at.raw.spec.as_ref().map_or("", |spec| spec.op_type);
    let help = match by_label {
        Some(spec) => format!("did you mean {}?", spec.name),
        None => did_you_mean(entry.name, known.iter().copied(), || match known.len() {
            0 => "it has none".into(),
            1..=16 => format!("it has {}", listed(&known, "and")),
            _ => format!("`tdshm run --schema {op_type}` lists them"),
        }),
    };
    let what = format!("a {op_type} has no parameter {:?}", cut(entry.name));
    let is_comp = at.raw.spec.as_ref().is_some_and(|spec| spec.family == Family::Comp);
    if is_comp && entry.name.starts_with(|c: char| c.is_ascii_uppercase()) {
        // It may be missing because its own line could not be read.
        let help = if at.customs.is_empty() { format!("add custom.{} = …", cut(entry.name)) } else { help };
        reader.missing(entry.key.span(), key, what, help);
    } else {
        reader.wrong(entry.key.span(), key, what, help);
    }
}

/// What a parameter is set to.
fn setting<'t>(
    reader: &mut Reader<'t>,
    at: &At<'_, '_, 't>,
    spec: &ParSpec,
    item: &Item<'t>,
    key: &str,
) -> Option<Setting> {
    if let Some(table) = item.get_ref().as_table() {
        return live(reader, item, table, key);
    }
    if spec.style == Style::Pulse {
        let what = format!("{} is a button, which has no value", spec.name);
        reader.wrong(
            item.span(),
            key,
            what,
            "remove it, or give an expression that presses it: { expr = \"…\" }",
        );
        return None;
    }
    let value = constant(reader, spec, item, key)?;
    if let Value::Str(text) = &value {
        // The default is right as it is: of Export Root it is what the operator itself would call `..`.
        if spec.style.is_op() && spec.default.as_str() != Some(&**text) {
            reference(reader, at, spec, text, item, key);
        }
        if is_pattern(spec)
            && let Err(error) = Pattern::parse(text)
        {
            reader.wrong(item.span(), key, format!("{:?} is no pattern", cut(text)), error.to_string());
            return None;
        }
    }
    Some(Setting::Constant(value))
}

/// Whether a text is a pattern of names: these parameters are called so in every operator that has them.
fn is_pattern(spec: &ParSpec) -> bool {
    !spec.is_custom
        && matches!(&*spec.name, "scope" | "commonrenamefrom" | "renamefrom" | "channames")
        && matches!(spec.style, Style::Str | Style::StrMenu)
}

/// `{ expr = "…" }` or `{ bind = "…" }`.
fn live<'t>(reader: &mut Reader<'t>, item: &Item<'t>, table: &DeTable<'t>, key: &str) -> Option<Setting> {
    let all = entries(table);
    let [only] = all.as_slice() else {
        let names: Vec<String> = all.iter().map(|entry| cut(entry.name)).collect();
        let what = if names.is_empty() {
            "found an empty table".into()
        } else {
            format!("found {}", names.join(", "))
        };
        reader.wrong(item.span(), key, what, "give one of { expr = \"…\" } and { bind = \"…\" }");
        return None;
    };
    match only.name {
        "expr" => {
            let text = reader.text(only.item, key)?;
            match Expr::parse(text) {
                Ok(_) => Some(Setting::Expr(text.to_owned())),
                Err(error) => {
                    let what = format!("the expression {:?} cannot be read", cut(text));
                    reader.wrong(only.item.span(), key, what, error.to_string());
                    None
                }
            }
        }
        "bind" => {
            let text = reader.text(only.item, key)?;
            match Bind::new(text).master {
                Ok(_) => Some(Setting::Bind(text.to_owned())),
                Err(problem) => {
                    let what = format!("the bind expression {:?} cannot be read", cut(text));
                    reader.wrong(only.item.span(), key, what, problem.to_string());
                    None
                }
            }
        }
        name => {
            let what = format!("there is no key {:?} here", cut(name));
            reader.wrong(only.key.span(), key, what, "give one of { expr = \"…\" } and { bind = \"…\" }");
            None
        }
    }
}

/// A constant of the kind that the parameter takes.
pub(super) fn constant<'t>(
    reader: &mut Reader<'t>,
    spec: &ParSpec,
    item: &Item<'t>,
    key: &str,
) -> Option<Value> {
    let value = match spec.style {
        Style::Toggle | Style::Pulse => match (item.get_ref(), integer(item)) {
            (DeValue::Boolean(value), _) => Some(Value::Bool(*value)),
            (_, Some(number @ 0..=1)) => Some(Value::Bool(number == 1)),
            _ => None,
        },
        Style::Int => integer(item).map(Value::Int),
        Style::Float => number(item).filter(|number| number.is_finite()).map(Value::Float),
        Style::Menu => return entry_of(reader, spec, item, key),
        Style::Str | Style::StrMenu | Style::File | Style::Op | Style::Chop | Style::Top | Style::Dat => {
            item.get_ref().as_str().map(Value::from)
        }
    };
    let Some(value) = value else {
        let takes = match spec.style {
            Style::Toggle | Style::Pulse => "true or false",
            Style::Int => "a whole number",
            Style::Float => "a number",
            Style::File => "a path to a file, in double quotes",
            style if style.is_op() => "the path of an operator, in double quotes",
            _ => "a text in double quotes",
        };
        reader.wrong_kind(item, key, format!("give {takes}"));
        return None;
    };
    let below = spec.min.filter(|&min| spec.clamp_min && value.as_f64().is_some_and(|number| number < min));
    let above = spec.max.filter(|&max| spec.clamp_max && value.as_f64().is_some_and(|number| number > max));
    if spec.style.is_number() && (below.is_some() || above.is_some()) {
        let help = match (spec.min.filter(|_| spec.clamp_min), spec.max.filter(|_| spec.clamp_max)) {
            (Some(min), Some(max)) => format!("give {min} to {max}"),
            (Some(min), None) => format!("give {min} or more"),
            (_, max) => format!("give {} or less", max.unwrap_or_default()),
        };
        reader.wrong_kind(item, key, help);
        return None;
    }
    Some(value)
}

/// An entry of a menu, by its name.
fn entry_of<'t>(reader: &mut Reader<'t>, spec: &ParSpec, item: &Item<'t>, key: &str) -> Option<Value> {
    let names: Vec<&str> = spec.menu_names().collect();
    let all = || format!("give {}", listed(&names, "or"));
    let Some(text) = item.get_ref().as_str() else {
        let by_index = integer(item).and_then(|index| names.get(usize::try_from(index).ok()?).copied());
        let help = by_index.map_or_else(all, |name| format!("menus are set by name: write {name:?}"));
        reader.wrong_kind(item, key, help);
        return None;
    };
    // Entries that are accepted without being shown are known there.
    if let Ok(value) = coerce(spec, &text.into()) {
        return Some(value);
    }
    let by_label = spec.menu.iter().find(|entry| entry.label.eq_ignore_ascii_case(text));
    let help = match by_label {
        Some(entry) => format!("did you mean {:?}?", entry.name),
        None if names.len() <= 8 => all(),
        None => did_you_mean(text, names.iter().copied(), all),
    };
    reader.wrong(item.span(), key, format!("the menu has no entry {:?}", cut(text)), help);
    None
}

/// The operator that a path names must be there, and of the family that is asked for.
fn reference<'t>(
    reader: &mut Reader<'t>,
    at: &At<'_, '_, 't>,
    spec: &ParSpec,
    path: &str,
    item: &Item<'t>,
    key: &str,
) {
    if path.is_empty() {
        return;
    }
    let inside = at.raw.path.rsplit_once('/').map_or("", |(inside, _)| inside);
    let mut names: Vec<&str> = if path.starts_with('/') { Vec::new() } else { inside.split('/').collect() };
    names.retain(|name| !name.is_empty());
    let mut leads_out = false;
    for name in path.split('/') {
        match name {
            "" | "." => {}
            ".." => leads_out |= names.pop().is_none(),
            name => names.push(name),
        }
    }
    let full = format!("/{}", names.join("/"));
    // The component at the top is no operator of the patch. Above it there is nothing, which TD's default `..` may mean.
    let is_top = names.is_empty();
    let target = at.places.get(&full).and_then(|&place| at.raws.get(place));
    if leads_out || !is_top && target.is_none() {
        let known: Vec<&str> = at.raws.iter().map(|raw| raw.path.as_str()).collect();
        let help = did_you_mean(&full, known.iter().copied(), || {
            let beside = if inside.is_empty() { "/" } else { inside };
            format!("seen from {beside}, where this operator is: check the path")
        });
        reader.missing(item.span(), key, format!("there is no operator {:?}", cut(path)), help);
        return;
    }
    let wanted = match spec.style {
        Style::Chop => Family::Chop,
        Style::Top => Family::Top,
        Style::Dat => Family::Dat,
        _ => return,
    };
    let family = match target {
        Some(raw) => raw.spec.as_ref().map(|spec| spec.family),
        None => Some(Family::Comp),
    };
    if let Some(family) = family.filter(|&family| family != wanted) {
        reader.wrong(item.span(), key, format!("{:?} is a {family}", cut(path)), format!("give a {wanted}"));
    }
}

/// Both sides of a rename together, where both are texts.
fn rename<'t>(
    reader: &mut Reader<'t>,
    at: &At<'_, '_, 't>,
    table: &DeTable<'t>,
    settings: &[(String, Setting)],
    key: &str,
) {
    for (from, to) in [("commonrenamefrom", "commonrenameto"), ("renamefrom", "renameto")] {
        let text = |name: &str| {
            let set = settings.iter().find(|(other, _)| other == name).map(|(_, setting)| setting.clone());
            match set {
                Some(Setting::Constant(Value::Str(text))) => Some(text),
                Some(_) => None,
                None => match &at.specs().find(|spec| spec.name == name)?.default {
                    Value::Str(text) => Some(text.clone()),
                    _ => None,
                },
            }
        };
        let Some((from_text, to_text)) = text(from).zip(text(to)) else { continue };
        if to_text.is_empty() || Pattern::parse(&from_text).is_err() {
            continue;
        }
        let Err(error) = Rename::parse(&from_text, &to_text) else { continue };
        let is_to = |name: &str| at.find(name).is_some_and(|spec| spec.name == to);
        if let Some(entry) = entries(table).into_iter().find(|entry| is_to(entry.name)) {
            let what = format!("{} cannot be renamed to {}", found_text(&from_text), found(entry.item));
            reader.wrong(entry.item.span(), &format!("{key}.{}", entry.name), what, error.to_string());
        }
    }
}

fn found_text(text: &str) -> String {
    format!("{:?}", cut(text))
}
