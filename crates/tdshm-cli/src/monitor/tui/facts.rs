//! What is known of a segment, in words.

use std::borrow::Cow;
use std::time::Instant;

use ratatui::style::{Color, Style};
use ratatui::text::{Line, Span};
use tdshm::{LockSight, NoticeReport, ReceiverReport};
use unicode_width::UnicodeWidthChar;

use super::app::Theme;
use super::list::{self, short_time};
use crate::monitor::model::{LockWatch, Segment, Severity, Warning};
use crate::output::{image_shape, printable, shape, wrapped};
use crate::say;

/// Columns in front of what is said.
const INDENT: usize = 10;

/// Name and shape.
pub(super) fn title(segment: &Segment) -> String {
    let name = printable(segment.name().as_str()).into_owned();
    let Some(report) = segment.report() else { return format!(" {name}: not there ") };
    let chop = report.chop.as_ref().and_then(|chop| chop.layout.as_ref().ok());
    let top = report.top.as_ref().and_then(|top| top.layout.as_ref().ok());
    let what = match (chop, top) {
        (Some(contents), _) => shape(contents.num_channels, contents.len_samples, contents.sample_rate),
        (_, Some(contents)) => image_shape(&contents.shape),
        _ => "nothing that can be shown".to_owned(),
    };
    match segment.rate() {
        Some(rate) => format!(" {name}: {what}, {} frames/s ", list::frames_per_second(rate)),
        None => format!(" {name}: {what} "),
    }
}

/// All of it: what is wrong first, then who sends and who reads, the lock, what was read, and the headers.
pub(super) fn lines(
    theme: Theme,
    segment: &Segment,
    place: &[Warning],
    columns: usize,
    now: Instant,
) -> Vec<Line<'static>> {
    let mut facts = Facts { theme, columns, lines: Vec::new() };
    for warning in segment.warnings().iter().chain(place) {
        let (mark, colour) = match warning.severity {
            Severity::Wrong => ("!", Color::Red),
            Severity::Unusual => ("?", Color::Yellow),
            Severity::Remark => ("i", Color::Cyan),
        };
        facts.add_in(theme.fg(colour), mark, 2, &warning.text);
    }
    if let Some(error) = segment.content().and_then(|content| content.error()) {
        facts.add_in(theme.fg(Color::Red), "!", 2, &format!("not read: {error}"));
    }
    if let Some(notices) = segment.notices() {
        facts.add("sender", &sender(notices));
        facts.add("frames", &frames(notices));
        for (index, receiver) in notices.receivers.iter().enumerate() {
            facts.add(if index == 0 { "receivers" } else { "" }, &reader(receiver));
        }
        if notices.receivers.is_empty() {
            facts.add("receivers", "none that says so: foreign ones do not, and this one observes");
        }
    } else if segment.is_there() {
        facts.add("sender", "another program");
    }
    facts.add("lock", &lock(segment.lock()));
    facts.add("read", &read(segment));
    facts.add("seen for", &short_time(segment.seen_for(now)));
    if let Some(examination) = segment.examination() {
        for object in &examination.objects {
            facts.add(
                "object",
                &format!("{}: {} bytes, {}", object.object, object.mapped_bytes, object.holds),
            );
            let fields =
                object.fields.iter().map(|field| Cow::Owned(format!("{}={}", field.name, field.value)));
            facts.add_words("", INDENT, Style::new(), fields);
        }
    }
    facts.lines
}

struct Facts {
    theme: Theme,
    columns: usize,
    lines: Vec<Line<'static>>,
}

impl Facts {
    fn add(&mut self, title: &str, text: &str) {
        self.add_words(title, INDENT, Style::new(), text.split(' ').map(Cow::Borrowed));
    }

    fn add_in(&mut self, style: Style, title: &str, indent: usize, text: &str) {
        self.add_words(title, indent, style, text.split(' ').map(Cow::Borrowed));
    }

    fn add_words<'w>(
        &mut self,
        title: &str,
        indent: usize,
        style: Style,
        words: impl Iterator<Item = Cow<'w, str>>,
    ) {
        let room = self.columns.saturating_sub(indent).max(8);
        // Names come from strangers.
        let words = words.flat_map(|word| broken(&printable(&word), room)).map(Cow::Owned);
        for (index, line) in wrapped(words, room).into_iter().enumerate() {
            let title = if index == 0 { title } else { "" };
            let title_style = if indent == INDENT { self.theme.dim() } else { style };
            self.lines.push(Line::from(vec![
                Span::styled(format!("{title:indent$}"), title_style),
                Span::styled(line, style),
            ]));
        }
    }
}

/// A word in pieces that fit, such as the name of an object that is longer than a line.
fn broken(word: &str, columns: usize) -> Vec<String> {
    let mut pieces = vec![String::new()];
    let mut used = 0_usize;
    for c in word.chars() {
        let next = used.saturating_add(c.width().unwrap_or(0));
        if next > columns {
            pieces.push(String::new());
        }
        used = if next > columns { c.width().unwrap_or(0) } else { next };
        if let Some(piece) = pieces.last_mut() {
            piece.push(c);
        }
    }
    pieces
}

fn sender(notices: &NoticeReport) -> String {
    match notices.owner_pid {
        Some(pid) if notices.owner_alive => format!("process {pid} ({})", notices.program),
        Some(pid) => format!("process {pid} ({}), dead", notices.program),
        None => "has gone".to_owned(),
    }
}

fn frames(notices: &NoticeReport) -> String {
    match notices.age {
        Some(age) => format!("{}, the last one {} ago", notices.frames, short_time(age)),
        None => "none yet".to_owned(),
    }
}

fn reader(receiver: &ReceiverReport) -> String {
    let what = match receiver.frame {
        _ if !receiver.alive => "has died".to_owned(),
        None => "has read nothing yet".to_owned(),
        Some(_) if receiver.behind == 0 => "has the newest frame".to_owned(),
        Some(_) => format!("is {} behind", say::count(receiver.behind, "frame")),
    };
    format!("process {} {what}", receiver.pid)
}

/// What looks add up to, and no more: nobody who only looks knows how long it was held.
fn lock(watch: &LockWatch) -> String {
    let now = match watch.seen() {
        None => return "nobody has made one yet".to_owned(),
        Some(LockSight::Free) => "free".to_owned(),
        Some(LockSight::Held(Some(pid))) => format!("held by process {pid}"),
        Some(LockSight::Held(None)) => "held".to_owned(),
        Some(_) => "left by a holder that died".to_owned(),
    };
    let (looks, held) = watch.looks();
    let share = watch.held_share().unwrap_or(0.0) * 100.0;
    let mut text = format!("{now}; held at {held} of {looks} looks ({share:.1} %)");
    if held > 0 {
        text.push_str(&format!(", without a break for up to {}", short_time(watch.longest_held())));
    }
    if !watch.longest_wait().is_zero() {
        text.push_str(&format!("; this program waited for it up to {}", short_time(watch.longest_wait())));
    }
    text
}

fn read(segment: &Segment) -> String {
    let Some(content) = segment.content() else { return "not followed".to_owned() };
    let taken = say::count(content.taken(), "frame");
    let how = match (segment.notices(), content.may_be_torn()) {
        (Some(_), _) => "observed, without its lock",
        (None, true) => "copied without a lock, for there is none: it may be torn",
        (None, false) => "copied under its lock when it had changed",
    };
    match (content.channels(), content.image()) {
        (Some(_), _) if content.number().is_some() => format!("{taken}, {} missed; {how}", content.missed()),
        (_, Some(image)) if image.shape().texels.kind().is_some() && image.rows_apart() > 1 => {
            format!("{taken}, every {}th row of each; {how}", image.rows_apart())
        }
        _ => format!("{taken}; {how}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_words_go_on_in_the_next_line() {
        assert_eq!(broken("TouchSHMmocap", 6), ["TouchS", "HMmoca", "p"]);
        assert_eq!(broken("mocap", 6), ["mocap"]);
        assert_eq!(broken("日本語", 5), ["日本", "語"]);
        assert_eq!(broken("", 5), [""]);
    }
}
