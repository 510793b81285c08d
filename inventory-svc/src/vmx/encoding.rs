//! The encodings that .vmx files come in. UTF-8 is what every supported ESXi writes; older files are in Latin-1 or its
//! Windows variant, whose bytes survive a round trip here.

/// How a file's bytes are text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Encoding {
    /// UTF-8.
    Utf8,
    /// One byte a character; the Windows variant's extra characters stay the bytes they are.
    Latin1,
}

/// Reads bytes.
///
/// # Errors
/// They are neither UTF-8 nor, as the file says, one of the single-byte encodings.
pub(super) fn decode(bytes: &[u8]) -> Result<(String, Encoding), String> {
    if let Ok(text) = std::str::from_utf8(bytes) {
        return Ok((text.trim_start_matches('\u{feff}').to_owned(), Encoding::Utf8));
    }
    let text: String = bytes.iter().map(|byte| char::from(*byte)).collect();
    let declared = text.lines().find_map(|line| line.trim().strip_prefix(".encoding"));
    let declared = declared.map(str::to_ascii_lowercase).unwrap_or_default();
    if ["windows-1252", "iso-8859-1", "cp1252"].iter().any(|name| declared.contains(name)) {
        return Ok((text, Encoding::Latin1));
    }
    Err("it is not UTF-8, and of an encoding that is not supported".to_owned())
}

/// Writes text.
///
/// # Errors
/// The encoding has no byte for a character.
pub(super) fn encode(text: &str, encoding: Encoding) -> Result<Vec<u8>, String> {
    match encoding {
        Encoding::Utf8 => Ok(text.as_bytes().to_vec()),
        Encoding::Latin1 => text
            .chars()
            .map(|character| {
                u8::try_from(u32::from(character))
                    .map_err(|_| format!("'{character}' cannot be written in the encoding of this file"))
            })
            .collect(),
    }
}
