//! Tells Cargo to look at the built web interface, which a release takes in. Without it the program is built all the
//! same, and says on its first page how to build it.

use std::path::Path;

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    // While developing the files are read as they lie there.
    if std::env::var("PROFILE").is_ok_and(|profile| profile == "release") {
        let built = Path::new("../../web/dist");
        // A folder that is missing would be looked at as changed each time.
        if std::fs::create_dir_all(built).is_ok() {
            println!("cargo:rerun-if-changed={}", built.display());
        }
    }
}
