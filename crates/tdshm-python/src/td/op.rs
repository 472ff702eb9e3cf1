//! An operator.

use pyo3::prelude::*;
use tdshm_ops::{Flag, Force, InfoType, Op, OpError, ParSpec, Style};

use super::connector::TdConnector;
use super::par::TdPar;
use super::value::{Given, to_python};
use super::{Ours, away, outside, trouble};

/// An operator; the typed package makes an `OP` of it.
#[pyclass(frozen, module = "tdshm._tdshm")]
pub(crate) struct TdOp(pub(super) Ours<Op>);

impl From<Op> for TdOp {
    fn from(it: Op) -> Self {
        Self(Ours::new(it))
    }
}

pub(super) fn wrap_all(ops: Vec<Op>) -> Vec<TdOp> {
    ops.into_iter().map(TdOp::from).collect()
}

fn force(force: bool) -> Force {
    if force { Force::Yes } else { Force::No }
}

fn flag(name: &str) -> Option<Flag> {
    Some(match name {
        "bypass" => Flag::Bypass,
        "lock" => Flag::Lock,
        "viewer" => Flag::Viewer,
        "activeViewer" => Flag::ActiveViewer,
        "export" => Flag::Export,
        "display" => Flag::Display,
        "selected" => Flag::Selected,
        _ => return None,
    })
}

#[pymethods]
impl TdOp {
    #[getter]
    fn id(&self) -> u32 {
        self.0.id().number()
    }

    fn valid(&self, py: Python<'_>) -> PyResult<bool> {
        away(py, &self.0, || self.0.is_valid())
    }

    /// What it says of itself, by TD's name for it.
    fn member(&self, py: Python<'_>, name: &str) -> PyResult<Py<PyAny>> {
        let value = outside(py, &self.0, || self.0.member(name))?;
        to_python(py, self.0.network(), value)
    }

    fn op_type(&self, py: Python<'_>) -> PyResult<String> {
        outside(py, &self.0, || self.0.op_type())
    }

    fn rename(&self, py: Python<'_>, name: &str) -> PyResult<()> {
        outside(py, &self.0, || self.0.rename(name))
    }

    fn parent(&self, py: Python<'_>, levels: usize) -> PyResult<Option<Self>> {
        Ok(outside(py, &self.0, || self.0.parent_at(levels))?.map(Self::from))
    }

    fn children(&self, py: Python<'_>) -> PyResult<Vec<Self>> {
        Ok(wrap_all(outside(py, &self.0, || self.0.children())?))
    }

    fn find(&self, py: Python<'_>, pattern: &str) -> PyResult<Option<Self>> {
        outside(py, &self.0, || {
            self.0.op_type()?;
            Ok(self.0.find(pattern))
        })
        .map(|found| found.map(Self::from))
    }

    fn find_all(&self, py: Python<'_>, patterns: &str) -> PyResult<Vec<Self>> {
        outside(py, &self.0, || {
            self.0.op_type()?;
            Ok(self.0.ops(patterns))
        })
        .map(wrap_all)
    }

    fn create(&self, py: Python<'_>, op_type: &str, name: Option<&str>) -> PyResult<Self> {
        outside(py, &self.0, || self.0.create_named(op_type, name)).map(Self::from)
    }

    fn destroy(&self, py: Python<'_>) -> PyResult<()> {
        outside(py, &self.0, || self.0.destroy())
    }

    fn change_type(&self, py: Python<'_>, op_type: &str) -> PyResult<Self> {
        outside(py, &self.0, || self.0.change_type(op_type)).map(Self::from)
    }

    // Parameters

    /// `None` for a name that no parameter has.
    fn find_par(&self, py: Python<'_>, name: &str) -> PyResult<Option<TdPar>> {
        outside(py, &self.0, || match self.0.par(name) {
            Ok(par) => Ok(Some(TdPar::from(par))),
            Err(OpError::NoSuchPar { .. }) => Ok(None),
            Err(error) => Err(error),
        })
    }

    fn pars(&self, py: Python<'_>, pattern: &str) -> PyResult<Vec<TdPar>> {
        Ok(outside(py, &self.0, || self.0.pars(pattern))?.into_iter().map(TdPar::from).collect())
    }

    /// Those of a kind: `builtin`, `custom`, a `group` or a `page` of a name.
    fn pars_of(&self, py: Python<'_>, kind: &str, name: &str) -> PyResult<Vec<TdPar>> {
        let pars = outside(py, &self.0, || match kind {
            "builtin" => self.0.builtin_pars(),
            "custom" => self.0.custom_pars(),
            "group" => self.0.par_group(name),
            _ => self.0.page(name),
        })?;
        Ok(pars.into_iter().map(TdPar::from).collect())
    }

    fn pages(&self, py: Python<'_>) -> PyResult<Vec<String>> {
        outside(py, &self.0, || self.0.pages())
    }

    fn copy_parameters(&self, py: Python<'_>, from: &Self) -> PyResult<()> {
        outside(py, &self.0, || self.0.copy_parameters(&from.0))
    }

    fn reset_pars(&self, py: Python<'_>) -> PyResult<bool> {
        outside(py, &self.0, || self.0.reset_pars())
    }

    /// Adds a custom parameter of a style to a page.
    #[expect(clippy::too_many_arguments, reason = "the typed package says what they are")]
    fn append_par(
        &self,
        py: Python<'_>,
        style: &str,
        name: String,
        label: String,
        page: String,
        default: Option<Given>,
        range: Option<(f64, f64)>,
        menu: Vec<(String, String)>,
    ) -> PyResult<TdPar> {
        let mut spec = match style {
            "Toggle" => ParSpec::toggle(name, label, false),
            "Str" => ParSpec::text(name, label, ""),
            "StrMenu" => ParSpec::text_menu(name, label, "", &[]),
            "Menu" => ParSpec::menu(name, label, &[]),
            "Int" => ParSpec::int(name, label, 0),
            "Float" => ParSpec::float(name, label, 0.0),
            "Pulse" => ParSpec::pulse(name, label),
            "File" => ParSpec::file(name, label),
            "CHOP" => ParSpec::op(name, label, Style::Chop, ""),
            "TOP" => ParSpec::op(name, label, Style::Top, ""),
            "DAT" => ParSpec::op(name, label, Style::Dat, ""),
            _ => ParSpec::op(name, label, Style::Op, ""),
        }
        .page(page)
        .with_menu(menu);
        if let Some((from, to)) = range {
            spec = spec.slider(from, to);
        }
        if let Some(Given(default)) = default {
            spec = spec.default_to(default);
        }
        outside(py, &self.0, || self.0.append_custom_par(spec)).map(TdPar::from)
    }

    // Wires

    fn inputs(&self, py: Python<'_>) -> PyResult<Vec<Option<Self>>> {
        Ok(outside(py, &self.0, || self.0.inputs())?.into_iter().map(|op| op.map(Self::from)).collect())
    }

    fn outputs(&self, py: Python<'_>) -> PyResult<Vec<Self>> {
        Ok(wrap_all(outside(py, &self.0, || self.0.outputs())?))
    }

    fn set_inputs(&self, py: Python<'_>, inputs: Vec<Option<PyRef<'_, Self>>>) -> PyResult<()> {
        let inputs: Vec<Option<Op>> = inputs.iter().map(|op| op.as_ref().map(|op| op.0.clone())).collect();
        outside(py, &self.0, || self.0.set_inputs(&inputs))
    }

    fn input_connectors(&self, py: Python<'_>) -> PyResult<Vec<TdConnector>> {
        Ok(outside(py, &self.0, || self.0.input_connectors())?.into_iter().map(TdConnector::from).collect())
    }

    fn output_connectors(&self, py: Python<'_>) -> PyResult<Vec<TdConnector>> {
        Ok(outside(py, &self.0, || self.0.output_connectors())?.into_iter().map(TdConnector::from).collect())
    }

    // Cooks

    fn cook(&self, py: Python<'_>, forced: bool, recurse: bool) -> PyResult<()> {
        outside(py, &self.0, || {
            if recurse { self.0.cook_recursive(force(forced)) } else { self.0.cook(force(forced)) }
        })
    }

    fn errors(&self, py: Python<'_>, recurse: bool) -> PyResult<String> {
        outside(py, &self.0, || if recurse { self.0.errors_recursive() } else { self.0.errors() })
    }

    fn warnings(&self, py: Python<'_>, recurse: bool) -> PyResult<String> {
        outside(py, &self.0, || if recurse { self.0.warnings_recursive() } else { self.0.warnings() })
    }

    fn script_errors(&self, py: Python<'_>) -> PyResult<String> {
        outside(py, &self.0, || self.0.script_errors())
    }

    /// `error`, `warning` or `script`.
    fn add(&self, py: Python<'_>, what: &str, text: &str) -> PyResult<()> {
        outside(py, &self.0, || match what {
            "error" => self.0.add_error(text),
            "warning" => self.0.add_warning(text),
            _ => self.0.add_script_error(text),
        })
    }

    fn clear_script_errors(&self, py: Python<'_>) -> PyResult<()> {
        outside(py, &self.0, || self.0.clear_script_errors())
    }

    fn flag(&self, py: Python<'_>, name: &str) -> PyResult<bool> {
        let flag = flag(name).ok_or_else(|| trouble::make("tdAttributeError", &name))?;
        outside(py, &self.0, || self.0.flag(flag))
    }

    fn set_flag(&self, py: Python<'_>, name: &str, on: bool) -> PyResult<()> {
        let flag = flag(name).ok_or_else(|| trouble::make("tdAttributeError", &name))?;
        outside(py, &self.0, || self.0.set_flag(flag, on))
    }

    fn info(&self, py: Python<'_>, kind: &str) -> PyResult<Vec<(&'static str, f64)>> {
        let kind = match kind {
            "all" => InfoType::All,
            "general" => InfoType::General,
            "timecode" => InfoType::Timecode,
            "shm" => InfoType::Shm,
            "exports" => InfoType::Exports,
            _ => {
                let text = format!("{kind:?} is no info type: give all, general, timecode, shm or exports");
                return Err(trouble::make("tdValueError", &text));
            }
        };
        outside(py, &self.0, || self.0.info(kind))
    }

    fn unresolved_exports(&self, py: Python<'_>) -> PyResult<Vec<String>> {
        outside(py, &self.0, || self.0.unresolved_exports())
    }

    // Notes

    fn set_comment(&self, py: Python<'_>, text: &str) -> PyResult<()> {
        outside(py, &self.0, || self.0.set_comment(text))
    }

    fn set_position(&self, py: Python<'_>, x: i64, y: i64) -> PyResult<()> {
        outside(py, &self.0, || self.0.set_position(x, y))
    }

    fn color(&self, py: Python<'_>) -> PyResult<(f64, f64, f64)> {
        outside(py, &self.0, || self.0.colour()).map(|[r, g, b]| (r, g, b))
    }

    fn set_color(&self, py: Python<'_>, rgb: (f64, f64, f64)) -> PyResult<()> {
        outside(py, &self.0, || self.0.set_colour([rgb.0, rgb.1, rgb.2]))
    }

    fn tags(&self, py: Python<'_>) -> PyResult<Vec<String>> {
        outside(py, &self.0, || self.0.tags())
    }

    fn set_tag(&self, py: Python<'_>, tag: &str, there: bool) -> PyResult<bool> {
        outside(py, &self.0, || if there { self.0.add_tag(tag) } else { self.0.remove_tag(tag) })
    }
}
