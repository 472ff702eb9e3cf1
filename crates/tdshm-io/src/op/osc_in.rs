//! OSC In CHOP: channels of what comes by UDP.

use core::time::Duration;
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Instant;

use tdshm_ops::clip::{ChannelNames, Clip, ClipError};
use tdshm_ops::slice::Interval;
use tdshm_ops::{Cook, CookPolicy, Family, OpSpec, Operator, ParSpec, Pattern};

use crate::osc::{Inlet, InletCounts, Intake, IntakeCounts, IntakeOptions, Listener, Multicast};

const PAGE: &str = "OSC In";
/// An inlet of ours that was let go of has freed its port by then.
const FREE_AFTER: Duration = Duration::from_millis(250);
/// How often the system is asked what it dropped.
const ASK_EVERY: Duration = Duration::from_secs(1);

/// The operator type.
///
/// # Source
///
/// operators §11.3: `stripsegments`, `oscaddressscope`, `useglobalrate`, `samplerate`; the names of the others are ours.
pub(super) fn spec() -> OpSpec {
    OpSpec::new(
        "oscinCHOP",
        Family::Chop,
        "OSC In",
        "Channels of the Open Sound Control messages that come by UDP, in the order in which they came first, each with its \
         last value. A channel is called as its address; several arguments are several channels, with a number behind it.",
        || Box::new(OscIn::default()),
    )
    .policy(CookPolicy::WhenAsked)
    .pars(pars().into_iter().map(|par| par.page(PAGE)).collect())
    .common_page()
    .slices_itself()
}

fn pars() -> Vec<ParSpec> {
    vec![
        ParSpec::toggle("active", "Active", true)
            .help("Switches receiving on. Off: the output stays as it was, and the port is free for others."),
        ParSpec::text("netaddress", "Network Address", "").help(
            "A group to join, such as 239.0.0.1 (ours). Empty: messages for this machine alone.",
        ),
        super::osc_out::port("The port that messages come to."),
        ParSpec::text("localaddress", "Local Address", "127.0.0.1").help(
            "The address of this machine that is listened to, or by which a group is joined. 127.0.0.1 hears this machine \
             alone (ours); 0.0.0.0 or :: hears the whole network, and everybody there can set channels.",
        ),
        ParSpec::text_menu("oscaddressscope", "OSC Address Scope", "*", &[("*", "*")]).help(
            "Which addresses become channels, as a pattern of whole addresses, with or without the slash at their beginning: \
             /hand/* ^*/confidence.",
        ),
        ParSpec::int("stripsegments", "Strip Name Segments", 0).at_least(0.0).slider(0.0, 5.0).help(
            "So many segments at the beginning of an address are left out of the channel's name; the last one stays.",
        ),
        ParSpec::toggle("useglobalrate", "Use Global Rate", true).help("The sample rate is the timeline's."),
        ParSpec::float("samplerate", "Sample Rate", 60.0)
            .at_least(0.001)
            .slider(1.0, 120.0)
            .enabled_when("useglobalrate", &["0"])
            .help("In samples a second."),
        ParSpec::toggle("queued", "Queued", false).enabled_when("timeslice", &["1"]).help(
            "Each value that comes is a sample of the time slice, in the order in which they came; where there are more than it has samples, they wait for the next one. Off: the slice holds the newest value. The name is ours.",
        ),
        ParSpec::float("maxqueue", "Maximum Queue", 0.4)
            .at_least(0.0)
            .slider(0.0, 1.0)
            .enabled_when("queued", &["1"])
            .help("How many seconds of samples may wait. Beyond that the oldest are left out, and counted. The name is ours."),
        ParSpec::pulse("resetchannelspulse", "Reset Channels")
            .help("Forgets all channels: those that are still sent come again, in their order."),
    ]
}

/// What the socket depends on.
#[derive(Clone, Debug, Default, PartialEq)]
struct Place {
    group: Arc<str>,
    local: Arc<str>,
    port: u16,
}

/// What the channels depend on.
#[derive(Clone, Debug, Default, PartialEq)]
struct Rules {
    scope: Arc<str>,
    strip_segments: usize,
}

#[derive(Debug, Default)]
struct OscIn {
    place: Place,
    rules: Rules,
    inlet: Option<Inlet>,
    /// When the last one was let go of.
    closed: Option<Instant>,
    names: ChannelNames,
    /// Of each channel the last slice, or its value.
    samples: Vec<f32>,
    /// Samples that each has.
    len: usize,
    counts: IntakeCounts,
    about: InletCounts,
    granted: usize,
    /// Packets that the system dropped, where it says.
    lost: Option<u64>,
    /// When it was asked.
    asked: Option<Instant>,
}

impl Operator for OscIn {
    fn cook(&mut self, cook: &mut Cook) {
        if !cook.par_is_on("active") {
            return self.close();
        }
        if let Err(problem) = self.listen(cook) {
            cook.error(problem);
        }
        let is_reset = cook.par_is_on("resetchannelspulse");
        let rate =
            if cook.par_is_on("useglobalrate") { cook.time().rate } else { cook.par_f64("samplerate") };
        let slice = cook.time_slice(rate);
        if let Some(inlet) = &self.inlet {
            let is_queued = slice.is_some() && cook.par_is_on("queued");
            let queue = if is_queued { most(cook.par_f64("maxqueue") * rate) } else { 0 };
            let len = slice.map_or(1, Interval::len);
            inlet.with(|intake| {
                intake.set_queue(queue);
                if is_reset {
                    intake.forget();
                }
                if self.names.len() != intake.names().len() || is_reset {
                    self.names = ChannelNames::new(intake.names().iter().cloned());
                }
                self.len = len;
                self.samples.clear();
                self.samples.resize(len.saturating_mul(self.names.len()).min(Clip::MAX_SAMPLES), 0.0);
                for (channel, samples) in self.samples.chunks_exact_mut(len.max(1)).enumerate() {
                    intake.samples(channel, samples);
                }
                intake.settle();
                self.counts = intake.counts();
            });
            self.about = inlet.counts();
            if self.asked.is_none_or(|asked| asked.elapsed() >= ASK_EVERY) {
                self.asked = Some(Instant::now());
                self.lost = inlet.lost();
            }
        }
        self.warn(cook);
        if let Err(error) = self.put_out(cook, rate, slice) {
            cook.keep();
            cook.error(super::file_in::sentence(&error.to_string()));
        }
    }

    fn shm_info(&self, add: &mut dyn FnMut(&'static str, f64)) {
        let counts = &self.counts;
        add("osc_listening", f64::from(u8::from(self.inlet.is_some())));
        for (name, count) in [
            ("osc_packets", counts.packets),
            ("osc_bytes", counts.bytes),
            ("osc_messages", counts.messages),
            ("osc_dropped", counts.dropped().saturating_add(self.lost.unwrap_or(0))),
            ("osc_out_of_scope", counts.out_of_scope),
            ("osc_not_numbers", counts.not_numbers),
            ("osc_held", counts.held),
            ("osc_overtaken", counts.overtaken),
        ] {
            add(name, super::osc_out::number(count));
        }
        add("osc_peers", super::osc_out::number(u64::try_from(self.about.peers).unwrap_or(u64::MAX)));
        add("osc_buffer_bytes", super::osc_out::number(u64::try_from(self.granted).unwrap_or(u64::MAX)));
    }
}

impl OscIn {
    fn close(&mut self) {
        if self.inlet.take().is_some() {
            self.closed = Some(Instant::now());
        }
    }

    /// Listens where and as the parameters say.
    fn listen(&mut self, cook: &Cook) -> Result<(), String> {
        let rules = Rules {
            scope: cook.par_text("oscaddressscope"),
            strip_segments: usize::try_from(cook.par_i64("stripsegments")).unwrap_or(0),
        };
        let place = Place {
            group: cook.par_text("netaddress"),
            local: cook.par_text("localaddress"),
            port: super::osc_out::port_of(cook),
        };
        if place != self.place {
            self.close();
        }
        if let Some(inlet) = &self.inlet {
            if rules != self.rules {
                let new = intake(&rules)?;
                inlet.with(|intake| *intake = new);
                self.rules = rules;
                self.names = ChannelNames::default();
            }
            return Ok(());
        }
        let intake = intake(&rules)?;
        let (at, multicast) = at(&place)?;
        let started = Listener::open(at, multicast).and_then(|listener| Inlet::start(listener, intake));
        let inlet = match started {
            Ok(inlet) => inlet,
            // Nobody waits for its thread: the next cook tries again.
            Err(error)
                if error.kind() == io::ErrorKind::AddrInUse
                    && self.closed.is_some_and(|closed| closed.elapsed() < FREE_AFTER) =>
            {
                return Ok(());
            }
            Err(error) => return Err(cannot_listen(at, &error)),
        };
        self.granted = inlet.granted_bytes();
        self.inlet = Some(inlet);
        self.names = ChannelNames::default();
        (self.place, self.rules) = (place, rules);
        Ok(())
    }

    fn warn(&self, cook: &mut Cook) {
        // Without numbers, so that it is said once.
        if self.counts.dropped() > 0 {
            cook.warn("Packets that are no OSC, or beyond its limits, are dropped.");
        }
        if self.counts.not_numbers > 0 {
            cook.warn("Arguments that are no numbers are left out.");
        }
        if self.counts.held > 0 {
            cook.warn("Numbers that are NaN or infinite are left out: their channels hold what they had.");
        }
        if self.lost.is_some_and(|lost| lost > 0) {
            cook.warn("The system drops packets, because more come than it keeps: raise net.core.rmem_max.");
        }
        if let Some(problem) = &self.about.problem {
            cook.warn(format!("Receiving failed: {problem}."));
        }
    }

    fn put_out(&self, cook: &mut Cook, rate: f64, slice: Option<Interval>) -> Result<(), ClipError> {
        let scope = cook.scope(&self.names);
        let is_whole = scope.len() == self.names.len();
        let in_scope = || scope.iter().filter_map(|index| self.names.get(*index));
        cook.fill_clip(|clip| {
            let names = if is_whole {
                self.names.clone()
            } else if clip.names().are(in_scope()) {
                clip.names().clone()
            } else {
                ChannelNames::new(in_scope())
            };
            let len = slice.map_or(1, Interval::len);
            let samples = clip.shape(names, len)?;
            for (to, from) in samples.chunks_exact_mut(len.max(1)).zip(scope.iter()) {
                // Without an inlet the last values stay, however long the slice is.
                let begin = from.saturating_mul(self.len);
                let last = self.samples.get(begin..begin.saturating_add(self.len)).unwrap_or_default();
                if last.len() == to.len() {
                    to.copy_from_slice(last);
                } else {
                    to.fill(last.last().copied().unwrap_or_default());
                }
            }
            clip.set_start(slice.map_or(0, |slice| slice.first));
            clip.set_slice(slice.is_some());
            clip.set_rate(rate)
        })
    }
}

/// So many values wait.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "`as` saturates, and makes 0 of NaN: then one waits, as long as any do"
)]
fn most(values: f64) -> usize {
    // Of each channel, whatever rate somebody gives.
    const MOST: usize = 1 << 16;
    (values.ceil() as usize).clamp(1, MOST)
}

fn intake(rules: &Rules) -> Result<Intake, String> {
    let scope: Pattern = rules.scope.parse().map_err(|error| format!("OSC Address Scope: {error}"))?;
    Ok(Intake::new(IntakeOptions::new().scope(scope).strip_segments(rules.strip_segments)))
}

/// The address to listen at, and how.
fn at(place: &Place) -> Result<(SocketAddr, Multicast), String> {
    let ip = |text: &str, what: &str| -> Result<IpAddr, String> {
        if text == "localhost" {
            return Ok(Ipv4Addr::LOCALHOST.into());
        }
        text.parse().map_err(|_| format!("{what} '{text}' is no address: give one such as 127.0.0.1."))
    };
    let local = ip(&place.local, "Local Address")?;
    if place.group.is_empty() {
        return Ok((SocketAddr::new(local, place.port), Multicast::new()));
    }
    let group = ip(&place.group, "Network Address")?;
    if !group.is_multicast() {
        return Err(format!(
            "Network Address '{group}' is no group: give one such as 239.0.0.1, or nothing."
        ));
    }
    let multicast = match local {
        IpAddr::V4(local) => Multicast::new().interface(local),
        IpAddr::V6(_) => Multicast::new(),
    };
    Ok((SocketAddr::new(group, place.port), multicast))
}

fn cannot_listen(at: SocketAddr, error: &io::Error) -> String {
    let what = match error.kind() {
        io::ErrorKind::AddrInUse => "another program listens there: give another port".to_owned(),
        io::ErrorKind::AddrNotAvailable => "this machine does not have that address".to_owned(),
        _ => error.to_string(),
    };
    format!("Cannot listen at {at}: {what}.")
}
