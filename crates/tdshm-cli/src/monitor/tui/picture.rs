//! An image in letters: two pixels in each, one above the other.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Color;
use ratatui::text::Line;
use ratatui::widgets::Widget;

use super::app::App;
use crate::monitor::model::Image;
use crate::output::image::preview::{self, Picture};
use crate::output::screen::Size;

/// Draws as much of it as there is room for, in its own proportions, no larger than it is.
pub(super) fn draw(buffer: &mut Buffer, app: &mut App, image: &Image, area: Rect) {
    let picture = Picture { shape: image.shape(), rows: image.rows_from_top().collect() };
    let room = Size { columns: usize::from(area.width), rows: usize::from(area.height) };
    let Some(grid) = preview::grid(&picture, room).filter(|_| !picture.rows.is_empty()) else {
        Line::styled("pixels of a format that is not known", app.theme.dim()).render(area, buffer);
        return;
    };
    let width = u16::try_from(grid.columns).unwrap_or(u16::MAX).min(area.width);
    let height = u16::try_from(grid.lines).unwrap_or(u16::MAX).min(area.height);
    app.places.picture = Rect { width, height, ..area };
    if app.picture_elsewhere {
        return;
    }
    for (y, (upper, lower)) in (area.y..).zip(grid.letters()) {
        for (x, (upper, lower)) in (area.x..).zip(upper.iter().zip(lower)) {
            let Some(cell) = buffer.cell_mut((x, y)) else { continue };
            let rgb = |[r, g, b]: [u8; 3]| Color::Rgb(r, g, b);
            match (app.theme.colours, app.theme.unicode) {
                (true, true) => cell.set_char('▀').set_fg(rgb(*upper)).set_bg(rgb(*lower)),
                (true, false) => cell.set_char(' ').set_bg(rgb(preview::mean(*upper, *lower))),
                (false, unicode) => cell.set_char(preview::shade_of(*upper, *lower, unicode)),
            };
        }
    }
}
