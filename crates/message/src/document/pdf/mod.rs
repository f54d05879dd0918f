//! Text of a PDF by page, laid out in lines and columns, and the XML files embedded in it.
//!
//! A pure function of bytes and limits: pages, objects and decompressed bytes are bounded here; time
//! and memory are bounded outside, by the process that runs it. A fault inside the PDF library comes
//! back as [`PdfProblem::Broken`], never as a panic.
//! **Absent:** images and OCR, forms' field values, annotations, text drawn by unnamed CID fonts.

mod content;
mod font;
mod layout;

use std::collections::{BTreeMap, BTreeSet};
use std::panic::{AssertUnwindSafe, catch_unwind};

use lopdf::{Dictionary, Document, LoadOptions, Object, ObjectId};

use super::einvoice;

/// What may be spent on one PDF.
#[derive(Clone, Debug)]
pub struct PdfLimits {
    pub bytes_max: usize,
    pub pages_max: usize,
    pub objects_max: usize,
    /// Of one stream while loading, and of everything read together afterwards.
    pub decompressed_bytes_max: usize,
    /// Pieces of text placed on one page.
    pub runs_per_page_max: usize,
    pub text_bytes_max: usize,
    pub embedded_files_max: usize,
}

impl Default for PdfLimits {
    /// An invoice has a page or two; a price list some hundred.
    fn default() -> Self {
        Self {
            bytes_max: 25 * 1024 * 1024,
            pages_max: 30,
            objects_max: 100_000,
            decompressed_bytes_max: 32 * 1024 * 1024,
            runs_per_page_max: 50_000,
            text_bytes_max: 1024 * 1024,
            embedded_files_max: 8,
        }
    }
}

/// What a PDF says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PdfText {
    /// One text per page: lines as seen, columns apart by two or more spaces.
    pub pages: Vec<String>,
    /// XML files embedded in the PDF (Factur-X, ZUGFeRD), decoded.
    pub embedded_xml: Vec<EmbeddedXml>,
    /// Whether a limit cut pages or text; what was read is still good.
    pub truncated: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EmbeddedXml {
    pub name: String,
    pub text: String,
}

impl PdfText {
    /// All pages as one text.
    pub fn joined(&self) -> String {
        self.pages.join("\n\n")
    }
}

/// Why a PDF gave no text.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum PdfProblem {
    #[error(
        "pdf of {bytes} bytes is larger than the limit of {bytes_max}: raise `bytes_max` or send a smaller file"
    )]
    TooLarge { bytes: usize, bytes_max: usize },
    #[error("pdf has {objects} objects, more than the limit of {objects_max}: raise `objects_max`")]
    TooManyObjects { objects: usize, objects_max: usize },
    #[error("pdf inflates beyond `decompressed_bytes_max` of {bytes_max} bytes")]
    Bomb { bytes_max: usize },
    #[error("pdf is encrypted with a password: ask the sender for an open one")]
    Encrypted,
    #[error("bytes are not a readable pdf")]
    Broken,
}

/// Reads the text of a PDF.
pub fn text(bytes: &[u8], limits: &PdfLimits) -> Result<PdfText, PdfProblem> {
    if bytes.len() > limits.bytes_max {
        return Err(PdfProblem::TooLarge {
            bytes: bytes.len(),
            bytes_max: limits.bytes_max,
        });
    }
    // The library is fed hostile bytes; a slip in it must hurt this file only.
    catch_unwind(AssertUnwindSafe(|| read(bytes, limits))).unwrap_or(Err(PdfProblem::Broken))
}

fn read(bytes: &[u8], limits: &PdfLimits) -> Result<PdfText, PdfProblem> {
    let options = LoadOptions::with_max_decompressed_size(limits.decompressed_bytes_max);
    let document =
        Document::load_mem_with_options(bytes, options).map_err(|error| problem(&error, limits))?;
    if document.is_encrypted() {
        return Err(PdfProblem::Encrypted);
    }
    if document.objects.len() > limits.objects_max {
        return Err(PdfProblem::TooManyObjects {
            objects: document.objects.len(),
            objects_max: limits.objects_max,
        });
    }
    let mut budget = Budget {
        left: limits.decompressed_bytes_max,
    };
    let mut found = PdfText {
        embedded_xml: embedded_xml(&document, limits, &mut budget),
        ..PdfText::default()
    };
    let mut fonts = font::Fonts::default();
    let mut text_bytes = 0;
    for (index, page) in document.page_iter().enumerate() {
        if index >= limits.pages_max || text_bytes >= limits.text_bytes_max {
            found.truncated = true;
            break;
        }
        let drawn = content::draw(
            &document,
            page,
            limits.runs_per_page_max,
            &mut fonts,
            &mut budget,
        );
        found.truncated |= drawn.truncated;
        let mut page_text = layout::lines(drawn.runs);
        if text_bytes + page_text.len() > limits.text_bytes_max {
            found.truncated = true;
            let mut end = limits.text_bytes_max - text_bytes;
            while !page_text.is_char_boundary(end) {
                end -= 1;
            }
            page_text.truncate(end);
        }
        text_bytes += page_text.len();
        found.pages.push(page_text);
        if budget.left == 0 {
            return Err(PdfProblem::Bomb {
                bytes_max: limits.decompressed_bytes_max,
            });
        }
    }
    Ok(found)
}

fn problem(error: &lopdf::Error, limits: &PdfLimits) -> PdfProblem {
    match error {
        lopdf::Error::Decompress(lopdf::DecompressError::MemoryLimitExceeded { .. }) => {
            PdfProblem::Bomb {
                bytes_max: limits.decompressed_bytes_max,
            }
        }
        lopdf::Error::InvalidPassword | lopdf::Error::Decryption(_) => PdfProblem::Encrypted,
        _ => PdfProblem::Broken,
    }
}

/// Bytes that may still be inflated.
struct Budget {
    left: usize,
}

impl Budget {
    /// Inflates one stream; `None` when it is broken or exceeds what is left (then nothing is left).
    fn inflate(&mut self, stream: &lopdf::Stream) -> Option<Vec<u8>> {
        match stream.get_plain_content_with_limit(self.left) {
            Ok(data) => {
                self.left = self.left.saturating_sub(data.len());
                Some(data)
            }
            Err(lopdf::Error::Decompress(lopdf::DecompressError::MemoryLimitExceeded {
                ..
            })) => {
                self.left = 0;
                None
            }
            Err(_) => None,
        }
    }
}

/// Follows references to the object itself.
fn resolve<'a>(document: &'a Document, object: &'a Object) -> Option<&'a Object> {
    document.dereference(object).ok().map(|(_, object)| object)
}

fn get<'a>(document: &'a Document, dictionary: &'a Dictionary, key: &[u8]) -> Option<&'a Object> {
    resolve(document, dictionary.get(key).ok()?)
}

fn get_dict<'a>(
    document: &'a Document,
    dictionary: &'a Dictionary,
    key: &[u8],
) -> Option<&'a Dictionary> {
    match get(document, dictionary, key)? {
        Object::Dictionary(inner) => Some(inner),
        Object::Stream(stream) => Some(&stream.dict),
        _ => None,
    }
}

fn number(object: &Object) -> Option<f64> {
    let value = match object {
        Object::Integer(value) => *value as f64,
        Object::Real(value) => f64::from(*value),
        _ => return None,
    };
    value.is_finite().then_some(value)
}

/// File specifications are looked for among all objects: names trees differ between producers.
fn embedded_xml(document: &Document, limits: &PdfLimits, budget: &mut Budget) -> Vec<EmbeddedXml> {
    let mut names: BTreeMap<ObjectId, String> = BTreeMap::new();
    let mut order: Vec<ObjectId> = Vec::new();
    for object in document.objects.values() {
        let Ok(dictionary) = object.as_dict() else {
            continue;
        };
        let Some(files) = get_dict(document, dictionary, b"EF") else {
            continue;
        };
        let Some(id) = [&b"UF"[..], b"F"]
            .iter()
            .find_map(|key| files.get(key).ok()?.as_reference().ok())
        else {
            continue;
        };
        let name = [&b"UF"[..], b"F"]
            .iter()
            .find_map(|key| lopdf::decode_text_string(get(document, dictionary, key)?).ok())
            .unwrap_or_default();
        if names.insert(id, name).is_none() {
            order.push(id);
        }
    }
    let mut seen = BTreeSet::new();
    let mut found = Vec::new();
    for id in order {
        if found.len() >= limits.embedded_files_max || !seen.insert(id) {
            continue;
        }
        let name = names.remove(&id).unwrap_or_default();
        let Some(Object::Stream(stream)) = document.objects.get(&id) else {
            continue;
        };
        let xml_by_type = stream
            .dict
            .get(b"Subtype")
            .and_then(Object::as_name)
            .is_ok_and(|kind| kind.ends_with(b"xml"));
        if !xml_by_type && !name.to_ascii_lowercase().ends_with(".xml") {
            continue;
        }
        let Some(data) = budget.inflate(stream) else {
            continue;
        };
        if data.len() <= einvoice::EINVOICE_BYTES_MAX {
            found.push(EmbeddedXml {
                name,
                text: einvoice::decode(&data).into_owned(),
            });
        }
    }
    found
}

#[cfg(test)]
mod tests;
