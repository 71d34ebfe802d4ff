//! What the reader threads do: one row, a part of a partition, a page of blocks. Every value is checked on its way out.

use std::ops::Bound;

use bytes::Bytes;
use fjall::Readable;
use schema::SlotId;
use schema::record::Key;

use super::layout;
use super::open::{Tables, storage};
use crate::op::fits;
use crate::{Error, Range, Row, StoredBlock};

/// Of one page, however many a caller asks for.
const BLOCKS_MAX: usize = 512;

pub fn get(tables: &Tables, key: Key) -> Result<Option<Row>, Error> {
    if !fits(&key) {
        return Ok(None);
    }
    let bytes = layout::record_key(&key);
    let value = tables.records.get(&bytes).map_err(|error| storage(&layout::record_name(&bytes), error))?;
    let cell = value.map(|value| layout::decode_cell(&bytes, &value)).transpose()?;
    Ok(cell.and_then(|cell| Some(Row { key, value: cell.value?, stamp: cell.stamp })))
}

pub fn scan(tables: &Tables, range: &Range) -> Result<Vec<Row>, Error> {
    if !fits(&Key { sort: Bytes::new(), ..range.partition.clone() }) {
        return Ok(Vec::new());
    }
    let prefix = layout::partition_prefix(&range.partition);
    let start = [&prefix[..], &range.from].concat();
    let end = if range.to.is_empty() { layout::after_prefix(&prefix) } else { [&prefix[..], &range.to].concat() };
    if start >= end {
        return Ok(Vec::new());
    }
    let mut rows = tables.records.range::<Vec<u8>, _>((Bound::Included(start), Bound::Excluded(end)));
    let mut found = Vec::new();
    while found.len() < range.limit
        && let Some(row) = if range.newest_first { rows.next_back() } else { rows.next() }
    {
        let (key, value) = row.into_inner().map_err(|error| storage(&layout::record_name(&prefix), error))?;
        found.extend(layout::decode_row(&range.partition, &key, &value)?);
    }
    Ok(found)
}

/// From one moment of the data: a read must not see half a trim.
pub fn blocks(tables: &Tables, slot: SlotId, from: u64, limit: usize) -> Result<Vec<StoredBlock>, Error> {
    let reading = |error| storage(&format!("reading slot {}'s journal", slot.0), error);
    let view = tables.db.snapshot();
    let Some(first) = view.prefix(&tables.journal, layout::segments_prefix(slot)).next() else { return Ok(Vec::new()) };
    let kept = layout::number_of(&first.key().map_err(reading)?).unwrap_or(1);
    let start = from.max(kept);
    let mut blocks = Vec::new();
    for (row, expected) in view
        .range(&tables.journal, layout::block_key(slot, start)..=layout::block_key(slot, u64::MAX))
        .zip(start..)
        .take(limit.min(BLOCKS_MAX))
    {
        let (key, value) = row.into_inner().map_err(reading)?;
        let number = layout::number_of(&key).unwrap_or(0);
        if number != expected {
            return Err(Error::MissingBlock { slot: slot.0, block: expected });
        }
        let (_, _, block) = layout::decode_block(&key, &value)?;
        blocks.push(StoredBlock { number, block: Bytes::copy_from_slice(block) });
    }
    Ok(blocks)
}
