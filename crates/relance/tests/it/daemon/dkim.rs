//! The least of DKIM (RFC 6376) that verifies a signature by a known key: relaxed/relaxed, rsa-sha256.
//! Hashing a body is ours, the verdict is OpenSSL's.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest as _, Sha256};
use tempfile::TempDir;

use super::{open_folder, run};

/// A key pair.
pub struct Key {
    folder: TempDir,
}

impl Key {
    pub fn create() -> Self {
        let folder = open_folder("dkim");
        let openssl = || {
            let mut command = Command::new("openssl");
            command.current_dir(folder.path());
            command
        };
        run(openssl().args(["genrsa", "-out", "private.pem", "2048"]));
        run(openssl().args(["rsa", "-in", "private.pem", "-pubout", "-out", "public.pem"]));
        Self { folder }
    }

    pub fn private(&self) -> PathBuf {
        self.folder.path().join("private.pem")
    }

    /// Verifies the first signature of a mail; returns the signed header names. The reason, if it is bad.
    pub fn verify(&self, mail: &[u8]) -> Result<Vec<String>, String> {
        verify(mail, self.folder.path())
    }
}

fn verify(mail: &[u8], folder: &Path) -> Result<Vec<String>, String> {
    let text = String::from_utf8(mail.to_vec()).map_err(|error| error.to_string())?;
    let text = text.replace("\r\n", "\n");
    let (head, body) = text.split_once("\n\n").ok_or("no body")?;
    let mut headers: Vec<String> = Vec::new();
    for line in head.lines() {
        match headers.last_mut() {
            Some(last) if line.starts_with([' ', '\t']) => {
                last.push_str("\r\n");
                last.push_str(line);
            }
            _ => headers.push(line.to_owned()),
        }
    }
    let named = |header: &str, name: &str| {
        header
            .split_once(':')
            .is_some_and(|(own, _)| own.trim().eq_ignore_ascii_case(name))
    };
    let own = headers
        .iter()
        .find(|header| named(header, "DKIM-Signature"))
        .ok_or("no DKIM-Signature")?;
    let (_, value) = own.split_once(':').ok_or("no value")?;
    let tag = |name: &str| {
        value.split(';').find_map(|part| {
            let (own, value) = part.split_once('=')?;
            (own.trim() == name).then(|| value.split_whitespace().collect::<String>())
        })
    };
    for (name, expected) in [("v", "1"), ("a", "rsa-sha256"), ("c", "relaxed/relaxed")] {
        if tag(name).as_deref() != Some(expected) {
            return Err(format!("{name}={:?}, not {expected}", tag(name)));
        }
    }
    let hash = STANDARD.encode(Sha256::digest(relaxed_body(body)));
    if tag("bh").as_deref() != Some(hash.as_str()) {
        return Err(format!("the body's hash is {hash}, not {:?}", tag("bh")));
    }
    let signed: Vec<String> = tag("h")
        .ok_or("no h")?
        .split(':')
        .map(str::to_lowercase)
        .collect();
    // Headers of the same name are taken from the bottom up; one that is not there counts as empty.
    let mut left: Vec<&String> = headers.iter().collect();
    let mut data = String::new();
    for name in &signed {
        if let Some(at) = left.iter().rposition(|header| named(header, name)) {
            data.push_str(&relaxed_header(left.remove(at)));
            data.push_str("\r\n");
        }
    }
    // The signature's own header goes in last, with its `b` empty.
    let parts: Vec<String> = value
        .split(';')
        .map(|part| match part.split_once('=') {
            Some((name, _)) if name.trim() == "b" => format!("{name}="),
            Some(_) | None => part.to_owned(),
        })
        .collect();
    data.push_str(&relaxed_header(&format!(
        "DKIM-Signature:{}",
        parts.join(";")
    )));
    let signature = tag("b").ok_or("no b")?;
    let signature = STANDARD
        .decode(signature)
        .map_err(|error| error.to_string())?;
    fs::write(folder.join("signature"), signature).map_err(|error| error.to_string())?;
    fs::write(folder.join("data"), data).map_err(|error| error.to_string())?;
    let verdict = Command::new("openssl")
        .current_dir(folder)
        .args([
            "dgst",
            "-sha256",
            "-verify",
            "public.pem",
            "-signature",
            "signature",
            "data",
        ])
        .output()
        .map_err(|error| error.to_string())?;
    match verdict.status.success() {
        true => Ok(signed),
        false => Err(String::from_utf8_lossy(&verdict.stdout).into_owned()),
    }
}

fn relaxed_header(header: &str) -> String {
    let (name, value) = header.split_once(':').unwrap_or((header, ""));
    let words: Vec<&str> = value.split_whitespace().collect();
    format!("{}:{}", name.trim().to_lowercase(), words.join(" "))
}

fn relaxed_body(body: &str) -> String {
    let mut relaxed = String::new();
    let mut empty = 0;
    for line in body.split_terminator('\n') {
        let mut squeezed = String::new();
        for char in line.chars() {
            match char {
                ' ' | '\t' if squeezed.ends_with(' ') => {}
                ' ' | '\t' => squeezed.push(' '),
                char => squeezed.push(char),
            }
        }
        let line = squeezed.trim_end_matches(' ');
        if line.is_empty() {
            empty += 1;
            continue;
        }
        relaxed.push_str(&"\r\n".repeat(empty));
        empty = 0;
        relaxed.push_str(line);
        relaxed.push_str("\r\n");
    }
    relaxed
}
