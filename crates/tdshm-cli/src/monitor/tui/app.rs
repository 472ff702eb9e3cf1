//! What the person at the screen has chosen, and what keys and mouse do to it.

use std::time::Instant;

use crossterm::event::{
    Event, KeyCode, KeyEvent, KeyEventKind, KeyModifiers, MouseButton, MouseEvent, MouseEventKind,
};
use ratatui::layout::{Position, Rect};
use tdshm::ShortName;
use tdshm_ops::Pattern;

use super::scope::{Axis, Look, Seen};
use crate::monitor::model::{Content, Model, Segment};

/// What is asked for in a line of text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Asked {
    /// Which channels are drawn.
    Channels,
    /// Which segments are listed.
    Segments,
}

/// A line that is being typed.
#[derive(Clone, Debug)]
pub(super) struct Prompt {
    pub(super) asked: Asked,
    pub(super) text: String,
    /// What is wrong with it.
    pub(super) error: Option<String>,
}

/// Which parts of the right side are shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Parts {
    #[default]
    Both,
    Picture,
    Facts,
}

/// What the terminal can show.
#[derive(Clone, Copy, Debug)]
pub(super) struct Theme {
    pub(super) colours: bool,
    pub(super) unicode: bool,
}

/// What happens next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Next {
    GoOn,
    Quit,
    /// The terminal has gone.
    HangUp,
    /// Stop as a shell stops a job.
    Suspend,
    /// Draw everything: nobody knows what a terminal leaves where when its size changes.
    DrawAll,
}

/// Where things were drawn last, for the mouse.
#[derive(Clone, Debug, Default)]
pub(super) struct Places {
    pub(super) list: Rect,
    /// The segments of the rows of the list, from its top.
    pub(super) rows: Vec<ShortName>,
    pub(super) plot: Rect,
    /// Where the picture is, without what is beside it.
    pub(super) picture: Rect,
}

/// Everything that was chosen.
#[derive(Debug)]
pub(super) struct App {
    pub(super) theme: Theme,
    pub(super) segments: Option<Pattern>,
    pub(super) selected: Option<ShortName>,
    pub(super) channels: Option<Pattern>,
    pub(super) look: Look,
    /// What was there when it was frozen, and the rate then.
    pub(super) frozen: Option<(Box<Content>, Option<f64>)>,
    pub(super) parts: Parts,
    /// The right side alone; in a narrow terminal there is one side at a time anyway.
    pub(super) alone: bool,
    pub(super) help: bool,
    pub(super) prompt: Option<Prompt>,
    pub(super) places: Places,
    /// The first row of the list that is shown, and of the facts.
    pub(super) scrolled: usize,
    pub(super) facts_from: usize,
    /// What is drawn as dots rather than letters, where the terminal does that, is drawn by somebody else.
    pub(super) picture_elsewhere: bool,
    /// The values that were shown last.
    shown: (f64, f64),
}

impl App {
    pub(super) fn new(theme: Theme, segments: Option<Pattern>) -> Self {
        Self {
            theme,
            segments,
            selected: None,
            channels: None,
            look: Look::default(),
            frozen: None,
            parts: Parts::default(),
            alone: false,
            help: false,
            prompt: None,
            places: Places::default(),
            scrolled: 0,
            facts_from: 0,
            picture_elsewhere: false,
            shown: (-1.0, 1.0),
        }
    }

    /// The segments that are listed, by name. What is selected is, also when it has gone.
    pub(super) fn listed<'m>(&self, model: &'m Model) -> Vec<&'m Segment> {
        let all: Vec<&Segment> = model.segments().collect();
        let Some(pattern) = &self.segments else { return all };
        let names: Vec<String> = all.iter().map(|segment| segment.name().to_string()).collect();
        let picked = pattern.select(&names);
        let mut listed: Vec<&Segment> =
            picked.into_iter().filter_map(|index| all.get(index).copied()).collect();
        listed.sort_by_key(|segment| segment.name());
        listed
    }

    /// Selects the first segment where none is, and says what is followed.
    pub(super) fn settle(&mut self, model: &mut Model, now: Instant) {
        let listed: Vec<ShortName> =
            self.listed(model).iter().map(|segment| segment.name().clone()).collect();
        if self.selected.as_ref().is_none_or(|name| !listed.contains(name)) {
            // One that has gone stays as long as it is looked at.
            let first = listed.first().cloned();
            self.select(first, model, now);
        }
    }

    fn select(&mut self, name: Option<ShortName>, model: &mut Model, now: Instant) {
        if self.selected == name {
            return;
        }
        if let Some(before) = self.selected.take() {
            model.unfollow(&before);
        }
        if let Some(name) = &name {
            model.follow(name, now);
        }
        self.selected = name;
        self.look = Look::default();
        self.frozen = None;
        self.facts_from = 0;
    }

    /// Selects the segment so many rows below, or above.
    fn select_by(&mut self, by: isize, model: &mut Model, now: Instant) {
        let listed: Vec<ShortName> =
            self.listed(model).iter().map(|segment| segment.name().clone()).collect();
        let at = self.selected.as_ref().and_then(|name| listed.iter().position(|listed| listed == name));
        let to = at.unwrap_or(0).saturating_add_signed(by).min(listed.len().saturating_sub(1));
        self.select(listed.get(to).cloned(), model, now);
    }

    /// What is shown of the selected segment: what is there, or what was when it was frozen.
    pub(super) fn content<'a>(&'a self, model: &'a Model) -> Option<(&'a Content, Option<f64>)> {
        match &self.frozen {
            Some((content, rate)) => Some((content, *rate)),
            None => {
                let segment = model.segment(self.selected.as_ref()?)?;
                Some((segment.content()?, segment.rate()))
            }
        }
    }

    /// The channels that are drawn, by position.
    pub(super) fn picked(&self, names: &[String]) -> Vec<usize> {
        match &self.channels {
            Some(pattern) => pattern.select(names),
            None => (0..names.len()).collect(),
        }
    }

    /// The values that are shown of what is seen.
    pub(super) fn range(&mut self, seen: &Seen<'_>, picked: &[usize]) -> (f64, f64) {
        self.shown = self.look.range.unwrap_or_else(|| seen.extent(picked));
        self.shown
    }

    /// Something happened at the terminal.
    pub(super) fn happened(&mut self, event: &Event, model: &mut Model, now: Instant) -> Next {
        match event {
            Event::Key(key) if key.kind != KeyEventKind::Release => self.key(*key, model, now),
            Event::Mouse(mouse) => {
                self.mouse(*mouse, model, now);
                Next::GoOn
            }
            Event::Paste(text) => {
                if self.prompt.is_some() {
                    text.chars().filter(|c| !c.is_control()).for_each(|c| self.typed(c));
                }
                Next::GoOn
            }
            Event::Resize(..) => Next::DrawAll,
            _ => Next::GoOn,
        }
    }

    fn key(&mut self, key: KeyEvent, model: &mut Model, now: Instant) -> Next {
        if key.modifiers.contains(KeyModifiers::CONTROL) {
            match key.code {
                KeyCode::Char('c') => return Next::Quit,
                KeyCode::Char('z') => return Next::Suspend,
                _ => {}
            }
        }
        if self.prompt.is_some() {
            self.key_of_prompt(key);
            return Next::GoOn;
        }
        if self.help {
            self.help = false;
            return if key.code == KeyCode::Char('q') { Next::Quit } else { Next::GoOn };
        }
        let page = isize::try_from(self.places.list.height).unwrap_or(10).max(1);
        let fast = key.modifiers.contains(KeyModifiers::SHIFT);
        match key.code {
            KeyCode::Char('q') => return Next::Quit,
            KeyCode::Esc => match self.look.cursor {
                Some(_) => self.look.cursor = None,
                None => return Next::Quit,
            },
            KeyCode::Char('?' | 'h') | KeyCode::F(1) => self.help = true,
            KeyCode::Up | KeyCode::Char('k') => self.select_by(-1, model, now),
            KeyCode::Down | KeyCode::Char('j') => self.select_by(1, model, now),
            KeyCode::PageUp => self.select_by(page.saturating_neg(), model, now),
            KeyCode::PageDown => self.select_by(page, model, now),
            KeyCode::Home => self.select_by(isize::MIN, model, now),
            KeyCode::End => self.select_by(isize::MAX, model, now),
            KeyCode::Enter | KeyCode::Tab => self.alone = !self.alone,
            KeyCode::Char('i') => {
                self.parts = match self.parts {
                    Parts::Both => Parts::Picture,
                    Parts::Picture => Parts::Facts,
                    Parts::Facts => Parts::Both,
                };
            }
            KeyCode::Char('J') => self.facts_from = self.facts_from.saturating_add(1),
            KeyCode::Char('K') => self.facts_from = self.facts_from.saturating_sub(1),
            KeyCode::Char(' ') => self.freeze(model),
            KeyCode::Char('/') => self.ask(Asked::Channels),
            KeyCode::Char('f') => self.ask(Asked::Segments),
            KeyCode::Char('c') => {
                if let (Some(name), None) = (&self.selected, &self.frozen) {
                    model.forget(name);
                }
            }
            KeyCode::Left => self.move_cursor(if fast { -10.0 } else { -1.0 }),
            KeyCode::Right => self.move_cursor(if fast { 10.0 } else { 1.0 }),
            KeyCode::Char('a') => self.look.range = None,
            KeyCode::Char('0') => self.look = Look::default(),
            KeyCode::Char('y') => self.look.zoom_value(self.shown, true),
            KeyCode::Char('Y') => self.look.zoom_value(self.shown, false),
            KeyCode::Char(']') => self.look.shift_value(self.shown, true),
            KeyCode::Char('[') => self.look.shift_value(self.shown, false),
            KeyCode::Char('+' | '=') => self.with_seen(model, |look, seen| look.zoom_time(seen, true)),
            KeyCode::Char('-' | '_') => self.with_seen(model, |look, seen| look.zoom_time(seen, false)),
            KeyCode::Char('<' | ',') => self.with_seen(model, |look, seen| look.pan(seen, false)),
            KeyCode::Char('>' | '.') => self.with_seen(model, |look, seen| look.pan(seen, true)),
            KeyCode::Char('t') => self.with_seen(model, |look, seen| {
                let other = if seen.axis == Axis::Frame { Axis::History } else { Axis::Frame };
                *look = Look { axis: Some(other), range: look.range, ..Look::default() };
            }),
            _ => {}
        }
        Next::GoOn
    }

    fn with_seen(&mut self, model: &Model, change: impl FnOnce(&mut Look, &Seen<'_>)) {
        let mut look = self.look.clone();
        if let Some((content, rate)) = self.content(model)
            && let Some(channels) = content.channels()
        {
            change(&mut look, &Seen::of(channels, &self.look, rate));
        }
        self.look = look;
    }

    /// Two dots stand beside one another in a letter; the cursor moves by letters.
    fn move_cursor(&mut self, by: f64) {
        self.look.move_cursor(usize::from(self.places.plot.width), by);
    }

    fn freeze(&mut self, model: &Model) {
        self.frozen = match (&self.frozen, self.content(model)) {
            (None, Some((content, rate))) => Some((Box::new(content.clone()), rate)),
            _ => None,
        };
        if self.frozen.is_none() {
            self.look.back = 0;
        }
    }

    fn ask(&mut self, asked: Asked) {
        let pattern = match asked {
            Asked::Channels => &self.channels,
            Asked::Segments => &self.segments,
        };
        let text = pattern.as_ref().map(ToString::to_string).unwrap_or_default();
        self.prompt = Some(Prompt { asked, text, error: None });
    }

    fn typed(&mut self, c: char) {
        if let Some(prompt) = &mut self.prompt {
            prompt.text.push(c);
            prompt.check();
        }
    }

    fn key_of_prompt(&mut self, key: KeyEvent) {
        let control = key.modifiers.contains(KeyModifiers::CONTROL);
        let Some(prompt) = &mut self.prompt else { return };
        match key.code {
            KeyCode::Esc => self.prompt = None,
            KeyCode::Enter => {
                if let Some(pattern) = prompt.check() {
                    let asked = prompt.asked;
                    self.prompt = None;
                    match asked {
                        Asked::Channels => self.channels = pattern,
                        Asked::Segments => {
                            self.segments = pattern;
                            self.scrolled = 0;
                        }
                    }
                }
            }
            KeyCode::Backspace => {
                prompt.text.pop();
                prompt.check();
            }
            KeyCode::Char('u') if control => {
                prompt.text.clear();
                prompt.check();
            }
            KeyCode::Char('w') if control => {
                let kept = prompt.text.trim_end().rfind(' ').map_or(0, |at| at.saturating_add(1));
                prompt.text.truncate(kept);
                prompt.check();
            }
            KeyCode::Char(c) if !control && !key.modifiers.contains(KeyModifiers::ALT) => self.typed(c),
            _ => {}
        }
    }

    fn mouse(&mut self, mouse: MouseEvent, model: &mut Model, now: Instant) {
        let at = Position { x: mouse.column, y: mouse.row };
        let wheel = match mouse.kind {
            MouseEventKind::ScrollUp => Some(true),
            MouseEventKind::ScrollDown => Some(false),
            _ => None,
        };
        if self.places.list.contains(at) {
            if let Some(up) = wheel {
                self.select_by(if up { -1 } else { 1 }, model, now);
            } else if mouse.kind == MouseEventKind::Down(MouseButton::Left) {
                let row = usize::from(at.y.saturating_sub(self.places.list.y));
                if let Some(name) = self.places.rows.get(row).cloned() {
                    self.select(Some(name), model, now);
                }
            }
        } else if self.places.plot.contains(at) {
            if let Some(closer) = wheel {
                if mouse.modifiers.is_empty() {
                    self.with_seen(model, |look, seen| look.zoom_time(seen, closer));
                } else {
                    self.look.zoom_value(self.shown, closer);
                }
            } else if matches!(
                mouse.kind,
                MouseEventKind::Down(MouseButton::Left) | MouseEventKind::Drag(MouseButton::Left)
            ) {
                let width = f64::from(self.places.plot.width.saturating_sub(1).max(1));
                self.look.cursor = Some(f64::from(at.x.saturating_sub(self.places.plot.x)) / width);
            }
        }
    }
}

impl Prompt {
    /// The pattern that stands there, an empty one for none; `None`, and why, where it is none.
    fn check(&mut self) -> Option<Option<Pattern>> {
        self.error = None;
        if self.text.trim().is_empty() {
            return Some(None);
        }
        match Pattern::parse(&self.text) {
            Ok(pattern) => Some(Some(pattern)),
            Err(error) => {
                self.error = Some(error.to_string());
                None
            }
        }
    }
}
