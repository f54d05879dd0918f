//! Certificates of a test: an authority, what it signed for `localhost`, and a stranger's authority.

use std::path::{Path, PathBuf};
use std::process::Command;

/// Where they lie.
#[derive(Debug)]
pub(super) struct Certificates {
    /// The server's.
    pub(super) certificate: PathBuf,
    /// Its key.
    pub(super) key: PathBuf,
    /// Whoever signed it.
    pub(super) authority: PathBuf,
    /// Somebody else.
    pub(super) stranger: PathBuf,
}

impl Certificates {
    /// Makes them in a folder by `openssl`, which `as_user` begins.
    pub(super) fn make(folder: &Path, as_user: impl Fn(&Path) -> Command) -> Self {
        const NEW: &str = "req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -batch";
        const NAMES: &str = "subjectAltName=DNS:localhost";
        let run = |line: &str| {
            let mut openssl = as_user(Path::new("openssl"));
            let done = openssl.current_dir(folder).args(line.split(' ')).output();
            let done = done.expect("openssl runs; scripts/install-test-deps.sh brings it");
            let told = String::from_utf8_lossy(&done.stderr).into_owned();
            assert!(done.status.success(), "openssl {line}: {told}");
        };
        for name in ["authority", "stranger"] {
            run(&format!(
                "{NEW} -x509 -days 30 -subj /CN={name} -keyout {name}.key -out {name}.pem"
            ));
        }
        run(&format!(
            "{NEW} -subj /CN=localhost -addext {NAMES} -keyout server.key -out server.csr"
        ));
        run(
            "x509 -req -days 30 -in server.csr -copy_extensions copy -CA authority.pem -CAkey authority.key \
             -CAcreateserial -out server.pem",
        );
        let path = |name: &str| folder.join(name);
        Self {
            certificate: path("server.pem"),
            key: path("server.key"),
            authority: path("authority.pem"),
            stranger: path("stranger.pem"),
        }
    }
}
