//! Walks a page's drawing operators and notes each piece of text with its place.
//!
//! Text state follows ISO 32000-1, 9.3 and 9.4; forms are entered to a fixed depth.
//! **Absent:** clipping, visibility, colour: text drawn in white is text.

use lopdf::content::Content;
use lopdf::{Dictionary, Document, Object, ObjectId};

use super::font::Fonts;
use super::{Budget, get, get_dict, number, resolve};

/// Forms within forms followed.
const FORM_DEPTH_MAX: usize = 6;
/// `q` operators without their `Q`.
const STATE_DEPTH_MAX: usize = 256;
/// Operators read on one page, forms included.
const OPERATIONS_MAX: usize = 2_000_000;
/// Parents of a page asked for what it inherits.
const PARENTS_MAX: usize = 32;

/// A piece of text on a page. `y` grows downwards; units are points.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Run {
    pub x0: f64,
    pub x1: f64,
    pub y: f64,
    pub size: f64,
    pub text: String,
}

#[derive(Default)]
pub(super) struct Drawn {
    pub runs: Vec<Run>,
    pub truncated: bool,
}

/// `[a b c d e f]` of ISO 32000-1, 8.3.3.
#[derive(Clone, Copy)]
struct Matrix([f64; 6]);

impl Matrix {
    const IDENTITY: Self = Self([1.0, 0.0, 0.0, 1.0, 0.0, 0.0]);

    /// `self` applied first, then `next`.
    fn then(self, next: Self) -> Self {
        let ([a, b, c, d, e, f], [g, h, i, j, k, l]) = (self.0, next.0);
        Self([
            a * g + b * i,
            a * h + b * j,
            c * g + d * i,
            c * h + d * j,
            e * g + f * i + k,
            e * h + f * j + l,
        ])
    }

    fn translate(x: f64, y: f64) -> Self {
        Self([1.0, 0.0, 0.0, 1.0, x, y])
    }

    fn of(operands: &[Object]) -> Option<Self> {
        let mut matrix = [0.0; 6];
        if operands.len() < matrix.len() {
            return None;
        }
        for (slot, operand) in matrix.iter_mut().zip(operands) {
            *slot = number(operand)?;
        }
        Some(Self(matrix))
    }
}

#[derive(Clone)]
struct State {
    ctm: Matrix,
    font: Option<ObjectKey>,
    size: f64,
    leading: f64,
    char_space: f64,
    word_space: f64,
    scale: f64,
    rise: f64,
}

type ObjectKey = usize;

pub(super) fn draw(
    document: &Document,
    page: ObjectId,
    runs_max: usize,
    fonts: &mut Fonts,
    budget: &mut Budget,
) -> Drawn {
    let Ok(dictionary) = document.get_dictionary(page) else {
        return Drawn::default();
    };
    let resources: Vec<&Dictionary> = inherited(document, dictionary, b"Resources")
        .and_then(|object| object.as_dict().ok())
        .into_iter()
        .collect();
    let rotate = inherited(document, dictionary, b"Rotate")
        .and_then(number)
        .unwrap_or(0.0);
    let base = match (rotate as i64).rem_euclid(360) {
        90 => Matrix([0.0, 1.0, 1.0, 0.0, 0.0, 0.0]),
        180 => Matrix([-1.0, 0.0, 0.0, 1.0, 0.0, 0.0]),
        270 => Matrix([0.0, -1.0, -1.0, 0.0, 0.0, 0.0]),
        _ => Matrix([1.0, 0.0, 0.0, -1.0, 0.0, 0.0]),
    };
    let mut data = Vec::new();
    for id in document.get_page_contents(page) {
        if let Ok(stream) = document.get_object(id).and_then(Object::as_stream)
            && let Some(part) = budget.inflate(stream)
        {
            data.extend_from_slice(&part);
            data.push(b'\n');
        }
    }
    let mut painter = Painter {
        document,
        fonts,
        budget,
        runs_max,
        operations_left: OPERATIONS_MAX,
        drawn: Drawn::default(),
    };
    let state = State {
        ctm: base,
        font: None,
        size: 0.0,
        leading: 0.0,
        char_space: 0.0,
        word_space: 0.0,
        scale: 1.0,
        rise: 0.0,
    };
    painter.run(&data, &resources, state, 0);
    painter.drawn
}

fn inherited<'a>(document: &'a Document, page: &'a Dictionary, key: &[u8]) -> Option<&'a Object> {
    let mut node = page;
    for _ in 0..PARENTS_MAX {
        if let Some(object) = get(document, node, key) {
            return Some(object);
        }
        node = get_dict(document, node, b"Parent")?;
    }
    None
}

struct Painter<'a, 'b> {
    document: &'a Document,
    fonts: &'b mut Fonts,
    budget: &'b mut Budget,
    runs_max: usize,
    operations_left: usize,
    drawn: Drawn,
}

impl<'a> Painter<'a, '_> {
    fn run(&mut self, data: &[u8], resources: &[&'a Dictionary], start: State, depth: usize) {
        let mut state = start;
        let mut saved: Vec<State> = Vec::new();
        let mut text = Matrix::IDENTITY;
        let mut line = Matrix::IDENTITY;
        for operation in Content::decode_iter(data) {
            let Ok(operation) = operation else { break };
            if self.operations_left == 0 || self.drawn.runs.len() >= self.runs_max {
                self.drawn.truncated = true;
                return;
            }
            self.operations_left -= 1;
            let operands = operation.operands.as_slice();
            let value = |index: usize| operands.get(index).and_then(number);
            match operation.operator.as_str() {
                "q" if saved.len() < STATE_DEPTH_MAX => saved.push(state.clone()),
                "Q" => state = saved.pop().unwrap_or(state),
                "cm" => {
                    if let Some(matrix) = Matrix::of(operands) {
                        state.ctm = matrix.then(state.ctm);
                    }
                }
                "BT" => (text, line) = (Matrix::IDENTITY, Matrix::IDENTITY),
                "Tf" => {
                    if let Some(Ok(name)) = operands.first().map(Object::as_name) {
                        state.font = self.font(resources, name);
                    }
                    state.size = value(1).unwrap_or(state.size);
                }
                "TL" => state.leading = value(0).unwrap_or(0.0),
                "Tc" => state.char_space = value(0).unwrap_or(0.0),
                "Tw" => state.word_space = value(0).unwrap_or(0.0),
                "Tz" => state.scale = value(0).unwrap_or(100.0) / 100.0,
                "Ts" => state.rise = value(0).unwrap_or(0.0),
                "Tm" => {
                    if let Some(matrix) = Matrix::of(operands) {
                        (text, line) = (matrix, matrix);
                    }
                }
                "Td" | "TD" => {
                    let (x, y) = (value(0).unwrap_or(0.0), value(1).unwrap_or(0.0));
                    if operation.operator == "TD" {
                        state.leading = -y;
                    }
                    line = Matrix::translate(x, y).then(line);
                    text = line;
                }
                "T*" => {
                    line = Matrix::translate(0.0, -state.leading).then(line);
                    text = line;
                }
                "Tj" => self.show(&state, &mut text, operands),
                "TJ" => {
                    if let Some(Object::Array(parts)) = operands.first() {
                        self.show(&state, &mut text, parts);
                    }
                }
                "'" | "\"" => {
                    if operation.operator == "\"" {
                        state.word_space = value(0).unwrap_or(0.0);
                        state.char_space = value(1).unwrap_or(0.0);
                    }
                    line = Matrix::translate(0.0, -state.leading).then(line);
                    text = line;
                    let shown = operands.len().saturating_sub(1);
                    self.show(&state, &mut text, &operands[shown..]);
                }
                "Do" if depth < FORM_DEPTH_MAX => {
                    if let Some(Ok(name)) = operands.first().map(Object::as_name) {
                        self.form(name, resources, &state, depth);
                    }
                }
                _ => {}
            }
        }
    }

    fn form(&mut self, name: &[u8], resources: &[&'a Dictionary], state: &State, depth: usize) {
        let document = self.document;
        let Some(stream) = resources.iter().rev().find_map(|level| {
            get(document, get_dict(document, level, b"XObject")?, name)?
                .as_stream()
                .ok()
        }) else {
            return;
        };
        if stream.dict.get(b"Subtype").and_then(Object::as_name).ok() != Some(b"Form") {
            return;
        }
        let Some(data) = self.budget.inflate(stream) else {
            return;
        };
        let mut inner = state.clone();
        if let Some(Object::Array(matrix)) = get(document, &stream.dict, b"Matrix")
            && let Some(matrix) = Matrix::of(matrix)
        {
            inner.ctm = matrix.then(inner.ctm);
        }
        let mut levels = resources.to_vec();
        levels.extend(get_dict(document, &stream.dict, b"Resources"));
        self.run(&data, &levels, inner, depth + 1);
    }

    fn font(&mut self, resources: &[&'a Dictionary], name: &[u8]) -> Option<ObjectKey> {
        let document = self.document;
        let entry = resources
            .iter()
            .rev()
            .find_map(|level| get_dict(document, level, b"Font")?.get(name).ok())?;
        let id = entry.as_reference().ok();
        let dictionary = resolve(document, entry)?.as_dict().ok()?;
        self.fonts.load(document, id, dictionary, self.budget)
    }

    /// Draws strings and moves of a `Tj` or `TJ`; one run per stretch without a wide move.
    fn show(&mut self, state: &State, text: &mut Matrix, parts: &[Object]) {
        let Some(font) = state.font.and_then(|key| self.fonts.get(key)) else {
            return;
        };
        let mut run: Option<Run> = None;
        for part in parts {
            match part {
                Object::String(bytes, _) => {
                    for glyph in font.glyphs(bytes) {
                        let advance = (glyph.width * state.size
                            + state.char_space
                            + if glyph.is_space {
                                state.word_space
                            } else {
                                0.0
                            })
                            * state.scale;
                        draw_glyph(
                            state,
                            *text,
                            &glyph.text,
                            advance,
                            &mut run,
                            &mut self.drawn,
                        );
                        *text = Matrix::translate(advance, 0.0).then(*text);
                        if self.drawn.runs.len() >= self.runs_max {
                            self.drawn.truncated = true;
                            return;
                        }
                    }
                }
                other => {
                    if let Some(shift) = number(other) {
                        *text = Matrix::translate(-shift / 1000.0 * state.size * state.scale, 0.0)
                            .then(*text);
                    }
                }
            }
        }
        self.drawn.runs.extend(run);
    }
}

/// A gap, in parts of the text size, that ends a run; the layout decides what it means.
const RUN_GAP: f64 = 0.12;

fn draw_glyph(
    state: &State,
    text: Matrix,
    glyph: &str,
    advance: f64,
    run: &mut Option<Run>,
    drawn: &mut Drawn,
) {
    let place = Matrix::translate(0.0, state.rise)
        .then(text)
        .then(state.ctm);
    let [a, b, c, d, x, y] = place.0;
    let size = state.size.abs() * (c * c + d * d).sqrt();
    let (dx, dy) = (advance * a, advance * b);
    // Only text that runs level is read in lines; a stamp set upright is not.
    if !(x.is_finite() && y.is_finite() && size.is_finite())
        || size <= 0.0
        || dy.abs() > dx.abs() * 0.3 + 0.01
    {
        return;
    }
    let (x0, x1) = if dx < 0.0 { (x + dx, x) } else { (x, x + dx) };
    if glyph.is_empty() {
        return;
    }
    let blank = glyph.chars().all(char::is_whitespace);
    if let Some(open) = run
        && (blank
            || x0 - open.x1 > size * RUN_GAP
            || x0 - open.x1 < -size
            || (open.y - y).abs() > size * 0.3)
    {
        drawn.runs.extend(run.take());
    }
    if blank {
        return;
    }
    match run {
        Some(open) => {
            open.text.push_str(glyph);
            open.x1 = open.x1.max(x1);
        }
        None => {
            *run = Some(Run {
                x0,
                x1,
                y,
                size,
                text: glyph.to_owned(),
            })
        }
    }
}
