//! Channels, made of packets.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use tdshm_ops::Pattern;

use super::message::{Argument, Fault, Message, read};
use super::{MAX_NAME, name_of};

/// Which messages become channels, and what those are called.
#[derive(Clone, Debug)]
#[must_use]
pub struct IntakeOptions {
    strip_segments: usize,
    scope: Option<Pattern>,
    max_channels: usize,
}

impl IntakeOptions {
    /// All messages, whole addresses, up to 4096 channels.
    pub fn new() -> Self {
        Self { strip_segments: 0, scope: None, max_channels: 4096 }
    }

    /// Leaves that many segments at the beginning of an address out of the name: with 3, `/a/b/c/d/e` is `d/e`.
    pub fn strip_segments(mut self, segments: usize) -> Self {
        self.strip_segments = segments;
        self
    }

    /// Takes only addresses that this pattern means, as they were sent. It is written without the leading slash, or with it
    /// at any of its names.
    pub fn scope(mut self, pattern: Pattern) -> Self {
        self.scope = Some(pattern);
        self
    }

    /// Makes that many channels at most; messages for more are dropped and counted.
    pub fn max_channels(mut self, max_channels: usize) -> Self {
        self.max_channels = max_channels;
        self
    }
}

impl Default for IntakeOptions {
    fn default() -> Self {
        Self::new()
    }
}

/// What has come in, and what of it was dropped.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct IntakeCounts {
    /// Packets, dropped ones included.
    pub packets: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Messages of packets that were read.
    pub messages: u64,
    /// Messages outside the scope.
    pub out_of_scope: u64,
    /// Arguments that are no numbers.
    pub not_numbers: u64,
    /// Numbers that are NaN or infinite as 32-bit floats: their channels held what they had.
    pub held: u64,
    /// Packets with [`Fault::Malformed`].
    pub malformed: u64,
    /// Packets with [`Fault::Nested`].
    pub nested: u64,
    /// Packets with [`Fault::Arguments`].
    pub too_many_arguments: u64,
    /// Packets with [`Fault::UnknownType`].
    pub unknown_types: u64,
    /// Messages whose channel's name would be longer than [`MAX_NAME`].
    pub long_names: u64,
    /// Messages that would have made more channels than there may be.
    pub too_many_channels: u64,
    /// Values that waited in a queue until there were too many of them.
    pub overtaken: u64,
}

impl IntakeCounts {
    /// What was dropped, packets and messages together: not what is out of scope.
    #[must_use]
    pub fn dropped(&self) -> u64 {
        let packets = [self.malformed, self.nested, self.too_many_arguments, self.unknown_types];
        let messages = [self.long_names, self.too_many_channels];
        packets.iter().chain(&messages).fold(0, |sum: u64, count| sum.saturating_add(*count))
    }

    fn fault(&mut self, fault: Fault) {
        let count = match fault {
            Fault::Malformed => &mut self.malformed,
            Fault::Nested => &mut self.nested,
            Fault::Arguments => &mut self.too_many_arguments,
            Fault::UnknownType(_) => &mut self.unknown_types,
        };
        add(count, 1);
    }
}

fn add(count: &mut u64, more: u64) {
    *count = count.saturating_add(more);
}

/// Channels in the order in which they came, each with its last value.
#[derive(Debug)]
pub struct Intake {
    options: IntakeOptions,
    /// Whether the scope is written with leading slashes.
    is_scope_slashed: bool,
    /// What is known of an address.
    places: HashMap<Box<str>, Place>,
    by_name: HashMap<Arc<str>, usize>,
    names: Vec<Arc<str>>,
    values: Vec<f32>,
    /// Channels that are 1 until the frame is over.
    pulses: Vec<usize>,
    /// Of each channel.
    pulsing: Vec<Pulsing>,
    /// Of each channel, where values wait.
    queues: Vec<Queue>,
    /// How many of them do at most; 0: none.
    max_queue: usize,
    /// The values of a message, while it is looked at.
    scratch: Vec<Sample>,
    counts: IntakeCounts,
}

/// One value of a message.
#[derive(Clone, Copy, Debug)]
enum Sample {
    Number(f32),
    /// 1 until the frame is over.
    Pulse,
    /// No finite number: the channel is there, and stays as it was.
    Held,
}

/// Values of a channel that have not been used yet, and the one that was used last.
#[derive(Debug, Default)]
struct Queue {
    waiting: VecDeque<f32>,
    last: f32,
}

/// Whether a channel is 1 until the frame is over.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Pulsing {
    #[default]
    No,
    Yes,
    /// It was, and a number came; it stands in the list all the same.
    Over,
}

/// The channels of an address, as far as they have been needed.
#[derive(Debug, Default)]
struct Place {
    is_outside: bool,
    alone: Option<usize>,
    numbered: Vec<usize>,
}

impl Intake {
    /// One without channels.
    #[must_use]
    pub fn new(options: IntakeOptions) -> Self {
        let is_slashed = |pattern: &Pattern| {
            let words = pattern.as_str().split(|c: char| c.is_whitespace() || ",|&~()".contains(c));
            words.map(|word| word.trim_start_matches(['^', '"'])).any(|word| word.starts_with('/'))
        };
        Self {
            is_scope_slashed: options.scope.as_ref().is_some_and(is_slashed),
            options,
            places: HashMap::new(),
            by_name: HashMap::new(),
            names: Vec::new(),
            values: Vec::new(),
            pulses: Vec::new(),
            pulsing: Vec::new(),
            queues: Vec::new(),
            max_queue: 0,
            scratch: Vec::new(),
            counts: IntakeCounts::default(),
        }
    }

    /// The names of the channels, all different. They only grow.
    #[must_use]
    pub fn names(&self) -> &[Arc<str>] {
        &self.names
    }

    /// Their values, as many as names.
    #[must_use]
    pub fn values(&self) -> &[f32] {
        &self.values
    }

    /// What has come in so far.
    #[must_use]
    pub fn counts(&self) -> IntakeCounts {
        self.counts
    }

    /// Takes a packet in: all of its messages, or none.
    ///
    /// # Errors
    ///
    /// The packet's [`Fault`]; it has been counted, and nothing else has changed.
    pub fn take(&mut self, packet: &[u8]) -> Result<(), Fault> {
        add(&mut self.counts.packets, 1);
        add(&mut self.counts.bytes, u64::try_from(packet.len()).unwrap_or(u64::MAX));
        let read = read(packet, |message| self.message(&message));
        if let Err(fault) = read {
            self.counts.fault(fault);
        }
        read
    }

    /// The values have been used: pulses are over.
    pub fn settle(&mut self) {
        for pulse in self.pulses.drain(..) {
            let Some(pulsing) = self.pulsing.get_mut(pulse) else { continue };
            if core::mem::take(pulsing) == Pulsing::Yes
                && let Some(value) = self.values.get_mut(pulse)
            {
                *value = 0.0;
            }
        }
    }

    /// From now on so many values of each channel wait until somebody [uses](Self::samples) them, the newest ones; 0: none, which
    /// is how it begins.
    pub fn set_queue(&mut self, max_values: usize) {
        if max_values == self.max_queue {
            return;
        }
        if self.max_queue == 0 || max_values == 0 {
            let last = self.values.iter();
            self.queues = last.map(|last| Queue { waiting: VecDeque::new(), last: *last }).collect();
        }
        self.max_queue = max_values;
    }

    /// The next samples of a channel: its values that wait, one a sample, in the order in which they came; then the last of
    /// them. What does not fit goes on waiting. A pulse is a 1, then a 0.
    pub fn samples(&mut self, channel: usize, into: &mut [f32]) {
        let Some(queue) = self.queues.get_mut(channel).filter(|_| self.max_queue > 0) else {
            return into.fill(self.values.get(channel).copied().unwrap_or_default());
        };
        for sample in into {
            queue.last = queue.waiting.pop_front().unwrap_or(queue.last);
            *sample = queue.last;
        }
    }

    /// Forgets all channels; what has been counted stays.
    pub fn forget(&mut self) {
        self.places.clear();
        self.by_name.clear();
        self.names.clear();
        self.values.clear();
        self.pulses.clear();
        self.pulsing.clear();
        self.queues.clear();
    }

    fn message(&mut self, message: &Message<'_>) {
        add(&mut self.counts.messages, 1);
        let address = message.address();
        if !self.places.contains_key(address) {
            let is_outside = !self.is_in_scope(address);
            // A stranger who makes up addresses fills no memory: beyond some, they are looked at each time.
            if self.places.len() < self.options.max_channels.saturating_mul(2) {
                self.places.insert(address.into(), Place { is_outside, ..Place::default() });
            } else if is_outside {
                return add(&mut self.counts.out_of_scope, 1);
            }
        }
        if self.places.get(address).is_some_and(|place| place.is_outside) {
            return add(&mut self.counts.out_of_scope, 1);
        }
        let mut samples = core::mem::take(&mut self.scratch);
        samples.clear();
        let mut arguments: u64 = 0;
        for argument in message.arguments() {
            arguments = arguments.saturating_add(1);
            samples.extend(match (argument, argument.sample()) {
                (Argument::Impulse, _) => Some(Sample::Pulse),
                (_, Some(number)) if !number.is_finite() => {
                    add(&mut self.counts.held, 1);
                    Some(Sample::Held)
                }
                (_, number) => number.map(Sample::Number),
            });
        }
        let numbers = u64::try_from(samples.len()).unwrap_or(u64::MAX);
        add(&mut self.counts.not_numbers, arguments.saturating_sub(numbers));
        if arguments == 0 {
            samples.push(Sample::Pulse);
        }
        if !samples.is_empty() {
            self.put(address, &samples);
        }
        self.scratch = samples;
    }

    fn is_in_scope(&self, address: &str) -> bool {
        let Some(scope) = &self.options.scope else { return true };
        let plain = address.strip_prefix('/').unwrap_or(address);
        scope.matches(if self.is_scope_slashed { address } else { plain })
    }

    fn put(&mut self, address: &str, samples: &[Sample]) {
        if !self.has_place(address, samples.len()) && !self.make_place(address, samples.len()) {
            return;
        }
        let Self { places, by_name, values, pulses, pulsing, queues, options, counts, .. } = self;
        let max_queue = self.max_queue;
        let mut set = |channel: usize, sample: Sample| {
            let (number, is_pulse) = match sample {
                Sample::Number(number) => (number, false),
                Sample::Pulse => (1.0, true),
                Sample::Held => return,
            };
            let (Some(value), Some(pulsing)) = (values.get_mut(channel), pulsing.get_mut(channel)) else {
                return;
            };
            *value = number;
            if let Some(queue) = queues.get_mut(channel).filter(|_| max_queue > 0) {
                queue.waiting.extend(core::iter::once(number).chain(is_pulse.then_some(0.0)));
                while queue.waiting.len() > max_queue {
                    queue.waiting.pop_front();
                    add(&mut counts.overtaken, 1);
                }
            }
            match (is_pulse, *pulsing) {
                (true, Pulsing::No) => {
                    *pulsing = Pulsing::Yes;
                    pulses.push(channel);
                }
                (true, _) => *pulsing = Pulsing::Yes,
                (false, Pulsing::Yes) => *pulsing = Pulsing::Over,
                (false, _) => {}
            }
        };
        match (places.get(address), samples) {
            (Some(place), [only]) => place.alone.iter().for_each(|channel| set(*channel, *only)),
            (Some(place), several) => {
                place.numbered.iter().zip(several).for_each(|(channel, sample)| set(*channel, *sample));
            }
            (None, _) => {
                let name = name_of(address, options.strip_segments);
                for (number, sample) in (1_usize..).zip(samples) {
                    let name = numbered(&name, number, samples.len());
                    by_name.get(&*name).into_iter().for_each(|channel| set(*channel, *sample));
                }
            }
        }
    }

    fn has_place(&self, address: &str, count: usize) -> bool {
        self.places.get(address).is_some_and(|place| match count {
            1 => place.alone.is_some(),
            _ => place.numbered.len() >= count,
        })
    }

    /// Makes the channels of an address that are not there yet: all of them, or none, if they would be too many.
    fn make_place(&mut self, address: &str, count: usize) -> bool {
        let base = name_of(address, self.options.strip_segments);
        if numbered(&base, count, count).len() > MAX_NAME {
            add(&mut self.counts.long_names, 1);
            return false;
        }
        let names: Vec<String> = (1..=count).map(|number| numbered(&base, number, count)).collect();
        let new = names.iter().filter(|name| !self.by_name.contains_key(name.as_str())).count();
        if self.names.len().saturating_add(new) > self.options.max_channels {
            add(&mut self.counts.too_many_channels, 1);
            return false;
        }
        let mut channels = Vec::with_capacity(count);
        for name in names {
            channels.push(self.channel(name));
        }
        if let Some(place) = self.places.get_mut(address) {
            match *channels {
                [only] => place.alone = Some(only),
                _ => place.numbered = channels,
            }
        }
        true
    }

    fn channel(&mut self, name: String) -> usize {
        if let Some(there) = self.by_name.get(name.as_str()) {
            return *there;
        }
        let name: Arc<str> = name.into();
        let channel = self.names.len();
        self.by_name.insert(Arc::clone(&name), channel);
        self.names.push(name);
        self.values.push(0.0);
        self.pulsing.push(Pulsing::No);
        self.queues.push(Queue::default());
        channel
    }
}

/// What the channels of several arguments are called.
///
/// # Source
///
/// operators §11.3: inferred, of newer builds.
fn numbered(name: &str, number: usize, count: usize) -> String {
    if count == 1 { name.to_owned() } else { format!("{name}{number}") }
}
