//! SMTP and IMAP: thin I/O round `relance-message`.
//!
//! **Absent:** decisions. A channel tries once and says what happened, in the field's terms; whether to
//! try again, whom to tell and what it means for a journey is decided in `relance-core`.

pub mod dkim;
pub mod imap;
mod secret;
pub mod smtp;

pub use secret::Secret;
