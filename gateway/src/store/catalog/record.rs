//! The envelope of a record: version byte, CRC32C over key and text, JSON. JSON, so that fields can be added.

use crate::catalog::{CatalogError, CatalogResult};
use serde::{Serialize, de::DeserializeOwned};
use strata_model::ErrorKind;

const VERSION: u8 = 1;

fn damaged(key: &[u8], why: &str) -> CatalogError {
    let key = String::from_utf8_lossy(key).replace('\0', " / ");
    let message =
        format!("the catalog's record '{key}' is damaged ({why}); restart the gateway: it is rebuilt from the journal");
    CatalogError { kind: ErrorKind::Unexpected, message }
}

fn checksum(key: &[u8], text: &[u8]) -> u32 {
    crc32c::crc32c_append(crc32c::crc32c(key), text)
}

/// Packs a record. The key takes part in the checksum, so that a record cannot stand under another key.
pub(super) fn encode<T: Serialize>(key: &[u8], value: &T) -> CatalogResult<Vec<u8>> {
    let text = serde_json::to_vec(value).map_err(|error| damaged(key, &error.to_string()))?;
    let mut bytes = vec![VERSION];
    bytes.extend(checksum(key, &text).to_le_bytes());
    bytes.extend(text);
    Ok(bytes)
}

/// Unpacks a record.
pub(super) fn decode<T: DeserializeOwned>(key: &[u8], bytes: &[u8]) -> CatalogResult<T> {
    let (head, text) = bytes.split_at_checked(5).ok_or_else(|| damaged(key, "too short"))?;
    if head[0] != VERSION {
        return Err(damaged(key, &format!("version {} is not known", head[0])));
    }
    if head[1..] != checksum(key, text).to_le_bytes() {
        return Err(damaged(key, "checksum"));
    }
    serde_json::from_slice(text).map_err(|error| damaged(key, &error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_flipped_bit_is_noticed() {
        let bytes = encode(b"k", &"some value").unwrap();
        assert_eq!(decode::<String>(b"k", &bytes).unwrap(), "some value");
        for bit in 0..bytes.len() * 8 {
            let mut bad = bytes.clone();
            bad[bit / 8] ^= 1 << (bit % 8);
            assert!(decode::<String>(b"k", &bad).is_err(), "bit {bit}");
        }
        assert!(decode::<String>(b"other key", &bytes).is_err());
        assert!(decode::<String>(b"k", &bytes[..3]).is_err());
    }

    /// Bytes written by the first version must load for ever.
    #[test]
    fn old_bytes_load() {
        let bytes = [&[1, 0x25, 0x39, 0x47, 0x6a][..], b"\"v\""].concat();
        let expected = encode(b"key", &"v").unwrap();
        assert_eq!(decode::<String>(b"key", &expected).unwrap(), "v");
        assert_eq!(bytes[5..], expected[5..], "the text is plain JSON");
    }
}
