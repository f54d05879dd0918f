//! A message's place in a conversation: its id, the ids it answers, `Re:`, the quotation.
//!
//! **Absent:** the search for the thread; see the crate's inbound half.

use super::html;

/// References a message carries: the first, which names the thread, and the latest.
pub const REFERENCES_MAX: usize = 20;
/// Bytes of one Message-ID of someone else.
const MESSAGE_ID_BYTES_MAX: usize = 250;
/// Bytes of an original that are quoted.
pub const QUOTE_BYTES_MAX: usize = 16 * 1024;
/// Prefixes taken off a subject, one after another.
const PREFIXES_MAX: usize = 16;
const OWN_PREFIX: &str = "relance.";

/// "Re" as mail programs of the world write it, lower-case.
const REPLY_PREFIXES: [&str; 22] = [
    "re",
    "aw",
    "antw",
    "sv",
    "vs",
    "odp",
    "ynt",
    "rif",
    "res",
    "bls",
    "atb",
    "回复",
    "回覆",
    "答复",
    "答覆",
    "返信",
    "ответ",
    "отв",
    "відп",
    "απ",
    "השב",
    "رد",
];

/// The Message-ID of a touchpoint, without angle brackets: the same for ever, so that a message
/// whose fate a crash has hidden can be looked for in a mailbox.
pub fn message_id(touchpoint: &str, domain: &str) -> String {
    let mut local = String::with_capacity(touchpoint.len() + OWN_PREFIX.len());
    local.push_str(OWN_PREFIX);
    for byte in touchpoint.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-') {
            local.push(char::from(byte));
        } else {
            // Injective: `+` stands for nothing else.
            local.push_str(&format!("+{byte:02x}"));
        }
    }
    let domain: String = domain
        .chars()
        .filter(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '-'))
        .collect::<String>()
        .to_ascii_lowercase();
    let domain = domain.trim_matches(['.', '-']);
    let domain = if domain.is_empty() {
        "localhost"
    } else {
        domain
    };
    format!("{local}@{domain}")
}

/// The touchpoint of a Message-ID made by [`message_id`], with or without angle brackets.
pub fn touchpoint_of(message_id: &str) -> Option<String> {
    let id = bare_id(message_id);
    let local = id.strip_prefix(OWN_PREFIX)?.split('@').next()?;
    let mut bytes = Vec::with_capacity(local.len());
    let mut rest = local.as_bytes();
    while let Some((first, tail)) = rest.split_first() {
        if *first == b'+' {
            let code = std::str::from_utf8(tail.get(..2)?).ok()?;
            bytes.push(u8::from_str_radix(code, 16).ok()?);
            rest = tail.get(2..)?;
        } else {
            bytes.push(*first);
            rest = tail;
        }
    }
    let touchpoint = String::from_utf8(bytes).ok()?;
    (!touchpoint.is_empty()).then_some(touchpoint)
}

/// Takes the angle brackets off.
pub(super) fn bare_id(id: &str) -> &str {
    let id = id.trim();
    id.strip_prefix('<')
        .and_then(|id| id.strip_suffix('>'))
        .unwrap_or(id)
}

/// Whether a Message-ID can be written into a header as it is.
pub(super) fn is_usable_id(id: &str) -> bool {
    !id.is_empty()
        && id.len() <= MESSAGE_ID_BYTES_MAX
        && id
            .bytes()
            .all(|b| b.is_ascii_graphic() && !matches!(b, b'<' | b'>'))
}

/// `References` of an answer (RFC 5322, 3.6.4): the parent's, else its `In-Reply-To`, then its id.
///
/// Unusable ids are left out, doubles too; of a long thread the first and the latest stay.
pub fn references_for_reply<S: AsRef<str>>(
    parent_id: &str,
    parent_references: &[S],
    parent_in_reply_to: Option<&str>,
) -> Vec<String> {
    let earlier: Vec<&str> = if parent_references.is_empty() {
        parent_in_reply_to.into_iter().collect()
    } else {
        parent_references.iter().map(AsRef::as_ref).collect()
    };
    let ids = earlier.into_iter().chain([parent_id]);
    capped(ids)
}

/// The first and the latest ids, at most [`REFERENCES_MAX`], without doubles.
pub(super) fn capped<'a>(ids: impl Iterator<Item = &'a str>) -> Vec<String> {
    let mut kept: Vec<String> = Vec::new();
    for id in ids.map(bare_id).filter(|id| is_usable_id(id)) {
        // The latest mention counts: the parent comes last.
        if let Some(at) = kept.iter().position(|k| k == id) {
            if at == 0 {
                continue;
            }
            kept.remove(at);
        }
        kept.push(id.to_owned());
        if kept.len() > REFERENCES_MAX {
            kept.remove(1);
        }
    }
    kept
}

/// The subject of an answer: `Re: ` once, whatever stood before.
pub fn reply_subject(original: &str) -> String {
    let mut rest = original.trim();
    for _ in 0..PREFIXES_MAX {
        match without_prefix(rest) {
            Some(shorter) => rest = shorter,
            None => break,
        }
    }
    let rest: String = rest
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect();
    format!("Re: {rest}").trim_end().to_owned()
}

/// Takes one `Re:`, `RE[2]:`, `Ответ:`, `回复：` off.
fn without_prefix(subject: &str) -> Option<&str> {
    let (at, colon) = subject
        .char_indices()
        .find(|(_, c)| matches!(c, ':' | '：'))?;
    let word = subject[..at].trim().to_lowercase();
    let word = word.trim_end_matches(|c: char| {
        c.is_ascii_digit() || matches!(c, '[' | ']' | '(' | ')' | '^' | ' ')
    });
    REPLY_PREFIXES
        .contains(&word)
        .then(|| subject[at + colon.len_utf8()..].trim_start())
}

/// The original below an answer, as text: a line that says whose it is, then `> ` lines.
pub fn quote_text(attribution: &str, original: &str) -> String {
    let (original, cut) = head_of(original);
    let mut out = String::with_capacity(original.len() + original.len() / 8 + attribution.len());
    out.push_str(&single_line(attribution));
    out.push('\n');
    for line in original.trim_end().lines() {
        let line = line.trim_end();
        // A quotation of a quotation needs no space between its marks, nor does an empty line.
        let bare = line.is_empty() || line.starts_with('>');
        out.push_str(if bare { ">" } else { "> " });
        out.push_str(line);
        out.push('\n');
    }
    if cut {
        out.push_str("> [...]\n");
    }
    out
}

/// The same as HTML, from text.
pub fn quote_html(attribution: &str, original: &str) -> String {
    let (original, cut) = head_of(original);
    let body = html::escape(original.trim_end()).replace('\n', "<br>\n");
    let end = if cut { "<br>\n[...]" } else { "" };
    format!(
        "<div>{}</div>\n<blockquote style=\"margin:0 0 0 .8ex;border-left:1px solid #ccc;padding-left:1ex\">{body}{end}</blockquote>\n",
        html::escape(&single_line(attribution)),
    )
}

fn head_of(original: &str) -> (&str, bool) {
    if original.len() <= QUOTE_BYTES_MAX {
        return (original, false);
    }
    let mut end = QUOTE_BYTES_MAX;
    while !original.is_char_boundary(end) {
        end -= 1;
    }
    (&original[..end], true)
}

fn single_line(text: &str) -> String {
    text.chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect::<String>()
        .trim()
        .to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn message_ids_can_be_read_back() {
        assert_eq!(
            message_id("tch_01jc4x", "Firm.Example"),
            "relance.tch_01jc4x@firm.example"
        );
        for touchpoint in ["tch_1", "a b>\r\n", "+2b", "я", "tch-2@x"] {
            let id = message_id(touchpoint, "firm.example");
            assert!(is_usable_id(&id), "{id}");
            assert_eq!(
                touchpoint_of(&format!(" <{id}>")).as_deref(),
                Some(touchpoint)
            );
        }
        assert_eq!(message_id("t", "\r\n<>"), "relance.t@localhost");
        for other in [
            "",
            "x@y",
            "relance.@y",
            "relance.+@y",
            "relance.+zz@y",
            "relance.+é@y",
        ] {
            assert_eq!(touchpoint_of(other), None, "{other}");
        }
    }

    #[test]
    fn re_does_not_stack() {
        for (original, expected) in [
            ("Offer 12", "Re: Offer 12"),
            ("Re: Offer 12", "Re: Offer 12"),
            ("RE: re: Re[2]: RE(3): Offer", "Re: Offer"),
            ("Ответ: Отв: Предложение", "Re: Предложение"),
            ("AW: Antw: Angebot", "Re: Angebot"),
            ("回复：报价", "Re: 报价"),
            ("返信: お見積り", "Re: お見積り"),
            ("Fwd: Re: x", "Re: Fwd: Re: x"),
            ("Price: 12", "Re: Price: 12"),
            ("Re: a\r\nBcc: x@y.example", "Re: a  Bcc: x@y.example"),
            ("", "Re:"),
        ] {
            assert_eq!(reply_subject(original), expected);
            let again = reply_subject(&reply_subject(original));
            assert_eq!(again, expected, "a second time");
        }
        assert!(reply_subject(&"Re: ".repeat(100_000)).len() < 500_000);
    }

    #[test]
    fn references_follow_the_standard() {
        let none: [&str; 0] = [];
        assert_eq!(
            references_for_reply("<c@x>", &["<a@x>", "b@x"], Some("z@x")),
            ["a@x", "b@x", "c@x"]
        );
        assert_eq!(
            references_for_reply("c@x", &none, Some("<b@x>")),
            ["b@x", "c@x"]
        );
        assert_eq!(references_for_reply("c@x", &none, None), ["c@x"]);
        assert_eq!(
            references_for_reply("b@x", &["a@x", "b@x", "bad id", "x\r\ny", "c@x"], None),
            ["a@x", "c@x", "b@x"]
        );
    }

    #[test]
    fn long_threads_keep_their_first_and_latest_ids() {
        let many: Vec<String> = (0..5_000).map(|i| format!("{i}@x")).collect();
        let kept = references_for_reply("last@x", &many, None);
        assert_eq!(kept.len(), REFERENCES_MAX);
        assert_eq!(kept[0], "0@x");
        assert_eq!(kept[1], "4982@x");
        assert_eq!(kept[REFERENCES_MAX - 1], "last@x");
    }

    #[test]
    fn quotations_are_marked_and_bounded() {
        assert_eq!(
            quote_text("Ann wrote:\r\n", "Hello\n> older\n\nBye\n\n"),
            "Ann wrote:\n> Hello\n>> older\n>\n> Bye\n"
        );
        let long = "ж".repeat(QUOTE_BYTES_MAX);
        let quoted = quote_text("A:", &long);
        assert!(quoted.len() < QUOTE_BYTES_MAX + 100 && quoted.ends_with("> [...]\n"));
        assert!(quote_html("<A>", "<b>\nc").contains("&lt;b&gt;<br>\nc</blockquote>"));
    }
}
