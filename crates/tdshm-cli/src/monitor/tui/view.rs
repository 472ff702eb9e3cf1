//! The whole screen.

use std::time::Instant;

use ratatui::Frame;
use ratatui::buffer::Buffer;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::{Color, Modifier, Style};
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, Clear, Paragraph, Widget};
use unicode_width::UnicodeWidthStr;

use super::app::{App, Asked, Parts, Theme};
use super::{facts, list, picture, plot};
use crate::monitor::model::Model;
use crate::output::{fit, printable};

/// From so many columns on there is room for both sides.
const BOTH_SIDES: u16 = 72;
/// The widest that the list gets without a long name in it.
const WIDEST_LIST: u16 = 78;
/// From so many rows on the right side has room for facts below the picture.
const BOTH_PARTS: u16 = 14;

/// Keys and what they do.
const KEYS: [(&str, &str); 20] = [
    ("↑ ↓  j k", "select a segment; also Page Up, Page Down, Home, End, and the mouse"),
    ("Enter  Tab", "the right side alone, and back"),
    ("f", "list the segments that a pattern means"),
    ("/", "draw the channels that a pattern means, as in a CHOP's scope: t* ^tz"),
    ("space", "freeze, and go on"),
    ("← →", "move the cursor, faster with shift; Esc takes it away; so does a click set it"),
    ("+ -", "less time, more time; also the wheel"),
    ("< >", "go back in time, and forth"),
    ("y Y", "fewer values, more values; also the wheel with shift or ctrl"),
    ("[ ]", "lower values, higher values"),
    ("a", "let the values decide the range"),
    ("t", "the newest frame alone, or the samples of all frames"),
    ("0", "look at it as at first"),
    ("c", "forget the samples so far"),
    ("i", "picture and facts, the picture alone, the facts alone"),
    ("J K", "scroll the facts"),
    ("ctrl-z", "stop, as a shell stops a job"),
    ("? h", "this"),
    ("q", "quit; also Esc and ctrl-c"),
    ("", "any key goes back"),
];

impl Theme {
    /// That colour, where there are colours.
    pub(super) fn fg(self, colour: Color) -> Style {
        if self.colours { Style::new().fg(colour) } else { Style::new() }
    }

    pub(super) fn dim(self) -> Style {
        Style::new().add_modifier(Modifier::DIM)
    }

    pub(super) fn bold(self) -> Style {
        Style::new().add_modifier(Modifier::BOLD)
    }

    pub(super) fn block(self, title: String) -> Block<'static> {
        Block::bordered().border_style(self.dim()).title(Span::styled(title, self.bold()))
    }
}

/// Draws everything.
pub(super) fn draw(frame: &mut Frame<'_>, app: &mut App, model: &Model, now: Instant) {
    let area = frame.area();
    app.places = Default::default();
    let [main, footer] = Layout::vertical([Constraint::Fill(1), Constraint::Length(1)]).areas(area);
    let buffer = frame.buffer_mut();
    if app.alone {
        draw_segment(buffer, app, model, main, now);
    } else if main.width < BOTH_SIDES {
        list::draw(buffer, app, model, main);
    } else {
        let wanted = u16::try_from(list::wanted(app, model)).unwrap_or(u16::MAX);
        let width = (main.width / 2).min(wanted.max(WIDEST_LIST));
        let [left, right] = Layout::horizontal([Constraint::Length(width), Constraint::Fill(1)]).areas(main);
        list::draw(buffer, app, model, left);
        draw_segment(buffer, app, model, right, now);
    }
    draw_footer(buffer, app, model, footer);
    if app.help {
        draw_help(buffer, app.theme, area);
    }
    if !app.theme.unicode {
        spell(buffer);
    }
    if let Some(prompt) = &app.prompt {
        let column = label(prompt.asked).len().saturating_add(Line::from(prompt.text.as_str()).width());
        let x = footer.x.saturating_add(u16::try_from(column).unwrap_or(u16::MAX));
        frame.set_cursor_position((x.min(footer.right().saturating_sub(1)), footer.y));
    }
}

/// The right side: what the selected segment holds, and what is known of it.
fn draw_segment(buffer: &mut Buffer, app: &mut App, model: &Model, area: Rect, now: Instant) {
    let segment = app.selected.as_ref().and_then(|name| model.segment(name));
    let title = segment.map_or_else(|| " no segment ".to_owned(), facts::title);
    let frozen = app.frozen.is_some();
    let mut block = app.theme.block(within(title, area));
    if frozen {
        let style = app.theme.fg(Color::Yellow).add_modifier(Modifier::BOLD);
        block = block.title_bottom(Line::styled(" frozen: space goes on ", style).right_aligned());
    }
    let inner = block.inner(area);
    block.render(area, buffer);
    let Some(segment) = segment else {
        let text = match model.trouble() {
            Some(trouble) => printable(trouble).into_owned(),
            None if app.segments.is_some() && model.segments().next().is_some() => {
                let there = model.segments().count();
                format!("none of the {there} segments here matches: f for another pattern")
            }
            None => "no segments here: start a sender, for example `tdshm send mocap`".to_owned(),
        };
        return Paragraph::new(text).wrap(ratatui::widgets::Wrap { trim: true }).render(inner, buffer);
    };
    let told = facts::lines(app.theme, segment, model.place(), usize::from(inner.width), now);
    let parts =
        if inner.height < BOTH_PARTS && app.parts == Parts::Both { Parts::Picture } else { app.parts };
    let (above, below) = match parts {
        Parts::Picture => (inner, Rect::ZERO),
        Parts::Facts => (Rect::ZERO, inner),
        Parts::Both => {
            // At least half for the picture.
            let most = inner.height / 2;
            let height = u16::try_from(told.len()).unwrap_or(u16::MAX).min(most);
            let [above, below] =
                Layout::vertical([Constraint::Fill(1), Constraint::Length(height)]).areas(inner);
            (above, below)
        }
    };
    app.facts_from = app.facts_from.min(told.len().saturating_sub(usize::from(below.height)));
    let shown: Vec<Line<'_>> = told.into_iter().skip(app.facts_from).collect();
    Paragraph::new(shown).render(below, buffer);
    draw_content(buffer, app, model, above);
}

/// As much of a title as a border has room for.
fn within(title: String, area: Rect) -> String {
    let room = usize::from(area.width.saturating_sub(2));
    if title.width() > room { fit(&title, room) } else { title }
}

fn draw_content(buffer: &mut Buffer, app: &mut App, model: &Model, area: Rect) {
    if area.is_empty() {
        return;
    }
    // What is frozen goes along, so that the rest of the state can change meanwhile.
    let frozen = app.frozen.take();
    let content = match &frozen {
        Some((content, rate)) => Some((&**content, *rate)),
        None => {
            let segment = app.selected.as_ref().and_then(|name| model.segment(name));
            segment.and_then(|segment| Some((segment.content()?, segment.rate())))
        }
    };
    match content {
        Some((content, rate)) if content.channels().is_some() => {
            if let Some(channels) = content.channels() {
                let look = app.look.clone();
                plot::draw(buffer, app, channels, &look, rate, area);
            }
        }
        Some((content, _)) if content.image().is_some() => {
            if let Some(image) = content.image() {
                picture::draw(buffer, app, image, area);
            }
        }
        Some((content, _)) => {
            let text = content.error().map_or_else(
                || "nothing has been read yet".to_owned(),
                |error| format!("nothing can be read: {}", printable(error)),
            );
            Paragraph::new(text)
                .style(app.theme.dim())
                .wrap(ratatui::widgets::Wrap { trim: true })
                .render(area, buffer);
        }
        None => {}
    }
    app.frozen = frozen;
}

fn label(asked: Asked) -> &'static str {
    match asked {
        Asked::Channels => "channels: ",
        Asked::Segments => "segments: ",
    }
}

fn draw_footer(buffer: &mut Buffer, app: &App, model: &Model, area: Rect) {
    let columns = usize::from(area.width);
    let line = if let Some(prompt) = &app.prompt {
        let mut spans =
            vec![Span::styled(label(prompt.asked), app.theme.bold()), Span::raw(prompt.text.clone())];
        if let Some(error) = &prompt.error {
            spans.push(Span::styled(format!("   {error}"), app.theme.fg(Color::Red)));
        }
        Line::from(spans)
    } else {
        let space = if app.frozen.is_some() { "go on" } else { "freeze" };
        let mut text = format!(
            " q quit  ? keys  ↑↓ segment  Enter {}  space {space}  ←→ cursor  +- time  yY values  / channels",
            if app.alone { "list" } else { "alone" },
        );
        if let Some(pattern) = &app.channels {
            text = format!(" channels {pattern} {text}");
        }
        if let Some(trouble) = model.trouble() {
            text = format!(" {trouble} {text}");
        }
        Line::styled(fit(&text, columns), Style::new().add_modifier(Modifier::REVERSED))
    };
    line.render(area, buffer);
}

fn draw_help(buffer: &mut Buffer, theme: Theme, area: Rect) {
    let keys = KEYS.iter().map(|(keys, _)| Line::from(*keys).width()).max().unwrap_or(0);
    let text: Vec<Line<'_>> = KEYS
        .iter()
        .map(|(key, what)| {
            Line::from(vec![Span::styled(format!(" {}  ", fit(key, keys)), theme.bold()), Span::raw(*what)])
        })
        .collect();
    let width = text.iter().map(Line::width).max().unwrap_or(0).saturating_add(3);
    let width = u16::try_from(width).unwrap_or(u16::MAX).min(area.width);
    let height = u16::try_from(text.len().saturating_add(2)).unwrap_or(u16::MAX).min(area.height);
    let over = Rect {
        x: area.x.saturating_add(area.width.saturating_sub(width) / 2),
        y: area.y.saturating_add(area.height.saturating_sub(height) / 2),
        width,
        height,
    };
    Clear.render(over, buffer);
    Paragraph::new(text).block(theme.block(" keys ".to_owned())).render(over, buffer);
}

/// Says with ASCII what was drawn with more, for terminals that know nothing else.
fn spell(buffer: &mut Buffer) {
    for cell in &mut buffer.content {
        let symbol = cell.symbol();
        if symbol.is_ascii() {
            continue;
        }
        let spelled = match symbol {
            "─" | "—" | "…" => "-",
            "│" => "|",
            "┌" | "┐" | "└" | "┘" => "+",
            "×" => "x",
            "↑" => "^",
            "↓" => "v",
            "←" => "<",
            "→" => ">",
            "━" => "=",
            "▶" => ">",
            "⠀" => " ",
            other if other.chars().all(|c| ('\u{2801}'..='\u{28ff}').contains(&c)) => "*",
            _ => "?",
        };
        cell.set_symbol(spelled);
    }
}

#[cfg(test)]
mod tests;
