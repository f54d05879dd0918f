//! What lies in a ZIP archive, read from its directory: names, places and sizes; nothing is unpacked here.
//!
//! Hostile archives lie about sizes, so what an entry really unpacks to is counted while it is read, against
//! a bound by what it takes packed. Source: PKWARE APPNOTE 6.3.10, sections 4.3.7, 4.3.12, 4.3.14 to 4.3.16.
//!
//! **Absent:** encryption, spanning over disks, and methods other than deflate: workbooks use none of these.

use std::fs::File;
use std::io::{BufRead, BufReader, Cursor, Read, Seek, SeekFrom, Take};
use std::path::Path;
use std::sync::Arc;

use flate2::read::DeflateDecoder;

/// Entries of one archive; a workbook has some dozens.
pub const ENTRIES_MAX: usize = 10_000;
/// Bytes of an archive's directory.
const DIRECTORY_BYTES_MAX: u64 = 16 * 1024 * 1024;
/// Bytes that one entry may unpack to.
pub const ENTRY_BYTES_MAX: u64 = 8 * 1024 * 1024 * 1024;
/// How many times larger than packed an entry may be; sheets are ten to fifty times.
pub const RATIO_MAX: u64 = 250;
/// Below this an entry may be as packed as it likes.
const RATIO_FREE_BYTES: u64 = 16 * 1024 * 1024;
/// How far from the end the directory's end is looked for: its comment is no longer.
const TAIL_BYTES: u64 = 22 + 65_535;

/// Why an archive cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum ArchiveProblem {
    /// The disk.
    #[error(transparent)]
    Io(#[from] std::io::Error),
    /// Not an archive, or cut short.
    #[error("the workbook is damaged or cut short; save it again")]
    Damaged,
    /// Encrypted, or packed in a way that workbooks are not.
    #[error("the workbook is protected or packed unusually; save it without a password as .xlsx")]
    Unusual,
    /// More entries than a workbook has.
    #[error("the workbook holds more than {ENTRIES_MAX} parts; save it again from a spreadsheet")]
    TooManyEntries,
}

/// Where an archive lies: each entry is read by a handle of its own.
#[derive(Debug, Clone, Copy)]
pub enum Source<'a> {
    /// In a file.
    File(&'a Path),
    /// In memory.
    Bytes(&'a Arc<[u8]>),
}

impl<'a> From<&'a Path> for Source<'a> {
    fn from(path: &'a Path) -> Self {
        Self::File(path)
    }
}

impl<'a> From<&'a Arc<[u8]>> for Source<'a> {
    fn from(bytes: &'a Arc<[u8]>) -> Self {
        Self::Bytes(bytes)
    }
}

impl Source<'_> {
    fn open(self) -> std::io::Result<Place> {
        Ok(match self {
            Self::File(path) => Place::File(File::open(path)?),
            Self::Bytes(bytes) => Place::Bytes(Cursor::new(bytes.clone())),
        })
    }
}

enum Place {
    File(File),
    Bytes(Cursor<Arc<[u8]>>),
}

impl Read for Place {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        match self {
            Self::File(inner) => inner.read(buffer),
            Self::Bytes(inner) => inner.read(buffer),
        }
    }
}

impl Seek for Place {
    fn seek(&mut self, to: SeekFrom) -> std::io::Result<u64> {
        match self {
            Self::File(inner) => inner.seek(to),
            Self::Bytes(inner) => inner.seek(to),
        }
    }
}

/// One entry.
#[derive(Debug, Clone)]
pub struct Entry {
    name: String,
    header_at: u64,
    packed: u64,
    deflated: bool,
    usual: bool,
}

/// The directory of an archive.
#[derive(Debug)]
pub struct Archive {
    entries: Vec<Entry>,
}

impl Archive {
    /// Reads the directory.
    pub fn open<'a>(source: impl Into<Source<'a>>) -> Result<Self, ArchiveProblem> {
        let mut file = source.into().open()?;
        let length = file.seek(SeekFrom::End(0))?;
        let (count, size, at) = end_of_directory(&mut file, length)?;
        if count > ENTRIES_MAX as u64 {
            return Err(ArchiveProblem::TooManyEntries);
        }
        if size > DIRECTORY_BYTES_MAX || at.checked_add(size).is_none_or(|end| end > length) {
            return Err(ArchiveProblem::Damaged);
        }
        file.seek(SeekFrom::Start(at))?;
        let mut bytes = Vec::new();
        file.take(size).read_to_end(&mut bytes)?;
        let mut rest = bytes.as_slice();
        let mut entries = Vec::new();
        while entries.len() < ENTRIES_MAX && rest.starts_with(b"PK\x01\x02") {
            let (entry, length) = entry(rest).ok_or(ArchiveProblem::Damaged)?;
            entries.push(entry);
            rest = rest.get(length..).ok_or(ArchiveProblem::Damaged)?;
        }
        Ok(Self { entries })
    }

    /// An entry by its name, without regard to case, as spreadsheets look for it.
    pub fn find(&self, name: &str) -> Option<&Entry> {
        let name = name.trim_start_matches('/');
        self.entries
            .iter()
            .find(|entry| entry.name.eq_ignore_ascii_case(name))
    }
}

impl Entry {
    /// Bytes that it takes packed.
    pub const fn packed_bytes(&self) -> u64 {
        self.packed
    }

    /// What it unpacks to, as a stream with a bound.
    pub fn open<'a>(&self, source: impl Into<Source<'a>>) -> Result<Unpacked, ArchiveProblem> {
        if !self.usual {
            return Err(ArchiveProblem::Unusual);
        }
        let mut file = source.into().open()?;
        file.seek(SeekFrom::Start(self.header_at))?;
        let mut header = [0; 30];
        file.read_exact(&mut header)
            .map_err(|_| ArchiveProblem::Damaged)?;
        if !header.starts_with(b"PK\x03\x04") {
            return Err(ArchiveProblem::Damaged);
        }
        let length = |at: usize| i64::from(u16::from_le_bytes([header[at], header[at + 1]]));
        file.seek(SeekFrom::Current(length(26) + length(28)))?;
        let packed = BufReader::with_capacity(64 * 1024, file.take(self.packed));
        let stream = if self.deflated {
            Stream::Deflated(Box::new(DeflateDecoder::new(packed)))
        } else {
            Stream::Stored(packed)
        };
        let most = ENTRY_BYTES_MAX.min(RATIO_FREE_BYTES.max(self.packed.saturating_mul(RATIO_MAX)));
        Ok(Unpacked {
            inner: BufReader::with_capacity(64 * 1024, stream),
            left: most,
            most,
            token_left: TOKEN_BYTES_MAX,
        })
    }
}

/// Entries, size and place of the directory.
fn end_of_directory(file: &mut Place, length: u64) -> Result<(u64, u64, u64), ArchiveProblem> {
    let tail_at = length.saturating_sub(TAIL_BYTES);
    file.seek(SeekFrom::Start(tail_at))?;
    let mut tail = Vec::new();
    file.by_ref().take(TAIL_BYTES).read_to_end(&mut tail)?;
    let end = (0..tail.len().saturating_sub(21))
        .rev()
        .find(|at| tail[*at..].starts_with(b"PK\x05\x06"))
        .ok_or(ArchiveProblem::Damaged)?;
    let short = |at| u64::from(u16_at(&tail, end + at).unwrap_or_default());
    let long = |at| u64::from(u32_at(&tail, end + at).unwrap_or_default());
    let (count, size, at) = (short(10), long(12), long(16));
    if count != 0xFFFF && size != 0xFFFF_FFFF && at != 0xFFFF_FFFF {
        return Ok((count, size, at));
    }
    // ZIP64: a locator of 20 bytes stands before.
    let locator = end.checked_sub(20).and_then(|at| tail.get(at..at + 20));
    let place = locator
        .filter(|bytes| bytes.starts_with(b"PK\x06\x07"))
        .and_then(|bytes| u64_at(bytes, 8))
        .ok_or(ArchiveProblem::Damaged)?;
    file.seek(SeekFrom::Start(place))?;
    let mut record = [0; 56];
    file.read_exact(&mut record)
        .map_err(|_| ArchiveProblem::Damaged)?;
    if !record.starts_with(b"PK\x06\x06") {
        return Err(ArchiveProblem::Damaged);
    }
    let number = |at| u64_at(&record, at).unwrap_or(u64::MAX);
    Ok((number(32), number(40), number(48)))
}

/// The entry that a record of the directory tells of, and the record's length.
fn entry(record: &[u8]) -> Option<(Entry, usize)> {
    let flags = u16_at(record, 8)?;
    let method = u16_at(record, 10)?;
    let mut packed = u64::from(u32_at(record, 20)?);
    let unpacked = u32_at(record, 24)?;
    let (name, extra, comment) = (
        u16_at(record, 28)?,
        u16_at(record, 30)?,
        u16_at(record, 32)?,
    );
    let mut header_at = u64::from(u32_at(record, 42)?);
    let name_end = 46 + usize::from(name);
    let extra_end = name_end + usize::from(extra);
    let text = String::from_utf8_lossy(record.get(46..name_end)?).replace('\\', "/");
    // ZIP64: eight bytes for each field that does not fit, in this order.
    let mut long = zip64(record.get(name_end..extra_end)?).into_iter();
    if unpacked == u32::MAX {
        long.next();
    }
    if packed == u64::from(u32::MAX) {
        packed = long.next()?;
    }
    if header_at == u64::from(u32::MAX) {
        header_at = long.next()?;
    }
    let entry = Entry {
        name: text,
        header_at,
        packed,
        deflated: method == 8,
        usual: flags & 1 == 0 && (method == 0 || method == 8),
    };
    Some((entry, extra_end + usize::from(comment)))
}

fn zip64(extra: &[u8]) -> Vec<u64> {
    let mut rest = extra;
    while let (Some(id), Some(size)) = (u16_at(rest, 0), u16_at(rest, 2)) {
        let end = 4 + usize::from(size);
        let Some(field) = rest.get(4..end) else { break };
        if id == 1 {
            return field
                .chunks_exact(8)
                .filter_map(|one| u64_at(one, 0))
                .collect();
        }
        rest = &rest[end..];
    }
    Vec::new()
}

fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_le_bytes(bytes.get(at..at + 2)?.try_into().ok()?))
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_le_bytes(bytes.get(at..at + 4)?.try_into().ok()?))
}

fn u64_at(bytes: &[u8], at: usize) -> Option<u64> {
    Some(u64::from_le_bytes(bytes.get(at..at + 8)?.try_into().ok()?))
}

/// Bytes that may come between two marks of whoever reads: one tag or text of a sheet.
pub const TOKEN_BYTES_MAX: usize = 1024 * 1024;

enum Stream {
    Deflated(Box<DeflateDecoder<BufReader<Take<Place>>>>),
    Stored(BufReader<Take<Place>>),
}

impl Read for Stream {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        match self {
            Self::Deflated(inner) => inner.read(buffer),
            Self::Stored(inner) => inner.read(buffer),
        }
    }
}

/// What an entry unpacks to. Reading fails when it is larger than its bound, or when too much comes at a time.
pub struct Unpacked {
    inner: BufReader<Stream>,
    left: u64,
    most: u64,
    token_left: usize,
}

/// A bound of [`Unpacked`] that was met.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Bound {
    /// The whole entry.
    #[error(
        "a part of the workbook unpacks to more than {0} bytes, {RATIO_MAX} times its size: that is how archive bombs are made; save it as CSV"
    )]
    Entry(u64),
    /// One tag or text.
    #[error(
        "one value of the workbook has more than {TOKEN_BYTES_MAX} bytes; shorten it, or save it as CSV"
    )]
    Token,
}

impl Unpacked {
    /// Whoever reads has taken a tag or text: the next may come.
    pub const fn mark(&mut self) {
        self.token_left = TOKEN_BYTES_MAX;
    }

    /// Packed bytes that were read so far.
    pub fn position(&self, packed: u64) -> u64 {
        let left = match self.inner.get_ref() {
            Stream::Deflated(inner) => inner.get_ref().get_ref().limit(),
            Stream::Stored(inner) => inner.get_ref().limit(),
        };
        packed.saturating_sub(left)
    }
}

impl Read for Unpacked {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let available = self.fill_buf()?;
        let count = available.len().min(buffer.len());
        buffer[..count].copy_from_slice(&available[..count]);
        self.consume(count);
        Ok(count)
    }
}

impl BufRead for Unpacked {
    fn fill_buf(&mut self) -> std::io::Result<&[u8]> {
        if self.left == 0 {
            return Err(std::io::Error::other(Bound::Entry(self.most)));
        }
        if self.token_left == 0 {
            return Err(std::io::Error::other(Bound::Token));
        }
        let available = self.inner.fill_buf()?;
        let left = usize::try_from(self.left).unwrap_or(usize::MAX);
        let count = available.len().min(left).min(self.token_left);
        Ok(&available[..count])
    }

    fn consume(&mut self, count: usize) {
        self.left -= count as u64;
        self.token_left -= count;
        self.inner.consume(count);
    }
}
