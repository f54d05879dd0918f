//! Enough of Rust's and SQL's lexical grammar to tell identifiers, strings and comments apart.
//!
//! Never fails and never recurses: an unterminated string or comment ends with the text. Every token
//! is a slice of the input with the line where it starts.

/// What a token is; everything that no check looks at is `Other`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Identifier,
    /// A string of any kind, with its quotes and prefix.
    Text,
    Comment,
    Other,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Token<'a> {
    pub kind: Kind,
    pub text: &'a str,
    /// Where it starts, counted from one.
    pub line: usize,
}

/// The tokens of Rust source; white space is left out.
pub fn rust(source: &str) -> Vec<Token<'_>> {
    tokens(source, rust_token)
}

/// The tokens of SQL; white space is left out. A quoted name is an identifier.
pub fn sql(source: &str) -> Vec<Token<'_>> {
    tokens(source, sql_token)
}

/// What marks an item as test code.
const TEST_MARK: [&str; 7] = ["#", "[", "cfg", "(", "test", ")", "]"];

/// The modules in files of their own (`mod name;`) that are declared under `#[cfg(test)]`.
pub fn test_modules<'a>(tokens: &[Token<'a>]) -> Vec<&'a str> {
    let code: Vec<&str> = tokens
        .iter()
        .filter(|t| t.kind != Kind::Comment)
        .map(|t| t.text)
        .collect();
    let length = TEST_MARK.len();
    code.windows(length + 3)
        .filter(|w| w[..length] == TEST_MARK && w[length] == "mod" && w[length + 2] == ";")
        .map(|w| w[length + 1])
        .collect()
}

/// The tokens without those of items under `#[cfg(test)]`.
pub fn without_tests<'a>(tokens: &[Token<'a>]) -> Vec<Token<'a>> {
    let code: Vec<Token<'a>> = tokens
        .iter()
        .copied()
        .filter(|t| t.kind != Kind::Comment)
        .collect();
    let mut kept = Vec::with_capacity(code.len());
    let mut at = 0;
    while at < code.len() {
        let marked = code.len() - at >= TEST_MARK.len()
            && TEST_MARK.iter().zip(&code[at..]).all(|(m, t)| *m == t.text);
        if marked {
            at = end_of_item(&code, at + TEST_MARK.len());
        } else {
            kept.push(code[at]);
            at += 1;
        }
    }
    kept
}

/// The index after an item: its closing brace, or the semicolon of an item without a body.
fn end_of_item(code: &[Token<'_>], from: usize) -> usize {
    let mut depth = 0_usize;
    for (offset, token) in code[from..].iter().enumerate() {
        match token.text {
            "{" => depth += 1,
            "}" if depth <= 1 => return from + offset + 1,
            "}" => depth -= 1,
            ";" if depth == 0 => return from + offset + 1,
            _ => {}
        }
    }
    code.len()
}

fn tokens(source: &str, next: fn(&str) -> (Kind, usize)) -> Vec<Token<'_>> {
    let mut found = Vec::new();
    let mut rest = source;
    let mut line = 1;
    loop {
        let trimmed = rest.trim_start();
        line += newlines(&rest[..rest.len() - trimmed.len()]);
        rest = trimmed;
        if rest.is_empty() {
            return found;
        }
        let (kind, length) = next(rest);
        let (text, after) = rest.split_at(length);
        found.push(Token { kind, text, line });
        line += newlines(text);
        rest = after;
    }
}

fn newlines(text: &str) -> usize {
    text.bytes().filter(|b| *b == b'\n').count()
}

fn rust_token(rest: &str) -> (Kind, usize) {
    if rest.starts_with("//") {
        return (Kind::Comment, line_length(rest));
    }
    if rest.starts_with("/*") {
        return (Kind::Comment, block_comment_length(rest));
    }
    if let Some(length) = rust_string_length(rest) {
        return (Kind::Text, length);
    }
    if let Some(name) = rest.strip_prefix("r#") {
        let length = name_length(name);
        if length > 0 {
            return (Kind::Identifier, 2 + length);
        }
    }
    if rest.starts_with('\'') {
        return (Kind::Other, char_or_lifetime_length(rest));
    }
    name_or_one(rest)
}

fn sql_token(rest: &str) -> (Kind, usize) {
    if rest.starts_with("--") {
        return (Kind::Comment, line_length(rest));
    }
    if let Some(body) = rest.strip_prefix("/*") {
        let length = body.find("*/").map_or(rest.len(), |end| end + 4);
        return (Kind::Comment, length);
    }
    if let Some(body) = rest.strip_prefix('\'') {
        return (
            Kind::Text,
            body.find('\'').map_or(rest.len(), |end| end + 2),
        );
    }
    if let Some(body) = rest.strip_prefix('"') {
        return (
            Kind::Identifier,
            body.find('"').map_or(rest.len(), |end| end + 2),
        );
    }
    name_or_one(rest)
}

/// A name, a number, or one character of anything else.
fn name_or_one(rest: &str) -> (Kind, usize) {
    let length = name_length(rest);
    if length > 0 {
        let kind = if rest.starts_with(|c: char| c.is_ascii_digit()) {
            Kind::Other
        } else {
            Kind::Identifier
        };
        return (kind, length);
    }
    (Kind::Other, rest.chars().next().map_or(1, char::len_utf8))
}

fn name_length(rest: &str) -> usize {
    rest.find(|c: char| !c.is_alphanumeric() && c != '_')
        .unwrap_or(rest.len())
}

fn line_length(rest: &str) -> usize {
    rest.find('\n').unwrap_or(rest.len())
}

fn block_comment_length(rest: &str) -> usize {
    let bytes = rest.as_bytes();
    let mut depth = 0_usize;
    let mut at = 0;
    while at + 1 < bytes.len() {
        match &bytes[at..at + 2] {
            b"/*" => {
                depth += 1;
                at += 2;
            }
            b"*/" => {
                depth -= 1;
                at += 2;
                if depth == 0 {
                    return at;
                }
            }
            _ => at += 1,
        }
    }
    rest.len()
}

/// The length of a string that starts here, of any kind: plain, byte, C, raw.
fn rust_string_length(rest: &str) -> Option<usize> {
    let prefix = ["br", "cr", "b", "c", "r", ""].into_iter().find(|prefix| {
        rest.strip_prefix(prefix)
            .is_some_and(|after| after.starts_with(['"', '#']))
    })?;
    let after = &rest[prefix.len()..];
    if !prefix.ends_with('r') {
        return after
            .starts_with('"')
            .then(|| prefix.len() + plain_length(after));
    }
    let hashes = after.bytes().take_while(|b| *b == b'#').count();
    let body = after[hashes..].strip_prefix('"')?;
    let close = format!("\"{}", "#".repeat(hashes));
    let length = body
        .find(&close)
        .map_or(body.len(), |end| end + close.len());
    Some(prefix.len() + hashes + 1 + length)
}

/// The length of a quoted string with backslash escapes, which starts with its quote.
fn plain_length(rest: &str) -> usize {
    let mut escaped = false;
    for (at, byte) in rest.bytes().enumerate().skip(1) {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => return at + 1,
            _ => {}
        }
    }
    rest.len()
}

fn char_or_lifetime_length(rest: &str) -> usize {
    let body = &rest[1..];
    if let Some(escape) = body.strip_prefix('\\') {
        // The escaped character itself may be a quote.
        let first = escape.chars().next().map_or(0, char::len_utf8);
        return escape[first..]
            .find('\'')
            .map_or(rest.len(), |end| 1 + 1 + first + end + 1);
    }
    let first = body.chars().next().map_or(0, char::len_utf8);
    if body[first..].starts_with('\'') {
        return 1 + first + 1;
    }
    1 + name_length(body)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of_kind(tokens: &[Token<'_>], kind: Kind) -> Vec<String> {
        tokens
            .iter()
            .filter(|t| t.kind == kind)
            .map(|t| format!("{}:{}", t.line, t.text))
            .collect()
    }

    #[test]
    fn strings_comments_and_names_are_told_apart() {
        let source = "fn a() { // lead\n  /* x /* y */ z */ let s = \"q\\\"r\";\n}\n";
        let tokens = rust(source);
        assert_eq!(
            of_kind(&tokens, Kind::Identifier),
            ["1:fn", "1:a", "2:let", "2:s"]
        );
        assert_eq!(of_kind(&tokens, Kind::Text), ["2:\"q\\\"r\""]);
        assert_eq!(
            of_kind(&tokens, Kind::Comment),
            ["1:// lead", "2:/* x /* y */ z */"]
        );
    }

    #[test]
    fn raw_and_byte_strings_end_where_they_should() {
        let tokens = rust("r#\"a \" b\"# b\"c\" br\"d\" r#type x");
        assert_eq!(
            of_kind(&tokens, Kind::Text),
            ["1:r#\"a \" b\"#", "1:b\"c\"", "1:br\"d\""]
        );
        assert_eq!(of_kind(&tokens, Kind::Identifier), ["1:r#type", "1:x"]);
    }

    #[test]
    fn quotes_in_characters_do_not_open_strings() {
        for source in [
            "'\"' name",
            "'\\'' name",
            "'\\u{22}' name",
            "<'a> name",
            "'я' name",
        ] {
            let tokens = rust(source);
            assert_eq!(of_kind(&tokens, Kind::Text), Vec::<String>::new());
            assert_eq!(
                of_kind(&tokens, Kind::Identifier),
                ["1:name"],
                "in {source}"
            );
        }
    }

    #[test]
    fn unterminated_text_ends_with_the_file() {
        for source in [
            "\"abc",
            "/* abc",
            "r#\"abc\"",
            "'\\",
            "'",
            "b\"",
            "\"\\",
            "r#",
        ] {
            let tokens = rust(source);
            let whole: String = tokens.iter().map(|t| t.text).collect();
            assert_eq!(whole, source);
        }
        assert_eq!(sql("'abc").len(), 1);
        assert_eq!(sql("/* abc").len(), 1);
    }

    #[test]
    fn lines_are_counted_through_every_kind_of_token() {
        let tokens = rust("\"a\nb\"\n/* c\nd */ e");
        assert_eq!(of_kind(&tokens, Kind::Identifier), ["4:e"]);
    }

    #[test]
    fn test_items_are_left_out() {
        let source = "fn a() {} #[cfg(test)] mod tests { fn b() { {} } } fn c() {} \
                      #[cfg(test)] mod d; fn e() {}";
        let names: Vec<&str> = without_tests(&rust(source))
            .iter()
            .filter(|t| t.kind == Kind::Identifier && t.text != "fn")
            .map(|t| t.text)
            .collect();
        assert_eq!(names, ["a", "c", "e"]);
    }

    #[test]
    fn test_modules_in_files_of_their_own_are_named() {
        let source = "mod a; #[cfg(test)] mod b; #[cfg(test)] mod c { } #[cfg(test)]\nmod d;";
        assert_eq!(test_modules(&rust(source)), ["b", "d"]);
    }

    #[test]
    fn sql_names_may_be_quoted_and_strings_hold_no_names() {
        let tokens = sql("SELECT \"lead\" FROM t -- why\nWHERE x = 'lead' AND y = :now");
        assert_eq!(
            of_kind(&tokens, Kind::Identifier),
            [
                "1:SELECT",
                "1:\"lead\"",
                "1:FROM",
                "1:t",
                "2:WHERE",
                "2:x",
                "2:AND",
                "2:y",
                "2:now"
            ]
        );
    }
}
