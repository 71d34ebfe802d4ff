//! Pure. Weighted rendezvous hashing: how much a node wants a slot. The score of Schindelhauer and Schomaker, weight / −ln(hash),
//! in integers, so that it is the same on every machine.

use schema::SlotId;
use xxhash_rust::xxh3::xxh3_64;

use crate::ring::NodeId;

/// Higher wants more. Two nodes' chances to want a slot most are as their weights.
pub fn score(slot: SlotId, node: NodeId, weight: u16) -> u64 {
    let mut key = [0; 10];
    key[..2].copy_from_slice(&slot.0.to_be_bytes());
    key[2..].copy_from_slice(&node.0.to_be_bytes());
    let distance = negative_log2(xxh3_64(&key)).max(1);
    ((u128::from(weight) << 64) / u128::from(distance)).min(u128::from(u64::MAX)) as u64
}

/// −log2(hash / 2^64), with 40 bits behind the point.
fn negative_log2(hash: u64) -> u64 {
    let hash = hash.max(1);
    let whole = u64::from(hash.leading_zeros());
    // The mantissa in [1, 2), squared bit by bit.
    let mut mantissa = u128::from(hash << whole) >> 1;
    let mut fraction = 0u64;
    for _ in 0..FRACTION_BITS {
        mantissa = (mantissa * mantissa) >> 62;
        fraction <<= 1;
        if mantissa >= 1 << 63 {
            fraction |= 1;
            mantissa >>= 1;
        }
    }
    ((whole + 1) << FRACTION_BITS) - fraction
}

const FRACTION_BITS: u32 = 40;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_logarithm_is_that_of_the_hash() {
        for hash in [1, 2, 3, 1 << 20, 1 << 63, u64::MAX / 3, u64::MAX] {
            let exact = 64.0 - (hash as f64).log2();
            let ours = negative_log2(hash) as f64 / f64::from(FRACTION_BITS).exp2();
            assert!((exact - ours).abs() < 1e-9, "{hash}: {exact} is not {ours}");
        }
    }

    #[test]
    fn scores_are_those_of_the_golden_vectors() {
        let scores: Vec<_> = [(0, 1, 1), (0, 2, 1), (255, 1, 100), (16_383, 77, 65_535)]
            .map(|(slot, node, weight)| score(SlotId(slot), NodeId(node), weight))
            .to_vec();
        assert_eq!(scores, GOLDEN);
    }

    const GOLDEN: [u64; 4] = [5_650_918, 7_713_386, 15_219_603_722, 7_123_478_589_674];

    #[test]
    fn a_node_of_twice_the_weight_wants_twice_as_many() {
        let wins = (0..16_384).map(SlotId).filter(|slot| score(*slot, NodeId(1), 2) > score(*slot, NodeId(2), 1)).count();
        assert!((10_600..11_250).contains(&wins), "{wins} of 16,384, two thirds expected");
    }
}
