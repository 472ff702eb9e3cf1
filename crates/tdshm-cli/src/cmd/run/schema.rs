//! Every operator type and parameter, from the very data that networks work with.

use std::borrow::Cow;
use std::fmt::Write;
use std::sync::Arc;

use anyhow::{anyhow, bail};
use serde::Serialize;
use tdshm_ops::par::Enable;
use tdshm_ops::patch::KEYS;
use tdshm_ops::{CookPolicy, OpSpec, ParSpec, Pattern, Registry, Value};

use crate::args::run::RunFormat;
use crate::output::{json, screen, wrapped};

/// Columns where nothing says how wide the terminal is.
const USUAL: usize = 100;

/// Prints the types that the pattern means, all of them and the keys of a patch for the empty one.
pub(crate) fn print(registry: &Registry, pattern: &str, format: RunFormat) -> anyhow::Result<()> {
    let specs = chosen(registry, pattern)?;
    match format {
        RunFormat::Text => {
            let columns = screen::columns().unwrap_or(USUAL).max(40);
            let mut text = if pattern.is_empty() { keys(columns) } else { String::new() };
            for spec in specs {
                if !text.is_empty() {
                    text.push('\n');
                }
                operator(&mut text, spec, columns);
            }
            screen::write(&text)?;
        }
        RunFormat::Json => {
            let keys =
                if pattern.is_empty() { KEYS.iter().map(PatchKey::from).collect() } else { Vec::new() };
            let operators = specs.into_iter().map(|spec| Operator::from(spec.as_ref())).collect();
            json::print(&Schema { keys, operators })?;
        }
        RunFormat::Csv => bail!("--schema has no rows: print it as text or json"),
    }
    Ok(())
}

fn chosen<'r>(registry: &'r Registry, pattern: &str) -> anyhow::Result<Vec<&'r Arc<OpSpec>>> {
    if pattern.is_empty() {
        return Ok(registry.types().collect());
    }
    let names = Pattern::parse(pattern)?;
    let is_meant = |spec: &&Arc<OpSpec>| names.matches(spec.op_type) || names.matches(spec.short_type());
    let specs: Vec<_> = registry.types().filter(is_meant).collect();
    if specs.is_empty() {
        let all: Vec<&str> = registry.types().map(|spec| spec.op_type).collect();
        return Err(anyhow!("{pattern:?} means no operator type: there are {}", all.join(", ")));
    }
    Ok(specs)
}

/// Lines with the same beginning.
fn paragraph(out: &mut String, begin: &str, text: &str, columns: usize) {
    let room = columns.saturating_sub(begin.len());
    for line in wrapped(text.split_whitespace().map(Cow::Borrowed), room) {
        let _ = writeln!(out, "{begin}{line}");
    }
}

/// What stands in a patch.
fn keys(columns: usize) -> String {
    let mut out = "A patch is a TOML file.\n".to_owned();
    let mut table = None;
    for key in KEYS {
        if table != Some(key.table) {
            table = Some(key.table);
            let title = match key.table {
                "" => "At the top",
                "network" => "In [network]",
                "op" => "In the table of an operator",
                _ => "In the table of a custom parameter",
            };
            let _ = writeln!(out, "\n{title}:");
        }
        let _ = writeln!(out, "  {}   for example {}", key.name, key.example);
        paragraph(&mut out, "      ", key.help, columns);
    }
    out
}

fn operator(out: &mut String, spec: &OpSpec, columns: usize) {
    let _ = writeln!(out, "{}   {} {}", spec.op_type, spec.label, spec.family);
    paragraph(out, "  ", spec.summary, columns);
    let _ = writeln!(out, "  Inputs: {}. Cooks {}.", inputs(spec), cooks(spec.policy));
    let mut page = None;
    for par in &spec.pars {
        if page != Some(&par.page) {
            page = Some(&par.page);
            let _ = writeln!(out, "\n  {}", if par.page.is_empty() { "Parameters" } else { &par.page });
        }
        let _ =
            writeln!(out, "    {} = {}   {}, {}", par.name, toml(&par.default), par.label, par.style.name());
        if !par.menu.is_empty() {
            let entries: Vec<String> = par
                .menu
                .iter()
                .map(|entry| match entry.name == entry.label {
                    true => entry.name.to_string(),
                    false => format!("{} ({})", entry.name, entry.label),
                })
                .collect();
            paragraph(out, "        ", &format!("Menu: {}.", entries.join(", ")), columns);
        }
        let mut rest = Vec::new();
        if let Some(range) = range(par) {
            rest.push(format!("Takes {range}."));
        }
        if let Enable::When { par: other, is } = &par.enable {
            rest.push(format!("Counts while {other} is {}.", is.join(" or ")));
        }
        if let Some((group, _)) = par.group {
            rest.push(format!("Of the group {group}."));
        }
        if !par.aliases.is_empty() {
            rest.push(format!("Also called {}.", par.aliases.join(", ")));
        }
        paragraph(out, "        ", &format!("{} {}", par.help, rest.join(" ")), columns);
    }
}

fn inputs(spec: &OpSpec) -> String {
    match (spec.min_inputs, spec.max_inputs) {
        (_, 0) => "none".to_owned(),
        (0, usize::MAX) => "any number".to_owned(),
        (min, usize::MAX) => format!("{min} or more"),
        (min, max) if min == max => max.to_string(),
        (min, max) => format!("{min} to {max}"),
    }
}

fn cooks(policy: CookPolicy) -> &'static str {
    match policy {
        CookPolicy::WhenAsked => "whenever it is asked",
        CookPolicy::EveryFrame => "every frame while active",
        _ => "when it is asked and has a reason",
    }
}

fn range(par: &ParSpec) -> Option<String> {
    let min = par.min.filter(|_| par.clamp_min);
    let max = par.max.filter(|_| par.clamp_max);
    match (min, max) {
        (Some(min), Some(max)) => Some(format!("{min} to {max}")),
        (Some(min), None) => Some(format!("{min} or more")),
        (None, Some(max)) => Some(format!("{max} or less")),
        (None, None) => None,
    }
}

/// A value as a patch has it.
fn toml(value: &Value) -> String {
    match value {
        Value::Bool(value) => value.to_string(),
        Value::Str(text) => format!("{text:?}"),
        Value::None => "\"\"".to_owned(),
        other => other.to_string(),
    }
}

#[derive(Serialize)]
struct Schema {
    keys: Vec<PatchKey>,
    operators: Vec<Operator>,
}

#[derive(Serialize)]
struct PatchKey {
    table: &'static str,
    name: &'static str,
    example: &'static str,
    help: &'static str,
}

impl From<&tdshm_ops::patch::Key> for PatchKey {
    fn from(key: &tdshm_ops::patch::Key) -> Self {
        Self { table: key.table, name: key.name, example: key.example, help: key.help }
    }
}

#[derive(Serialize)]
struct Operator {
    #[serde(rename = "type")]
    op_type: &'static str,
    family: &'static str,
    label: &'static str,
    summary: &'static str,
    min_inputs: usize,
    /// Null for any number.
    max_inputs: Option<usize>,
    cooks: &'static str,
    pars: Vec<Parameter>,
}

#[derive(Serialize)]
struct Parameter {
    name: String,
    label: String,
    page: String,
    style: &'static str,
    default: serde_json::Value,
    menu: Vec<Entry>,
    /// Null where there is no limit.
    min: Option<f64>,
    max: Option<f64>,
    enabled_when: Option<Condition>,
    group: Option<&'static str>,
    aliases: &'static [&'static str],
    help: String,
}

#[derive(Serialize)]
struct Entry {
    name: String,
    label: String,
}

#[derive(Serialize)]
struct Condition {
    par: &'static str,
    is: &'static [&'static str],
}

impl From<&OpSpec> for Operator {
    fn from(spec: &OpSpec) -> Self {
        Self {
            op_type: spec.op_type,
            family: spec.family.name(),
            label: spec.label,
            summary: spec.summary,
            min_inputs: spec.min_inputs,
            max_inputs: (spec.max_inputs != usize::MAX).then_some(spec.max_inputs),
            cooks: cooks(spec.policy),
            pars: spec.pars.iter().map(|par| Parameter::from(par.as_ref())).collect(),
        }
    }
}

impl From<&ParSpec> for Parameter {
    fn from(par: &ParSpec) -> Self {
        let entries = par.menu.iter();
        Self {
            name: par.name.to_string(),
            label: par.label.to_string(),
            page: par.page.to_string(),
            style: par.style.name(),
            default: match &par.default {
                Value::Bool(value) => (*value).into(),
                Value::Int(value) => (*value).into(),
                Value::Float(value) => (*value).into(),
                other => other.as_str().unwrap_or_default().into(),
            },
            menu: entries
                .map(|entry| Entry { name: entry.name.to_string(), label: entry.label.to_string() })
                .collect(),
            min: par.min.filter(|_| par.clamp_min),
            max: par.max.filter(|_| par.clamp_max),
            enabled_when: match &par.enable {
                Enable::When { par, is } => Some(Condition { par, is }),
                _ => None,
            },
            group: par.group.map(|(group, _)| group),
            aliases: par.aliases,
            help: par.help.to_string(),
        }
    }
}
