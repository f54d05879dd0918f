//! A part of the configuration that was changed in the interface.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{StoredProblem, Version, read, text};

const SHAPE: &str = "setting";
/// Bytes of one; a longer one was not written by this program.
pub const SETTING_BYTES_MAX: usize = 256 * 1024;

/// One section, whole, as it lies over the file; secrets in it are sealed.
#[derive(Debug, Clone, PartialEq)]
pub struct StoredSetting {
    /// What was said.
    pub value: Value,
    /// By whom.
    pub by: String,
    /// When.
    pub at: Timestamp,
}

#[derive(Serialize, Deserialize)]
struct SettingV1 {
    v: Version<1>,
    value: Value,
    by: String,
    at: Timestamp,
}

/// A setting as text; its section is the key of its row.
pub fn setting_text(setting: &StoredSetting) -> Result<String, StoredProblem> {
    let StoredSetting { value, by, at } = setting.clone();
    let v = Version;
    text(SHAPE, &SettingV1 { v, value, by, at })
}

/// A setting from text.
pub fn read_setting(body: &str) -> Result<StoredSetting, StoredProblem> {
    if body.len() > SETTING_BYTES_MAX {
        return Err(StoredProblem {
            shape: SHAPE,
            why: "it is too long".to_owned(),
        });
    }
    let SettingV1 {
        v: Version,
        value,
        by,
        at,
    } = read(SHAPE, body)?;
    Ok(StoredSetting { value, by, at })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_setting_is_as_version_1_wrote_it() {
        let golden = r#"{"v":1,"value":{"email":"21:00-09:00"},"by":"anna@shop.test","at":"2026-11-22T14:00:00Z"}"#;
        let setting = read_setting(golden).unwrap();
        assert_eq!(setting.by, "anna@shop.test");
        assert_eq!(setting.value["email"], "21:00-09:00");
        assert_eq!(setting_text(&setting).unwrap(), golden);
        for other in ["", "{}", &golden.replace("\"v\":1", "\"v\":2")] {
            assert!(read_setting(other).is_err(), "{other}");
        }
        let long = format!("{golden}{}", " ".repeat(SETTING_BYTES_MAX));
        assert!(
            read_setting(&long)
                .unwrap_err()
                .to_string()
                .contains("too long")
        );
    }
}
