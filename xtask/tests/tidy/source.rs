//! Rust source without its comments and literals, so that a rule about code is not set off by prose.

/// Blanks out comments, strings and characters; line breaks stay, so that line numbers hold.
pub fn code_of(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut code = String::with_capacity(text.len());
    let mut at = 0;
    while at < bytes.len() {
        let end = literal_end(bytes, at);
        if end == at {
            code.push(if bytes[at].is_ascii() { bytes[at] as char } else { ' ' });
            at += 1;
        } else {
            code.extend(bytes[at..end].iter().map(|byte| if *byte == b'\n' { '\n' } else { ' ' }));
            at = end;
        }
    }
    code
}

/// Where the comment or literal that begins at `at` ends; `at` itself where none begins.
fn literal_end(bytes: &[u8], at: usize) -> usize {
    let rest = &bytes[at..];
    let inside_word = at > 0 && (bytes[at - 1].is_ascii_alphanumeric() || bytes[at - 1] == b'_');
    match rest[0] {
        b'/' if rest.starts_with(b"//") => at + rest.iter().position(|byte| *byte == b'\n').unwrap_or(rest.len()),
        b'/' if rest.starts_with(b"/*") => at + block_comment_length(rest),
        b'"' => at + string_length(rest),
        b'r' if !inside_word || bytes[at - 1] == b'b' => at + raw_string_length(rest).unwrap_or(0),
        b'\'' => at + character_length(rest).unwrap_or(0),
        _ => at,
    }
}

fn block_comment_length(rest: &[u8]) -> usize {
    let (mut depth, mut at) = (0usize, 0);
    while at < rest.len() {
        if rest[at..].starts_with(b"/*") {
            depth += 1;
            at += 2;
        } else if rest[at..].starts_with(b"*/") {
            depth -= 1;
            at += 2;
            if depth == 0 {
                return at;
            }
        } else {
            at += 1;
        }
    }
    rest.len()
}

fn string_length(rest: &[u8]) -> usize {
    let mut at = 1;
    while at < rest.len() {
        match rest[at] {
            b'\\' => at += 2,
            b'"' => return at + 1,
            _ => at += 1,
        }
    }
    rest.len()
}

fn raw_string_length(rest: &[u8]) -> Option<usize> {
    let hashes = rest[1..].iter().take_while(|byte| **byte == b'#').count();
    if rest.get(1 + hashes) != Some(&b'"') {
        return None;
    }
    let mut close = vec![b'"'];
    close.resize(1 + hashes, b'#');
    let body = &rest[2 + hashes..];
    let length = body.windows(close.len()).position(|window| window == close);
    Some(length.map_or(rest.len(), |length| 2 + hashes + length + close.len()))
}

/// A character literal, told from a lifetime by its closing quote.
fn character_length(rest: &[u8]) -> Option<usize> {
    if rest.get(1) == Some(&b'\\') {
        return rest.iter().skip(3).position(|byte| *byte == b'\'').map(|length| length + 4);
    }
    // A character is at most four bytes in UTF-8.
    let width = (2..=5).find(|end| rest.get(*end) == Some(&b'\''))?;
    std::str::from_utf8(&rest[1..width]).is_ok_and(|body| body.chars().count() == 1).then_some(width + 1)
}

#[test]
fn comments_and_literals_are_blank_and_code_is_not() {
    for (text, code) in [
        ("a // b\nc", "a     \nc"),
        ("a /* b /* c */ d */ e", "a                   e"),
        (r#"a("b \" c")d"#, r#"a(        )d"#),
        ("r#\"x \" y\"# z", "          ".trim_end_matches('\t').to_owned().leak()),
        ("'x' 'a: &'a str", "    'a: &'a str"),
        (r"'\'' b '\u{41}'", "     b         "),
        ("for_ 'é' x", "for_      x"),
    ] {
        let found = code_of(text);
        if text.starts_with("r#") {
            assert_eq!(found, format!("{}z", " ".repeat(text.len() - 1)));
        } else {
            assert_eq!(found, code, "{text}");
        }
    }
}
