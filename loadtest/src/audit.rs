//! The end of a run: every room read whole through the history API, by one of its members, into the harness's history.
//! A page that does not go on where the last one ended is an error: nothing is patched over.

use std::time::Duration;

use schema::{Event, RoomId};

use crate::client::{Api, Error, is_temporary};
use crate::history::{Clock, Entry, Recorder};

const PAGE: usize = 200;

/// One room, and a member who may read it.
#[derive(Clone, Debug)]
pub struct Audited {
    pub room: RoomId,
    pub reader: Api,
}

/// Reads the room from seq 1 to its head.
pub async fn read(audited: &Audited) -> Result<Vec<Event>, Error> {
    let mut events: Vec<Event> = Vec::new();
    loop {
        let page = match audited.reader.page_after(audited.room, events.len() as u64, PAGE).await {
            Err(error) if is_temporary(&error) => {
                tokio::time::sleep(Duration::from_millis(20)).await;
                continue;
            }
            page => page?,
        };
        let head = page.head;
        for event in page.events {
            let due = events.len() as u64 + 1;
            if event.seq != due {
                return Err(Error::Hole { room: audited.room, due, came: event.seq });
            }
            events.push(event);
        }
        let have = events.len() as u64;
        if have >= head {
            return Ok(events);
        }
        if page.to < have || page.from > page.to {
            return Err(Error::Hole { room: audited.room, due: have + 1, came: page.from });
        }
    }
}

/// Reads all rooms and writes them down; returns their heads.
pub async fn write(rooms: &[Audited], clock: Clock, recorder: &mut Recorder) -> Result<Vec<(RoomId, u64)>, Error> {
    let mut heads = Vec::with_capacity(rooms.len());
    for audited in rooms {
        let events = read(audited).await?;
        let head = events.len() as u64;
        heads.push((audited.room, head));
        recorder.write(clock.now_us(), &Entry::Final { room: audited.room, base: 0, head, events });
    }
    Ok(heads)
}
