//! Puts placed pieces of text back into lines, with columns kept apart.
//!
//! Pieces on one baseline make a line, left to right; a narrow gap is a space, a wide one pads to the
//! column where the piece stands, with at least two spaces. Work is `n log n` in pieces.

use super::content::Run;
use crate::document::text::display_width;

/// Baselines within this part of the text size are one line.
const LINE_TOLERANCE: f64 = 0.45;
/// A gap from this part of the size up is a space.
const SPACE_GAP: f64 = 0.16;
/// A gap from this part of the size up separates columns.
const COLUMN_GAP: f64 = 1.1;
/// Widest line, in columns; a stray piece far to the right must not pad megabytes.
const COLUMNS_MAX: usize = 240;
/// Narrowest and widest column unit, in points.
const UNIT_POINTS: (f64, f64) = (2.0, 12.0);
/// The same piece drawn again within this part of its own width is bold, not a double letter.
const DOUBLE_SHIFT: f64 = 0.3;
/// Lines' distance, in sizes, from which an empty line is put between.
const PARAGRAPH_GAP: f64 = 1.9;

/// The page as text.
pub(super) fn lines(mut runs: Vec<Run>) -> String {
    runs.sort_by(|a, b| a.y.total_cmp(&b.y).then(a.x0.total_cmp(&b.x0)));
    let left = runs.iter().map(|run| run.x0).fold(f64::INFINITY, f64::min);
    let unit = column_unit(&runs);
    let mut out = String::new();
    let mut last: Option<(f64, f64)> = None;
    let mut start = 0;
    while start < runs.len() {
        let (y, size) = (runs[start].y, runs[start].size);
        let mut end = start + 1;
        while end < runs.len()
            && runs[end].y - y <= LINE_TOLERANCE * size.min(runs[end].size).max(1.0)
        {
            end += 1;
        }
        let line = &mut runs[start..end];
        line.sort_by(|a, b| a.x0.total_cmp(&b.x0));
        if let Some((above, height)) = last
            && y - above > PARAGRAPH_GAP * height.max(size)
        {
            out.push('\n');
        }
        let before = out.len();
        push_line(line, left, unit, &mut out);
        if out.len() > before {
            out.push('\n');
        }
        last = Some((y, size));
        start = end;
    }
    out
}

/// The page's mean width of one column.
fn column_unit(runs: &[Run]) -> f64 {
    let (mut points, mut columns) = (0.0, 0_usize);
    for run in runs {
        points += run.x1 - run.x0;
        columns += display_width(&run.text);
    }
    let unit = if columns == 0 {
        UNIT_POINTS.0
    } else {
        points / columns as f64
    };
    if unit.is_finite() {
        unit.clamp(UNIT_POINTS.0, UNIT_POINTS.1)
    } else {
        UNIT_POINTS.1
    }
}

fn push_line(line: &[Run], left: f64, unit: f64, out: &mut String) {
    let mut width = 0_usize;
    let mut previous: Option<&Run> = None;
    for run in line {
        if let Some(before) = previous {
            // Bold is often drawn by printing the same piece twice.
            if before.text == run.text
                && (run.x0 - before.x0).abs() < DOUBLE_SHIFT * (run.x1 - run.x0)
            {
                continue;
            }
            let gap = (run.x0 - before.x1) / before.size.max(run.size).max(1.0);
            if gap >= COLUMN_GAP {
                let column = (((run.x0 - left) / unit) as usize).min(COLUMNS_MAX);
                let pad = column.saturating_sub(width).max(2);
                out.extend(std::iter::repeat_n(' ', pad));
                width += pad;
            } else if gap >= SPACE_GAP {
                out.push(' ');
                width += 1;
            }
        } else {
            let pad = (((run.x0 - left) / unit) as usize).min(COLUMNS_MAX);
            out.extend(std::iter::repeat_n(' ', pad));
            width += pad;
        }
        // A glyph may map to a line break; it must not break the line.
        out.extend(
            run.text
                .chars()
                .map(|c| if c.is_control() { ' ' } else { c }),
        );
        width += display_width(&run.text);
        previous = Some(run);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(x0: f64, x1: f64, y: f64, text: &str) -> Run {
        Run {
            x0,
            x1,
            y,
            size: 10.0,
            text: text.to_owned(),
        }
    }

    #[test]
    fn words_columns_and_lines() {
        let text = lines(vec![
            run(200.0, 230.0, 20.2, "120.00"),
            run(0.0, 25.0, 20.0, "Total"),
            run(28.0, 43.0, 20.0, "due"),
            run(0.0, 35.0, 8.0, "Invoice"),
            run(0.2, 35.2, 8.0, "Invoice"),
        ]);
        let found: Vec<&str> = text.lines().collect();
        assert_eq!(found[0], "Invoice");
        assert!(
            found[1].starts_with("Total due  ") && found[1].ends_with(" 120.00"),
            "{text}"
        );
        assert_eq!(found.len(), 2);
    }

    #[test]
    fn far_and_broken_places_stay_bounded() {
        let text = lines(vec![
            run(0.0, 5.0, 0.0, "a"),
            run(1e30, 1e30, 0.0, "b"),
            run(-1e300, 1.0, 1e300, "c"),
        ]);
        assert!(text.len() < 3 * COLUMNS_MAX);
    }
}
