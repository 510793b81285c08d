//! What a host calls a LUN: `naa.600a0980`, then the twelve characters of its serial number in hexadecimal.

use super::wire::Lun;

const PREFIX: &str = "naa.600a0980";
const SERIAL_BYTES: usize = 12;

/// The serial number in a canonical name, as 24 digits; `None` where it is of another vendor.
pub(super) fn hex_of(canonical: &str) -> Option<String> {
    let canonical = canonical.to_ascii_lowercase();
    let digits = canonical.strip_prefix(PREFIX)?;
    let whole = digits.len() == 2 * SERIAL_BYTES && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    whole.then(|| digits.to_owned())
}

/// The serial number as text, where a query can hold it without quoting: case counts, and nearly every character may stand in it.
pub(super) fn plain_text(hex: &str) -> Option<String> {
    let bytes: Option<Vec<u8>> =
        (0..hex.len() / 2).map(|n| u8::from_str_radix(hex.get(2 * n..2 * n + 2)?, 16).ok()).collect();
    let text = String::from_utf8(bytes?).ok()?;
    text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-').then_some(text)
}

/// A LUN's serial number as 24 digits, from the text or from what newer releases tell; `None` where it is odd.
pub(super) fn hex_of_lun(lun: &Lun) -> Option<String> {
    let told = lun.serial_number_hex.as_ref().map(|hex| hex.to_ascii_lowercase());
    let from_text =
        || lun.serial_number.as_ref().map(|text| text.bytes().map(|byte| format!("{byte:02x}")).collect::<String>());
    told.filter(|hex| hex.len() == 2 * SERIAL_BYTES).or_else(from_text).filter(|hex| hex.len() == 2 * SERIAL_BYTES)
}

/// As a host shows it.
pub(super) fn canonical_of(lun: &Lun) -> Option<String> {
    hex_of_lun(lun).map(|hex| format!("{PREFIX}{hex}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lun(serial: &str) -> Lun {
        Lun { serial_number: Some(serial.to_owned()), ..Lun::default() }
    }

    #[test]
    fn there_and_back() {
        for serial in ["wf0Iq+N4uck3", "ZlAFA?QMnBdX", "804pb+0Wj4wB", "a|b*c!d\"e{f}", "80Tt\u{7f}PWpO-ZQ"] {
            let canonical = canonical_of(&lun(serial)).unwrap();
            assert!(canonical.len() == 36 && canonical.starts_with("naa.600a0980"), "{canonical}");
            assert_eq!(hex_of(&canonical.to_uppercase().replace("NAA.", "naa.")), hex_of_lun(&lun(serial)), "{serial}");
        }
        assert_eq!(canonical_of(&lun("wf0Iq+N4uck3")).unwrap(), "naa.600a098077663049712b4e3475636b33");
        let told = Lun { serial_number_hex: Some("77663049712B4E3475636B33".to_owned()), ..lun("odd") };
        assert_eq!(canonical_of(&told).unwrap(), "naa.600a098077663049712b4e3475636b33");
    }

    #[test]
    fn others_and_odd_ones() {
        for name in [
            "naa.60a98000646e2d6b59",
            "naa.600a0980",
            "eui.600a098077663049",
            "naa.600a0980zz663049712b4e3475636b33",
            "",
        ] {
            assert_eq!(hex_of(name), None, "{name}");
        }
        assert_eq!(canonical_of(&lun("short")), None);
        assert_eq!(plain_text("646e2d6b594a7a6b41577150").as_deref(), Some("dn-kYJzkAWqP"));
        for hex in ["77663049712b4e3475636b33", "8054ff", "7a"] {
            assert!(plain_text(hex).is_none() || hex == "7a", "{hex}");
        }
    }
}
