//! How often somebody may try to sign in: so often for an address, so often from a network.
//!
//! What is tried counts before it is looked at, so many at once gain nothing. Memory is bounded: at the limit the
//! oldest are forgotten. **Absent:** who exists; an unknown address is counted like a known one.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};

use jiff::{SignedDuration, Timestamp};

/// How long tries count.
pub const WINDOW: SignedDuration = SignedDuration::from_mins(15);
/// Tries for one address within it.
pub const TRIES_PER_ADDRESS: u32 = 10;
/// Mails to one address within it.
pub const MAILS_PER_ADDRESS: u32 = 3;
/// Tries from one network within it: an office may sit behind one address.
pub const TRIES_PER_NETWORK: u32 = 100;
/// Addresses and networks that are remembered.
const REMEMBERED_MAX: usize = 20_000;

const SIGN_IN: &str = "sign in";

/// Counts tries.
#[derive(Debug, Default)]
pub struct Throttle(Mutex<BTreeMap<[u8; 16], Tries>>);

#[derive(Debug, Clone, Copy)]
struct Tries {
    since: Timestamp,
    count: u32,
}

/// Too many; what is left of the window.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TooMany {
    /// When to come again.
    pub retry_after_seconds: u32,
}

/// A key by a hash: what is typed may be of any length.
fn key(sort: &str, text: &str) -> [u8; 16] {
    let hash = blake3::derive_key(&format!("relance 2026-11 tries {sort}"), text.as_bytes());
    let mut key = [0; 16];
    key.copy_from_slice(&hash[..16]);
    key
}

/// The network that an address belongs to, as far as one customer has it: all of IPv4, half of IPv6.
fn network(from: IpAddr) -> String {
    match from.to_canonical() {
        IpAddr::V4(four) => four.to_string(),
        IpAddr::V6(six) => {
            let [a, b, c, d, ..] = six.segments();
            format!("{a:x}:{b:x}:{c:x}:{d:x}")
        }
    }
}

impl Throttle {
    /// Counts a try to sign in, or refuses it.
    pub fn sign_in(&self, address: &str, from: IpAddr, now: Timestamp) -> Result<(), TooMany> {
        self.count((SIGN_IN, TRIES_PER_ADDRESS), address, from, now)
    }

    /// Counts a wish for mail, or refuses it.
    pub fn mail(&self, address: &str, from: IpAddr, now: Timestamp) -> Result<(), TooMany> {
        self.count(("mail", MAILS_PER_ADDRESS), address, from, now)
    }

    fn count(
        &self,
        (what, per_address): (&str, u32),
        address: &str,
        from: IpAddr,
        now: Timestamp,
    ) -> Result<(), TooMany> {
        let own = key(what, &address.trim().to_lowercase());
        let net = key("network", &network(from));
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for (key, most) in [(own, per_address), (net, TRIES_PER_NETWORK)] {
            if let Some(tries) = all.get(&key)
                && let Some(left) = left(tries, now)
                && tries.count >= most
            {
                let seconds = u32::try_from(left.as_secs()).unwrap_or(u32::MAX);
                return Err(TooMany {
                    retry_after_seconds: seconds.max(1),
                });
            }
        }
        for key in [own, net] {
            make_room(&mut all, key, now);
            let tries = all.entry(key).or_insert(Tries {
                since: now,
                count: 0,
            });
            if left(tries, now).is_none() {
                *tries = Tries {
                    since: now,
                    count: 0,
                };
            }
            tries.count = tries.count.saturating_add(1);
        }
        Ok(())
    }

    /// Whoever is known now made no wrong tries.
    pub fn forgive(&self, address: &str) {
        let own = key(SIGN_IN, &address.trim().to_lowercase());
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.remove(&own);
    }
}

/// What is left of a window.
fn left(tries: &Tries, now: Timestamp) -> Option<SignedDuration> {
    let passed = now.duration_since(tries.since);
    // A clock that was set back begins a new window.
    (!passed.is_negative() && passed < WINDOW).then(|| WINDOW - passed)
}

fn make_room(all: &mut BTreeMap<[u8; 16], Tries>, key: [u8; 16], now: Timestamp) {
    if all.len() < REMEMBERED_MAX || all.contains_key(&key) {
        return;
    }
    all.retain(|_, tries| left(tries, now).is_some());
    // Still too many: those of half a window are let go together, so that this pass is rare.
    if all.len() >= REMEMBERED_MAX {
        let mut begun: Vec<Timestamp> = all.values().map(|tries| tries.since).collect();
        begun.sort_unstable();
        let middle = begun[begun.len() / 2];
        let mut kept = REMEMBERED_MAX / 2;
        all.retain(|_, tries| {
            let keep = tries.since >= middle && kept > 0;
            kept -= usize::from(keep);
            keep
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOME: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 1));

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + seconds).unwrap()
    }

    #[test]
    fn an_address_is_tried_so_often_from_wherever_and_says_when_to_come_again() {
        let throttle = Throttle::default();
        for n in 0..TRIES_PER_ADDRESS {
            let from = IpAddr::from([10, 0, 0, u8::try_from(n).unwrap()]);
            assert_eq!(throttle.sign_in("Anna@shop.test ", from, at(0)), Ok(()));
        }
        let refused = throttle.sign_in("anna@shop.test", HOME, at(60));
        let wait = TooMany {
            retry_after_seconds: 14 * 60,
        };
        assert_eq!(refused, Err(wait));
        assert_eq!(throttle.mail("anna@shop.test", HOME, at(60)), Ok(()));
        assert_eq!(throttle.sign_in("boris@shop.test", HOME, at(60)), Ok(()));
        throttle.forgive("anna@shop.test");
        assert_eq!(throttle.sign_in("anna@shop.test", HOME, at(61)), Ok(()));
    }

    #[test]
    fn a_network_is_heard_so_often_whomever_it_tries() {
        let throttle = Throttle::default();
        let from = |last: u16| IpAddr::from([0x2001, 0xdb8, 0, 1, 0, 0, 0, last]);
        for n in 0..TRIES_PER_NETWORK {
            let host = u16::try_from(n).unwrap();
            let address = format!("{n}@shop.test");
            assert_eq!(throttle.sign_in(&address, from(host), at(0)), Ok(()));
        }
        assert!(throttle.sign_in("new@shop.test", from(7), at(1)).is_err());
        assert_eq!(throttle.sign_in("new@shop.test", HOME, at(1)), Ok(()));
        let over = at(WINDOW.as_secs());
        assert_eq!(throttle.sign_in("new@shop.test", from(7), over), Ok(()));
    }

    #[test]
    fn memory_is_bounded() {
        let throttle = Throttle::default();
        for n in 0..u32::try_from(REMEMBERED_MAX).unwrap() * 2 {
            let from = IpAddr::from(n.to_be_bytes());
            assert_eq!(throttle.sign_in(&n.to_string(), from, at(0)), Ok(()));
        }
        let remembered = throttle.0.lock().unwrap().len();
        assert!(remembered <= REMEMBERED_MAX, "{remembered}");
    }
}
