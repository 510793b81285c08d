//! One record on the medium: 64 bytes of header, the payload, zeros up to a multiple of 8. All numbers little-endian.
//!
//! `length u32 | crc u32 | number u64 | first of its batch u64 | kind u8, 7 zeros | chain [32] | payload`. The checksum
//! (CRC-32C, over everything but itself) finds flipped bits; the chain (SHA-256 over the previous chain and this record)
//! finds records that were taken out, put in or exchanged.

use sha2::{Digest, Sha256};

pub(super) const HEADER: usize = 64;
/// No record is longer, so that a damaged length is not believed.
pub(super) const PAYLOAD_MAX: usize = 16 << 20;

/// The chain after a record, or at the start.
pub(super) type Chain = [u8; 32];

/// A record as it was read, and how many bytes it takes up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Frame<'a> {
    pub(super) number: u64,
    pub(super) batch_first: u64,
    pub(super) kind: u8,
    pub(super) chain: Chain,
    pub(super) payload: &'a [u8],
    pub(super) size: usize,
}

/// Appends a record to `buffer` and answers the chain after it.
pub(super) fn encode(
    buffer: &mut Vec<u8>,
    number: u64,
    batch_first: u64,
    kind: u8,
    before: &Chain,
    payload: &[u8],
) -> Chain {
    let chain = link(before, number, kind, payload);
    let start = buffer.len();
    buffer.extend_from_slice(&u32::try_from(payload.len()).unwrap_or(u32::MAX).to_le_bytes());
    buffer.extend_from_slice(&[0; 4]);
    buffer.extend_from_slice(&number.to_le_bytes());
    buffer.extend_from_slice(&batch_first.to_le_bytes());
    buffer.extend_from_slice(&[kind, 0, 0, 0, 0, 0, 0, 0]);
    buffer.extend_from_slice(&chain);
    buffer.extend_from_slice(payload);
    buffer.resize(buffer.len().next_multiple_of(8), 0);
    let crc = checksum(&buffer[start..]);
    buffer[start + 4..start + 8].copy_from_slice(&crc.to_le_bytes());
    chain
}

/// Reads the record at the start of `bytes`; `None` where there is no whole and undamaged one.
pub(super) fn decode(bytes: &[u8]) -> Option<Frame<'_>> {
    let length = u32_at(bytes, 0)? as usize;
    if length > PAYLOAD_MAX {
        return None;
    }
    let size = (HEADER + length).next_multiple_of(8);
    let whole = bytes.get(..size)?;
    if u32_at(whole, 4)? != checksum(whole) || u64_at(whole, 8)? == 0 {
        return None;
    }
    Some(Frame {
        number: u64_at(whole, 8)?,
        batch_first: u64_at(whole, 16)?,
        kind: whole[24],
        chain: whole[32..HEADER].try_into().ok()?,
        payload: &whole[HEADER..HEADER + length],
        size,
    })
}

/// The chain after a record.
pub(super) fn link(before: &Chain, number: u64, kind: u8, payload: &[u8]) -> Chain {
    let mut hasher = Sha256::new();
    hasher.update(before);
    hasher.update(number.to_le_bytes());
    hasher.update([kind]);
    hasher.update(payload);
    hasher.finalize().into()
}

fn checksum(frame: &[u8]) -> u32 {
    crc32c::crc32c_append(crc32c::crc32c(&frame[..4]), &frame[8..])
}

pub(super) fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_le_bytes(bytes.get(at..at + 4)?.try_into().ok()?))
}

pub(super) fn u64_at(bytes: &[u8], at: usize) -> Option<u64> {
    Some(u64::from_le_bytes(bytes.get(at..at + 8)?.try_into().ok()?))
}
