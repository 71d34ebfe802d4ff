//! Pure. How journals and records lie in the two keyspaces, byte by byte, with a CRC32C over key and value in front of
//! every value. What cannot be read back is `Error::Corrupt` with the row's name.
//!
//! `journal`: `0 ‖ name` counters · `1 ‖ slot` epoch, head, last batch at the last fence or trim · `2 ‖ slot ‖ first` segments ·
//! `3 ‖ slot ‖ number` blocks. `records`: `table ‖ length of partition ‖ partition ‖ sort`. Numbers are big-endian.

use bytes::{BufMut, Bytes};
use schema::SlotId;
use schema::record::{Key, Table};
use uuid::Uuid;

use crate::cell::Cell;
use crate::op::KEY_BYTES_MAX;
use crate::{Error, Row};

const CRC_BYTES: usize = 4;
const CELL_HEAD_BYTES: usize = CRC_BYTES + 1 + 8;
const BLOCK_HEAD_BYTES: usize = CRC_BYTES + 8 + 16;

const SLOT: u8 = 1;
const SEGMENT: u8 = 2;
const BLOCK: u8 = 3;

pub fn counter_key(name: &str) -> Vec<u8> {
    [&[0], name.as_bytes()].concat()
}
pub fn slots_prefix() -> [u8; 1] {
    [SLOT]
}
pub fn slot_key(slot: SlotId) -> [u8; 3] {
    let [high, low] = slot.0.to_be_bytes();
    [SLOT, high, low]
}
pub fn segments_prefix(slot: SlotId) -> [u8; 3] {
    let [_, high, low] = slot_key(slot);
    [SEGMENT, high, low]
}
pub fn blocks_prefix(slot: SlotId) -> [u8; 3] {
    let [_, high, low] = slot_key(slot);
    [BLOCK, high, low]
}
pub fn segment_key(slot: SlotId, first: u64) -> [u8; 11] {
    numbered(segments_prefix(slot), first)
}
pub fn block_key(slot: SlotId, number: u64) -> [u8; 11] {
    numbered(blocks_prefix(slot), number)
}
fn numbered(prefix: [u8; 3], number: u64) -> [u8; 11] {
    let mut key = [0; 11];
    key[..3].copy_from_slice(&prefix);
    key[3..].copy_from_slice(&number.to_be_bytes());
    key
}

/// The slot and number in a slot's, a segment's or a block's key.
pub fn slot_of(key: &[u8]) -> Option<SlotId> {
    Some(SlotId(u16::from_be_bytes(key.get(1..3)?.try_into().ok()?)))
}
pub fn number_of(key: &[u8]) -> Option<u64> {
    Some(u64::from_be_bytes(key.get(3..11)?.try_into().ok()?))
}

/// Of a key that fits (`crate::op::fits`).
pub fn record_key(key: &Key) -> Vec<u8> {
    let mut bytes = partition_prefix_with(key, key.sort.len());
    bytes.extend_from_slice(&key.sort);
    bytes
}
pub fn partition_prefix(key: &Key) -> Vec<u8> {
    partition_prefix_with(key, 0)
}
fn partition_prefix_with(key: &Key, room: usize) -> Vec<u8> {
    let length = u16::try_from(key.partition.len()).expect("a key that fits is below 64 KiB");
    let mut bytes = Vec::with_capacity(3 + key.partition.len() + room);
    bytes.push(key.table as u8);
    bytes.put_u16(length);
    bytes.extend_from_slice(&key.partition);
    bytes
}

/// The smallest key above all that start with `prefix`.
pub fn after_prefix(prefix: &[u8]) -> Vec<u8> {
    let mut end = prefix.to_vec();
    while let Some(last) = end.pop() {
        if last < u8::MAX {
            end.push(last + 1);
            return end;
        }
    }
    vec![u8::MAX; KEY_BYTES_MAX + 3]
}

/// `value` has room for the checksum in front.
fn seal(key: &[u8], mut value: Vec<u8>) -> Vec<u8> {
    let crc = crc32c::crc32c_append(crc32c::crc32c(key), &value[CRC_BYTES..]);
    value[..CRC_BYTES].copy_from_slice(&crc.to_be_bytes());
    value
}
fn open<'a>(key: &[u8], value: &'a [u8]) -> Option<&'a [u8]> {
    let (crc, rest) = value.split_at_checked(CRC_BYTES)?;
    (crc32c::crc32c_append(crc32c::crc32c(key), rest).to_be_bytes() == crc).then_some(rest)
}

pub fn encode_cell(key: &[u8], stamp: u64, value: Option<&[u8]>) -> Vec<u8> {
    let body = value.unwrap_or_default();
    let mut bytes = Vec::with_capacity(CELL_HEAD_BYTES + body.len());
    bytes.put_u32(0);
    bytes.put_u8(u8::from(value.is_none()));
    bytes.put_u64(stamp);
    bytes.extend_from_slice(body);
    seal(key, bytes)
}

pub fn decode_cell(key: &[u8], value: &[u8]) -> Result<Cell, Error> {
    let parts = open(key, value).and_then(|rest| rest.split_at_checked(CELL_HEAD_BYTES - CRC_BYTES));
    let Some((head, body)) = parts else { return Err(Error::Corrupt(format!("{} does not match its checksum", record_name(key)))) };
    let stamp = u64::from_be_bytes(head[1..].try_into().expect("eight bytes"));
    let value = (head[0] == 0).then(|| Bytes::copy_from_slice(body));
    Ok(Cell { stamp, value })
}

/// `Ok(None)`: a deleted row.
pub fn decode_row(partition: &Key, key: &[u8], value: &[u8]) -> Result<Option<Row>, Error> {
    let cell = decode_cell(key, value)?;
    let sort = Bytes::copy_from_slice(&key[3 + partition.partition.len()..]);
    Ok(cell.value.map(|value| Row { key: Key { sort, ..partition.clone() }, value, stamp: cell.stamp }))
}

/// "a row of Users (partition 0192…, sort )".
pub fn record_name(key: &[u8]) -> String {
    let table = key.first().and_then(|number| Table::ALL.iter().find(|table| **table as u8 == *number));
    let parts = key.get(1..3).and_then(|length| {
        let length = usize::from(u16::from_be_bytes(length.try_into().ok()?));
        key.get(3..)?.split_at_checked(length)
    });
    let hex = |bytes: &[u8]| bytes.iter().take(40).map(|byte| format!("{byte:02x}")).collect::<String>();
    match (table, parts) {
        (Some(table), Some((partition, sort))) => format!("the row of {} at {}/{}", table.name(), hex(partition), hex(sort)),
        _ => format!("a row with the unknown key {}", hex(key)),
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredHead {
    pub epoch: u64,
    pub head: u64,
    pub last_batch: Option<Uuid>,
}

pub fn encode_head(key: &[u8], head: &StoredHead) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(CRC_BYTES + 33);
    bytes.put_u32(0);
    bytes.put_u64(head.epoch);
    bytes.put_u64(head.head);
    bytes.put_u8(u8::from(head.last_batch.is_some()));
    bytes.extend_from_slice(head.last_batch.unwrap_or_default().as_bytes());
    seal(key, bytes)
}

pub fn decode_head(slot: SlotId, key: &[u8], value: &[u8]) -> Result<StoredHead, Error> {
    let rest = open(key, value).filter(|rest| rest.len() == 33);
    let Some(rest) = rest else { return Err(Error::Corrupt(format!("the head of slot {}'s journal does not match its checksum", slot.0))) };
    let number = |at: usize| u64::from_be_bytes(rest[at..at + 8].try_into().expect("eight bytes"));
    let batch = Uuid::from_slice(&rest[17..]).expect("sixteen bytes");
    Ok(StoredHead { epoch: number(0), head: number(8), last_batch: (rest[16] == 1).then_some(batch) })
}

pub fn encode_block(key: &[u8], epoch: u64, batch: Uuid, block: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(BLOCK_HEAD_BYTES + block.len());
    bytes.put_u32(0);
    bytes.put_u64(epoch);
    bytes.extend_from_slice(batch.as_bytes());
    bytes.extend_from_slice(block);
    seal(key, bytes)
}

/// Epoch, batch and the block itself.
pub fn decode_block<'a>(key: &[u8], value: &'a [u8]) -> Result<(u64, Uuid, &'a [u8]), Error> {
    let parts = open(key, value).and_then(|rest| rest.split_at_checked(BLOCK_HEAD_BYTES - CRC_BYTES));
    let Some((head, block)) = parts else { return Err(Error::Corrupt(format!("{} does not match its checksum", block_name(key)))) };
    let epoch = u64::from_be_bytes(head[..8].try_into().expect("eight bytes"));
    Ok((epoch, Uuid::from_slice(&head[8..]).expect("sixteen bytes"), block))
}

pub fn block_name(key: &[u8]) -> String {
    match (slot_of(key), number_of(key)) {
        (Some(slot), Some(number)) => format!("block {number} of slot {}'s journal", slot.0),
        _ => "a journal row with an unknown key".into(),
    }
}

/// A lone number: a counter, a segment's time.
pub fn encode_number(key: &[u8], number: u64) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(CRC_BYTES + 8);
    bytes.put_u32(0);
    bytes.put_u64(number);
    seal(key, bytes)
}

pub fn decode_number(key: &[u8], value: &[u8]) -> Result<u64, Error> {
    let number = open(key, value).and_then(|rest| Some(u64::from_be_bytes(rest.try_into().ok()?)));
    number.ok_or_else(|| {
        let what = match key {
            [0, name @ ..] => format!("the counter \"{}\"", name[..name.len().min(40)].escape_ascii()),
            _ => block_name(key).replace("block", "the segment at block"),
        };
        Error::Corrupt(format!("{what} does not match its checksum"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hex(bytes: &[u8]) -> String {
        bytes.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// Data sets hold these bytes: a change here is a new format.
    #[test]
    fn rows_lie_as_they_always_did() {
        let key = Key::new(Table::Members, &[b"room"], &[b"user"]);
        assert_eq!(hex(&record_key(&key)), "030004726f6f6d75736572");
        assert_eq!(hex(&encode_cell(&record_key(&key), 7, Some(b"row"))), "e53d0e00000000000000000007726f77");
        assert_eq!(hex(&encode_cell(&record_key(&key), 7, None)), "2e27d4db010000000000000007");
        let key = block_key(SlotId(259), 5);
        assert_eq!(hex(&key), "0301030000000000000005");
        assert_eq!(
            hex(&encode_block(&key, 9, Uuid::from_u128(1), b"block")),
            "4e13caf2000000000000000900000000000000000000000000000001626c6f636b"
        );
        let key = slot_key(SlotId(259));
        assert_eq!(
            hex(&encode_head(&key, &StoredHead { epoch: 9, head: 5, last_batch: None })),
            "1cca4f3f000000000000000900000000000000050000000000000000000000000000000000"
        );
        assert_eq!(hex(&encode_number(&counter_key("starts"), 3)), "cef867eb0000000000000003");
    }

    #[test]
    fn a_value_under_another_key_does_not_match() {
        let (one, two) = (block_key(SlotId(1), 1), block_key(SlotId(1), 2));
        let value = encode_block(&one, 1, Uuid::nil(), b"block");
        assert!(decode_block(&one, &value).is_ok());
        assert_eq!(decode_block(&two, &value), Err(Error::Corrupt("block 2 of slot 1's journal does not match its checksum".into())));
        assert!(decode_block(&one, &value[..10]).is_err());
    }
}
