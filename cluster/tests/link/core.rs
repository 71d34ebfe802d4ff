//! The cores alone, where it takes a clock or somebody who breaks the protocol.

use bytes::Bytes;
use cluster::NodeId;
use cluster::link::{AskError, Frame, FrameError, Heard, Hello, Inbound, Lane, Limits, Outbound, Refusal, Speaks, Welcome};

const LIMITS: Limits = Limits { queue_bytes_max: 1_000, asks_max: 3, silence_ms: 3_000, window_bytes: 100 };

fn hello(speaks: Speaks, node: u64) -> Hello {
    Hello { speaks, node: NodeId(node), lane: Lane::Chat, session: 1 }
}

fn taken(core: &mut Outbound<u32>) -> Vec<Frame> {
    let mut frames = Vec::new();
    core.take(usize::MAX, &mut frames);
    frames
}

fn up() -> Outbound<u32> {
    let mut core = Outbound::new(LIMITS);
    core.connected(hello(Speaks::OURS, 1), 0);
    assert!(matches!(taken(&mut core)[..], [Frame::Hello(_)]));
    let welcome = Frame::Welcome(Welcome { version: 1, node: NodeId(2), window_bytes: LIMITS.window_bytes });
    assert_eq!(core.hear(welcome, 0), Ok((true, None)));
    core
}

#[test]
fn a_third_of_the_silence_is_a_reason_to_ask_and_all_of_it_is_death() {
    let (mut core, mut told) = (up(), Vec::new());
    assert!(core.tick(999, &mut told) && taken(&mut core).is_empty());
    assert!(core.tick(1_000, &mut told));
    assert_eq!(taken(&mut core), [Frame::Ping {}]);
    assert!(core.tick(2_000, &mut told) && taken(&mut core).is_empty(), "asked once is enough");
    core.hear(Frame::Pong {}, 2_500).unwrap();
    assert!(core.tick(5_499, &mut told), "what was heard last counts");
    assert!(!core.tick(5_500, &mut told));
}

#[test]
fn a_request_is_late_at_its_time_and_is_not_sent_after_that() {
    let (mut core, mut told) = (up(), Vec::new());
    core.say(Bytes::from(vec![0; 100])).unwrap();
    core.ask(Bytes::from_static(b"behind it"), 50, 7, 0).unwrap();
    assert!(matches!(taken(&mut core)[..], [Frame::Say { .. }]), "there is no credit for more");
    core.tick(49, &mut told);
    assert!(told.is_empty());
    core.tick(50, &mut told);
    assert_eq!(told, [(7, Err(AskError::Late))]);
    core.hear(Frame::Credit { bytes: 100 }, 60).unwrap();
    assert_eq!(taken(&mut core), []);
}

#[test]
fn requests_beyond_the_bound_are_refused_at_once_and_the_others_are_not() {
    let mut core = up();
    (0..3).for_each(|n| core.ask(Bytes::new(), 1_000, n, 0).unwrap());
    assert_eq!(core.ask(Bytes::new(), 1_000, 3, 0), Err((3, Err(AskError::Refused(Refusal::Busy)))));
    assert_eq!(core.lost().len(), 3);
    assert_eq!((core.asks(), core.queue_bytes()), (0, 0));
}

#[test]
fn what_an_old_connection_left_is_not_sent_on_the_next() {
    let mut core = up();
    core.say(Bytes::from_static(b"old")).unwrap();
    core.lost();
    core.connected(hello(Speaks::OURS, 1), 10);
    assert!(matches!(taken(&mut core)[..], [Frame::Hello(_)]));
}

fn greeted() -> Inbound {
    let mut core = Inbound::new(NodeId(2), NodeId(1), 100, 1_000);
    assert!(matches!(core.hear(Frame::Hello(hello(Speaks::OURS, 1))), Ok(Heard::Arrived(_))));
    let mut frames = Vec::new();
    assert!(core.take(usize::MAX, &mut frames));
    assert!(matches!(frames[..], [Frame::Welcome(_)]));
    core
}

fn say(bytes: usize) -> Frame {
    Frame::Say { table: 1, body: Bytes::from(vec![0; bytes]) }
}

#[test]
fn who_sends_more_than_was_allowed_is_cut_off() {
    let mut core = greeted();
    core.hear(say(60)).unwrap();
    core.hear(say(60)).unwrap();
    assert_eq!(core.hear(say(1)), Err(FrameError::OverCredit { over: 21 }));
}

#[test]
fn what_was_taken_in_may_be_sent_again() {
    let mut core = greeted();
    for _ in 0..100 {
        core.hear(say(60)).unwrap();
        core.consumed(60);
    }
    let mut frames = Vec::new();
    core.take(usize::MAX, &mut frames);
    let credit: u32 = frames.iter().map(|frame| if let Frame::Credit { bytes } = frame { *bytes } else { 0 }).sum();
    assert_eq!(credit, 6_000);
}

#[test]
fn only_the_node_that_the_certificate_names_is_greeted_and_only_in_a_tongue_that_both_speak() {
    let refused = |hello| {
        let mut core = Inbound::new(NodeId(2), NodeId(1), 100, 1_000);
        assert_eq!(core.hear(Frame::Hello(hello)), Ok(Heard::Nothing));
        let mut frames = Vec::new();
        assert!(!core.take(usize::MAX, &mut frames), "nothing follows");
        frames
    };
    assert_eq!(refused(hello(Speaks::OURS, 3)), [Frame::Refused { why: Refusal::Stranger }]);
    let later = Speaks { oldest: Speaks::OURS.newest + 1, newest: Speaks::OURS.newest + 2 };
    assert_eq!(refused(hello(later, 1)), [Frame::Refused { why: Refusal::Version }]);
}

#[test]
fn frames_out_of_place_end_the_connection() {
    let mut fresh = Inbound::new(NodeId(2), NodeId(1), 100, 1_000);
    assert!(matches!(fresh.hear(say(1)), Err(FrameError::OutOfPlace(_))), "before the greeting");
    let mut core = greeted();
    assert!(core.hear(Frame::Hello(hello(Speaks::OURS, 1))).is_err(), "greeted already");
    assert!(core.hear(Frame::Pong {}).is_err(), "what nobody asked for");
    assert!(up().hear(say(1), 0).is_err(), "who is dialled says nothing");
}
