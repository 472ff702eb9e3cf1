//! Every kind of mistake, with its exact message and its place.

use crate::patch::Patch;

/// What is said of a text.
fn said(text: &str) -> String {
    match Patch::parse(text) {
        Ok(_) => "nothing".into(),
        Err(error) => error.to_string(),
    }
}

/// What is said of lines in the table of a nullCHOP, whose first line is line 3.
fn of_null(lines: &str) -> String {
    said(&format!("[op.a]\ntype = \"nullCHOP\"\n{lines}\n"))
}

/// The same in the table of a baseCOMP.
fn of_base(lines: &str) -> String {
    said(&format!("[op.b]\ntype = \"baseCOMP\"\n{lines}\n"))
}

#[track_caller]
fn check(said: &str, expected: &[&str]) {
    assert_eq!(said.lines().collect::<Vec<_>>(), expected);
}

#[test]
fn of_the_file() {
    check(&said(""), &["nothing"]);
    check(
        &said("nework = 1\n[[op]]\n"),
        &[
            "line 1, column 1: nework: there is no key \"nework\" here: did you mean network?",
            "line 2, column 1: op: found a list: write [op.NAME] above each operator",
        ],
    );
    check(
        &said("[op.a]\ntype = \"nullCHOP\"\n[op.a]\nviewer = true\n"),
        &[
            "line 3, column 5: this name stands here a second time: give each operator, parameter and setting once",
        ],
    );
    let broken = said("[op.a]\ntype = nullCHOP\nviewer = 1\n");
    let lines: Vec<_> = broken.lines().collect();
    assert!(lines[0].starts_with("line 2, column 8: "), "{broken}");
    assert_eq!(lines[1], "line 3, column 10: op.a.viewer: found the whole number 1: give true or false");
    assert_eq!(
        said(&" ".repeat((4 << 20) + 1)),
        "line 1, column 1: the patch is 4194305 bytes long, and the limit is 4194304: keep tables and recordings in files \
         of their own"
    );
}

#[test]
fn of_the_network() {
    check(
        &said("[network]\nrate = 0\nrange = [5, 1]\nplay = \"on\"\nrealtime = 1\nrat = 3\n"),
        &[
            "line 2, column 8: network.rate: found the whole number 0: give 0.001 to 100000 frames a second",
            "line 3, column 9: network.range: found a list: give the first and the last frame, say [1, 600], the last not \
             before the first",
            "line 4, column 8: network.play: found the text \"on\": give true or false",
            "line 5, column 12: network.realtime: found the whole number 1: give true or false",
            "line 6, column 1: network.rat: there is no key \"rat\" here: did you mean rate?",
        ],
    );
}

#[test]
fn of_names_and_types() {
    check(
        &said("[op.1a]\ntype = \"nullCHOP\"\n[op.\"a b\"]\ntype = \"nullCHOP\"\n[op.\"\"]\n"),
        &[
            "line 1, column 5: op.1a: \"1a\" cannot be the name of an operator: use letters, digits and _, at most 255, and \
             no digit first; / only between a component and what is inside",
            "line 3, column 5: op.\"a b\": \"a b\" cannot be the name of an operator: use letters, digits and _, at most \
             255, and no digit first; / only between a component and what is inside",
            "line 5, column 5: op.\"\": \"\" cannot be the name of an operator: use letters, digits and _, at most 255, and \
             no digit first; / only between a component and what is inside",
        ],
    );
    check(
        &said("[op.a]\n[op.b]\ntype = 3\n[op.c]\ntype = \"nulCHOP\"\n[op.d]\ntype = \"null\"\n[op]\ne = 1\n"),
        &[
            "line 1, column 5: op.a: the operator has no type: add a line such as type = \"waveCHOP\"",
            "line 3, column 8: op.b.type: found the whole number 3: give a text in double quotes",
            "line 5, column 8: op.c.type: there is no operator type \"nulCHOP\": did you mean nullCHOP or nullTOP?",
            "line 7, column 8: op.d.type: \"null\" is the name of several operator types: write nullCHOP or nullTOP",
            "line 9, column 5: op.e: found the whole number 1: write [op.NAME] above the keys of an operator",
        ],
    );
    check(
        &said("[op.a]\ntype = \"zzz\"\n"),
        &[
            "line 2, column 8: op.a.type: there is no operator type \"zzz\": `tdshm run --schema` lists all types",
        ],
    );
    check(
        &said(
            "[op.b]\ntype = \"baseCOMP\"\n[op.b.op.a]\ntype = \"nullCHOP\"\n[op.\"b/a\"]\ntype = \"nullCHOP\"\n",
        ),
        &["line 5, column 5: op.\"b/a\": there is another operator /b/a: choose another name"],
    );
    check(
        &said(
            "[op.\"b/a\"]\ntype = \"nullCHOP\"\n[op.c]\ntype = \"nullTOP\"\n[op.c.op.d]\ntype = \"nullTOP\"\n",
        ),
        &[
            "line 1, column 5: op.\"b/a\": there is no component /b: add [op.\"b\"] with type = \"baseCOMP\"",
            "line 5, column 10: op.c.op.d: /c is a nullTOP, and holds no operators: put it into a component such as a \
             baseCOMP",
        ],
    );
}

#[test]
fn of_wires() {
    check(
        &of_null("inputs = 1"),
        &[
            "line 3, column 10: op.a.inputs: found the whole number 1: give a list of operators, say [\"wave1\"]",
        ],
    );
    check(
        &of_null("inputs = [1]"),
        &["line 3, column 11: op.a.inputs: found the whole number 1: give a text in double quotes"],
    );
    check(
        &of_null("inputs = [\"b\", \"\"]\n[op.b]\ntype = \"nullTOP\""),
        &[
            "line 3, column 10: op.a.inputs: found 2 inputs: a nullCHOP has 1",
            "line 3, column 11: op.a.inputs: \"b\" is a TOP, and \"a\" a CHOP: wire a CHOP into it",
        ],
    );
    check(
        &of_base("inputs = [\"x\"]"),
        &[
            "line 3, column 10: op.b.inputs: found 1 inputs: a baseCOMP has none: remove the line",
            "line 3, column 11: op.b.inputs: there is no operator \"x\" beside it: there is no other operator beside it",
        ],
    );
    check(
        &of_null("inputs = [\"wav1\"]\n[op.wave1]\ntype = \"nullCHOP\""),
        &["line 3, column 11: op.a.inputs: there is no operator \"wav1\" beside it: did you mean wave1?"],
    );
    check(
        &of_null("inputs = [\"b/c\"]\n[op.b]\ntype = \"baseCOMP\"\n[op.b.op.c]\ntype = \"nullCHOP\""),
        &[
            "line 3, column 11: op.a.inputs: \"b/c\" leads to another component: wires stay within one: give the name of an \
             operator beside it",
        ],
    );
}

#[test]
fn of_parameters() {
    let all = of_null(
        "active = true\ntimeslice = true\npar.timeslice = \"yes\"\npar.srselect = \"minimum\"\npar.exportmethdo = 1\n\
         par.exportmethod = 2\npar.scope = 3\npar.RenameFrom = \"a\"",
    );
    check(
        &all,
        &[
            "line 3, column 1: op.a.active: there is no key \"active\" here: use type, par, inputs, custom, table, bypass, \
             lock, viewer, export, comment or op",
            "line 4, column 1: op.a.timeslice: \"timeslice\" is a parameter: write it as par.timeslice",
            "line 5, column 17: op.a.par.timeslice: found the text \"yes\": give true or false",
            "line 6, column 16: op.a.par.srselect: the menu has no entry \"minimum\": give first, max, min or err",
            "line 7, column 5: op.a.par.exportmethdo: a nullCHOP has no parameter \"exportmethdo\": did you mean \
             exportmethod?",
            "line 8, column 20: op.a.par.exportmethod: found the whole number 2: menus are set by name: write \"autoname\"",
            "line 9, column 13: op.a.par.scope: found the whole number 3: give a text in double quotes",
            "line 10, column 5: op.a.par.RenameFrom: a nullCHOP has no parameter \"RenameFrom\": did you mean commonrenamefrom?",
        ],
    );
    check(
        &of_null("par.\"Sample Rate Match\" = \"max\"\npar.renamefrom = \"a\"\npar.commonrenamefrom = \"b\""),
        &[
            "line 3, column 5: op.a.par.Sample Rate Match: a nullCHOP has no parameter \"Sample Rate Match\": did you mean \
             srselect?",
            "line 5, column 5: op.a.par.commonrenamefrom: the parameter \"commonrenamefrom\" stands here a second time: give \
             each parameter once, under one of its names",
        ],
    );
    check(
        &of_null("par = 3\npar.scope = \"x\""),
        &[
            "line 3, column 7: op.a.par: found the whole number 3: write a parameter as par.NAME = …",
            "line 4, column 1: cannot extend value of type integer with a dotted key: write it as TOML: key = value, texts in \
             double quotes",
        ],
    );
}

#[test]
fn of_expressions_patterns_and_references() {
    check(
        &of_null(
            "par.timeslice = { expr = \"1 +\" }\npar.scope = \"a (b\"\npar.commonrenamefrom = \"*\"\npar.commonrenameto = \"x[1-99999999]\"",
        ),
        &[
            "line 3, column 26: op.a.par.timeslice: the expression \"1 +\" cannot be read: character 4: found the end, where \
             a value is expected: write a number, a text or a reference",
            "line 4, column 13: op.a.par.scope: \"a (b\" is no pattern: character 3: the parenthesis ( has no partner: add it, \
             or put a name that contains ( in double quotes",
            "line 6, column 22: op.a.par.commonrenameto: \"*\" cannot be renamed to the text \"x[1-99999999]\": the text makes \
             99999999 names, and the limit is 65536: use smaller ranges, or fewer brackets",
        ],
    );
    check(
        &of_null(
            "par.timeslice = { bind = \"base1.Speed\" }\npar.scope = { exp = \"1\" }\npar.srselect = { expr = \"1\", bind = \"2\" }\npar.exportmethod = {}",
        ),
        &[
            "line 3, column 26: op.a.par.timeslice: the bind expression \"base1.Speed\" cannot be read: a bind expression \
             names a parameter: write it as op('base1').par.Speed",
            "line 4, column 15: op.a.par.scope: there is no key \"exp\" here: give one of { expr = \"…\" } and { bind = \"…\" }",
            "line 5, column 16: op.a.par.srselect: found expr, bind: give one of { expr = \"…\" } and { bind = \"…\" }",
            "line 6, column 20: op.a.par.exportmethod: found an empty table: give one of { expr = \"…\" } and { bind = \"…\" }",
        ],
    );
    check(
        &of_null(
            "par.exporttable = \"tab\"\npar.autoexportroot = \"../..\"\n[op.b]\ntype = \"nullCHOP\"\npar.exporttable = \"a\"",
        ),
        &[
            "line 3, column 19: op.a.par.exporttable: there is no operator \"tab\": seen from /, where this operator is: check the path",
            "line 4, column 22: op.a.par.autoexportroot: there is no operator \"../..\": seen from /, where this operator is: check the path",
            "line 7, column 19: op.b.par.exporttable: \"a\" is a CHOP: give a DAT",
        ],
    );
}

#[test]
fn of_custom_parameters() {
    check(
        &of_base(
            "custom.speed = 1\ncustom.A = [1]\ncustom.B = { min = 3, max = 1, default = 2.0 }\ncustom.C = { style = \"Flot\" }\ncustom.D = {}\ncustom.E = { style = \"Menu\" }",
        ),
        &[
            "line 3, column 8: op.b.custom.speed: \"speed\" cannot be the name of a custom parameter: it begins with a capital \
             letter and has letters and digits only",
            "line 4, column 12: op.b.custom.A: found a list: give its default (true, 1, 1.0 or a text), or a table such as { \
             default = 1.0, max = 10.0 }",
            "line 5, column 8: op.b.custom.B: the smallest number 3 is above the greatest, 1: exchange min and max",
            "line 6, column 22: op.b.custom.C.style: there is no style \"Flot\": did you mean Float?",
            "line 7, column 8: op.b.custom.D: found neither a style nor a default: add one of them, say default = 1.0 or style \
             = \"Pulse\"",
            "line 8, column 8: op.b.custom.E: found a Menu without entries: add its entries, say menu = [\"slow\", \"fast\"]",
        ],
    );
    check(
        &of_base(
            "custom.F = { menu = [\"a\", \"a\", 1], default = \"b\" }\ncustom.G = { default = 20, max = 10 }\ncustom.H = { default = true, min = 1 }\ncustom.I = { expr = \"1\" }\ncustom.J = { default = 1, maximum = 3 }\ncustom.K = { style = \"Int\", menu = [\"a\"] }",
        ),
        &[
            "line 3, column 27: op.b.custom.F.menu: the entry \"a\" stands here a second time: give each entry once",
            "line 3, column 32: op.b.custom.F.menu: found the whole number 1: give a list of names, say [\"slow\", \"fast\"]",
            "line 3, column 46: op.b.custom.F.default: the menu has no entry \"b\": give a",
            "line 4, column 24: op.b.custom.G.default: found the whole number 20: give 10 or less",
            "line 5, column 30: op.b.custom.H.min: the style Toggle has no least or greatest number: remove it, or use the style Int or \
             Float",
            "line 6, column 14: op.b.custom.I: found \"expr\" where the parameter is made: give it a default here, and write \
             par.I = { expr = \"…\" } for this",
            "line 7, column 27: op.b.custom.J.maximum: there is no key \"maximum\" here: use style, default, label, page, menu, \
             min, max or help",
            "line 8, column 29: op.b.custom.K.menu: the style Int has no menu: remove it, or use the style Menu or StrMenu",
        ],
    );
    check(
        &of_base(
            "custom.Speed = 1\ncustom.Go = { style = \"Pulse\" }\npar.Speed = 1.5\npar.Sped = 1\npar.Go = true",
        ),
        &[
            "line 5, column 13: op.b.par.Speed: found the number 1.5: give a whole number",
            "line 6, column 5: op.b.par.Sped: a baseCOMP has no parameter \"Sped\": did you mean Speed?",
            "line 7, column 10: op.b.par.Go: Go is a button, which has no value: remove it, or give an expression that presses \
             it: { expr = \"…\" }",
        ],
    );
    check(
        &of_null("custom.Speed = 1\ncomment = 3"),
        &[
            "line 3, column 1: op.a.custom: a nullCHOP has no custom parameters: components have: give them to a baseCOMP",
            "line 4, column 11: op.a.comment: found the whole number 3: give a text in double quotes",
        ],
    );
}

#[test]
fn of_tables() {
    check(
        &of_null("table = [[1]]"),
        &["line 3, column 9: op.a.table: a nullCHOP holds no table: create a tableDAT for it"],
    );
    let help = "give a list of rows, each a list of cells, say [[\"name\", \"index\"], [\"tx\", 0]]";
    check(
        &said(
            "[op.t]\ntype = \"tableDAT\"\ntable = [1, [true, [], 1979-05-27]]\n[op.u]\ntype = \"tableDAT\"\ntable = 1\n",
        ),
        &[
            &format!("line 3, column 10: op.t.table: found the whole number 1: {help}"),
            "line 3, column 14: op.t.table: found true: cells are texts and numbers: write 1",
            "line 3, column 20: op.t.table: found a list: cells are texts and numbers",
            "line 3, column 24: op.t.table: found the date or time 1979-05-27: cells are texts and numbers",
            &format!("line 6, column 9: op.u.table: found the whole number 1: {help}"),
        ],
    );
}

#[test]
fn places_are_counted_in_characters_and_many_are_cut() {
    check(
        &of_null("comment = 'ü' # ä\npar = { \"scöpe\" = 'ü', timeslice = 'ü' }"),
        &[
            "line 4, column 9: op.a.par.scöpe: a nullCHOP has no parameter \"scöpe\": did you mean scope?",
            "line 4, column 36: op.a.par.timeslice: found the text \"ü\": give true or false",
        ],
    );
    let many: String = (0..150).map(|n| format!("[op.a{n}]\n")).collect();
    let error = Patch::parse(&many).unwrap_err();
    assert_eq!((error.mistakes().len(), error.num_more()), (100, 50));
    assert!(error.to_string().ends_with("\nand 50 more"));
}
