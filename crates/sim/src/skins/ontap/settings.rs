//! What a simulated ONTAP is: its release, its accounts, and how awkward it is.

use std::{collections::BTreeSet, fmt};

/// An ONTAP release.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Release(
    /// Generation: 9.
    pub u32,
    /// Major: 14 of 9.14.1.
    pub u32,
    /// Minor: 1 of 9.14.1.
    pub u32,
);

impl Release {
    /// Has file clones and the files API; no consistency groups, no restore of single files by REST, no `job.error`.
    pub const V9_8: Release = Release(9, 8, 0);
    /// Adds `job.error`.
    pub const V9_9_1: Release = Release(9, 9, 1);
    /// Adds consistency groups, restore of single files by PATCH, clone tokens.
    pub const V9_10_1: Release = Release(9, 10, 1);
    /// Adds snapshot locking, `version_uuid`, `snapshot_volumes` of consistency groups.
    pub const V9_12_1: Release = Release(9, 12, 1);
    /// Adds bearer tokens and `write_fence`.
    pub const V9_14_1: Release = Release(9, 14, 1);
    /// Nests `snaplock.expiry_time` of snapshots.
    pub const V9_15_1: Release = Release(9, 15, 1);
    /// Adds `serial_number_hex` of LUNs.
    pub const V9_17_1: Release = Release(9, 17, 1);
}

impl fmt::Display for Release {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.0, self.1, self.2)
    }
}

/// What a role allows on a path and beneath it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Nothing.
    None,
    /// GET.
    ReadOnly,
    /// GET and POST.
    ReadCreate,
    /// GET and PATCH.
    ReadModify,
    /// GET, POST and PATCH.
    ReadCreateModify,
    /// Everything.
    All,
}

impl Access {
    pub(super) fn allows(self, method: &str) -> bool {
        match method {
            "GET" | "HEAD" | "OPTIONS" => self != Access::None,
            "POST" => matches!(self, Access::ReadCreate | Access::ReadCreateModify | Access::All),
            "PATCH" => matches!(self, Access::ReadModify | Access::ReadCreateModify | Access::All),
            _ => self == Access::All,
        }
    }
}

/// How much of the cluster an account sees.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scope {
    /// All SVMs.
    Cluster,
    /// One SVM, which need not be named in requests then.
    Svm(String),
}

/// An account beside the array's administrator.
#[derive(Clone)]
pub struct Account {
    /// Its name.
    pub user: String,
    /// Its password.
    pub password: String,
    /// Its bearer token (OAuth 2), from 9.14.1 on.
    pub token: Option<String>,
    /// What it sees.
    pub scope: Scope,
    /// Paths (`/api/storage/volumes/*/snapshots`) and what it may do there and beneath; the longest that fits counts.
    pub role: Vec<(String, Access)>,
}

impl fmt::Debug for Account {
    // Passwords and tokens never show, not even simulated ones.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Account({}, {:?})", self.user, self.scope)
    }
}

impl Account {
    /// An account that may do everything within its scope; an SVM's may not read `/api/cluster` and its nodes.
    pub fn new(user: &str, password: &str, scope: Scope) -> Self {
        let mut role = vec![("/api".to_owned(), Access::All)];
        if scope != Scope::Cluster {
            role.extend(["/api/cluster", "/api/storage/aggregates"].map(|path| (path.to_owned(), Access::None)));
            role.push(("/api/cluster/jobs".to_owned(), Access::All));
        }
        Account { user: user.to_owned(), password: password.to_owned(), token: None, scope, role }
    }

    /// The least that Strata's driver needs (facts of section 1.1), in the form in which an administrator grants it.
    pub fn least(user: &str, password: &str) -> Self {
        let all = [
            "/api/storage/volumes",
            "/api/storage/luns",
            "/api/storage/namespaces",
            "/api/storage/file/clone",
            "/api/protocols/san/igroups",
            "/api/protocols/san/lun-maps",
            "/api/protocols/nfs/export-policies",
            "/api/application/consistency-groups",
            "/api/private/cli/volume/recovery-queue",
            "/api/private/cli/snapshot",
        ];
        let read = ["/api/cluster", "/api/cluster/jobs", "/api/svm/svms", "/api/network/ip/interfaces"];
        let mut role: Vec<(String, Access)> = all.iter().map(|path| ((*path).to_owned(), Access::All)).collect();
        role.extend(read.iter().map(|path| ((*path).to_owned(), Access::ReadOnly)));
        Account { role, ..Account::new(user, password, Scope::Cluster) }
    }

    /// True where the role allows the method on this path.
    pub(super) fn may(&self, method: &str, path: &str) -> bool {
        let fitting = self.role.iter().filter(|(pattern, _)| covers(pattern, path));
        let longest = fitting.max_by_key(|(pattern, _)| pattern.split('/').count());
        longest.is_some_and(|(_, access)| access.allows(method))
    }
}

/// True where the path is the pattern or lies beneath it; `*` stands for one part.
pub(super) fn covers(pattern: &str, path: &str) -> bool {
    let mut parts = path.split('/').filter(|part| !part.is_empty());
    pattern
        .split('/')
        .filter(|part| !part.is_empty())
        .all(|wanted| parts.next().is_some_and(|p| wanted == "*" || wanted == p))
}

/// How one simulated ONTAP is, beside what `Behaviour` says of every array. Readable and changeable at any time.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Its release: what is newer does not exist.
    pub release: Release,
    /// Accounts beside the array's administrator.
    pub accounts: Vec<Account>,
    /// Its SVMs; the first holds what no call placed.
    pub svms: Vec<String>,
    /// How often a job that is done is still told to run.
    pub polls_running: u32,
    /// How long ONTAP tries to delete a locked snapshot before the job fails, in milliseconds.
    pub locked_delete_ms: u64,
    /// How long the blocks of a cloned file or LUN are being shared, in milliseconds: no snapshot of the volume can be
    /// taken meanwhile, and the source snapshot is locked.
    pub share_window_ms: u64,
    /// How many clones of files and LUNs can share blocks at one time; one more fails with 13565952.
    pub shares_max: usize,
    /// Everything is checked before a 202; otherwise a job tells what is wrong.
    pub early_checks: bool,
    /// A deleted clone in the recovery queue still locks its parent's snapshot (not known of real ones).
    pub queue_pins: bool,
    /// A clone without a policy of its own takes its parent's (not known of real ones); otherwise `default`.
    pub clone_keeps_policy: bool,
    /// FlexClone is licensed.
    pub flexclone: bool,
    /// SnapRestore is licensed.
    pub snaprestore: bool,
    /// The aggregate has no space for another volume or snapshot.
    pub aggregate_full: bool,
    /// The aggregate's size in bytes.
    pub aggregate_bytes: u64,
    /// Addresses whose interfaces are down.
    pub interfaces_down: BTreeSet<String>,
    /// The last page of a list links to one more, which is empty.
    pub empty_last_page: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Settings {
            release: Release::V9_17_1,
            accounts: Vec::new(),
            svms: vec!["svm1".to_owned()],
            polls_running: 1,
            locked_delete_ms: 10_000,
            share_window_ms: 0,
            shares_max: 1000,
            early_checks: false,
            queue_pins: true,
            clone_keeps_policy: false,
            flexclone: true,
            snaprestore: true,
            aggregate_full: false,
            aggregate_bytes: 100 << 40,
            interfaces_down: BTreeSet::new(),
            empty_last_page: false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_rule_decides() {
        let mut account = Account::new("a", "p", Scope::Cluster);
        account.role = vec![
            ("/api/storage/volumes".into(), Access::ReadOnly),
            ("/api/storage/volumes/*/snapshots".into(), Access::ReadCreate),
        ];
        for (method, path, may) in [
            ("GET", "/api/storage/volumes", true),
            ("POST", "/api/storage/volumes", false),
            ("POST", "/api/storage/volumes/7/snapshots", true),
            ("DELETE", "/api/storage/volumes/7/snapshots/8", false),
            ("GET", "/api/storage/volumes/7/snapshots/8", true),
            ("GET", "/api/cluster", false),
            ("GET", "/api/storage/volumesx", false),
        ] {
            assert_eq!(account.may(method, path), may, "{method} {path}");
        }
        let svm = Account::new("vsadmin", "p", Scope::Svm("svm1".into()));
        assert!(
            !svm.may("GET", "/api/cluster")
                && svm.may("GET", "/api/cluster/jobs/7")
                && svm.may("POST", "/api/storage/luns")
        );
        assert!(!format!("{svm:?}").contains('p') || !format!("{svm:?}").contains("password"));
        assert!(Release::V9_8 < Release::V9_10_1 && Release(9, 9, 1) < Release::V9_10_1);
    }
}
