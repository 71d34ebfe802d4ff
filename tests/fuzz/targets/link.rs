//! What another node puts on the wire: a frame of the link, or the end of that connection; and whatever it says next, the
//! cores of both sides keep their books.

use cluster::NodeId;
use cluster::link::{Decoder, Frame, Hello, Inbound, Lane, Limits, Outbound, Speaks, encode};

use super::{Target, folder_of_golden};
use crate::mutate::Form;

pub const LINK: Target = Target { name: "link", form: Form::MessagePack, seeds, feed };

/// Without their lengths, which the noise would only spoil.
fn seeds() -> Vec<Vec<u8>> {
    folder_of_golden("cluster/tests/link/golden/1", ".hex").into_iter().map(|frame| frame[4..].to_vec()).collect()
}

fn feed(bytes: &[u8]) {
    let mut decoder = Decoder::default();
    decoder.push(&(bytes.len() as u32).to_be_bytes());
    decoder.push(bytes);
    let Ok(Some(frame)) = decoder.frame() else { return };
    let (mut again, mut written) = (Decoder::default(), Vec::new());
    encode(&frame, &mut written);
    again.push(&written);
    assert_eq!(again.frame(), Ok(Some(frame.clone())), "it reads back as something else");

    let hello = Hello { speaks: Speaks::OURS, node: NodeId(1), lane: Lane::Chat, session: 1 };
    let mut dialled = Inbound::new(NodeId(2), NodeId(1), 1 << 20, 1 << 20);
    let _ = dialled.hear(frame.clone());
    let _ = dialled.hear(Frame::Hello(hello.clone()));
    let _ = dialled.hear(frame.clone());
    dialled.take(usize::MAX, &mut Vec::new());

    let mut dials = Outbound::<()>::new(Limits::default());
    dials.connected(hello, 0);
    for now_ms in 0..3 {
        let _ = dials.hear(frame.clone(), now_ms);
        let _ = dials.say(bytes.to_vec().into());
        let _ = dials.ask(bytes.to_vec().into(), 1, (), now_ms);
        dials.take(usize::MAX, &mut Vec::new());
    }
    dials.lost();
    assert_eq!((dials.asks(), dials.queue_bytes()), (0, 0));
}
