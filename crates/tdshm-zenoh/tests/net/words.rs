//! What a person reads who mistypes something, and how the command ends.

use std::net::TcpListener;
use std::process::Stdio;

use crate::kit::{endpoint, net};

/// How it ends, and what it says.
fn ends(args: &[&str]) -> (Option<i32>, String) {
    let output = net(args).stdin(Stdio::null()).output().unwrap();
    assert!(output.stdout.is_empty(), "{output:?}");
    let said = String::from_utf8(output.stderr).unwrap();
    (output.status.code(), said)
}

#[test]
fn what_makes_no_sense_is_wrong_usage_and_says_why() {
    for (args, why) in [
        (&["mirror", "[/x"][..], "[ has no ]"),
        (&["mirror", "a/b/c"], "with one '/'"),
        (&["mirror", "a"], "a stream is HOST/NAME"),
        (&["mirror", "a/b", "--prefix", "x/"], "'/'"),
        (&["mirror", "a/b", "--keep", "0"], "1 to 86400 seconds"),
        (&["list", "/x"], "a stream is HOST/NAME"),
        (&["share", "["], "[ has no ]"),
        (&["share", "a/b"], "'/'"),
        (&["share", "a/*"], "leave the host out"),
        (&["share", "a", "--host", ""], "the name of a host is empty"),
        (&["share", "a", "--host", "x/y"], "holds '/'"),
        (&["share", "a", "--host", "x*"], "holds '*'"),
        (&["share", "a", "--host", "x\ny"], "holds '\\n'"),
    ] {
        let (status, said) = ends(args);
        assert_eq!(status, Some(2), "{args:?}: {said}");
        assert!(said.contains(why), "{args:?}: {said}");
    }
}

#[test]
fn what_zenoh_refuses_is_said_in_words() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let busy = format!("tcp/{}", taken.local_addr().unwrap());
    let file = |ending: &str, text: &str| {
        let file = tempfile::Builder::new().suffix(ending).tempfile().unwrap();
        std::fs::write(file.path(), text).unwrap();
        file
    };
    let tls = r#"{ connect: { endpoints: ["tls/localhost:7447"] },
        transport: { link: { tls: { root_ca_certificate: "no/such.pem" } } } }"#;
    let [field, text, name, tls] = [
        file(".json5", "{\n  nosuch: 3 }"),
        file(".json5", "{ mode: \"peer"),
        file(".txt", "{}"),
        file(".json5", tls),
    ];
    let path = |file: &tempfile::NamedTempFile| file.path().to_str().unwrap().to_owned();
    for (args, why) in [
        (["--listen", &busy], "another program listens there".to_owned()),
        (["--listen", "tcp/192.0.2.1:7447"], "this machine does not have that address".to_owned()),
        (["--listen", "foo/127.0.0.1:7447"], "the protocol \"foo\" is none of".to_owned()),
        (["--config", "/no/such.json5"], "--config names a file".to_owned()),
        (["--config", &path(&field)], "line 2, column 3: unknown field `nosuch`".to_owned()),
        (["--config", &path(&text)], "line 1, column 14: it cannot be read".to_owned()),
        (["--config", &path(&name)], format!("{}: its name says by its end", path(&name))),
        (["--config", &path(&tls)], "transport/link/tls/root_ca_certificate names a file".to_owned()),
    ] {
        let (status, said) = ends(&[&["list"], &args[..]].concat());
        assert_eq!(status, Some(1), "{args:?}: {said}");
        assert!(said.contains(&why), "{args:?}: {said}");
        assert!(
            !said.contains(".rs:") && !said.contains("registry") && !said.contains("Message {"),
            "{said}"
        );
        assert_eq!(said.lines().count(), 1, "{said}");
    }
}

#[test]
fn that_nobody_answers_is_said_and_when_somebody_does() {
    let endpoint = endpoint();
    let here = format!("nobody answers at {endpoint}, ");
    let connect = ["--connect", &endpoint];
    let mut first = crate::kit::Run::start(net(&[&["mirror", "there/*"], &connect[..]].concat()));
    first.err(&here);
    let client = [&["share", "nothing"], &connect[..], &["--mode", "client"]].concat();
    let mut second = crate::kit::Run::start(net(&client));
    second.err(&here);
    // A list is of now: that there is nobody to ask is no empty list.
    for mode in ["peer", "client"] {
        let list = [&["list", "--json", "--wait", "0.2", "--mode", mode], &connect[..]].concat();
        let output = net(&list).output().unwrap();
        assert_eq!((output.status.code(), output.stdout.as_slice()), (Some(1), &b""[..]), "{mode}");
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(said.contains(&format!("nobody answers at {endpoint}: ")), "{mode}: {said}");
    }
    let _router =
        crate::kit::Run::start(net(&["share", "nothing", "--listen", &endpoint, "--mode", "router"]));
    for run in [&mut first, &mut second] {
        run.err(&format!("connected: {endpoint} answers"));
    }
    first.err("and nothing that was asked for is shared so far: tdshm-net list shows");
}

#[cfg(unix)]
#[test]
fn whoever_reads_the_output_may_stop_and_whoever_wants_it_ended_need_not_wait() {
    use std::io::{BufRead, BufReader, Read};
    use std::process::Command;

    use rustix::process::{Pid, Signal, kill_process};

    let endpoint = endpoint();
    let start = |args: &[&str], more: &[&str]| {
        let mut command = net(&[args, more].concat());
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
        command.spawn().unwrap()
    };
    // `| head -1`
    for args in
        [&["share", "nothing", "--json"][..], &["mirror", "there/*", "--json"], &["list", "--wait", "0"]]
    {
        let mut child = start(args, &["--listen", &endpoint]);
        let mut out = BufReader::new(child.stdout.take().unwrap());
        if args[0] != "list" {
            out.read_line(&mut String::new()).unwrap();
        }
        drop(out);
        assert_eq!(child.wait().unwrap().code(), Some(0), "{args:?}");
    }
    // Each signal that asks to stop, and standard error is closed all the while.
    for (signal, status) in [(Signal::INT, 130), (Signal::TERM, 143), (Signal::HUP, 129)] {
        let mut command = Command::new("sh");
        command.args(["-c", "exec \"$0\" \"$@\" 2>&-"]);
        let program = net(&["mirror", "there/*", "--json", "--listen", &endpoint]);
        command.arg(program.get_program()).args(program.get_args());
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let mut out = BufReader::new(child.stdout.take().unwrap());
        out.read_line(&mut String::new()).unwrap();
        kill_process(Pid::from_child(&child), signal).unwrap();
        out.read_to_string(&mut String::new()).unwrap();
        assert_eq!(child.wait().unwrap().code(), Some(status));
    }
    // A disk that is full: said, and an error.
    if let Ok(full) = std::fs::OpenOptions::new().write(true).open("/dev/full") {
        let mut command = net(&["mirror", "there/*", "--json", "--listen", &endpoint]);
        let output = command.stdout(full).stderr(Stdio::piped()).spawn().unwrap().wait_with_output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{said}");
        assert!(said.contains("cannot write the output: "), "{said}");
    }
}
