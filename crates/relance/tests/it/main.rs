//! Integration tests: the whole program against real servers.

mod bad_input;
mod crash;
mod daemon;
mod demo;
mod events_to_mail;
mod imap;
mod ingest;
mod office;
mod recorded;
mod sdk;
mod server;
mod silence;
mod sink;
