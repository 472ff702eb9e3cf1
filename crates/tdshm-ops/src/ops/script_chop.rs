//! Script CHOP: a closure of the program makes its channels.

use crate::cook::Cook;
use crate::op::{Family, OpSpec, Operator};
use crate::script::ScriptCallback;

pub(crate) fn spec() -> OpSpec {
    OpSpec::new(
        "scriptCHOP",
        Family::Chop,
        "Script",
        "A closure of the program makes its channels, with what its inputs and other operators give. Without a closure \
         the first input is passed on. A closure that fails shows its error here, and one that panics as well: the \
         channels stay as they were.",
        || Box::new(Script(None)),
    )
    .inputs(0, usize::MAX)
    .common_page()
}

struct Script(Option<ScriptCallback>);

impl Operator for Script {
    fn cook(&mut self, cook: &mut Cook) {
        let Some(ScriptCallback(callback)) = &mut self.0 else {
            return cook.pass(0);
        };
        if let Err(problem) = callback(cook) {
            cook.keep();
            cook.error(problem);
        }
    }

    fn set_script(&mut self, script: ScriptCallback) -> Result<(), ScriptCallback> {
        self.0 = Some(script);
        Ok(())
    }
}
