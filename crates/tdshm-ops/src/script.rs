//! Operators whose code is a closure of the program (operators §11; TD's Script operators).

use core::fmt;

use crate::cook::Cook;

type Callback = Box<dyn FnMut(&mut Cook) -> Result<(), String> + Send>;

/// What a script operator does when it cooks. An error is shown on the operator, whose output stays.
pub struct ScriptCallback(pub(crate) Callback);

impl ScriptCallback {
    /// From a closure.
    pub fn new(callback: impl FnMut(&mut Cook) -> Result<(), String> + Send + 'static) -> Self {
        Self(Box::new(callback))
    }
}

impl fmt::Debug for ScriptCallback {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ScriptCallback")
    }
}
