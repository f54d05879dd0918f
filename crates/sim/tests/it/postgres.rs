//! The same lives on a PostgreSQL server.

use relance_sim::run_at;
use relance_store::testing::postgres::Server;
use relance_store::{DatabaseUrl, Place};

/// Lives that every run of the tests looks at: a life there takes a second or two.
const LIVES: u64 = 6;

#[test]
fn lives_on_a_server_hold_every_invariant() {
    let Some(server) = Server::start() else {
        return;
    };
    for seed in 0..LIVES {
        let url = DatabaseUrl::parse(&server.url(&format!("life_{seed}"))).expect("a URL");
        let report = run_at(seed, Place::Server(url));
        assert!(
            report.broken.is_empty(),
            "seed {seed}: {:#?}",
            report.broken
        );
    }
}
