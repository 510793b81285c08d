//! LUNs of a volume, with who is mapped.

use super::{
    Ontap,
    client::literal,
    release::Release,
    serial,
    wire::{self, Igroup},
};
use crate::driver::{DriverError, Lun, Reason};
use std::collections::BTreeSet;

/// All LUNs of a volume, by path.
pub(super) async fn of_volume(array: &Ontap, volume: &str) -> Result<Vec<wire::Lun>, DriverError> {
    let hex = if array.learned().await?.release() >= Release::SERIAL_HEX { ",serial_number_hex" } else { "" };
    let fields = format!("uuid,name,serial_number{hex},comment,create_time,space.size,svm,location.volume,lun_maps");
    let path = format!("/storage/luns?location.volume.uuid={volume}&fields={fields}");
    let mut all: Vec<wire::Lun> = array.client.list(&path, "list a volume's LUNs").await?;
    all.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(all)
}

/// Path within the volume: `/vol/ds_2/q1/lun_1` is `q1/lun_1`.
pub(super) fn path(lun: &wire::Lun) -> &str {
    lun.name.splitn(4, '/').nth(3).unwrap_or(&lun.name)
}

/// As we tell them on, in the same order.
pub(super) async fn tell(array: &Ontap, luns: Vec<wire::Lun>) -> Result<Vec<Lun>, DriverError> {
    let svms: BTreeSet<&str> =
        luns.iter().filter(|lun| !lun.lun_maps.is_empty()).map(|lun| lun.svm.uuid.as_str()).collect();
    let mut igroups = Vec::new();
    for svm in svms {
        igroups.extend(igroups_of(array, svm).await?);
    }
    let tell = |lun: wire::Lun| {
        let initiators: BTreeSet<String> =
            lun.lun_maps.iter().flat_map(|map| initiators_of(&igroups, &map.igroup)).collect();
        Lun {
            path: path(&lun).to_owned(),
            canonical_name: serial::canonical_of(&lun),
            size_bytes: lun.space.size,
            initiators: initiators.into_iter().collect(),
            uuid: lun.uuid,
        }
    };
    Ok(luns.into_iter().map(tell).collect())
}

async fn igroups_of(array: &Ontap, svm: &str) -> Result<Vec<Igroup>, DriverError> {
    // Groups that hold groups tell the initiators of all.
    let path = format!("/protocols/san/igroups?svm.uuid={}&fields=uuid,name,initiators", literal(svm));
    array.client.list(&path, "list its initiator groups").await
}

/// Everybody in a group. A group that is not shown stands for itself, so that nobody takes its LUNs for free.
fn initiators_of(igroups: &[Igroup], of: &wire::Named) -> Vec<String> {
    let is_it = |it: &&Igroup| if of.uuid.is_empty() { it.name == of.name } else { it.uuid == of.uuid };
    match igroups.iter().find(is_it) {
        Some(igroup) => igroup.initiators.iter().map(|it| it.name.clone()).collect(),
        None => vec![format!("igroup {}", of.name)],
    }
}

/// The LUN of this path, or NotFound.
pub(super) fn at<'l>(luns: &'l [wire::Lun], volume: &str, path: &str) -> Result<&'l wire::Lun, DriverError> {
    luns.iter().find(|lun| self::path(lun) == path).ok_or_else(|| {
        let text = format!("there is no LUN '{path}' in volume '{volume}'; list its LUNs");
        DriverError::new(Reason::NotFound, text)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_begin_below_the_volume() {
        for (name, path) in [("/vol/v/l", "l"), ("/vol/v/q/l", "q/l"), ("odd", "odd")] {
            assert_eq!(super::path(&wire::Lun { name: name.to_owned(), ..wire::Lun::default() }), path);
        }
    }

    #[test]
    fn a_group_that_is_not_shown_is_somebody() {
        let named = |name: &str| wire::Named { uuid: String::new(), name: name.to_owned() };
        let igroups = [Igroup { name: "a".to_owned(), initiators: vec![named("iqn.x")], ..Igroup::default() }];
        assert_eq!(initiators_of(&igroups, &named("a")), ["iqn.x"]);
        assert_eq!(initiators_of(&igroups, &named("b")), ["igroup b"]);
    }
}
