//! How an array names its LUNs to hosts: serial numbers, and the canonical names that hosts make of them.

use uuid::Uuid;

/// A vendor's way of naming LUNs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LunNaming {
    /// SCSI vendor, at most 8 characters.
    pub vendor: &'static str,
    /// SCSI product, at most 16 characters.
    pub product: &'static str,
    /// What stands before the serial in the canonical name: `naa.` and the vendor's own digits.
    pub prefix: &'static str,
    /// How serials are written.
    pub serial: SerialKind,
}

/// How serials are written, and how they come into the canonical name. All take 24 hexadecimal digits there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SerialKind {
    /// 24 hexadecimal digits, upper case on the array and lower case in the name (Pure).
    Hex,
    /// 12 printable characters, in the name as their codes (ONTAP).
    Characters,
}

impl Default for LunNaming {
    fn default() -> Self {
        LunNaming { vendor: "STRATA", product: "Reference", prefix: "naa.65a1e000", serial: SerialKind::Hex }
    }
}

impl LunNaming {
    /// A new serial, which follows from an identity that nothing else has.
    pub(super) fn serial_of(&self, identity: Uuid) -> String {
        let bytes = identity.as_bytes();
        match self.serial {
            SerialKind::Hex => bytes[..12].iter().map(|b| format!("{b:02X}")).collect(),
            SerialKind::Characters => {
                const LETTERS: &[u8; 64] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz+?";
                bytes[..12].iter().map(|b| char::from(LETTERS[usize::from(b & 63)])).collect()
            }
        }
    }

    /// The name that hosts give a LUN with this serial.
    pub fn canonical_name(&self, serial: &str) -> String {
        let digits: String = match self.serial {
            SerialKind::Hex => serial.to_ascii_lowercase(),
            SerialKind::Characters => serial.bytes().map(|b| format!("{b:02x}")).collect(),
        };
        format!("{}{digits}", self.prefix)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_follow_from_serials() {
        let ontap = LunNaming { prefix: "naa.600a0980", serial: SerialKind::Characters, ..LunNaming::default() };
        assert_eq!(ontap.canonical_name("8Ai2O$RcxbQ7"), "naa.600a098038416932 4f2452637862 5137".replace(' ', ""));
        let pure = LunNaming { prefix: "naa.624a9370", ..LunNaming::default() };
        assert_eq!(pure.canonical_name("73C1A00F0001"), "naa.624a937073c1a00f0001");
        for naming in [ontap, pure] {
            let serial = naming.serial_of(Uuid::from_u128(0x0123_4567_89ab_cdef_0123_4567_89ab_cdef));
            assert_eq!(naming.canonical_name(&serial).len(), "naa.".len() + 32, "{serial}");
        }
    }
}
