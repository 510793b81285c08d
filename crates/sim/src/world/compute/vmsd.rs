//! The .vmsd: which VMware snapshots a VM has, beside its .vmx, so that a copy of the directory has them too.

use super::{files::DsPath, state::State, vmx::Vmx};
use jiff::Timestamp;

/// A snapshot as the .vmsd has it.
#[derive(Debug, Clone, PartialEq)]
pub struct Listed {
    /// Number, unique in the VM.
    pub uid: i64,
    /// Number of the snapshot that it derives from.
    pub parent: Option<i64>,
    /// Name.
    pub name: String,
    /// Description.
    pub description: String,
    /// When it was made.
    pub created: Timestamp,
    /// Made with the guest frozen.
    pub quiesced: bool,
    /// Memory is included, so that revert comes back running.
    pub memory: bool,
    /// The .vmsn with the configuration.
    pub config_file: DsPath,
    /// Place of each disk (`scsi0:0`) and the file that holds its data as of then.
    pub disks: Vec<(String, DsPath)>,
}

/// What a .vmsd says.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Tree {
    /// Snapshots, oldest first.
    pub all: Vec<Listed>,
    /// Number of the current one.
    pub current: Option<i64>,
    /// Largest number ever given.
    pub last_uid: i64,
}

impl State {
    /// Reads the .vmsd beside a .vmx; none there is an empty tree.
    pub fn read_snapshots(&self, vmx: &DsPath) -> Tree {
        let file = vmx.sibling(&format!("{}.vmsd", vmx.stem()));
        let keys = Vmx::parse(&self.read_text(&file).unwrap_or_default());
        let number = |key: &str| keys.get(key).and_then(|v| v.parse::<i64>().ok());
        let count = number("snapshot.numSnapshots").unwrap_or(0);
        let mut tree = Tree {
            all: Vec::new(),
            current: number("snapshot.current").filter(|n| *n > 0),
            last_uid: number("snapshot.lastUID").unwrap_or(0),
        };
        for n in 0..count {
            let at = format!("snapshot{n}.");
            let text = |key: &str| keys.get(&format!("{at}{key}")).unwrap_or_default().to_owned();
            let disks = number(&format!("{at}numDisks")).unwrap_or(0);
            let disks = (0..disks).map(|d| {
                (text(&format!("disk{d}.node")), self.parse_host_path(&text(&format!("disk{d}.fileName")), vmx))
            });
            tree.all.push(Listed {
                uid: number(&format!("{at}uid")).unwrap_or(n + 1),
                parent: number(&format!("{at}parent")),
                name: text("displayName"),
                description: text("description"),
                created: Timestamp::from_microsecond(number(&format!("{at}createTime")).unwrap_or(0))
                    .unwrap_or(Timestamp::UNIX_EPOCH),
                quiesced: keys.is_true(&format!("{at}quiesced")),
                memory: keys.is_true(&format!("{at}memory")),
                config_file: self.parse_host_path(&text("filename"), vmx),
                disks: disks.collect(),
            });
        }
        tree
    }

    /// Writes the .vmsd beside a .vmx.
    pub fn write_snapshots(&mut self, vmx: &DsPath, tree: &Tree) -> Result<(), super::fault::Fault> {
        let mut v = Vmx::default();
        v.set("snapshot.lastUID", &tree.last_uid.to_string());
        v.set("snapshot.current", &tree.current.unwrap_or(0).to_string());
        v.set("snapshot.numSnapshots", &tree.all.len().to_string());
        for (n, s) in tree.all.iter().enumerate() {
            let at = format!("snapshot{n}.");
            let mut set = |key: &str, value: &str| v.set(&format!("{at}{key}"), value);
            set("uid", &s.uid.to_string());
            set("filename", &self.host_path(&s.config_file, vmx));
            if let Some(parent) = s.parent {
                set("parent", &parent.to_string());
            }
            set("displayName", &s.name);
            set("description", &s.description);
            set("createTime", &s.created.as_microsecond().to_string());
            set("quiesced", if s.quiesced { "TRUE" } else { "FALSE" });
            set("memory", if s.memory { "TRUE" } else { "FALSE" });
            set("numDisks", &s.disks.len().to_string());
            for (d, (node, file)) in s.disks.iter().enumerate() {
                set(&format!("disk{d}.node"), node);
                set(&format!("disk{d}.fileName"), &self.host_path(file, vmx));
            }
        }
        let file = vmx.sibling(&format!("{}.vmsd", vmx.stem()));
        self.write_text(&file, &v.text())
    }
}
