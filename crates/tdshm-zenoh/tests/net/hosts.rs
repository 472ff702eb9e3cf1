//! Several hosts: each a network and a `/dev/shm` of its own, with cables between them that can be cut. Only root may make such;
//! for others these tests say that they are skipped.

use std::process::Command;

use crate::kit::{Run, net, until};
use crate::peer;

/// A host. It goes, with all its interfaces and shared memory, when this does.
pub(crate) struct Host {
    holder: Run,
    pid: String,
}

impl Host {
    pub(crate) fn new() -> Self {
        let mut command = Command::new("unshare");
        let script = "mount -t tmpfs tmpfs /dev/shm && ip link set lo up && echo ready $$ && exec cat";
        command.args(["--net", "--mount", "--propagation", "private", "sh", "-c", script]);
        let mut holder = Run::start(command);
        let pid = holder.out("ready ").split(' ').nth(1).unwrap().to_owned();
        Self { holder, pid }
    }

    /// A command that runs there.
    fn here(&self, command: &Command) -> Command {
        let mut there = Command::new("nsenter");
        there.args(["--target", &self.pid, "--net", "--mount", "--"]);
        there.arg(command.get_program()).args(command.get_args());
        for (key, value) in command.get_envs() {
            match value {
                Some(value) => there.env(key, value),
                None => there.env_remove(key),
            };
        }
        there
    }

    pub(crate) fn run(&self, command: &Command) -> Run {
        Run::start(self.here(command))
    }

    fn ip(&self, words: &str) {
        let mut ip = Command::new("ip");
        ip.args(words.split(' '));
        let output = self.here(&ip).output().unwrap();
        assert!(output.status.success(), "ip {words}: {output:?}");
    }

    /// What a script of the shell says there.
    pub(crate) fn sh(&self, script: &str) -> String {
        let mut sh = Command::new("sh");
        sh.args(["-c", script]);
        let output = self.here(&sh).output().unwrap();
        assert!(output.status.success(), "{script}: {output:?}");
        String::from_utf8(output.stdout).unwrap()
    }

    /// A cable to another one, of the network 10.77.`number`: this end has the address 1, the other 2.
    pub(crate) fn cable(&self, other: &Self, number: u8) {
        let (ours, theirs) = (format!("c{number}a"), format!("c{number}b"));
        self.ip(&format!("link add {ours} type veth peer name {theirs} netns {}", other.pid));
        for (host, end, address) in [(self, &ours, 1), (other, &theirs, 2)] {
            host.ip(&format!("address add 10.77.{number}.{address}/24 dev {end}"));
            host.ip(&format!("link set {end} up"));
            // Where people look for each other.
            host.ip(&format!("route add 224.0.0.0/4 dev {end} metric {number}"));
        }
    }

    pub(crate) fn sender(&self) -> Run {
        let mut sender = self.run(&peer::command("send cam"));
        sender.out("ready");
        sender
    }

    pub(crate) fn receiver(&self) -> Run {
        let mut receiver = self.run(&peer::command("receive cam"));
        receiver.out("ready");
        receiver
    }

    /// As if the power had gone.
    fn kill(mut self, programs: impl IntoIterator<Item = Run>) {
        self.ip("link delete c1a");
        self.ip("link delete c2a");
        programs.into_iter().for_each(|mut program| program.kill());
        self.holder.kill();
    }
}

/// Whether this machine lets us; says so where it does not.
pub(crate) fn allowed() -> bool {
    let mut probe = Command::new("unshare");
    probe.args(["--net", "--mount", "--propagation", "private", "sh", "-c"]);
    probe.arg("mount -t tmpfs tmpfs /dev/shm && ip link set lo up && command -v nsenter");
    let works = probe.output().is_ok_and(|output| output.status.success());
    if !works {
        println!("skipped: only root may make hosts, with iproute2 and util-linux");
    }
    works
}

/// zenoh's own configuration, with less patience: otherwise it takes ten seconds to notice that a cable has been cut.
fn impatient() -> tempfile::NamedTempFile {
    let file = tempfile::Builder::new().suffix(".json5").tempfile().unwrap();
    let text = "{ transport: { link: { tx: { lease: 1000 } } }, scouting: { multicast: { enabled: false } }, \
                connect: { retry: { period_init_ms: 100, period_max_ms: 400 } } }";
    std::fs::write(file.path(), text).unwrap();
    file
}

fn command(words: &str, config: &tempfile::NamedTempFile) -> Command {
    let words: Vec<&str> = words.split(' ').collect();
    net(&[&words, &["--config", config.path().to_str().unwrap(), "--json"][..]].concat())
}

#[test]
fn a_cable_is_cut_and_healed_a_host_is_killed_and_another_comes_late() {
    if !allowed() {
        return;
    }
    let config = impatient();
    let [one, two, three] = [Host::new(), Host::new(), Host::new()];
    one.cable(&two, 1);
    one.cable(&three, 2);
    let mut receiver = two.receiver();
    let mut mirror = two.run(&command("mirror one/* --connect tcp/10.77.1.1:7447", &config));
    let sharing = "share * --host one --listen tcp/0.0.0.0:7447";
    let share = one.run(&command(sharing, &config));
    let mut sender = one.sender();
    sender.tell("1");
    receiver.out("got [1.0]");

    one.ip("link set c1a down");
    sender.tell("2");
    receiver.out("attached: Left");
    mirror.json("gone", |stream| stream["state"] == "gone");
    sender.tell("3");
    one.ip("link set c1a up");
    one.ip("route replace 224.0.0.0/4 dev c1a metric 1");
    // What was sent meanwhile was for nobody; the last of it is there at once.
    let line = receiver.out("got [");
    assert!(line == "got [3.0]" || (line == "got [2.0]" && receiver.out("got [") == "got [3.0]"), "{line}");
    mirror.json("mirrored", |stream| stream["state"] == "mirrored");
    sender.tell("4");
    receiver.out("got [4.0]");

    let mut late = three.receiver();
    let _late_mirror = three.run(&command("mirror one/* --connect tcp/10.77.2.1:7447", &config));
    assert_eq!(late.out("got ["), "got [4.0]");
    sender.tell("5");
    late.out("got [5.0]");

    one.kill([share, sender]);
    receiver.out("attached: Left");
    late.out("attached: Left");
    // Another machine takes its place, with its address and its name.
    let again = Host::new();
    again.cable(&two, 1);
    let _share = again.run(&command(sharing, &config));
    let mut sender = again.sender();
    sender.tell("6");
    receiver.out("got [6.0]");
}

#[test]
fn without_a_word_hosts_of_one_network_find_each_other() {
    if !allowed() {
        return;
    }
    let [one, two] = [Host::new(), Host::new()];
    one.cable(&two, 1);
    let mut receiver = two.receiver();
    let mut mirror = two.run(&net(&["mirror", "*/cam"]));
    let mut share = one.run(&net(&["share", "cam", "--host", "one"]));
    share.err("everybody on this network can read and write streams");
    mirror.err("everybody on this network can read and write streams");
    let mut sender = one.sender();
    sender.tell("1 2 3");
    receiver.out("got [1.0, 2.0, 3.0]");
    let list = || two.here(&net(&["list", "--wait", "2"])).output().unwrap();
    until("the list", || String::from_utf8(list().stdout).unwrap().contains("one/cam").then_some(()));
}
