//! Whole screens as text.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "a test that panics has failed"
)]

use std::time::Duration;

use crossterm::event::{Event, KeyCode, KeyEvent, KeyModifiers};
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use tdshm::{ChopFrame, ChopSender, ShortName};
use tdshm_ops::Pattern;

use super::*;
use crate::monitor::model::Options;
use crate::monitor::tui::app::Next;

/// A sender of two channels, a model that has read it, and what shows that.
struct Scene {
    name: String,
    out: Option<ChopSender>,
    model: Model,
    app: App,
}

impl Scene {
    fn new(name: &str, theme: Theme) -> Self {
        let name = format!("view{}{name}", std::process::id());
        let mut out = ChopSender::create(&name).unwrap();
        let ramp: Vec<f32> = (0..40).map(|step| step as f32).collect();
        let frame =
            ChopFrame::from_rows(["up", "down"], 40.0, &[ramp.clone(), ramp.into_iter().rev().collect()]);
        out.send(&frame.unwrap()).unwrap();
        let mut model = Model::new(Options::default());
        let mut app = App::new(theme, Some(Pattern::parse(&name).unwrap()));
        let now = Instant::now();
        model.tick(now);
        app.settle(&mut model, now);
        assert_eq!(app.selected, Some(ShortName::new(&name).unwrap()));
        let read =
            |model: &Model, app: &App| app.content(model).is_some_and(|(content, _)| content.taken() > 0);
        while !read(&model, &app) {
            model.tick(Instant::now() + Duration::from_millis(100));
        }
        Self { name, out: Some(out), model, app }
    }

    fn draw(&mut self, columns: u16, rows: u16) -> Vec<String> {
        let mut terminal = Terminal::new(TestBackend::new(columns, rows)).unwrap();
        terminal.draw(|frame| draw(frame, &mut self.app, &self.model, Instant::now())).unwrap();
        let buffer = terminal.backend().buffer();
        let lines = buffer.content.chunks(usize::from(columns));
        lines.map(|cells| cells.iter().map(ratatui::buffer::Cell::symbol).collect()).collect()
    }

    fn press(&mut self, code: KeyCode) -> Next {
        let event = Event::Key(KeyEvent::new(code, KeyModifiers::NONE));
        self.app.happened(&event, &mut self.model, Instant::now())
    }
}

impl Drop for Scene {
    fn drop(&mut self) {
        self.out = None;
        let _ = tdshm::clean(&[self.name.as_str()], tdshm::DryRun::No);
    }
}

const PLAIN: Theme = Theme { colours: false, unicode: true };

#[test]
fn a_scope_alone_on_the_screen() {
    let mut scene = Scene::new("scope", PLAIN);
    scene.press(KeyCode::Enter);
    scene.press(KeyCode::Char('i'));
    scene.press(KeyCode::Left);
    let screen = scene.draw(42, 13);
    let title = format!("┌ {}: 2 channels × 40 samples at 40 Hz ", scene.name);
    assert_eq!(screen[0].chars().take(30).collect::<String>(), title.chars().take(30).collect::<String>());
    assert_eq!(
        screen[1..12],
        [
            "│newest frame, 40 samples, auto range, 2…│",
            "│   40.950 ⠒⠤⢄⣀                      ⢀⣀⠤⠔│",
            "│              ⠉⠑⠒⠤⢄⣀          ⢀⣀⠤⠔⠒⠉⠁  ⢸│",
            "│                    ⠑⠒⠤⢄⣀⣀⡠⠤⠒⠊⠁        ⢸│",
            "│   19.500           ⡠⠤⠒⠊⠉⠉⠑⠒⠤⢄⡀        ⢸│",
            "│              ⣀⡠⠤⠒⠊⠉          ⠈⠉⠒⠢⠤⣀⡀  ⢸│",
            "│   -1.950 ⠤⠒⠊⠉                      ⠈⠉⠒⠢│",
            "│ ━ up                                 39│",
            "│ ━ down                                0│",
            "│          ▶ 0.975 s frame 1             │",
            "└────────────────────────────────────────┘",
        ]
        .map(str::to_owned)
    );
}

#[test]
fn no_size_and_no_state_is_too_small() {
    for theme in [PLAIN, Theme { colours: true, unicode: false }] {
        let mut scene = Scene::new(if theme.colours { "sizea" } else { "sizeb" }, theme);
        let keys = "\rii?x/t0ttyY[]+-<> ajkJKih"
            .chars()
            .map(|c| if c == '\r' { KeyCode::Enter } else { KeyCode::Char(c) });
        let keys = keys.chain([
            KeyCode::Esc,
            KeyCode::Left,
            KeyCode::Right,
            KeyCode::Home,
            KeyCode::End,
            KeyCode::PageUp,
        ]);
        for key in keys {
            assert_ne!(scene.press(key), Next::Suspend);
            for (columns, rows) in [(1, 1), (2, 2), (3, 1), (1, 9), (20, 4), (73, 5), (74, 15), (120, 40)] {
                let screen = scene.draw(columns, rows);
                assert!(theme.unicode || screen.concat().is_ascii(), "{screen:#?}");
            }
        }
    }
}
