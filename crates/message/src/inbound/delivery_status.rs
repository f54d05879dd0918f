//! Groups of `Name: value` fields of report parts (RFC 3464, 5965, 8098).

/// Most groups read of one part.
const GROUPS_MAX: usize = 1 + super::RECIPIENTS_MAX;
/// Most fields kept of one group.
const FIELDS_MAX: usize = 100;
/// Most bytes of a report read.
const REPORT_BYTES_MAX: usize = 512 * 1024;
/// Longest value kept, in bytes.
const VALUE_BYTES_MAX: usize = 8 * 1024;

/// Fields that open another group when they come again.
const ONCE_A_GROUP: [&str; 3] = ["final-recipient", "original-recipient", "action"];

/// A group of fields; names in lower case, values unfolded.
#[derive(Debug, Default)]
pub(super) struct Group {
    fields: Vec<(String, String)>,
}

impl Group {
    pub fn get(&self, name: &str) -> Option<&str> {
        self.fields
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.trim())
    }

    /// `name` is a constant of the caller, in lower case.
    pub fn all(&self, name: &'static str) -> impl Iterator<Item = &str> {
        self.fields
            .iter()
            .filter(move |(key, _)| key == name)
            .map(|(_, value)| value.trim())
    }
}

/// Reads the groups, tolerant of spaces before the colon and of unindented continuations.
pub(super) fn groups(text: &str) -> Vec<Group> {
    let mut groups = vec![Group::default()];
    for line in super::head_of(text, REPORT_BYTES_MAX).lines() {
        let group = groups.last_mut().expect("never empty");
        if line.trim().is_empty() {
            if !group.fields.is_empty() && groups.len() < GROUPS_MAX {
                groups.push(Group::default());
            }
            continue;
        }
        let field = line.split_once(':').filter(|(name, _)| {
            let name = name.trim_end();
            !name.is_empty()
                && name.len() <= 64
                && name
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
                && !line.starts_with([' ', '\t'])
        });
        match field {
            Some((name, value)) if is_field(name.trim_end()) => {
                // Some reporters forget the empty line between recipients.
                let again = ONCE_A_GROUP.iter().any(|once| {
                    name.trim_end().eq_ignore_ascii_case(once) && group.get(once).is_some()
                });
                if again && groups.len() < GROUPS_MAX {
                    groups.push(Group::default());
                }
                let group = groups.last_mut().expect("never empty");
                if group.fields.len() < FIELDS_MAX {
                    let name = name.trim_end().to_ascii_lowercase();
                    group.fields.push((name, value.trim().to_owned()));
                }
            }
            _ => {
                if let Some((_, value)) = group.fields.last_mut()
                    && value.len() + line.len() < VALUE_BYTES_MAX
                {
                    value.push(' ');
                    value.push_str(line.trim());
                }
            }
        }
    }
    groups.retain(|group| !group.fields.is_empty());
    groups
}

/// A continuation line such as `host: text` must not pass for a field: names have a dash or are
/// among the few known without one.
fn is_field(name: &str) -> bool {
    name.contains('-')
        || [
            "action",
            "status",
            "version",
            "source",
            "incidents",
            "disposition",
        ]
        .iter()
        .any(|known| name.eq_ignore_ascii_case(known))
}

/// `rfc822; a@b` to `a@b`; the type may be missing, the address may be in brackets.
pub(super) fn typed_address(value: &str) -> &str {
    let value = match value.split_once(';') {
        Some((kind, rest)) if !kind.contains('@') => rest,
        _ => value,
    };
    let value = value.trim();
    // Comments and names may surround it.
    match (value.find('<'), value.rfind('>')) {
        (Some(open), Some(close)) if open < close => value[open + 1..close].trim(),
        _ => value.trim_matches(['<', '>', ' ']),
    }
}

/// Whether it is one address and nothing else.
pub(super) fn is_address(value: &str) -> bool {
    let Some((local, domain)) = value.rsplit_once('@') else {
        return false;
    };
    let plain = |text: &str| !text.is_empty() && !text.contains([' ', '\t', '<', '>', '|', '/']);
    let local_good = plain(local) || (local.starts_with('"') && local.ends_with('"')) || {
        // VERP and Exchange addresses hold slashes and pipes never; BATV holds `=` and `+`.
        !local.is_empty() && !local.contains([' ', '\t', '<', '>', '|']) && !local.starts_with('/')
    };
    local_good && plain(domain) && value.len() <= 320
}
