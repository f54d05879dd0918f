//! A text that lies beside the tests and is read in review: what changes it changes the file.

use std::path::Path;

/// The variable of the environment by which the files are written anew.
const WRITES: &str = "RELANCE_WRITE_GOLDEN";

/// Compares a text with the file of this name in `tests/golden`.
pub fn check(name: &str, text: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/golden")
        .join(name);
    if std::env::var_os(WRITES).is_some() {
        std::fs::write(&path, text).expect("the file is written");
    }
    let known = std::fs::read_to_string(&path).unwrap_or_default();
    if known == text {
        return;
    }
    let differs = known
        .lines()
        .zip(text.lines())
        .find(|(old, new)| old != new);
    panic!(
        "{name} says something else, first {differs:?}; look at the change, and write the file with {WRITES}=1"
    );
}
