//! Integration tests: the whole program against real servers.

mod bad_input;
mod crash;
mod daemon;
mod demo;
mod events_to_mail;
mod explain;
mod imap;
mod ingest;
mod journeys;
mod messages;
mod office;
mod quiet;
mod recorded;
mod sdk;
mod server;
mod silence;
mod sink;
