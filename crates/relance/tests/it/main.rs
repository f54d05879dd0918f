//! Integration tests: the whole program against real servers.

mod access;
mod accounts;
mod api;
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
mod lists;
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
