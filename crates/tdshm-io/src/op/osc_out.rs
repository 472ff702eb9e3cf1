//! OSC Out CHOP: its input, sent by UDP.

use core::time::Duration;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Instant;

use tdshm_ops::clip::Clip;
use tdshm_ops::slice::trim;
use tdshm_ops::{Cook, CookPolicy, Family, OpSpec, Operator, ParSpec};

use crate::osc::{
    DEFAULT_PORT, EncodeCounts, EncodeOptions, Encoder, FrameInfo, Handed, Lookup, MAX_PACKET, Multicast,
    Outlet,
};

const PAGE: &str = "OSC Out";
/// How long after it failed a name is looked up again.
const AGAIN: Duration = Duration::from_secs(2);

/// The operator type.
///
/// # Source
///
/// operators §11.3: `numericformat`, `format`, `maxbytes`, `sendevents`, `sendrate`; the names of the others are ours.
pub(super) fn spec() -> OpSpec {
    OpSpec::new(
        "oscoutCHOP",
        Family::Chop,
        "OSC Out",
        "Sends its input by UDP every frame, as messages of Open Sound Control, and passes it on. A channel's address is a \
         slash and its name. What is no time slice is cut to one. Scope says which channels are sent.",
        || Box::new(OscOut::default()),
    )
    .inputs(1, 1)
    .policy(CookPolicy::EveryFrame)
    .pars(pars().into_iter().map(|par| par.page(PAGE)).collect())
    .common_page()
}

fn pars() -> Vec<ParSpec> {
    vec![
        ParSpec::toggle("active", "Active", true)
            .help("Switches sending on. Off: the input still passes through."),
        ParSpec::text("netaddress", "Network Address", "localhost")
            .help("Where messages go: a name or an address, which may be a group such as 239.0.0.1."),
        port("The port that messages go to."),
        ParSpec::text("localaddress", "Local Address", "").help(
            "The address of this machine by which a group is reached. Empty: as the system chooses.",
        ),
        ParSpec::int("ttl", "Time To Live", 1)
            .clamped(0.0, 255.0)
            .help("Ours. How many networks messages for a group may reach: 1 is this one alone."),
        ParSpec::menu(
            "numericformat",
            "Numeric Format",
            &[("int", "Integer (32 bit)"), ("float", "Float (32 bit)"), ("double", "Double (64 bit)")],
        )
        .default_to("float")
        .help("What samples are sent as. Integers are the nearest ones."),
        ParSpec::menu(
            "format",
            "Data Format",
            &[
                ("sample", "Sample"),
                ("timeslice", "Time Slice"),
                ("transpose", "Transpose"),
                ("transposename", "Transpose With Names"),
            ],
        )
        .default_to("timeslice")
        .help(
            "Sample: a message a channel, with its current sample. Time Slice: with all samples of the slice. Transpose: one \
             message with the first sample of every channel, at the address that their names begin with.",
        ),
        ParSpec::int("maxbytes", "Max Bytes", 8000)
            .clamped(1.0, 65_507.0)
            .help("How large a packet may be. More goes into several."),
        ParSpec::toggle("sendevents", "Send Events Every Cook", true)
            .help("Off: only channels that changed are sent."),
        ParSpec::toggle("sendrate", "Send Rate of CHOP", true)
            .help("With Time Slice the sample rate goes along, as /_samplerate (the address is ours)."),
    ]
}

/// The parameter of both operators.
pub(super) fn port(help: &'static str) -> ParSpec {
    ParSpec::int("port", "Network Port", i64::from(DEFAULT_PORT)).clamped(0.0, 65_535.0).help(help)
}

pub(super) fn port_of(cook: &Cook) -> u16 {
    u16::try_from(cook.par_i64("port")).unwrap_or(DEFAULT_PORT)
}

#[expect(clippy::cast_precision_loss, reason = "counters of a process stay far below 2^53")]
pub(super) fn number(count: u64) -> f64 {
    count as f64
}

/// What the socket depends on.
#[derive(Clone, Debug, Default, PartialEq)]
struct Place {
    host: Arc<str>,
    local: Arc<str>,
    port: u16,
    ttl: u32,
}

#[derive(Debug, Default)]
struct OscOut {
    place: Place,
    outlet: Option<Outlet>,
    looking_up: Option<Lookup>,
    /// Why there is no way out, until there is one.
    problem: Option<String>,
    /// When that was found.
    failed: Option<Instant>,
    options: EncodeOptions,
    encoder: Option<Encoder>,
    /// The absolute frame that was sent first.
    began: Option<u64>,
    cut: Clip,
    lost: u64,
    /// Of encoders before this one.
    before: EncodeCounts,
}

impl Operator for OscOut {
    fn cook(&mut self, cook: &mut Cook) {
        cook.pass(0);
        if !cook.par_is_on("active") {
            (self.outlet, self.looking_up) = (None, None);
            return;
        }
        if !cook.is_wired(0) {
            cook.warn("Not enough inputs.");
        }
        if let Err(problem) = self.open(cook) {
            cook.error(problem);
        }
        let Some(clip) = cook.clip(0) else { return };
        if clip.is_slice() || clip.len_samples() <= 1 {
            return self.send(cook, &clip);
        }
        let mut cut = core::mem::take(&mut self.cut);
        match trim(&clip, cook.slice_of(&clip), &mut cut) {
            Ok(()) => self.send(cook, &cut),
            Err(error) => cook.error(super::file_in::sentence(&error.to_string())),
        }
        self.cut = cut;
    }

    fn shm_info(&self, add: &mut dyn FnMut(&'static str, f64)) {
        let now = self.encoder.as_ref().map(Encoder::counts).unwrap_or_default();
        add("osc_open", f64::from(u8::from(self.outlet.is_some())));
        for (name, before, now) in [
            ("osc_packets", self.before.packets, now.packets),
            ("osc_bytes", self.before.bytes, now.bytes),
            ("osc_messages", self.before.messages, now.messages),
            ("osc_dropped", self.before.too_large.saturating_add(self.lost), now.too_large),
        ] {
            add(name, number(before.saturating_add(now)));
        }
    }
}

impl OscOut {
    /// Finds the address, without waiting for the network, and opens a socket.
    fn open(&mut self, cook: &Cook) -> Result<(), String> {
        let place = Place {
            host: cook.par_text("netaddress"),
            local: cook.par_text("localaddress"),
            port: port_of(cook),
            ttl: u32::try_from(cook.par_i64("ttl")).unwrap_or(1),
        };
        if place != self.place {
            (self.outlet, self.looking_up, self.problem, self.failed) = (None, None, None, None);
            self.place = place;
        }
        if self.outlet.is_some() {
            return Ok(());
        }
        // While it is tried again nothing is right yet.
        let as_before = |problem: &Option<String>| problem.clone().map_or(Ok(()), Err);
        if self.failed.is_some_and(|failed| failed.elapsed() < AGAIN) {
            return as_before(&self.problem);
        }
        let opened = match self.look_up() {
            Ok(Some(to)) => self.open_to(to),
            Ok(None) => return as_before(&self.problem),
            Err(problem) => Err(problem),
        };
        self.problem = opened.as_ref().err().cloned();
        self.failed = self.problem.as_ref().map(|_| Instant::now());
        opened
    }

    /// The address, where it is known by now.
    fn look_up(&mut self) -> Result<Option<SocketAddr>, String> {
        let Place { host, port, .. } = &self.place;
        if host.is_empty() {
            return Err("Network Address is empty: give a name or an address.".to_owned());
        }
        if *port == 0 {
            return Err("Network Port is 0: give one from 1 to 65535.".to_owned());
        }
        let failed =
            |error: io::Error| format!("Cannot find '{host}': {}.", error.to_string().trim_end_matches('.'));
        let mut looking_up = match self.looking_up.take() {
            Some(looking_up) => looking_up,
            None => Lookup::start(host, *port).map_err(failed)?,
        };
        let found = looking_up.poll().transpose().map_err(failed)?;
        if found.is_none() {
            self.looking_up = Some(looking_up);
        }
        Ok(found)
    }

    fn open_to(&mut self, to: SocketAddr) -> Result<(), String> {
        let mut multicast = Multicast::new().ttl(self.place.ttl);
        if !self.place.local.is_empty() {
            let local = self.place.local.parse().map_err(|_| {
                format!("Local Address '{}' is no address of IPv4: give one, or nothing.", self.place.local)
            })?;
            multicast = multicast.interface(local);
        }
        let opened = Outlet::open(to, multicast).and_then(|outlet| {
            outlet.set_nonblocking()?;
            Ok(outlet)
        });
        self.outlet = Some(opened.map_err(|error| format!("Cannot send to {to}: {error}."))?);
        // Whoever listens there knows nothing yet.
        self.encoder.iter_mut().for_each(Encoder::resend);
        Ok(())
    }

    fn send(&mut self, cook: &mut Cook, clip: &Clip) {
        let Some(outlet) = &self.outlet else { return };
        let len = clip.len_samples();
        if len == 0 {
            return;
        }
        let options = EncodeOptions::new()
            .numeric(cook.par_text("numericformat").parse().unwrap_or_default())
            .layout(cook.par_text("format").parse().unwrap_or_default())
            .max_bytes(usize::try_from(cook.par_i64("maxbytes")).unwrap_or(MAX_PACKET))
            .only_changed(!cook.par_is_on("sendevents"))
            .rate_sent(cook.par_is_on("sendrate"));
        if self.options != options {
            self.before =
                self.encoder.take().map_or(self.before, |encoder| self.before.and(encoder.counts()));
            self.options = options.clone();
        }
        let encoder = self.encoder.get_or_insert_with(|| Encoder::new(options));
        let too_large = encoder.counts().too_large;
        let time = cook.time();
        let began = *self.began.get_or_insert(time.abs_frame);
        #[expect(clippy::cast_possible_truncation, reason = "rates of messages are 32-bit")]
        let frame = FrameInfo {
            time: Duration::try_from_secs_f64(number(time.abs_frame.saturating_sub(began)) / time.rate)
                .unwrap_or_default(),
            rate: clip.rate() as f32,
        };
        let scope = cook.scope(clip.names());
        let channels =
            scope.iter().filter_map(|channel| Some((clip.names().get(*channel)?, clip.channel(*channel)?)));
        let mut problem = None;
        encoder.encode_to(frame, channels, |packet| match outlet.send(packet) {
            Ok(()) => Handed::On,
            Err(error) => {
                self.lost = self.lost.saturating_add(1);
                problem = Some(error);
                Handed::Lost
            }
        });
        if let Some(error) = problem {
            // What was in it counts as not sent.
            encoder.resend();
            cook.warn(format!("Cannot send to {}: {error}.", outlet.to()));
        }
        if encoder.counts().too_large > too_large {
            cook.warn(format!(
                "A message has more than {MAX_PACKET} bytes, and is not sent: use a narrower Scope."
            ));
        }
    }
}
