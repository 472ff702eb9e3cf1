//! What zenoh says went wrong, in sentences that a person can act on.

use anyhow::anyhow;

/// What zenoh says, without the places in its own code and the ways in which its libraries show their values.
pub(super) fn plain(error: &dyn std::fmt::Display) -> String {
    let text = without_places(&error.to_string());
    let text = json5(&text).or_else(|| grammar(&text)).unwrap_or(text);
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// That a session cannot be opened, and what to do about it.
pub(super) fn not_open(error: &dyn std::fmt::Display) -> anyhow::Error {
    let text = plain(error);
    let listener = text.split_once("listener bound to ").and_then(|(_, rest)| rest.split_once(": "));
    if let Some((endpoint, _)) = listener {
        let is = |numbers: &[u16]| numbers.iter().any(|n| text.contains(&format!("os error {n})")));
        // Linux's number, macOS's, and Windows', which says the last also of a port that another program has for itself.
        let why = if is(&[98, 48, 10048, 10013]) {
            Some("another program listens there: end it, or choose another port")
        } else if is(&[99, 49, 10049]) {
            Some("this machine does not have that address: choose one of its own, or 0.0.0.0 for all")
        } else if is(&[13]) {
            Some("this user may not: choose a port from 1024 on")
        } else {
            None
        };
        if let Some(why) = why {
            return anyhow!("cannot listen at {endpoint}: {why}");
        }
    }
    if let Some((_, protocol)) = text.split_once("not supported for ") {
        let protocol = protocol.split(' ').next().unwrap_or_default();
        return anyhow!(
            "the protocol {protocol:?} is none of tcp, udp and tls: for others put a router of zenoh's between"
        );
    }
    anyhow!("the network cannot be opened: {text}")
}

/// Without ` at /some/where.rs:123.`
fn without_places(text: &str) -> String {
    let mut left = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once(" at ") {
        left.push_str(before);
        match place(after) {
            Some(behind) => rest = behind,
            None => {
                left.push_str(" at ");
                rest = after;
            }
        }
    }
    left + rest
}

/// What stands behind a place in source code; `None`: it begins with none.
fn place(text: &str) -> Option<&str> {
    let (path, behind) = text.split_once(".rs:")?;
    if path.contains(['\n', '"']) || path.contains(": ") || path.contains(" at ") {
        return None;
    }
    let digits = behind.find(|c: char| !c.is_ascii_digit()).unwrap_or(behind.len());
    if digits == 0 {
        return None;
    }
    behind.get(digits..).map(|behind| behind.strip_prefix('.').unwrap_or(behind))
}

/// `JSON error: Message { msg: "…", location: Some(Location { line: 1, column: 3 }) }`
fn json5(text: &str) -> Option<String> {
    let (_, rest) = text.split_once("Message { msg: \"")?;
    let (message, rest) = rest.split_once("\", location: ")?;
    let number = |name: &str| {
        let (_, rest) = rest.split_once(name)?;
        rest.split(|c: char| !c.is_ascii_digit()).next()?.parse::<usize>().ok()
    };
    let message = message.replace("\\\"", "\"");
    Some(match (number("line: "), number("column: ")) {
        (Some(line), Some(column)) => format!("line {line}, column {column}: {message}"),
        _ => message,
    })
}

/// ` --> 1:14`, the line with something under it, ` = expected …`
fn grammar(text: &str) -> Option<String> {
    let (_, rest) = text.split_once("--> ")?;
    let (line, rest) = rest.split_once(':')?;
    let (column, rest) = rest.split_once('\n')?;
    let (_, expected) = rest.rsplit_once("= ")?;
    let expected = expected.trim().replace('_', " ");
    Some(format!("line {}, column {}: it cannot be read: {expected}", line.trim(), column.trim()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLACE: &str = "/root/.cargo/registry/src/index-1949/zenoh-config-1.10.2/src/lib.rs:1484.";

    #[test]
    fn places_in_code_are_left_out() {
        assert_eq!(plain(&format!("no at all at {PLACE}: see at home")), "no at all: see at home");
        assert_eq!(plain(&format!("a at {PLACE} b at {PLACE}")), "a b");
        assert_eq!(plain(&"a at /b.rs:x"), "a at /b.rs:x");
        assert_eq!(plain(&"a at home: lib.rs:7."), "a at home: lib.rs:7.");
    }

    #[test]
    fn wrong_configurations_say_where() {
        let text = format!(
            "JSON error: Message {{ msg: \"unknown field `x`, expected \\\"y\\\"\", location: Some(Location {{ line: 12, column: \
             3 }}) }} at {PLACE}"
        );
        assert_eq!(plain(&text), "line 12, column 3: unknown field `x`, expected \"y\"");
        let text = format!(
            " --> 1:14\n  |\n1 | {{ mode: \"peer\n  |              ^---\n  |\n  = expected char_literal at {PLACE}"
        );
        assert_eq!(plain(&text), "line 1, column 14: it cannot be read: expected char literal");
    }

    #[test]
    fn what_stands_in_the_way_is_said_with_what_to_do() {
        let listen = |why: &str| {
            let text = format!(
                "Can not create a new TCP listener bound to tcp/10.0.0.1:7447: [10.0.0.1:7447: {why} at {PLACE}] at {PLACE}"
            );
            not_open(&text).to_string()
        };
        let busy = listen("Address already in use (os error 98)");
        assert!(
            busy.starts_with("cannot listen at tcp/10.0.0.1:7447: another program listens there: "),
            "{busy}"
        );
        let strange = listen("Cannot assign requested address (os error 99)");
        assert!(strange.contains("this machine does not have that address"), "{strange}");
        let other = listen("Something else (os error 1)");
        assert!(other.contains("Something else") && !other.contains(".rs"), "{other}");
        let protocol = not_open(&format!("Unicast not supported for foo protocol at {PLACE}")).to_string();
        assert!(protocol.starts_with("the protocol \"foo\" is none of "), "{protocol}");
    }
}
