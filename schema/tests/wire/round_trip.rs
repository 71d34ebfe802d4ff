//! Whatever is written reads back as itself, in both formats, and through one into the other.

use proptest::collection::vec;
use proptest::prelude::*;
use schema::block::Block;
use schema::wire::Format;
use schema::{ClientEvent, Event, ServerEvent};
use serde::{Serialize, de::DeserializeOwned};

use super::made;

const FORMATS: [Format; 2] = [Format::Json, Format::MessagePack];

fn survives<T: Serialize + DeserializeOwned + PartialEq + std::fmt::Debug>(value: &T) {
    for format in FORMATS {
        let bytes = format.encode(value);
        let read: T = format.decode(&bytes).unwrap_or_else(|error| panic!("{format:?} does not read what it wrote: {error}"));
        assert_eq!(read, *value);
        assert_eq!(format.encode(&read), bytes, "one value has one spelling");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_a_client_says_survives(event in made::client_event()) {
        survives::<ClientEvent>(&event);
    }

    #[test]
    fn what_a_node_says_survives(event in made::server_event()) {
        survives::<ServerEvent>(&event);
    }

    #[test]
    fn what_a_room_journals_survives(event in made::event()) {
        survives::<Event>(&event);
    }

    #[test]
    fn a_block_survives(events in vec(made::event(), 0..8)) {
        let block = Block { events };
        prop_assert_eq!(Block::decode(&block.encode()).unwrap(), block);
    }

    #[test]
    fn a_block_cut_anywhere_is_refused(events in vec(made::event(), 1..4), cut in 0.0..1.0f64) {
        let bytes = Block { events }.encode();
        let kept = (bytes.len() as f64 * cut) as usize;
        prop_assert!(Block::decode(&bytes[..kept]).is_err());
    }
}
