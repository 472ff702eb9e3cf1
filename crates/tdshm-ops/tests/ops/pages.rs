//! Parameters as data: what each operator has, and that nobody finds an empty help text.

use tdshm_ops::{CommonPage, Family, Registry, Style};

/// Operators, and their own parameters in order.
const ROWS: [(&str, &str, usize, &str); 10] = [
    (
        "waveCHOP",
        "Wave",
        0,
        "wavetype period periodunit phase bias offset amp channelname start startunit end endunit rate left right defval",
    ),
    (
        "noiseCHOP",
        "Noise",
        0,
        "type seed period periodunit amp offset channelname start startunit end endunit rate left right defval",
    ),
    ("mergeCHOP", "Merge", usize::MAX, "align duplicate"),
    ("resampleCHOP", "Resample", 1, "method rate start startunit end endunit interp"),
    ("extendCHOP", "Extend", 1, "left right defval"),
    ("timesliceCHOP", "Time Slice", 1, "method"),
    ("renameCHOP", "Rename", 1, "renamefrom renameto"),
    ("selectCHOP", "Select", 1, "chop channames renamefrom renameto"),
    ("nullCHOP", "Null", 1, ""),
    ("nullTOP", "Null", 1, ""),
];

#[test]
fn each_has_the_parameters_of_its_table() {
    let registry = Registry::standard();
    for (op_type, label, inputs, expected) in ROWS {
        let spec = registry.find(op_type).unwrap();
        assert_eq!((spec.label, spec.max_inputs), (label, inputs), "{op_type}");
        let own: Vec<&str> =
            spec.pars.iter().filter(|par| par.page != "Common").map(|par| par.name.as_ref()).collect();
        assert_eq!(own.join(" "), expected, "{op_type}");
        let common = if spec.family == Family::Chop { CommonPage::Chop } else { CommonPage::Top };
        assert_eq!(spec.common, common);
    }
    let constant = registry.find("constantCHOP").unwrap();
    let own = constant.pars.iter().filter(|par| par.page != "Common");
    assert_eq!(own.count(), 81, "forty pairs, and the rate");
}

#[test]
fn every_parameter_says_what_it_does_and_its_default_is_one_of_its_values() {
    for spec in Registry::standard().types() {
        for par in &spec.pars {
            let what = format!("{} {}", spec.op_type, par.name);
            assert!(!par.help.is_empty() && par.help.ends_with(['.', ')']), "{what}: {:?}", par.help);
            assert!(!par.label.is_empty() && !par.page.is_empty(), "{what}");
            if par.style == Style::Menu {
                let default = par.default.as_str().unwrap();
                // A menu of suggestions for other parameters begins with none.
                assert!(par.menu_index(default).is_some() || default.is_empty(), "{what}: {default}");
            }
            let twins = spec.pars.iter().filter(|other| other.is_called(&par.name)).count();
            assert_eq!(twins, 1, "{what} is one parameter");
        }
    }
}
