//! The configurations that people start from: `examples/zenoh`, with certificates made for the occasion.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::Value;
use tdshm::{ChopReceiver, ChopSender};

use crate::kit::{Name, Run, channels, endpoint, net, until};

/// As docs/network.md makes them. `false`, with a word: nothing makes them here.
fn certificates(folder: &Path) -> bool {
    let openssl = |words: &str| {
        let mut command = Command::new("openssl");
        command.args(words.split(' ')).current_dir(folder).stdin(Stdio::null());
        command.output().is_ok_and(|output| output.status.success())
    };
    if !openssl("version") {
        println!("skipped: openssl is not on this machine");
        return false;
    }
    let pair = |name: &str| format!("-newkey rsa:2048 -nodes -subj /CN={name} -keyout {name}.key");
    assert!(openssl(&format!("req -x509 {} -days 2 -out ca.pem", pair("studio"))));
    for host in ["host1", "host2", "host9"] {
        assert!(openssl(&format!("req {} -out {host}.csr", pair(host))));
        fs::write(folder.join("names"), format!("subjectAltName=DNS:{host},DNS:localhost")).unwrap();
        let sign = format!("x509 -req -in {host}.csr -CA ca.pem -CAkey studio.key -CAcreateserial -days 2");
        assert!(openssl(&format!("{sign} -out {host}.pem -extfile names")));
    }
    true
}

/// An example with the places of this test.
fn example(file: &str, folder: &Path, port: &str, host: &str) -> String {
    let text = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/zenoh").join(file);
    let text = fs::read_to_string(text).unwrap();
    let text = text.replace("/etc/tdshm/", &format!("{}/", folder.display()).replace('\\', "/"));
    let text = text.replace("0.0.0.0:7447", &format!("127.0.0.1:{port}"));
    let text =
        text.replace("host1:7447", &format!("localhost:{port}")).replace("host2.", &format!("{host}."));
    let to = folder.join(format!("{host}-{file}"));
    fs::write(&to, text).unwrap();
    to.to_str().unwrap().to_owned()
}

#[test]
fn who_is_on_the_list_reads_and_nobody_else() {
    let (name, folder) = (Name::new(), tempfile::tempdir().unwrap());
    let mirrored = name.mirrored();
    let port = endpoint().rsplit(':').next().unwrap().to_owned();
    if !certificates(folder.path()) {
        return;
    }
    let ours = example("share-tls.json5", folder.path(), &port, "host1");
    let known = example("mirror-tls.json5", folder.path(), &port, "host2");
    let stranger = example("mirror-tls.json5", folder.path(), &port, "host9");

    let mut out = ChopSender::create(&name.0).unwrap();
    out.send(&[[0.5_f32], [1.5]]).unwrap();
    let mut sharing = Run::start(net(&["share", &name.0, "--host", "host1", "--config", &ours, "--json"]));
    sharing.err("sharing ");
    let mut mirroring =
        Run::start(net(&["mirror", "host1/*", "--prefix", "m-", "--config", &known, "--json"]));
    let mut receiver = ChopReceiver::open(&mirrored.0).unwrap();
    assert_eq!(channels(&mut receiver, |_| true).samples(), [0.5, 1.5]);
    out.send(&[[2.5_f32], [1.5]]).unwrap();
    assert_eq!(channels(&mut receiver, |_| true).samples(), [2.5, 1.5]);
    let stream = mirroring.json("an answer", |stream| stream["clock_ahead_ms"].is_number());
    assert_eq!(stream["state"], "mirrored");

    let list = |config: &str| -> Value {
        let output = net(&["list", "--json", "--wait", "3", "--config", config]).output().unwrap();
        serde_json::from_slice(&output.stdout).unwrap()
    };
    let found = until("the list", || Some(list(&known)).filter(|list| !list.as_array().unwrap().is_empty()));
    assert_eq!(found[0]["segment"], name.0.as_str());
    assert_eq!(list(&stranger), serde_json::json!([]), "its certificate is good, and it is not on the list");
}
