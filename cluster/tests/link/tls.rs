//! Who is let in over TLS, and that a certificate is replaced while connections live.

use std::sync::Arc;

use bytes::Bytes;
use cluster::NodeId;
use cluster::link::{Authority, Incoming, Lane, Line, Peer, TcpTransport, Transport, Trust};

use crate::conforms::{patient, up};
use crate::nets::{A, B, anywhere, listen};

fn everybody() -> Arc<Trust> {
    Arc::new(|_, _| true)
}

async fn bind(authority: &Authority, node: NodeId, trust: Arc<Trust>) -> Arc<TcpTransport> {
    Arc::new(TcpTransport::bind(anywhere(), &authority.issue(node).unwrap(), trust).await.unwrap())
}

/// Whether A gets through to B, as each of them sees it.
async fn meet(a: &TcpTransport, b: &TcpTransport) -> (bool, bool) {
    let address = b.address().unwrap().to_string();
    let (dialled, opened) = tokio::join!(a.dial(B, &address), async { b.accept().await.unwrap().open().await });
    if let Ok((node, _)) = &opened {
        assert_eq!(*node, Some(A));
    }
    (dialled.is_ok(), opened.is_ok())
}

#[tokio::test]
async fn nodes_of_one_authority_meet() {
    let authority = Authority::make().unwrap();
    let (a, b) = (bind(&authority, A, everybody()).await, bind(&authority, B, everybody()).await);
    assert_eq!(meet(&a, &b).await, (true, true));
}

#[tokio::test]
async fn a_node_of_another_authority_is_let_in_by_nobody() {
    let (ours, theirs) = (Authority::make().unwrap(), Authority::make().unwrap());
    let (a, b) = (bind(&theirs, A, everybody()).await, bind(&ours, B, everybody()).await);
    assert_eq!(meet(&a, &b).await, (false, false));
}

#[tokio::test]
async fn a_node_that_answers_at_the_address_of_another_is_not_talked_to() {
    let authority = Authority::make().unwrap();
    let (a, c) = (bind(&authority, A, everybody()).await, bind(&authority, NodeId(3), everybody()).await);
    assert!(!meet(&a, &c).await.0);
}

#[tokio::test]
async fn a_certificate_that_the_membership_does_not_have_is_not_believed_by_either_side() {
    let authority = Authority::make().unwrap();
    let none: Arc<Trust> = Arc::new(|_, _| false);
    let (a, b) = (bind(&authority, A, everybody()).await, bind(&authority, B, none.clone()).await);
    assert!(!meet(&a, &b).await.1);
    let (a, b) = (bind(&authority, A, none).await, bind(&authority, B, everybody()).await);
    assert!(!meet(&a, &b).await.0);
}

#[tokio::test]
async fn what_membership_is_asked_is_the_certificate_that_was_issued() {
    let authority = Authority::make().unwrap();
    let issued = authority.issue(A).unwrap();
    let expected = issued.fingerprint();
    let a = TcpTransport::bind(anywhere(), &issued, everybody()).await.unwrap();
    let b = bind(&authority, B, Arc::new(move |node, fingerprint| (node, fingerprint) == (A, expected))).await;
    assert_eq!(meet(&a, &b).await, (true, true));
}

#[tokio::test]
async fn a_replaced_certificate_is_used_from_then_on_and_open_connections_stay() {
    let authority = Authority::make().unwrap();
    let (a, b) = (bind(&authority, A, everybody()).await, bind(&authority, B, everybody()).await);
    let (_listener, mut heard) = listen(&b, B, patient());
    let line = |lane| Line { us: A, them: B, address: b.address().unwrap().to_string(), lane };
    let old = Peer::dial(a.clone(), line(Lane::Chat), patient());
    let session = up(&old).await;
    heard.arrived().await;
    // Of a new authority: whoever still had the old one would be turned away.
    let next = Authority::make().unwrap();
    a.replace(&next.issue(A).unwrap()).unwrap();
    b.replace(&next.issue(B).unwrap()).unwrap();
    let new = Peer::dial(a.clone(), line(Lane::Group), patient());
    up(&new).await;
    assert_eq!(heard.arrived().await.lane, Lane::Group);
    old.say(Bytes::from_static(b"still here")).unwrap();
    assert_eq!(heard.said().await.body, "still here");
    assert_eq!(up(&old).await, session);
}
