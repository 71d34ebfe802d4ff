//! What a node puts on a store process's wire, and the store process on the node's: a frame and what it asks for, or the end
//! of that connection. What was let through may be carried out: nothing of it panics in a store.

use store::SimStore;
use store::remote::{Decoder, Frame, check, encode};

use super::{Target, folder_of_golden};
use crate::mutate::Form;

pub const REMOTE: Target = Target { name: "remote", form: Form::MessagePack, seeds, feed };

/// Without their lengths, which the noise would only spoil.
fn seeds() -> Vec<Vec<u8>> {
    folder_of_golden("store/tests/remote/golden/1", ".hex").into_iter().map(|frame| frame[4..].to_vec()).collect()
}

fn feed(bytes: &[u8]) {
    let mut decoder = Decoder::default();
    decoder.trust();
    decoder.push(&(bytes.len() as u32).to_be_bytes());
    decoder.push(bytes);
    let Ok(Some(frame)) = decoder.frame() else { return };
    let (mut again, mut written) = (Decoder::default(), Vec::new());
    again.trust();
    encode(&frame, &mut written);
    again.push(&written);
    assert_eq!(again.frame(), Ok(Some(frame.clone())), "it reads back as something else");
    if let Frame::Ask { call, .. } = frame {
        check(call, &SimStore::default());
    }
}
