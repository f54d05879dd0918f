//! Two contacts turn out to be one, while journeys run: nobody gets a message twice, nothing is lost.

mod halves;
mod life;
mod messages;
mod moments;
mod random;
mod runs;

use self::life::Life;

/// The lives of ana and bob, who have an address each.
fn two(rules: &str) -> Life {
    Life::new(&format!(
        "
contact ana email=ana@client.test
contact bob email=bob@client.test
{rules}"
    ))
}
