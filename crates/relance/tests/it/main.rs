//! Integration tests: the whole program against real servers.

mod accounts;
mod bad_input;
mod consent;
mod crash;
mod daemon;
mod demo;
mod events_to_mail;
mod explain;
mod imap;
mod import;
mod ingest;
mod journeys;
mod merges;
mod messages;
mod office;
mod postgres;
mod quiet;
mod recorded;
mod sdk;
mod segments;
mod server;
mod silence;
mod sink;
