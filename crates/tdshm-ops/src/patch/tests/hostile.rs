//! Texts that nobody means well with: a patch or mistakes, never a panic.

use proptest::prelude::*;

use crate::Network;
use crate::patch::Patch;

const SEED: &str = r#"
[network]
rate = 30.5
range = [1, 0x64]
[op.base1]
type = "baseCOMP"
custom.Speed = { default = 2.0, min = 0, max = 1e3, label = "x" }
custom.Mode = { menu = ["slow", "fast"], default = "fast" }
par.Speed = { expr = "op('/a')['chan1'] * 2" }
[op."base1/ä"]
type = 'nullCHOP'
[op.base1.op.out]
type = "nullCHOP"
inputs = ["in", ""]
par.scope = """a[1-9]
 b"""
par.timeslice = { bind = "op('/base1').par.Speed" }
table = [["a", 1], [2.5, 1979-05-27]]
"#;

/// Reads a text; what is a patch is run for a frame.
fn survives(text: &str) {
    match Patch::parse(text) {
        Ok(patch) => {
            let net = Network::new();
            patch.apply(&net).unwrap();
            net.step().unwrap();
            patch.reload(&net).unwrap();
        }
        Err(error) => {
            for mistake in error.mistakes() {
                assert!(text.get(mistake.span.clone()).is_some(), "{mistake:?}");
                assert!(mistake.line >= 1 && mistake.column >= 1 && !mistake.what.is_empty());
            }
            assert!(!error.mistakes().is_empty() && !error.to_string().is_empty());
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_text(text in "\\PC{0,200}") {
        survives(&text);
    }

    #[test]
    fn words_of_the_format(words in prop::collection::vec(
        prop::sample::select(vec![
            "[op.a]\n", "[op.\"a/b\"]\n", "[network]\n", "type = ", "\"nullCHOP\"\n", "\"baseCOMP\"\n", "\"nullTOP\"\n",
            "inputs = ", "[\"a\"]\n", "par.scope = ", "{ expr = \"1\" }\n", "custom.A = ", "1\n", "-9223372036854775808\n",
            "inf\n", "nan\n", "1e999\n", "\"*\"\n", "[[", "]]\n", "{", "}\n", "= ", ".", "op.", "rate = ", "range = ", "\n",
            "par.timeslice = ", "true\n", "\"../..\"\n", "par.exporttable = ", "99999999999999999999\n", "\"\"\"", "\u{feff}",
            "menu = ", "default = ", "0xffffffffffffffffff\n", "\r", "\0", "'", "#",
        ]), 0..40))
    {
        survives(&words.concat());
    }

    #[test]
    fn a_patch_with_bytes_changed(
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>(), 0..3_u8), 1..8),
    ) {
        let mut bytes = SEED.as_bytes().to_vec();
        for (at, byte, how) in changes {
            let at = at.index(bytes.len());
            match how {
                0 => bytes[at] = byte,
                1 => bytes.insert(at, byte),
                _ => { bytes.remove(at); }
            }
        }
        survives(&String::from_utf8_lossy(&bytes));
    }
}

#[test]
fn much_of_everything_ends() {
    survives(&"[op.a]\n".repeat(20_000));
    survives(&format!("x = {}", "[".repeat(100_000)));
    survives(&format!("[op{}]", ".op".repeat(50_000)));
    survives(&format!("[op.a]\ntype = \"nullCHOP\"\npar.scope = \"{}\"", "(".repeat(100_000)));
    survives(&format!(
        "[op.a]\ntype = \"nullCHOP\"\npar.timeslice = {{ expr = \"{}\" }}",
        "(".repeat(100_000)
    ));
    survives(&format!("[op.a]\ntype = \"{}\"", "x".repeat(1_000_000)));
    let chain: String =
        (0..2_000).map(|n| format!("[op.a{n}]\ntype = \"nullCHOP\"\ninputs = [\"a{}\"]\n", n + 1)).collect();
    survives(&chain);
}
