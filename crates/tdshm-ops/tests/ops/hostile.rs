//! Numbers and texts that nobody means: an error, the last output, and no panic.

use std::sync::Arc;

use super::{clip, connect, create, set, source};
use proptest::prelude::*;
use tdshm_ops::{Network, ParSpec, Registry, Style, Value};

const TYPES: [&str; 10] = [
    "constantCHOP",
    "waveCHOP",
    "noiseCHOP",
    "mergeCHOP",
    "resampleCHOP",
    "extendCHOP",
    "timesliceCHOP",
    "renameCHOP",
    "selectCHOP",
    "nullCHOP",
];

#[test]
fn what_cannot_be_made_is_told_and_the_output_stays() {
    let net = Network::new();
    let wave = create(&net.root(), "wave", &[("end", 5.into())]);
    let rows: [(&str, f64, &str); 18] = [
        ("period", 0.0, "Period is 0: give a number above 0."),
        ("period", -1.0, "Period is -1: give a number above 0."),
        ("period", f64::NAN, "Period is NaN: give a finite number."),
        ("period", f64::INFINITY, "Period is inf: give a finite number."),
        ("period", 1e308, "Period is inf samples: give a number that can be reckoned with."),
        ("phase", f64::NAN, "Phase is NaN: give a finite number."),
        ("amp", f64::INFINITY, "Amplitude is inf: give a finite number."),
        ("offset", f64::NEG_INFINITY, "Offset is -inf: give a finite number."),
        ("bias", f64::NAN, "Bias is NaN: give a finite number."),
        ("start", f64::NAN, "Start is NaN: give a finite number."),
        ("start", -1e308, "Start is at sample -inf: give a place nearer to 0."),
        (
            "start",
            -1e12,
            "1 channels of 1000000000006 samples are more than the limit of 134217728 samples together",
        ),
        ("end", 1e306, "End is at sample 1e+306: give a place nearer to 0."),
        (
            "end",
            2e9,
            "1 channels of 2000000000 samples are more than the limit of 134217728 samples together",
        ),
        ("end", f64::INFINITY, "End is inf: give a finite number."),
        (
            "rate",
            f64::NAN,
            "Sample Rate is NaN: give a number up to 1000000000, or 0 for the timeline's rate.",
        ),
        ("rate", 1e308, "Sample Rate is 1e+308: give a number up to 1000000000"),
        ("rate", 1e9 + 1.0, "Sample Rate is 1000000001: give a number up to 1000000000"),
    ];
    for (par, value, text) in rows {
        let before = wave.clip().unwrap();
        set(&wave, &[(par, value.into())]);
        assert!(Arc::ptr_eq(&before, &wave.clip().unwrap()), "{par} = {value}");
        let errors = wave.errors().unwrap();
        assert!(errors.starts_with(text), "{par} = {value}: {errors}");
        wave.par(par).unwrap().reset().unwrap();
        set(&wave, &[("end", 5.into())]);
        assert_eq!((wave.clip().unwrap().len_samples(), wave.errors().unwrap().as_str()), (5, ""));
    }
}

/// What a parameter may be given, by somebody who looks for trouble.
fn value_for(spec: &ParSpec, number: f64, text: &str, entry: usize) -> Value {
    match spec.style {
        Style::Menu => spec.menu_names().nth(entry % spec.menu.len().max(1)).map_or(Value::None, Value::from),
        Style::Toggle | Style::Pulse => Value::Bool(entry.is_multiple_of(2)),
        Style::Int | Style::Float => Value::Float(number),
        // A path that leads nowhere, or a pattern.
        _ => Value::from(text),
    }
}

fn number() -> impl Strategy<Value = f64> {
    // Between these lie sizes that can be made, and take as long as that.
    prop_oneof![
        Just(f64::NAN),
        Just(f64::INFINITY),
        Just(f64::NEG_INFINITY),
        Just(f64::MAX),
        Just(f64::MIN_POSITIVE),
        Just(5e-324),
        Just(-0.0),
        Just(1e308),
        Just(-1e308),
        Just(1e19),
        Just(-1e19),
        Just(9.1e15),
        Just(1e12),
        -1.0..1.0,
        -2000.0..2000.0,
    ]
}

fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        Just(String::new()),
        Just("*".into()),
        Just("chan[1-3]".into()),
        Just("c[1-70000]".into()),
        Just("x x x".into()),
        Just("^".into()),
        Just("a18446744073709551615".into()),
        "[a-c?*\\[\\]^|&~() 0-9]{0,12}",
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_value_of_any_parameter_panics(
        kind in 0..TYPES.len(),
        tries in prop::collection::vec((any::<prop::sample::Index>(), number(), text(), 0_usize..8), 1..10),
        frames in 1_u64..40,
    ) {
        let registry = Registry::standard();
        let spec = registry.find(TYPES[kind]).unwrap();
        let net = Network::new();
        let root = net.root();
        let op = create(&root, TYPES[kind], &[]);
        if spec.max_inputs > 0 {
            let still = clip(60.0, -3, &[("a", &[0.0, 1.0, 2.0, 3.0]), ("chan1", &[9.0, 8.0, 7.0, 6.0])]);
            let still = source(&root, still);
            connect(&still, &op, 0);
            if spec.max_inputs > 1 {
                let wave = create(&root, "wave", &[("timeslice", true.into()), ("rate", 48_000.into())]);
                let same = clip(24.0, 100, &[("a18446744073709551615", &[1.0]), ("a18446744073709551615", &[2.0])]);
                let same = source(&root, same);
                connect(&same, &op, 1);
                connect(&wave, &op, 2);
            }
        }
        for (par, number, text, entry) in &tries {
            net.advance(frames).unwrap();
            let spec = par.get(&spec.pars);
            let value = value_for(spec, *number, text, *entry);
            // Numbers that a limit forbids are brought into it, and what a menu does not have is refused.
            let _taken = op.par(&spec.name).unwrap().set(value.clone());
            op.data().unwrap();
            let errors = op.errors().unwrap();
            prop_assert!(!errors.contains("panicked"), "{} = {value:?}: {errors}", spec.name);
        }
    }
}
