//! Pure. From an id to its slot: fixed for ever, held by golden vectors.

use schema::SlotId;
use xxhash_rust::xxh3::xxh3_64;

/// What kind of actor an id names; part of what is hashed, so that a user and a room with the same id differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Room = 1,
    User = 2,
}

/// `xxh3_64(kind ‖ id) & (slots − 1)`.
///
/// Panics: if `slots` is no power of two, 1 ≤ slots ≤ 16,384.
pub fn slot_of(kind: Kind, id: &[u8; 16], slots: u16) -> SlotId {
    assert!(slots.is_power_of_two() && slots <= 16_384, "slots are a power of two up to 16,384, not {slots}");
    let mut key = [0; 17];
    key[0] = kind as u8;
    key[1..].copy_from_slice(id);
    SlotId((xxh3_64(&key) & u64::from(slots - 1)) as u16)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slots_are_those_of_the_golden_vectors() {
        let ids = [[0; 16], [1; 16], [0xff; 16], *b"0123456789abcdef"];
        let slots: Vec<_> = ids.iter().flat_map(|id| [slot_of(Kind::Room, id, 256).0, slot_of(Kind::User, id, 16_384).0]).collect();
        assert_eq!(slots, GOLDEN);
    }

    const GOLDEN: [u16; 8] = [136, 7514, 248, 15567, 48, 15212, 142, 8906];

    #[test]
    fn ids_spread_over_the_slots_evenly() {
        let mut counts = [0u32; 256];
        for n in 0..256_000u32 {
            let mut id = [0; 16];
            id[..4].copy_from_slice(&n.to_be_bytes());
            counts[slot_of(Kind::Room, &id, 256).0 as usize] += 1;
        }
        let (least, most) = (counts.iter().min().unwrap(), counts.iter().max().unwrap());
        assert!(*least > 850 && *most < 1_150, "{least} to {most} of 1,000 expected");
    }
}
