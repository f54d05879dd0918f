//! Integration tests: the whole program against real servers.

mod daemon;
mod imap;
