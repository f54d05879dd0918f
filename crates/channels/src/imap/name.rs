//! Folder names: modified UTF-7 on the wire, and which folder holds what was sent.

use base64::Engine as _;
use base64::alphabet::IMAP_MUTF7;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

/// Modified UTF-7 (RFC 3501, section 5.1.3) uses its own alphabet, unpadded.
const MUTF7: GeneralPurpose = GeneralPurpose::new(
    &IMAP_MUTF7,
    GeneralPurposeConfig::new()
        .with_encode_padding(false)
        .with_decode_padding_mode(DecodePaddingMode::RequireNone)
        .with_decode_allow_trailing_bits(true),
);

/// What mail programs and providers call the folder of sent mail, best first. Lower case.
const SENT_NAMES: &[&str] = &[
    "sent",
    "sent items",
    "sent messages",
    "sent mail",
    "[gmail]/sent mail",
    "отправленные",
    "送信済み",
    "送信済みアイテム",
    "送信済みメール",
    "送信済みトレイ",
    "送信済トレイ",
    "gesendet",
    "gesendete elemente",
    "gesendete objekte",
    "gesendete nachrichten",
    "envoyés",
    "éléments envoyés",
    "messages envoyés",
    "enviados",
    "elementos enviados",
    "itens enviados",
    "mensajes enviados",
    "inviata",
    "posta inviata",
    "elementi inviati",
    "verzonden",
    "verzonden items",
    "wysłane",
    "elementy wysłane",
    "надіслані",
    "адпраўленыя",
    "жіберілгендер",
    "skickat",
    "skickade objekt",
    "sendt",
    "sendte elementer",
    "lähetetyt",
    "odeslané",
    "elküldött",
    "gönderilmiş öğeler",
    "gönderilenler",
    "已发送",
    "已发送邮件",
    "已傳送郵件",
    "寄件備份",
    "보낸편지함",
    "보낸 편지함",
];

/// The name of a folder as its server writes it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FolderName {
    raw: String,
}

impl FolderName {
    pub fn inbox() -> Self {
        Self::from_raw("INBOX")
    }

    /// From the form on the wire.
    pub fn from_raw(raw: impl Into<String>) -> Self {
        Self { raw: raw.into() }
    }

    /// From the form that people read.
    pub fn from_text(text: &str) -> Self {
        Self { raw: encode(text) }
    }

    /// The form on the wire; stable, so this is what is stored with a cursor.
    pub fn raw(&self) -> &str {
        &self.raw
    }

    /// The form that people read. A name that is not modified UTF-7 is given as it is.
    pub fn text(&self) -> String {
        decode(&self.raw).unwrap_or_else(|| self.raw.clone())
    }
}

/// One folder of a listing.
#[derive(Clone, Debug)]
pub(super) struct ListedFolder {
    pub(super) name: FolderName,
    pub(super) delimiter: Option<String>,
    pub(super) sent: bool,
    /// The server marks it as one of nobody's interest: drafts, junk, trash.
    pub(super) other: bool,
    pub(super) selectable: bool,
}

/// The folder of sent mail: marked by the server (RFC 6154), else known by its name.
pub(super) fn pick_sent(folders: &[ListedFolder]) -> Option<FolderName> {
    let selectable = || folders.iter().filter(|folder| folder.selectable);
    if let Some(marked) = selectable().find(|folder| folder.sent) {
        return Some(marked.name.clone());
    }
    selectable()
        .filter_map(|folder| Some((sent_rank(folder)?, folder)))
        .min_by_key(|(rank, folder)| (*rank, folder.name.raw.len()))
        .map(|(_, folder)| folder.name.clone())
}

/// All folders of sent mail, the one to file in first: beside the marked one, those next to it that some mail
/// program made in its own language. At most [`SENT_FOLDERS_MAX`].
pub(super) fn pick_all_sent(folders: &[ListedFolder]) -> Vec<FolderName> {
    let Some(main) = pick_sent(folders) else {
        return Vec::new();
    };
    let parent = |folder: &ListedFolder| {
        let delimiter = folder.delimiter.clone().filter(|text| !text.is_empty());
        let parent = delimiter.and_then(|delimiter| {
            let (parent, _) = folder.name.raw.rsplit_once(&delimiter)?;
            Some(parent.to_owned())
        });
        // What lies in the inbox lies beside it, for servers that keep everything in it.
        parent.filter(|parent| !parent.eq_ignore_ascii_case("INBOX"))
    };
    let home = folders.iter().find(|folder| folder.name == main);
    let home = home.and_then(parent);
    let twins = folders.iter().filter(|folder| {
        folder.selectable
            && folder.name != main
            && sent_rank(folder).is_some()
            && parent(folder).is_none_or(|parent| Some(parent) == home)
    });
    let twins = twins.map(|folder| folder.name.clone());
    std::iter::once(main.clone())
        .chain(twins)
        .take(SENT_FOLDERS_MAX)
        .collect()
}

/// Folders of sent mail that are watched.
pub(super) const SENT_FOLDERS_MAX: usize = 4;

fn sent_rank(folder: &ListedFolder) -> Option<usize> {
    let whole = folder.name.text().to_lowercase();
    let last = match folder.delimiter.as_deref() {
        Some(delimiter) if !delimiter.is_empty() => {
            whole.rsplit(delimiter).next().unwrap_or(&whole)
        }
        Some(_) | None => &whole,
    };
    SENT_NAMES
        .iter()
        .position(|name| *name == last || *name == whole)
}

fn encode(text: &str) -> String {
    let mut raw = String::with_capacity(text.len());
    let mut shifted: Vec<u8> = Vec::new();
    let flush = |shifted: &mut Vec<u8>, raw: &mut String| {
        if !shifted.is_empty() {
            raw.push('&');
            raw.push_str(&MUTF7.encode(&*shifted));
            raw.push('-');
            shifted.clear();
        }
    };
    for c in text.chars() {
        if matches!(c, ' '..='~') {
            flush(&mut shifted, &mut raw);
            raw.push(c);
            if c == '&' {
                raw.push('-');
            }
        } else {
            let mut units = [0u16; 2];
            for unit in c.encode_utf16(&mut units) {
                shifted.extend(unit.to_be_bytes());
            }
        }
    }
    flush(&mut shifted, &mut raw);
    raw
}

fn decode(raw: &str) -> Option<String> {
    let mut text = String::with_capacity(raw.len());
    let mut rest = raw;
    while let Some((plain, shifted)) = rest.split_once('&') {
        text.push_str(plain);
        let (encoded, after) = shifted.split_once('-')?;
        if encoded.is_empty() {
            text.push('&');
        } else {
            let bytes = MUTF7.decode(encoded).ok()?;
            let (pairs, odd) = bytes.as_chunks::<2>();
            if !odd.is_empty() {
                return None;
            }
            let units = pairs.iter().map(|pair| u16::from_be_bytes(*pair));
            for c in char::decode_utf16(units) {
                text.push(c.ok()?);
            }
        }
        rest = after;
    }
    text.push_str(rest);
    Some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn modified_utf7_both_ways() {
        for (raw, text) in [
            ("INBOX", "INBOX"),
            ("Tom &- Jerry", "Tom & Jerry"),
            ("&BB4EQgQ,BEAEMAQyBDsENQQ9BD0ESwQ1-", "Отправленные"),
            ("&kAFP4W4IMH8-", "送信済み"),
            ("~peter/mail/&U,BTFw-/&ZeVnLIqe-", "~peter/mail/台北/日本語"),
            ("&2D3cjA-", "💌"),
        ] {
            assert_eq!(FolderName::from_raw(raw).text(), text);
            assert_eq!(FolderName::from_text(text).raw(), raw);
        }
    }

    #[test]
    fn broken_modified_utf7_is_shown_as_it_is() {
        for raw in ["a&b", "&AA-", "&2D0-", "&*-", "&-&"] {
            assert_eq!(FolderName::from_raw(raw).text(), raw);
        }
    }

    fn listed(raw: &str, sent: bool) -> ListedFolder {
        ListedFolder {
            name: FolderName::from_raw(raw),
            delimiter: Some("/".into()),
            sent,
            other: false,
            selectable: true,
        }
    }

    #[test]
    fn sent_is_found_by_mark_then_by_name() {
        let pick = |folders: &[ListedFolder]| pick_sent(folders).map(|name| name.text());
        let marked = [listed("Sent", false), listed("Outgoing", true)];
        assert_eq!(pick(&marked).as_deref(), Some("Outgoing"));
        for name in [
            "Отправленные",
            "送信済みアイテム",
            "Gesendet",
            "Sent Items",
            "[Gmail]/Sent Mail",
        ] {
            let raw = FolderName::from_text(name);
            let folders = [
                listed("INBOX", false),
                listed("INBOX/Archive", false),
                listed(raw.raw(), false),
            ];
            assert_eq!(pick(&folders).as_deref(), Some(name));
        }
        let nested = [listed("INBOX", false), listed("INBOX/Sent", false)];
        assert_eq!(pick(&nested).as_deref(), Some("INBOX/Sent"));
        // Of two, the shorter: an archive below another folder is not where new mail goes.
        let two = [listed("Archive/2020/Sent", false), listed("Sent", false)];
        assert_eq!(pick(&two).as_deref(), Some("Sent"));
        assert_eq!(
            pick(&[listed("INBOX", false), listed("Unsent", false)]),
            None
        );
        // Twins that mail programs made, beside the marked one; not those of an archive.
        let sent = FolderName::from_text("Отправленные");
        let twins = [
            listed("Archive/Sent", false),
            listed("INBOX/Gesendet", false),
            listed(sent.raw(), false),
            listed("Sent", true),
        ];
        let all: Vec<String> = pick_all_sent(&twins).iter().map(FolderName::text).collect();
        assert_eq!(all, ["Sent", "INBOX/Gesendet", "Отправленные"]);
        assert!(pick_all_sent(&[listed("INBOX", false)]).is_empty());
        let unselectable = [ListedFolder {
            selectable: false,
            ..listed("Sent", true)
        }];
        assert_eq!(pick(&unselectable), None);
    }
}
