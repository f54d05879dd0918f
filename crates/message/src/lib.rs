//! Template to channel payload; received bytes to typed reply, bounce, document.
//!
//! Pure: bytes and data in, values out. **Absent:** sockets, files, clocks, randomness, storage,
//! and any knowledge of journeys. Who acts on what is found here is decided in `relance-core`.

pub mod document;
pub mod inbound;
pub mod mail;
pub mod outbound;
