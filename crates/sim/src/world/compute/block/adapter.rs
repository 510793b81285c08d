//! Host bus adapters.

/// What an adapter speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AdapterKind {
    /// iSCSI in software.
    Iscsi,
    /// Fibre Channel.
    FibreChannel,
}

/// A host bus adapter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Adapter {
    /// Device name, such as `vmhba64`.
    pub device: String,
    /// What it speaks.
    pub kind: AdapterKind,
    /// Name by which arrays know it: an `iqn.`, or a world wide port name as eight pairs.
    pub initiator: String,
}

impl Adapter {
    /// The adapters of a host: iSCSI `vmhba64` and Fibre Channel `vmhba2`, with names that follow from the host's name and
    /// hardware uuid.
    pub fn of_host(name: &str, uuid: &str) -> Vec<Self> {
        let short: String = name.chars().take_while(|c| *c != '.').filter(char::is_ascii_alphanumeric).collect();
        let hex: String = uuid.chars().filter(char::is_ascii_hexdigit).take(8).collect();
        let pairs: Vec<&str> = (0..4).filter_map(|n| hex.get(2 * n..2 * n + 2)).collect();
        let iscsi = format!("iqn.1998-01.com.vmware:{}-{hex}", short.to_ascii_lowercase());
        vec![
            Adapter { device: "vmhba64".to_owned(), kind: AdapterKind::Iscsi, initiator: iscsi },
            Adapter {
                device: "vmhba2".to_owned(),
                kind: AdapterKind::FibreChannel,
                initiator: format!("21:00:00:24:{}", pairs.join(":")),
            },
        ]
    }

    /// Its key in vim25.
    pub fn key(&self) -> String {
        let kind = match self.kind {
            AdapterKind::Iscsi => "InternetScsiHba",
            AdapterKind::FibreChannel => "FibreChannelHba",
        };
        format!("key-vim.host.{kind}-{}", self.device)
    }
}

/// A world wide name as vim25 carries it: the 64 bits as a signed number.
pub fn wwn_number(pairs: &str) -> i64 {
    let digits: String = pairs.chars().filter(char::is_ascii_hexdigit).collect();
    u64::from_str_radix(&digits, 16).unwrap_or_default().cast_signed()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::world::storage::canonical_initiator;

    #[test]
    fn arrays_take_the_names() {
        for adapter in Adapter::of_host("esx-1.example", "9a8b7c6d-0000-0000-0000-000000000000") {
            assert_eq!(canonical_initiator(&adapter.initiator), Ok(adapter.initiator.clone()));
        }
        assert_eq!(wwn_number("ff:00:00:00:00:00:00:01"), -0x00ff_ffff_ffff_ffff);
        assert_eq!(wwn_number("20:00:00:25:b5:00:00:01"), 0x2000_0025_b500_0001);
    }
}
