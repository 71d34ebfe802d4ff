//! Properties: cuts do not matter to the parser; the outbox keeps to its bound and loses nothing silently.

use std::collections::BTreeMap;
use std::io::IoSlice;

use bytes::Bytes;
use hubbub::edge::heartbeat::Tick;
use hubbub::edge::outbox::{Bounds, Chunk, Class, Effects, Outbox};
use proptest::prelude::*;

use crate::client::frame;
use crate::frames::{cases, echo};

proptest! {
    #[test]
    fn any_cut_of_any_bytes_gives_the_same_messages(
        frames in prop::collection::vec((0u8..=255, prop::collection::vec(any::<u8>(), 0..200)), 0..12),
        mut cuts in prop::collection::vec(0usize..3000, 0..20),
    ) {
        let bytes: Vec<u8> = frames.iter().flat_map(|(first, body)| frame(*first, body)).collect();
        check_cuts(&bytes, &mut cuts);
    }

    #[test]
    fn any_cut_of_good_frames_gives_the_same_messages(
        bodies in prop::collection::vec((any::<bool>(), "\\PC{0,80}"), 1..20),
        mut cuts in prop::collection::vec(0usize..3000, 0..20),
    ) {
        let mut open = false;
        let mut bytes = Vec::new();
        for (fin, body) in &bodies {
            let first = if open { 0x00 } else { 0x01 } | if *fin { 0x80 } else { 0x00 };
            open = !fin;
            bytes.extend(frame(first, body.as_bytes()));
        }
        check_cuts(&bytes, &mut cuts);
    }

    #[test]
    fn any_cut_of_the_table_gives_the_same(case in 0usize..120, mut cuts in prop::collection::vec(0usize..70_000, 0..10)) {
        check_cuts(&cases()[case].bytes, &mut cuts);
    }
}

fn check_cuts(bytes: &[u8], cuts: &mut Vec<usize>) {
    cuts.iter_mut().for_each(|cut| *cut = (*cut).min(bytes.len()));
    cuts.extend([0, bytes.len()]);
    cuts.sort_unstable();
    let pieces = cuts.windows(2).map(|ends| &bytes[ends[0]..ends[1]]);
    assert_eq!(echo(pieces), echo([bytes].into_iter()));
}

#[derive(Clone, Debug)]
enum Step {
    Event { room: u32, bytes: usize },
    Ephemeral { bytes: usize },
    Answer { bytes: usize },
    Read { bytes: usize },
    Page { room: u32 },
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (0u32..3, 1usize..400).prop_map(|(room, bytes)| Step::Event { room, bytes }),
        2 => (1usize..200).prop_map(|bytes| Step::Ephemeral { bytes }),
        1 => (1usize..400).prop_map(|bytes| Step::Answer { bytes }),
        2 => (1usize..1500).prop_map(|bytes| Step::Read { bytes }),
        1 => (0u32..3).prop_map(|room| Step::Page { room }),
    ]
}

const BOUNDS: Bounds = Bounds { bytes_max: 2_000, frames_max: 32 };

/// The seq of each room as the reader may know it: by an event, or by `behind` and a page.
#[derive(Default)]
struct Rooms {
    heads: BTreeMap<u32, u64>,
    behind: BTreeMap<u32, u64>,
}

proptest! {
    #[test]
    fn the_outbox_keeps_to_its_bound_and_every_event_is_queued_or_behind(steps in prop::collection::vec(step(), 1..200)) {
        let mut outbox = Outbox::new(Tick(0), false);
        let mut rooms = Rooms::default();
        for step in steps {
            let mut effects = Effects::default();
            let chunk = |bytes: usize, class| Chunk { bytes: Bytes::from(vec![0; bytes]), frames: 1, class };
            let pushed = match step {
                Step::Event { room, bytes } => {
                    let head = rooms.heads.entry(room).or_default();
                    *head += 1;
                    let before = outbox.bytes();
                    let pushed = outbox.push(chunk(bytes, Class::Durable { room, head: *head }), &BOUNDS, &mut effects);
                    let is_told = rooms.behind.contains_key(&room) || effects.behind.iter().any(|(of, _)| *of == room);
                    prop_assert!(outbox.bytes() > before || is_told || effects.ephemerals_dropped > 0, "an event is queued, or its room is behind");
                    pushed
                }
                Step::Ephemeral { bytes } => outbox.push(chunk(bytes, Class::Ephemeral), &BOUNDS, &mut effects),
                Step::Answer { bytes } => outbox.push(chunk(bytes, Class::Direct), &BOUNDS, &mut effects),
                Step::Read { bytes } => {
                    let mut slices = [IoSlice::new(&[]); 8];
                    let filled = outbox.slices(&mut slices);
                    let offered: usize = slices[..filled].iter().map(|slice| slice.len()).sum();
                    outbox.wrote(bytes.min(offered), Tick(1));
                    Ok(())
                }
                Step::Page { room } => {
                    let head = *rooms.heads.entry(room).or_default();
                    outbox.page(room, head, head, &mut effects);
                    prop_assert!(effects.behind.is_empty(), "a page to the head ends it");
                    rooms.behind.remove(&room);
                    Ok(())
                }
            };
            for (room, head) in &effects.behind {
                prop_assert!(*head <= rooms.heads[room]);
                prop_assert_eq!(rooms.behind.insert(*room, *head), None, "said once");
            }
            prop_assert!(outbox.bytes() <= BOUNDS.bytes_max, "{} bytes", outbox.bytes());
            prop_assert!(outbox.frames() <= BOUNDS.frames_max);
            if pushed.is_err() {
                break;
            }
        }
    }
}
