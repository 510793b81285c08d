//! Proof that the files in a snapshot are of the VM that they are taken for (safety.md S5): its .vmx in the snapshot must
//! name the BIOS uuid that was recorded.

use crate::{
    catalog::RestorePoint,
    deps::Deps,
    error::{GatewayError, Result},
    layout::volume_path,
};
use strata_model::DatastorePath;

/// Reads the .vmx in the snapshot and compares. One in a LUN can only be read from a mounted copy; see `verify_copy`.
pub async fn point(deps: &Deps, point: &RestorePoint) -> Result<()> {
    let path: DatastorePath = point.intent.vmx_path.parse().map_err(GatewayError::unexpected)?;
    let member = point.intent.members.iter().find(|member| member.datastore == path.datastore).ok_or_else(|| {
        GatewayError::unexpected(format!("{} is on no volume of the restore point", point.intent.vmx_path))
    })?;
    if !member.luns.is_empty() {
        return Ok(());
    }
    let cut = point
        .cut
        .members
        .iter()
        .find(|cut| cut.volume == member.volume)
        .ok_or_else(|| GatewayError::unexpected(format!("{} was not cut", member.volume)))?;
    let inside = volume_path(&member.path_in_volume, &path.path);
    let content = deps.ports.storage.read_snapshot_file(&member.volume, &cut.snapshot_id, &inside).await?;
    let found = bios_uuid(&content);
    if is_same_uuid(&found, &point.intent.bios_uuid) {
        return Ok(());
    }
    let message = format!(
        "{} in the snapshot is not of {}: its uuid.bios is '{found}' and {} was recorded; nothing was done",
        point.intent.vmx_path, point.intent.vm_display_name, point.intent.bios_uuid
    );
    Err(GatewayError::conflict("NOT_THE_SAME_VM", message)
        .with("vm", &point.intent.vm)
        .with("snapshot", &point.display_name))
}

/// The digits of the BIOS uuid that a .vmx names; empty where it names none.
pub(super) fn bios_uuid(vmx: &[u8]) -> String {
    vmx_value(&String::from_utf8_lossy(vmx), "uuid.bios").map(hex_digits).unwrap_or_default()
}

/// By their digits; nothing is the same as none.
pub(super) fn is_same_uuid(found: &str, recorded: &str) -> bool {
    !found.is_empty() && hex_digits(found) == hex_digits(recorded)
}

/// The value of a key in a .vmx; keys ignore case.
fn vmx_value<'a>(text: &'a str, key: &str) -> Option<&'a str> {
    text.lines().find_map(|line| {
        let (name, value) = line.split_once('=')?;
        name.trim().eq_ignore_ascii_case(key).then(|| value.trim().trim_matches('"'))
    })
}

fn hex_digits(text: &str) -> String {
    text.chars().filter(char::is_ascii_hexdigit).map(|c| c.to_ascii_lowercase()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn uuids_are_compared_by_their_digits() {
        let vmx = "displayName = \"web\"\nUUID.bios = \"42 1a 00 00 00 00 00 00-00 00 00 00 00 00 00 0F\"\n";
        assert_eq!(
            vmx_value(vmx, "uuid.bios").map(hex_digits).unwrap(),
            hex_digits("421a0000-0000-0000-0000-00000000000f")
        );
        assert_eq!(vmx_value(vmx, "uuid.location"), None);
    }
}
