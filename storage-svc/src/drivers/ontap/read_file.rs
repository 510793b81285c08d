//! Small files of a snapshot, read by the files API.

use super::{
    Ontap,
    files::{self, Seen},
    snapshots, volumes,
};
use crate::{
    driver::{DriverError, READ_BYTES_MAX, Reason},
    rel_path::RelPath,
};
use http::header::CONTENT_TYPE;
use strata_model::ids::{ArraySnapshotId, VolumeId};

pub(super) async fn read(
    array: &Ontap,
    volume: &VolumeId,
    id: &ArraySnapshotId,
    path: &str,
) -> Result<Vec<u8>, DriverError> {
    let path = RelPath::parse(path)?;
    let volume = volumes::get(array, volume).await?;
    let snapshot = snapshots::get(array, &VolumeId(volume.uuid.clone()), id).await?;
    let root = files::snapshot_root(&snapshot);
    let size = match files::walk(array, &volume.uuid, &root, &path).await? {
        Seen::File(size) if size <= READ_BYTES_MAX => size,
        Seen::File(_) | Seen::Directory => {
            let text = format!(
                "'{}' in snapshot '{}' is a directory or has more than {READ_BYTES_MAX} bytes; clone it instead",
                path.as_str(),
                snapshot.name
            );
            return Err(DriverError::new(Reason::InvalidRequest, text));
        }
        Seen::Absent => {
            let text =
                format!("'{}' is not in snapshot '{}' of volume '{}'", path.as_str(), snapshot.name, volume.name);
            return Err(DriverError::new(Reason::NotFound, text));
        }
        Seen::Hidden => return Err(hidden(&volume.name, &snapshot.name)),
    };
    if size == 0 {
        return Ok(Vec::new());
    }
    let whole = format!("{root}/{}", path.as_str());
    let at = format!("{}?byte_offset=0&length={size}", files::resource(&volume.uuid, &whole));
    let answer = array.client.bytes(&at, "read a file").await?;
    let kind = answer.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let bytes = content(kind, answer.body(), size);
    if bytes.len() as u64 != size {
        let text = format!(
            "array {} gave {} of {size} bytes of '{}'; try again",
            array.client.name(),
            bytes.len(),
            path.as_str()
        );
        return Err(DriverError::new(Reason::Unexpected, text));
    }
    Ok(bytes.to_vec())
}

pub(super) fn hidden(volume: &str, snapshot: &str) -> DriverError {
    let text = format!(
        "the array does not show the files of snapshot '{snapshot}' of volume '{volume}'; make its .snapshot directory visible \
         (nas.snapshot_directory_access_enabled)"
    );
    DriverError::new(Reason::NotSupported, text)
}

/// The bytes of an answer: where the array answers with a form, its part of the size that is asked for; else the answer itself.
fn content<'b>(kind: &str, body: &'b [u8], size: u64) -> &'b [u8] {
    let boundary = kind
        .to_ascii_lowercase()
        .starts_with("multipart/")
        .then(|| kind.split(';').find_map(|part| part.trim().strip_prefix("boundary=")))
        .flatten()
        .map(|text| text.trim_matches('"'));
    let Some(boundary) = boundary else { return body };
    let parts = parts(boundary, body);
    let of_size = parts.iter().find(|part| part.len() as u64 == size);
    of_size.or(parts.first()).copied().unwrap_or(body)
}

/// What the parts of a form hold, without their headers.
fn parts<'b>(boundary: &str, body: &'b [u8]) -> Vec<&'b [u8]> {
    let find = |within: &[u8], text: &[u8]| within.windows(text.len()).position(|window| window == text);
    let opening = format!("--{boundary}");
    let closing = format!("\r\n{opening}");
    let mut all = Vec::new();
    let Some(first) = find(body, opening.as_bytes()) else { return all };
    let mut rest = &body[first + opening.len()..];
    while let Some(head) = find(rest, b"\r\n\r\n") {
        let inner = &rest[head + 4..];
        let Some(end) = find(inner, closing.as_bytes()) else { break };
        all.push(&inner[..end]);
        rest = &inner[end + closing.len()..];
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_and_plain_bytes() {
        let form = b"--xyz\r\nA: b\r\n\r\n24\r\n--xyz\r\nContent-Disposition: form-data; name=\"file\"\r\n\r\n\
            uuid = \"a\"\r\n--not\r\n\r\nend\r\n--xyz--\r\n";
        let inner: &[u8] = b"uuid = \"a\"\r\n--not\r\n\r\nend";
        for kind in ["multipart/form-data; boundary=xyz", "Multipart/Form-Data; charset=x; boundary=\"xyz\""] {
            assert_eq!(content(kind, form, inner.len() as u64), inner);
            assert_eq!(content(kind, form, 2), b"24");
        }
        let empty = b"--xyz\r\nA: b\r\n\r\n\r\n--xyz--";
        assert_eq!(content("multipart/form-data; boundary=xyz", empty, 7), b"");
        for kind in ["application/octet-stream", "", "multipart/form-data"] {
            assert_eq!(content(kind, b"plain\r\n\r\n", 9), b"plain\r\n\r\n", "{kind}");
        }
    }
}
