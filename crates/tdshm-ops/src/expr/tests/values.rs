use super::network::{Network, eval, message};
use crate::Value;
use crate::expr::Expr;

#[track_caller]
fn is(text: &str, expected: impl Into<Value>) {
    let (found, expected) = (eval(text).unwrap_or_else(|error| panic!("{text}: {error}")), expected.into());
    assert_eq!(found, expected, "{text}");
}

#[test]
fn references() {
    is("op('lfo1')['tx'] * 2", 1.0);
    is("op('lfo1')['tx'][3]", 3.5);
    is("op('lfo1')[1][2]", -3.0);
    is("op('/project1/lfo1')[0].eval()", 0.5);
    is("op('lfo1').chan('ty')", -1.0);
    is("op('lfo1')['t' + 'y']", -1.0);
    is("op('lfo1')['two words']", 7.0);
    is("op(\"lfo1\").numChans", 3);
    is("op('lfo1')", crate::OpId(3));
    is("op('nothing')", Value::None);
    is("op('nothing', 'lfo1').name", "lfo1");
    is("op('lfo1')['nothing']", Value::None);
    is("op('lfo1')[9] is None", true);
    is("op('lfo1')['tx'] is not None", true);
    is("op('lfo1')['tx'] if op('lfo1')['tx'] is not None else 0", 0.5);
    is("op('lfo1')['no'] if op('lfo1')['no'] is not None else 0", 0);
    is("op('lfo1')['no'] or 5", 5);
    is("opex('lfo1').path", "/project1/lfo1");
    is("op(me.par.Source)['tx']", 0.5);
    is("me.par.Source.eval()['tx']", 0.5);
    is("me.name", "geo3");
    is("me.digits", 3);
    is("me == op('geo3')", true);
    is("me is parent()", false);
    is("'cam' + str(me.digits)", "cam3");
    is("me.par.name", "cam");
    is("me.par['name']", "cam");
    is("parent().par.Speed", 2.5);
    is("parent().par.Speed.eval() * 2", 5.0);
    is("parent(2).path", "/");
    is("parent(3)", Value::None);
    is("parent().op('lfo1').parent().name", "project1");
    is("me.parent().op('lfo1')['ty']", -1.0);
    is("op('lfo1').par.active", true);
    is("op('lfo1').par.active + 1", 2);
    is("me.time.frame", 10);
    is("root.time.frame", 20);
    is("absTime.frame % 7", 6);
    is("absTime.seconds", 16.5);
    is("op('table1')['gain', 'value']", "0.25");
    is("op('table1')['gain', 'value'] * 2", 0.5);
    is("op('table1')[1, 1] > 0.2", true);
    is("max(op('table1')[1, 1], 0.1)", "0.25");
    is("math.floor(op('table1')[1, 1] * 10)", 2);
    is("float(op('table1')[1, 1])", 0.25);
    is("op('table1')[2, 1] + '!'", "fast!");
    is("op('table1')[2, 1] == 'fast'", true);
    is("op('table1')[9, 9]", Value::None);
}

#[test]
fn numbers() {
    is("7 / 2", 3.5);
    is("6 / 2", 3.0);
    is("7 // 2", 3);
    is("-7 // 2", -4);
    is("-7 % 3", 2);
    is("7 % -3", -2);
    is("-7.5 % 2", 0.5);
    is("7 // -2.0", -4.0);
    is("2 ** 10", 1024);
    is("2 ** -1", 0.5);
    is("2 ** 3 ** 2", 512);
    is("-2 ** 2", -4);
    is("(-2) ** 2", 4);
    is("2 ** -2 ** 0", 0.5);
    is("2 * 3 + 4 * 5", 26);
    is("2 - 3 - 4", -5);
    is("2 / 4 / 2", 0.25);
    is("--1", 1);
    is("+True", 1);
    is("True + True", 2);
    is("0x1F + 0b11 + 0o7 + 1_000", 1041);
    is(".5 + 1. + 1e-1", 1.6);
    is("9007199254740993 / 1", 9_007_199_254_740_992.0);
    is("9223372036854775807 / 9223372036854775806", 1.0);
    // Rounded once: what is left over decides between two neighbours.
    is("4979230870178966769 / 7912967772930154779", 0.629_249_481_744_719_5);
    is("9007199254740993 == 9007199254740992.0", false);
    is("9223372036854775807 < 9223372036854775808.0", true);
    is("0 ** 0", 1);
    is("(-1) ** 4611686018427387905", -1);
    is("1 ** 9223372036854775807", 1);
    is("(-9223372036854775807 - 1) % -1", 0);
}

#[test]
fn logic() {
    is("1 if 2 > 1 else 0", 1);
    is("1 if False else 2 if False else 3", 3);
    is("0 < 1 < 2", true);
    is("0 < 2 < 1", false);
    is("(0 < 2) < 2", true);
    is("3 > 2 == 2", true);
    is("not 1 == 2", true);
    is("not True or True", true);
    is("not (True or True)", false);
    is("True or False and False", true);
    is("0 or 'x'", "x");
    is("'' and 1", "");
    is("'a' < 'b' <= 'b'", true);
    is("'Z' < 'a'", true);
    is("'ana' in 'banana'", true);
    is("'x' not in 'banana'", true);
    is("1 == '1'", false);
    is("None == None", true);
    is("None != 0", true);
    is("1 == True", true);
    is("1 is True", false);
    // What does not count is not looked at.
    is("True or op('nothing').x", true);
    is("1 if True else 1 / 0", 1);
    is("0 > 1 > 1 / 0", false);
}

#[test]
fn texts() {
    is("'it\\'s' + \" \\\"so\\\"\"", "it's \"so\"");
    is("'\\x41\\u00e4\\n\\q'", "Aä\n\\q");
    is("'ab' * 3", "ababab");
    is("2 * 'ab'", "abab");
    is("'ab' * -1", "");
    is("'' * 9223372036854775807", "");
    is("'hällo'[1]", "ä");
    is("'hällo'[-1]", "o");
    is("len('hällo')", 5);
    is("str(0.1 + 0.2)", "0.30000000000000004");
    is("str(1e16)", "1e+16");
    is("str(1e-5)", "1e-05");
    is("str(123456789012345.0)", "123456789012345.0");
    is("str(-0.0)", "-0.0");
    is("str(math.nan) + str(-math.inf)", "nan-inf");
    is("str(None) + str(True)", "NoneTrue");
}

#[test]
fn functions() {
    is("abs(-3)", 3);
    is("min(3, 1.0, 2)", 1.0);
    is("max('b', 'a')", "b");
    is("max(1, 1.0)", 1);
    is("round(2.5)", 2);
    is("round(-3.5)", -4);
    is("round(2.675, 2)", 2.67);
    is("round(1250, -2)", 1200);
    is("round(1350, -2)", 1400);
    is("round(1250.0, -2)", 1200.0);
    is("round(1250.5, -2)", 1300.0);
    is("round(-955.0, -1)", -960.0);
    is("round(55.0, -2)", 100.0);
    is("round(5.0, -1)", 0.0);
    is("round(5.0, -5)", 0.0);
    is("round(1e300, 400)", 1e300);
    is("int(3.9) + int(-3.9) + int(' 12 ')", 12);
    is("int(True)", 1);
    is("float('1e3')", 1000.0);
    is("bool('') or bool(0.1)", true);
    is("math.sin(0) + math.cos(0) + math.pi", 1.0 + core::f64::consts::PI);
    is("math.floor(-1.5)", -2);
    is("math.ceil(1.2)", 2);
    is("math.hypot(3, 4)", 5.0);
    is("math.log(8, 2)", 3.0);
    is("math.degrees(math.pi)", 180.0);
    is("tdu.clamp(5, 0, 1)", 1);
    is("tdu.clamp(-0.5, 0, 1.0)", 0);
    is("tdu.remap(5, 0, 10, 0, 1)", 0.5);
    is("tdu.remap(20, 0, 10, 100, 200)", 300.0);
    is("tdu.base('cam12b')", "cam");
    is("tdu.digits('cam12b')", 12);
    is("tdu.digits('cam')", Value::None);
    assert!(super::super::function::known("math").contains("isnan, log,"));
}

/// Each row: a text, and the message of the error that it makes.
#[test]
fn messages() {
    let rows = [
        ("", "character 1: found the end, where a value is expected: write a number, a text or a reference"),
        (
            "1 +",
            "character 4: found the end, where a value is expected: write a number, a text or a reference",
        ),
        (
            "1 2",
            "character 3: found 2, where the end or an operator is expected: put an operator such as + or and in front \
             of it, or take it away",
        ),
        (
            "(1",
            "character 3: found the end, where an operator or ) is expected: close what was opened in front",
        ),
        (
            "1)",
            "character 2: found ), where the end or an operator is expected: take it away, or open it in front",
        ),
        (
            "me.x = 1",
            "character 6: found =, where the end or an operator is expected: write == to compare; nothing can be \
             assigned here",
        ),
        (
            "1 if 2",
            "character 7: found the end, where else is expected: write: value if condition else other",
        ),
        ("'ä' && 1", "character 5: found &, where a value or an operator is expected: write and, or, not"),
        ("'abc", "character 1: found 'abc, where a closing quote is expected: add it"),
        (
            "f'{me}'",
            "character 1: found f, where a plain text is expected: take away the letter in front of the quote, and put \
             texts together with + and str()",
        ),
        ("012", "character 1: 012 is no number that can be read: take away the zeros in front"),
        ("1 + 2cm", "character 5: 2cm is no number that can be read: write 10, 0.5, 1e-3 or 0xFF"),
        (
            "99999999999999999999",
            "character 1: 99999999999999999999 is no number that can be read: whole numbers have 64 bits here, so \
             write it with a point, such as 1e20",
        ),
        (
            "__import__('os')",
            "character 1: there is no __import__ here: use one of me, op(), opex(), parent(), root, absTime, math, \
             tdu, abs(), bool(), float(), int(), len(), max(), min(), round(), str()",
        ),
        ("tdu.rand(1)", "character 1: there is no tdu.rand here: use one of base, clamp, digits, remap"),
        ("math.sin()", "character 1: math.sin() was given 0 values, and takes 1: add or remove some"),
        ("max(1)", "character 1: max() was given 1 values, and takes at least 2: add or remove some"),
        ("[1, 2]", "character 1: found [, where a value is expected: lists cannot be used here"),
        (
            "round(1.5, ndigits=1)",
            "character 12: found ndigits, where a value is expected: give the values in their order, without names",
        ),
        (
            "2 * op('lfo1')['tz'] + 1",
            "character 5: op('lfo1')['tz'] is None, and * needs numbers: check the name and the path",
        ),
        (
            "op('nothing')['tx']",
            "character 1: op('nothing') is None, and brackets need an operator, a channel or a text: check the name \
             and the path",
        ),
        (
            "op('nothing').par.x",
            "character 1: op('nothing') is None, and .par needs an operator: check the name and the path",
        ),
        (
            "opex('nothing')",
            "character 1: opex('nothing') is None, and opex() needs one that is there: check the name and the path",
        ),
        ("me.par.Speed", "character 1: me.par.Speed: /project1/geo3 has no parameter Speed"),
        ("me['tx']", "character 1: me['tx']: /project1/geo3 has no channels"),
        ("1 + op('lfo1')['tx'][4]", "character 5: op('lfo1')['tx'][4]: the channel has the samples 0 to 3"),
        (
            "1 + 'a'",
            "character 1: 1 is a number, and + puts a text together with a text: put str() around it",
        ),
        ("'a' * 1.5", "character 1: 'a' is a text, and * needs numbers: put float() or int() around it"),
        (
            "me + 1",
            "character 1: me is an operator, and + needs numbers: write a channel, a parameter or a number of it",
        ),
        (
            "1 < op('lfo1')['tz']",
            "character 5: op('lfo1')['tz'] is None, and < needs two numbers or two texts: check the name and the path",
        ),
        (
            "1 < 'a'",
            "character 5: 'a' is a text, and < needs two numbers or two texts: put float() or str() around one",
        ),
        (
            "1 + 2 / 0",
            "character 5: 2 / 0 has no value: it divides by zero, so test for that with if and else",
        ),
        (
            "2 ** 64",
            "character 1: 2 ** 64 has no value: the result does not fit 64 bits, so use smaller numbers, or write them \
             with a point",
        ),
        (
            "math.sqrt(-1)",
            "character 1: math.sqrt(-1) has no value: the function is not defined there, so limit what it is given \
             with max() or min()",
        ),
        (
            "int('1.5')",
            "character 1: int('1.5') has no value: this text is no number, so write one such as '1.5'",
        ),
        ("me.time", "character 1: me.time is a time, and a value is needed: write .frame or .seconds"),
        ("me.par", "character 1: me.par is a set of parameters, and a value is needed: write .par.Name"),
        ("op(5)", "character 4: 5 is a number, and op() needs a path: write it in quotes"),
        (
            "'a'.upper()",
            "character 5: there is no upper here: use one of op(), parent(), chan(), eval(), and members without ()",
        ),
    ];
    for (text, expected) in rows {
        assert_eq!(message(text), expected, "{text}");
    }
}

#[test]
fn what_an_expression_says_of_itself() {
    let expr =
        Expr::parse(" op('a')['tx'] + op('b', '/c').numChans + parent().op('d')[0] + op('e' + 'f')[0]")
            .unwrap();
    assert_eq!(expr.references().collect::<Vec<_>>(), ["a", "b", "/c"]);
    assert!(!expr.uses_time());
    assert!(expr.text().starts_with(" op("));
    assert_eq!(expr.to_string().parse::<Expr>().unwrap(), expr);
    for (text, uses_time) in [
        ("me.time.frame", true),
        ("absTime.seconds * 2", true),
        ("1 if me.digits else root.time.frame", true),
        ("me.par.time", false),
        ("'me.time.frame'", false),
    ] {
        assert_eq!(Expr::parse(text).unwrap().uses_time(), uses_time, "{text}");
    }
    assert_eq!(Expr::parse("me.par.time").unwrap().eval(&mut Network).unwrap(), Value::Int(12));
}
