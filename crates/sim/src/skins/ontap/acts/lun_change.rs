//! PATCH and DELETE of LUNs. A PATCH with `clone.source` replaces what the LUN holds: uuid, serial and maps stay.

use super::{
    super::{call::Call, refusal::Refusal, reply::Reply},
    lun_make::source,
};
use crate::world::storage::Volume;

/// The name within its volume that a full name says; a LUN cannot be renamed into another volume.
fn renamed(volume: &Volume, name: &str) -> Result<String, Refusal> {
    let unit = name.strip_prefix(&format!("/vol/{}/", volume.name)).filter(|unit| !unit.is_empty());
    let refuse =
        || Refusal::code("5374121", &format!("The LUN name \"{name}\" is invalid in this volume.")).target("name");
    unit.map(str::to_owned).ok_or_else(refuse)
}

/// PATCH /storage/luns/{uuid}
pub(super) fn patch(call: &Call, ids: &[&str]) -> Result<Reply, Refusal> {
    let (volume, lun) = call.lun(ids[0])?;
    call.params.only(&[])?;
    let known = ["name", "comment", "enabled", "space.size", "clone.source", "uuid", "svm"];
    call.body.only(&known, &call.params)?;
    if call.body.at("clone").is_some() {
        call.face.may_clone()?;
        let source = source(call)?;
        if source.volume != volume.id {
            return Err(Refusal::code("1260121", "The source and the LUN must lie in one volume."));
        }
        return Ok(Reply::now_without(move |face| {
            face.lun_volume_online(volume.id)?;
            face.start_sharing(volume.id, source.snapshot)?;
            face.array()?.overwrite_lun(lun.id, source.lun, source.snapshot)?;
            Ok(())
        }));
    }
    let name = call.body.text("name")?.map(|name| renamed(&volume, name)).transpose()?;
    let comment = call.body.text("comment")?.map(str::to_owned);
    let (size, enabled) = (call.body.size("space.size")?, call.body.flag("enabled")?);
    Ok(Reply::now_without(move |face| {
        let array = face.array()?;
        if name.is_some() || comment.is_some() {
            array.rename_lun(lun.id, &name.unwrap_or(lun.name), &comment.unwrap_or(lun.comment))?;
        }
        if let Some(size) = size {
            array.grow_lun(lun.id, size.div_ceil(512).saturating_mul(512))?;
        }
        if let Some(enabled) = enabled {
            array.set_lun_online(lun.id, enabled)?;
        }
        Ok(())
    }))
}

/// DELETE /storage/luns/{uuid}
pub(super) fn delete(call: &Call, ids: &[&str]) -> Result<Reply, Refusal> {
    let (_, lun) = call.lun(ids[0])?;
    call.params.only(&["allow_delete_while_mapped"])?;
    let mapped_too = call.params.flag("allow_delete_while_mapped")? == Some(true);
    Ok(Reply::now_without(move |face| {
        let array = face.array()?;
        if mapped_too {
            for map in &lun.maps {
                array.unmap_lun(lun.id, map.group)?;
            }
        }
        array.delete_lun(lun.id)?;
        face.with(|state| state.luns.remove(&lun.id));
        Ok(())
    }))
}
