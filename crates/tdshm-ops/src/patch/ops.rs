//! From tables to operators: names, types, components, wires, flags and tables.

use std::collections::HashMap;
use std::sync::Arc;

use toml::de::{DeTable, DeValue};

use super::mistake::{PatchError, did_you_mean, listed};
use super::read::{Entry, Item, Reader, cut, entries, found};
use super::{FLAGS, KEYS, Patch, PatchOp, Settings, custom, pars};
use crate::network::state::check_name;
use crate::op::{Family, OpSpec, Registry};
use crate::table::Table;

/// An operator as it stands in the file.
pub(super) struct Raw<'a, 't> {
    /// The full path, which begins with `/`.
    pub(super) path: String,
    /// The key that leads there: `op.base1.op.wave1`.
    pub(super) key: String,
    pub(super) entry: Entry<'a, 't>,
    pub(super) table: &'a DeTable<'t>,
    pub(super) spec: Option<Arc<OpSpec>>,
}

/// Operators by their paths.
pub(super) type Places = HashMap<String, usize>;

/// Reads a patch.
pub(super) fn read(text: &str, registry: &Registry) -> Result<Patch, PatchError> {
    let (mut reader, table) = Reader::new(text, registry);
    let Some(table) = table else { return Err(PatchError::new(reader.mistakes)) };
    let is_whole = reader.is_whole;
    let patch = patch(&mut reader, &table);
    if !is_whole {
        // What could not be read may be just what is missing, and what stands in its line is not what was written.
        let broken: Vec<usize> =
            reader.mistakes.iter().filter(|m| m.key.is_empty()).map(|m| m.line).collect();
        reader.mistakes.retain(|m| m.key.is_empty() || !m.follows && !broken.contains(&m.line));
    }
    if reader.mistakes.is_empty() { Ok(patch) } else { Err(PatchError::new(reader.mistakes)) }
}

fn patch<'t>(reader: &mut Reader<'t>, table: &DeTable<'t>) -> Patch {
    let mut patch = Patch::default();
    let mut raws = Vec::new();
    for entry in entries(table) {
        match entry.name {
            "network" => {
                if let Some(table) = reader.table(entry.item, "network", "write [network] above its settings")
                {
                    patch.settings = settings(reader, table);
                }
            }
            "op" => {
                if let Some(table) = reader.table(entry.item, "op", "write [op.NAME] above each operator") {
                    collect(reader, table, "", "op", &mut raws);
                }
            }
            name => reader.unknown_key(entry, &cut(name), "", KEYS),
        }
    }
    let mut places = Places::new();
    for (at, raw) in raws.iter().enumerate() {
        if places.contains_key(&raw.path) {
            let what = format!("there is another operator {}", raw.path);
            reader.wrong(raw.entry.key.span(), &raw.key, what, "choose another name");
        } else {
            places.insert(raw.path.clone(), at);
        }
    }
    for raw in &mut raws {
        raw.spec = spec(reader, raw);
    }
    for raw in &raws {
        is_in_component(reader, raw, &raws, &places);
        if let Some(op) = op(reader, raw, &raws, &places) {
            patch.ops.push(op);
        }
    }
    patch.ops.sort_by_key(|op| op.path.matches('/').count());
    patch
}

fn settings<'t>(reader: &mut Reader<'t>, table: &DeTable<'t>) -> Settings {
    let mut settings = Settings::default();
    for entry in entries(table) {
        let key = format!("network.{}", cut(entry.name));
        match entry.name {
            "rate" => {
                if let Some(rate) = reader.number(entry.item, &key) {
                    if (0.001..=100_000.0).contains(&rate) {
                        settings.rate = rate;
                    } else {
                        reader.wrong_kind(entry.item, &key, "give 0.001 to 100000 frames a second");
                    }
                }
            }
            "range" => {
                let ends = entry
                    .item
                    .get_ref()
                    .as_array()
                    .map(|list| list.iter().map(super::read::number).collect::<Vec<_>>());
                match ends.as_deref() {
                    Some(&[Some(start), Some(end)])
                        if start.is_finite() && end.is_finite() && end >= start =>
                    {
                        settings.range = (start, end);
                    }
                    _ => reader.wrong_kind(
                        entry.item,
                        &key,
                        "give the first and the last frame, say [1, 600], the last not before the first",
                    ),
                }
            }
            "play" => settings.play = reader.boolean(entry.item, &key).unwrap_or(true),
            "realtime" => settings.realtime = reader.boolean(entry.item, &key).unwrap_or(true),
            _ => reader.unknown_key(entry, &key, "network", KEYS),
        }
    }
    settings
}

/// Finds the operators of a table, and those inside them.
fn collect<'a, 't>(
    reader: &mut Reader<'t>,
    table: &'a DeTable<'t>,
    inside: &str,
    key: &str,
    raws: &mut Vec<Raw<'a, 't>>,
) {
    for entry in entries(table) {
        let is_bare = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
        let key = if !entry.name.is_empty() && entry.name.chars().all(is_bare) {
            format!("{key}.{}", cut(entry.name))
        } else {
            format!("{key}.{:?}", cut(entry.name))
        };
        let relative = if inside.is_empty() { entry.name.strip_prefix('/') } else { None };
        let mut path = inside.to_owned();
        let mut legal = true;
        for name in relative.unwrap_or(entry.name).split('/') {
            if check_name(name).is_err() {
                let what = format!("{:?} cannot be the name of an operator", cut(name));
                let help = "use letters, digits and _, at most 255, and no digit first; / only between a component and \
                            what is inside";
                reader.wrong(entry.key.span(), &key, what, help);
                legal = false;
                break;
            }
            path.push('/');
            path.push_str(name);
        }
        let Some(table) = reader.table(entry.item, &key, "write [op.NAME] above the keys of an operator")
        else {
            continue;
        };
        if !legal {
            continue;
        }
        raws.push(Raw { path: path.clone(), key: key.clone(), entry, table, spec: None });
        let nested = entries(table).into_iter().find(|entry| entry.name == "op");
        if let Some(nested) = nested {
            let key = format!("{key}.op");
            if let Some(table) =
                reader.table(nested.item, &key, "write [op.COMPONENT.op.NAME] above an operator")
            {
                collect(reader, table, &path, &key, raws);
            }
        }
    }
}

/// The operator type.
fn spec<'t>(reader: &mut Reader<'t>, raw: &Raw<'_, 't>) -> Option<Arc<OpSpec>> {
    let Some(item) = raw.table.iter().find(|(key, _)| key.get_ref() == "type").map(|(_, item)| item) else {
        let what = "the operator has no type";
        reader.missing(raw.entry.key.span(), &raw.key, what, "add a line such as type = \"waveCHOP\"");
        return None;
    };
    let key = format!("{}.type", raw.key);
    let name = reader.text(item, &key)?;
    let registry = reader.registry;
    match registry.find(name) {
        Ok(spec) => Some(Arc::clone(spec)),
        Err(crate::OpError::AmbiguousType { candidates, .. }) => {
            let what = format!("{name:?} is the name of several operator types");
            reader.wrong(item.span(), &key, what, format!("write {candidates}"));
            None
        }
        Err(_) => {
            let known = registry.types().map(|spec| spec.op_type);
            let help = did_you_mean(name, known, || "`tdshm run --schema` lists all types".into());
            reader.wrong(item.span(), &key, format!("there is no operator type {:?}", cut(name)), help);
            None
        }
    }
}

/// Whether what an operator is inside of can hold one.
fn is_in_component(reader: &mut Reader<'_>, raw: &Raw<'_, '_>, raws: &[Raw<'_, '_>], places: &Places) {
    let Some((parent, _)) = raw.path.rsplit_once('/').filter(|(parent, _)| !parent.is_empty()) else {
        return;
    };
    let span = raw.entry.key.span();
    match places.get(parent).and_then(|&at| raws.get(at)) {
        None => {
            let what = format!("there is no component {parent}");
            let help = format!("add [op.{:?}] with type = \"baseCOMP\"", parent.trim_start_matches('/'));
            reader.missing(span, &raw.key, what, help);
        }
        Some(Raw { spec: Some(spec), .. }) if spec.family != Family::Comp => {
            let what = format!("{parent} is a {}, and holds no operators", spec.op_type);
            reader.wrong(span, &raw.key, what, "put it into a component such as a baseCOMP");
        }
        Some(_) => {}
    }
}

/// Everything of one operator.
fn op<'t>(
    reader: &mut Reader<'t>,
    raw: &Raw<'_, 't>,
    raws: &[Raw<'_, 't>],
    places: &Places,
) -> Option<PatchOp> {
    let mut flags = [false; FLAGS.len()];
    let mut comment = String::new();
    let (mut inputs, mut table, mut customs) = (Vec::new(), None, Vec::new());
    let mut settings = Vec::new();
    let all = entries(raw.table);
    // Custom parameters first: `par` may set them.
    for &entry in all.iter().filter(|entry| entry.name == "custom") {
        customs = custom::read(reader, raw, entry);
    }
    for entry in all {
        let key = format!("{}.{}", raw.key, cut(entry.name));
        let flag = FLAGS.iter().zip(&mut flags).find(|((name, _), _)| *name == entry.name);
        match (entry.name, flag) {
            (_, Some((_, flag))) => *flag = reader.boolean(entry.item, &key).unwrap_or(false),
            ("type" | "custom" | "op", _) => {}
            ("comment", _) => comment = reader.text(entry.item, &key).unwrap_or_default().to_owned(),
            ("inputs", _) => inputs = wires(reader, raw, raws, places, entry.item, &key),
            ("table", _) => table = cells(reader, raw, entry.item, &key),
            ("par", _) => {
                let help = "write a parameter as par.NAME = …";
                if let Some(table) = reader.table(entry.item, &key, help) {
                    settings =
                        pars::read(reader, &pars::At { raw, raws, places, customs: &customs }, table, &key);
                }
            }
            (name, _) => {
                let spec = raw.spec.as_ref();
                if spec.is_some_and(|spec| spec.par_index(name).is_some())
                    || customs.iter().any(|custom| custom.name == name)
                {
                    let what = format!("{name:?} is a parameter");
                    reader.wrong(entry.key.span(), &key, what, format!("write it as par.{name}"));
                } else {
                    reader.unknown_key(entry, &key, "op", KEYS);
                }
            }
        }
    }
    let spec = Arc::clone(raw.spec.as_ref()?);
    Some(PatchOp { path: raw.path.clone(), spec, inputs, pars: settings, customs, flags, table, comment })
}

/// The operators wired into the inputs.
fn wires<'t>(
    reader: &mut Reader<'t>,
    raw: &Raw<'_, 't>,
    raws: &[Raw<'_, 't>],
    places: &Places,
    item: &Item<'t>,
    key: &str,
) -> Vec<Option<String>> {
    let Some(list) = item.get_ref().as_array() else {
        reader.wrong_kind(item, key, "give a list of operators, say [\"wave1\"]");
        return Vec::new();
    };
    if let Some(spec) = &raw.spec
        && list.len() > spec.max_inputs
    {
        let what = format!("found {} inputs", list.len());
        let help = match spec.max_inputs {
            0 => format!("a {} has none: remove the line", spec.op_type),
            most => format!("a {} has {most}", spec.op_type),
        };
        reader.wrong(item.span(), key, what, help);
    }
    let mut inputs: Vec<_> = list.iter().map(|item| wire(reader, raw, raws, places, item, key)).collect();
    while inputs.last().is_some_and(Option::is_none) {
        inputs.pop();
    }
    if let Some(spec) = &raw.spec
        && spec.max_inputs == usize::MAX
        && inputs.contains(&None)
    {
        let what = "found an input without a wire";
        let help = format!(
            "a {} takes any number of inputs one behind the other: remove the empty text",
            spec.op_type
        );
        reader.missing(item.span(), key, what, help);
    }
    inputs
}

fn wire<'t>(
    reader: &mut Reader<'t>,
    raw: &Raw<'_, 't>,
    raws: &[Raw<'_, 't>],
    places: &Places,
    item: &Item<'t>,
    key: &str,
) -> Option<String> {
    let name = reader.text(item, key)?;
    if name.is_empty() {
        return None;
    }
    let (inside, own) = raw.path.rsplit_once('/').unwrap_or_default();
    if name.contains('/') {
        let what = format!("{:?} leads to another component", cut(name));
        reader.wrong(item.span(), key, what, "wires stay within one: give the name of an operator beside it");
        return None;
    }
    let path = format!("{inside}/{name}");
    let Some(source) = places.get(&path).and_then(|&at| raws.get(at)) else {
        let beside: Vec<&str> = raws
            .iter()
            .filter_map(|other| other.path.rsplit_once('/'))
            .filter(|(other, name)| *other == inside && *name != own)
            .map(|(_, name)| name)
            .collect();
        let help = did_you_mean(name, beside.iter().copied(), || match beside.len() {
            0 => "there is no other operator beside it".into(),
            1..=12 => format!("there is {}", listed(&beside, "and")),
            _ => "give the name of an operator beside it".into(),
        });
        reader.missing(item.span(), key, format!("there is no operator {:?} beside it", cut(name)), help);
        return None;
    };
    if let (Some(from), Some(to)) = (&source.spec, &raw.spec)
        && from.family != to.family
    {
        let what = format!("{name:?} is a {}, and {own:?} a {}", from.family, to.family);
        reader.wrong(item.span(), key, what, format!("wire a {} into it", to.family));
        return None;
    }
    Some(path)
}

/// The cells of a Table DAT.
fn cells<'t>(reader: &mut Reader<'t>, raw: &Raw<'_, 't>, item: &Item<'t>, key: &str) -> Option<Table> {
    if let Some(spec) = &raw.spec
        && (spec.make)().set_table(Table::default()).is_err()
    {
        let what = format!("a {} holds no table", spec.op_type);
        reader.wrong(item.span(), key, what, "create a tableDAT for it");
        return None;
    }
    let help = "give a list of rows, each a list of cells, say [[\"name\", \"index\"], [\"tx\", 0]]";
    let Some(rows) = item.get_ref().as_array() else {
        reader.wrong_kind(item, key, help);
        return None;
    };
    let mut table = Vec::with_capacity(rows.len());
    for row in rows {
        let Some(cells) = row.get_ref().as_array() else {
            reader.wrong_kind(row, key, help);
            continue;
        };
        table.push(cells.iter().map(|cell| one_cell(reader, cell, key)).collect::<Vec<Arc<str>>>());
    }
    Some(Table::from_rows(table))
}

fn one_cell<'t>(reader: &mut Reader<'t>, cell: &Item<'t>, key: &str) -> Arc<str> {
    match cell.get_ref() {
        DeValue::String(text) => text.as_ref().into(),
        DeValue::Integer(_) if super::read::integer(cell).is_some() => {
            super::read::integer(cell).unwrap_or_default().to_string().into()
        }
        DeValue::Float(number) => number.as_str().into(),
        DeValue::Boolean(value) => {
            let help = format!("cells are texts and numbers: write {}", u8::from(*value));
            reader.wrong(cell.span(), key, format!("found {}", found(cell)), help);
            "".into()
        }
        _ => {
            reader.wrong_kind(cell, key, "cells are texts and numbers");
            "".into()
        }
    }
}
