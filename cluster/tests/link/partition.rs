//! A network that passes nothing on and says nothing of it.

use std::sync::Arc;

use bytes::Bytes;
use cluster::link::{Lane, Limits, Line, Peer, SimNet, Status};

use crate::conforms::up;
use crate::nets::{A, B, listen};

#[tokio::test]
async fn a_partition_one_way_is_noticed_by_both_sides_and_heals_by_itself() {
    let net = SimNet::default();
    let [a, b] = [(A, "a"), (B, "b")].map(|(node, address)| Arc::new(net.join(node, address)));
    let limits = Limits { silence_ms: 300, ..Limits::default() };
    let (_listener, mut heard) = listen(&b, B, limits);
    let peer = Peer::dial(a, Line { us: A, them: B, address: "b".into(), lane: Lane::Chat }, limits);
    let session = up(&peer).await;
    heard.arrived().await;
    net.cut(A, B);
    peer.status().wait_for(|status| *status == Status::Away).await.unwrap();
    assert_eq!(heard.gone().await.session, session);
    net.heal(A, B);
    let next = up(&peer).await;
    assert_ne!(next, session);
    assert_eq!(heard.arrived().await.session, next);
    peer.say(Bytes::from_static(b"again")).unwrap();
    assert_eq!(heard.said().await.body, "again");
}
