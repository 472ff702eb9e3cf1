//! The list of segments, as a message.

use std::time::{Duration, Instant};

use serde::Serialize;
use tdshm::{BlockKind, LockSight, SegmentReport};

use crate::monitor::model::{Model, Segment, Severity, Warning};
use crate::output::json::milliseconds;
use crate::output::number;

/// A sender that counts and has sent nothing for so long stands still.
const STALE: Duration = Duration::from_secs(5);

#[derive(Serialize)]
struct Message<'m> {
    r#type: &'static str,
    segments: Vec<Row<'m>>,
    /// Why they cannot be listed.
    trouble: Option<&'m str>,
    /// What there is to say of the place of all objects.
    warnings: Vec<&'m str>,
}

#[derive(Serialize)]
struct Row<'m> {
    name: &'m str,
    kind: &'static str,
    layout: String,
    rate: Option<f64>,
    /// Frames that this program did not see of those it wanted; null where nobody looks, or nobody counts.
    missed: Option<u64>,
    age_ms: Option<f64>,
    owner: String,
    stale: bool,
    readers: Option<usize>,
    /// What is wrong, or unusual.
    warnings: Vec<&'m str>,
    /// What is as it may be, and good to know.
    remarks: Vec<&'m str>,
    /// The headers and what was seen of the lock, of segments that somebody looks at.
    groups: Vec<Group>,
}

#[derive(Serialize)]
struct Group {
    title: String,
    fields: Vec<(String, String)>,
}

/// Those of the segments that `shows` lets through.
pub(super) fn message(model: &Model, shows: impl Fn(&str) -> bool, now: Instant) -> String {
    let message = Message {
        r#type: "segments",
        segments: model
            .segments()
            .filter(|segment| segment.is_there() && shows(segment.name().as_str()))
            .map(|segment| row(segment, now))
            .collect(),
        trouble: model.trouble(),
        warnings: model.place().iter().map(|warning| warning.text.as_str()).collect(),
    };
    serde_json::to_string(&message).unwrap_or_default()
}

fn row(segment: &Segment, now: Instant) -> Row<'_> {
    let report = segment.report();
    let content = segment.content();
    let notices = segment.notices();
    let counts = notices.is_some();
    Row {
        name: segment.name().as_str(),
        kind: match segment.kind() {
            BlockKind::Chop => "channels",
            BlockKind::Top => "image",
            BlockKind::Global => "global",
            _ => "unknown",
        },
        layout: report.map(layout).unwrap_or_default(),
        rate: segment.rate(),
        missed: content.filter(|_| counts).map(|content| content.missed()),
        age_ms: segment.age().map(milliseconds),
        owner: match (notices, report) {
            (Some(notices), _) => match notices.owner_pid {
                Some(pid) if notices.owner_alive => {
                    format!("{} ({pid})", crate::output::printable(&notices.program))
                }
                Some(pid) => format!("{pid}, which has died"),
                None => "gone".to_owned(),
            },
            (None, Some(_)) => "another program".to_owned(),
            (None, None) => String::new(),
        },
        stale: report.is_none()
            || report.is_some_and(|report| report.detached == Some(true))
            || notices.is_some_and(|notices| !notices.owner_alive)
            || segment.age().is_some_and(|age| age > STALE),
        readers: segment.receivers().map(|(living, _)| living),
        warnings: sentences(segment, false),
        remarks: sentences(segment, true),
        groups: if content.is_some() { groups(segment, now) } else { Vec::new() },
    }
}

/// What there is to say of it: facts, or what may be wrong.
fn sentences(segment: &Segment, remarks: bool) -> Vec<&str> {
    let is_asked = |warning: &&Warning| (warning.severity == Severity::Remark) == remarks;
    segment.warnings().iter().filter(is_asked).map(|warning| warning.text.as_str()).collect()
}

/// `12 × 600 at 60 Hz`, `1920 × 1080, R8G8B8A8_UNORM`.
fn layout(report: &SegmentReport) -> String {
    if let Some(Ok(contents)) = report.chop.as_ref().map(|chop| &chop.layout) {
        let rate = number(contents.sample_rate);
        return format!("{} × {} at {rate} Hz", contents.num_channels, contents.len_samples);
    }
    if let Some(Ok(contents)) = report.top.as_ref().map(|top| &top.layout) {
        let shape = contents.shape;
        return format!("{} × {}, {}", shape.width, shape.height, shape.texels);
    }
    let malformed = report.chop.is_some() || report.top.is_some();
    if malformed { "malformed".to_owned() } else { String::new() }
}

fn groups(segment: &Segment, now: Instant) -> Vec<Group> {
    let mut groups = vec![seen(segment, now)];
    let objects = segment.examination().map(|examination| examination.objects.as_slice()).unwrap_or_default();
    groups.extend(objects.iter().map(|object| {
        let mut fields = vec![
            ("object".to_owned(), object.object.clone()),
            ("mapped bytes".to_owned(), object.mapped_bytes.to_string()),
        ];
        fields.extend(object.fields.iter().map(|field| (field.name.to_owned(), field.value.clone())));
        let holds = object.holds;
        let title =
            holds.strip_prefix("an ").or_else(|| holds.strip_prefix("a ")).unwrap_or(holds).to_owned();
        Group { title, fields }
    }));
    groups
}

/// What was seen of it while it was looked at.
fn seen(segment: &Segment, now: Instant) -> Group {
    let mut fields = Vec::new();
    let mut field = |name: &str, value: String| fields.push((name.to_owned(), value));
    if let Some(frames) = segment.frames() {
        field("frames sent", frames.to_string());
    }
    if let Some((living, behind)) = segment.receivers() {
        let behind = if behind > 0 { format!(", {behind} behind") } else { String::new() };
        field("readers", format!("{living}{behind}"));
    }
    field("seen for", format!("{} s", segment.seen_for(now).as_secs()));
    let lock = segment.lock();
    let holder = |holder: Option<u32>| holder.map(|pid| format!(" by process {pid}")).unwrap_or_default();
    let state = match lock.seen() {
        Some(LockSight::Free) => "free".to_owned(),
        Some(LockSight::Held(by)) => format!("held{}", holder(by)),
        Some(LockSight::Abandoned) => "abandoned".to_owned(),
        _ => lock.trouble().unwrap_or("not seen").to_owned(),
    };
    field("lock", state);
    if let Some(share) = lock.held_share() {
        let (looks, held) = lock.looks();
        field("lock held", format!("{:.1} % ({held} of {looks} looks)", share * 100.0));
        field("longest hold seen", format!("{:.1} ms", milliseconds(lock.longest_held())));
        field("longest wait here", format!("{:.3} ms", milliseconds(lock.longest_wait())));
    }
    Group { title: "Seen".to_owned(), fields }
}
