//! A sealed part of the event log as columns: who did what when, without properties.
//!
//! Events are grouped by name, so that whoever asks for some names passes over the others. Within a name
//! each event is three small numbers: how far its id, and its moment, lie from those before it, and its
//! contact. That is 6 to 9 bytes an event.
//!
//! **Invariant:** reading never fails but with [`Damaged`], whatever the bytes are.

use relance_core::ids::{ContactId, EventName};

/// Nanoseconds of a millisecond: most moments are whole ones, and take less space so.
const MILLISECOND: i64 = 1_000_000;
/// Bytes of a number at most.
const NUMBER_BYTES_MAX: usize = 10;

/// The bytes are no columns.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the columns are damaged")]
pub(super) struct Damaged;

/// An event as a column has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Told {
    /// Its place in the log.
    pub(super) id: i64,
    pub(super) contact: ContactId,
    /// When it happened, in nanoseconds.
    pub(super) at: i64,
    /// Whether a machine caused it (R7).
    pub(super) by_machine: bool,
}

/// Columns of some events: the directory of names, and what stands under each.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Packed {
    pub(super) names: Vec<u8>,
    pub(super) columns: Vec<u8>,
}

fn put(into: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        into.push(number.to_le_bytes()[0] | 0x80);
        number >>= 7;
    }
    into.push(number.to_le_bytes()[0]);
}

fn zigzag(number: i64) -> u64 {
    ((number << 1) ^ (number >> 63)).cast_unsigned()
}

fn unzigzag(number: u64) -> i64 {
    (number >> 1).cast_signed() ^ -(number & 1).cast_signed()
}

/// Bytes read from the front.
struct Front<'a>(&'a [u8]);

impl<'a> Front<'a> {
    fn number(&mut self) -> Result<u64, Damaged> {
        let mut number = 0;
        for place in 0..NUMBER_BYTES_MAX {
            let (byte, rest) = self.0.split_first().ok_or(Damaged)?;
            self.0 = rest;
            number |= u64::from(byte & 0x7F) << (7 * place);
            if byte & 0x80 == 0 {
                return Ok(number);
            }
        }
        Err(Damaged)
    }

    fn bytes(&mut self, count: u64) -> Result<&'a [u8], Damaged> {
        let count = usize::try_from(count).map_err(|_| Damaged)?;
        let (taken, rest) = self.0.split_at_checked(count).ok_or(Damaged)?;
        self.0 = rest;
        Ok(taken)
    }
}

impl Packed {
    /// Adds the events of a name, in order of their ids.
    pub(super) fn add(&mut self, name: &EventName, events: &[Told]) {
        let begins = self.columns.len();
        let is_whole = events.iter().all(|event| event.at % MILLISECOND == 0);
        let unit = if is_whole { MILLISECOND } else { 1 };
        self.columns.push(u8::from(is_whole));
        let (mut id, mut at) = (0, 0);
        for event in events {
            let distance = event.id.wrapping_sub(id).cast_unsigned();
            put(
                &mut self.columns,
                distance << 1 | u64::from(event.by_machine),
            );
            put(&mut self.columns, event.contact.0);
            let moment = event.at / unit;
            put(&mut self.columns, zigzag(moment.wrapping_sub(at)));
            (id, at) = (event.id, moment);
        }
        let text = name.as_str().as_bytes();
        put(&mut self.names, text.len() as u64);
        self.names.extend_from_slice(text);
        put(&mut self.names, events.len() as u64);
        put(&mut self.names, (self.columns.len() - begins) as u64);
    }
}

impl Packed {
    /// The same without the events of a contact.
    pub(super) fn without(&self, contact: ContactId) -> Result<Self, Damaged> {
        let mut left = Self::default();
        let mut front = Front(&self.names);
        let mut begins = 0_usize;
        while !front.0.is_empty() {
            let length = front.number()?;
            let name = std::str::from_utf8(front.bytes(length)?).map_err(|_| Damaged)?;
            let count = front.number()?;
            let length = usize::try_from(front.number()?).map_err(|_| Damaged)?;
            let ends = begins.checked_add(length).ok_or(Damaged)?;
            let mut events = Vec::new();
            let column = self.columns.get(begins..ends).ok_or(Damaged)?;
            read(column, count, |told| {
                if told.contact != contact {
                    events.push(told);
                }
            })?;
            left.add(&EventName::from(name), &events);
            begins = ends;
        }
        Ok(left)
    }
}

/// Where the events of some names stand: for each name its place in `wanted`, how many there are and
/// their bytes in the columns.
pub(super) fn find(
    names: &[u8],
    wanted: &[EventName],
) -> Result<Vec<(usize, u64, std::ops::Range<usize>)>, Damaged> {
    let mut front = Front(names);
    let mut begins = 0_usize;
    let mut found = Vec::new();
    while !front.0.is_empty() {
        let length = front.number()?;
        let text = front.bytes(length)?;
        let count = front.number()?;
        let length = usize::try_from(front.number()?).map_err(|_| Damaged)?;
        let ends = begins.checked_add(length).ok_or(Damaged)?;
        let place = wanted
            .iter()
            .position(|name| name.as_str().as_bytes() == text);
        found.extend(place.map(|place| (place, count, begins..ends)));
        begins = ends;
    }
    Ok(found)
}

/// Reads the events of one name.
pub(super) fn read(columns: &[u8], count: u64, mut take: impl FnMut(Told)) -> Result<(), Damaged> {
    let (is_whole, rest) = columns.split_first().ok_or(Damaged)?;
    let unit = if *is_whole == 1 { MILLISECOND } else { 1 };
    let mut front = Front(rest);
    let (mut id, mut at) = (0_i64, 0_i64);
    for _ in 0..count {
        let distance = front.number()?;
        let contact = ContactId(front.number()?);
        id = id.wrapping_add((distance >> 1).cast_signed());
        at = at.wrapping_add(unzigzag(front.number()?));
        take(Told {
            id,
            contact,
            at: at.wrapping_mul(unit),
            by_machine: distance & 1 == 1,
        });
    }
    if front.0.is_empty() {
        Ok(())
    } else {
        Err(Damaged)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(id: i64, contact: u64, at: i64, by_machine: bool) -> Told {
        Told {
            id,
            contact: ContactId(contact),
            at,
            by_machine,
        }
    }

    fn read_all(packed: &Packed, name: &str) -> Result<Vec<Told>, Damaged> {
        let mut all = Vec::new();
        for (_, count, range) in find(&packed.names, &[name.into()])? {
            let columns = packed.columns.get(range).ok_or(Damaged)?;
            read(columns, count, |one| all.push(one))?;
        }
        Ok(all)
    }

    #[test]
    fn what_was_packed_is_read_back() {
        let whole: Vec<Told> = (0..1_000_i64)
            .map(|n| {
                told(
                    n * 3 + 1,
                    (n * 7_919 % 1_000) as u64,
                    n % 97 * MILLISECOND,
                    n % 5 == 0,
                )
            })
            .collect();
        let odd = vec![
            told(2, 0, i64::MIN, false),
            told(5, u64::MAX, i64::MAX, true),
            told(1 << 40, 1, -1, false),
        ];
        let mut packed = Packed::default();
        packed.add(&"Viewed".into(), &whole);
        packed.add(&"".into(), &odd);
        packed.add(&"None".into(), &[]);
        assert_eq!(read_all(&packed, "Viewed"), Ok(whole));
        assert_eq!(read_all(&packed, ""), Ok(odd.clone()));
        assert_eq!(read_all(&packed, "None"), Ok(vec![]));
        assert_eq!(read_all(&packed, "View"), Ok(vec![]), "another name");
        let left = packed.without(ContactId(1)).expect("reads");
        assert_eq!(read_all(&left, ""), Ok(odd[..2].to_vec()));
        let whole = read_all(&packed, "Viewed").expect("reads");
        let others = whole.into_iter().filter(|one| one.contact != ContactId(1));
        assert_eq!(read_all(&left, "Viewed"), Ok(others.collect()));
    }

    #[test]
    fn an_ordinary_event_takes_a_few_bytes() {
        let start = 1_800_000_000_000 * MILLISECOND;
        let events: Vec<Told> = (0..10_000_i64)
            .map(|n| {
                let contact = (n.cast_unsigned() * 7_919) % 1_000_000;
                told(
                    20_000_000 + n * 8,
                    contact,
                    start + n * 20 * MILLISECOND,
                    false,
                )
            })
            .collect();
        let mut packed = Packed::default();
        packed.add(&"Viewed".into(), &events);
        let each = packed.columns.len() / events.len();
        assert!(each <= 6, "{each}");
    }

    #[test]
    fn damaged_bytes_are_refused() {
        let mut packed = Packed::default();
        let events: Vec<Told> = (1..50).map(|n| told(n, 1, n, false)).collect();
        packed.add(&"Viewed".into(), &events);
        for length in 0..packed.columns.len() {
            let mut short = packed.clone();
            short.columns.truncate(length);
            assert_eq!(read_all(&short, "Viewed"), Err(Damaged), "{length}");
        }
        for length in 1..packed.names.len() {
            let mut short = packed.clone();
            short.names.truncate(length);
            assert!(read_all(&short, "Viewed") != Ok(events.clone()), "{length}");
        }
        for place in 0..packed.names.len() + packed.columns.len() {
            let mut other = packed.clone();
            match place.checked_sub(packed.names.len()) {
                None => other.names[place] ^= 0xFF,
                Some(place) => other.columns[place] ^= 0xFF,
            }
            // Whatever it reads, it ends.
            let _read = read_all(&other, "Viewed");
        }
        packed.columns.push(0);
        packed.names = Vec::new();
        put(&mut packed.names, 6);
        packed.names.extend_from_slice(b"Viewed");
        put(&mut packed.names, u64::MAX);
        put(&mut packed.names, packed.columns.len() as u64);
        assert_eq!(read_all(&packed, "Viewed"), Err(Damaged));
    }
}
