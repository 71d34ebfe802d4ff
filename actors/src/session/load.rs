//! How a session wakes: its rooms, markers, drafts and mentions from the store. Who signs on to a session that sleeps waits for
//! it too, so what can be read together is one call of the store's.

use std::sync::Arc;

use schema::record::{Chosen, DraftRow, Marker, MentionRow, Receipt};
use schema::{RoomId, UserId};
use store::records::decode;
use store::{Error, Range, Row};

use super::core::{Left, Loaded, Parked};
use super::markers::Mark;
use crate::read::{ROOMS_MAX, room_list, rooms_in};
use crate::shared::Shared;

const MENTIONS_MAX: usize = 10_000;
/// Rows of one call.
const RECEIPTS_MAX: usize = 256;

pub async fn load(shared: &Arc<Shared>, user: UserId, parked: Option<Parked>) -> Result<Loaded, Error> {
    let (attachments, gone_at) = (shared.presence.attachments(user), shared.presence.gone_since(user));
    let is_remembered = parked.is_some();
    let mut loaded = Loaded { parked: parked.unwrap_or_default(), attachments, gone_at, ..Loaded::default() };
    // Tails first: what leaves one in between is in the room list by then.
    let recent = shared.reader.recent_memberships(user).await;
    let none = RoomId::default();
    let ranges = vec![
        room_list(user),
        Range::all(Marker::key_of(user, none), ROOMS_MAX),
        Range::all(DraftRow::key_of(user, none), ROOMS_MAX),
        Range::all(MentionRow::key_of(user, none, 0), MENTIONS_MAX),
        Range::one(Chosen::key_of(user)),
    ];
    let mut found = shared.reader.records.scan_all(ranges).await?.into_iter();
    let mut next = || found.next().unwrap_or_default();
    let (rooms, markers, drafts, mentions, chosen) = (next(), next(), next(), next(), next());
    // What it remembers itself is as new, and may be newer where that could not be saved.
    if let (false, Some(row)) = (is_remembered, chosen.first()) {
        loaded.parked.chosen = decode::<Chosen>(row)?.status;
    }
    loaded.rooms = rooms_in(&rooms, recent)?;
    loaded.marks = marks(shared, user, &markers).await?;
    for row in &drafts {
        let row: DraftRow = decode(row)?;
        loaded.drafts.insert(row.room, Left { text: row.text, unread_from: row.unread_from });
    }
    for row in &mentions {
        let row: MentionRow = decode(row)?;
        loaded.mentions.entry(row.room).or_default().insert(row.seq);
    }
    Ok(loaded)
}

/// How far the user has read, and what was delivered to them in the same rooms.
async fn marks(shared: &Shared, user: UserId, markers: &[Row]) -> Result<Vec<(RoomId, Mark)>, Error> {
    let mut marks = Vec::new();
    for part in markers.chunks(RECEIPTS_MAX) {
        let markers: Vec<Marker> = part.iter().map(decode).collect::<Result<_, _>>()?;
        let receipts = markers.iter().map(|marker| Range::one(Receipt::key_of(marker.room, user))).collect();
        let receipts = shared.reader.records.scan_all(receipts).await?;
        for (Marker { room, seq, ordinal, .. }, receipt) in markers.into_iter().zip(receipts) {
            let receipt: Option<Receipt> = receipt.first().map(decode).transpose()?;
            let delivered = receipt.map_or(0, |receipt| receipt.delivered).max(seq);
            marks.push((room, Mark { seq, ordinal, delivered }));
        }
    }
    Ok(marks)
}
