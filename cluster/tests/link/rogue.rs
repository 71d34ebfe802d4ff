//! Somebody at the door who is no node of the group, or pretends to be another: nothing of it reaches whoever is above the link, and a
//! node that is one is let in afterwards as before.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use cluster::NodeId;
use cluster::link::{Authority, Credentials, Frame, Hello, Lane, Line, Peer, Speaks, TcpTransport, Transport, encode};
use rcgen::{CertificateParams, ExtendedKeyUsagePurpose, Issuer, KeyPair, KeyUsagePurpose};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use crate::conforms::{patient, up};
use crate::nets::{A, B, Heard, anywhere, listen};

struct Door {
    authority: Authority,
    address: String,
    heard: Heard,
    _listener: cluster::link::Listener,
}

async fn open() -> Door {
    let authority = Authority::make().unwrap();
    let b = Arc::new(TcpTransport::bind(anywhere(), &authority.issue(B).unwrap(), Arc::new(|_, _| true)).await.unwrap());
    let (listener, heard) = listen(&b, B, patient());
    Door { authority, address: b.address().unwrap().to_string(), heard, _listener: listener }
}

impl Door {
    async fn transport(&self, credentials: &Credentials) -> TcpTransport {
        TcpTransport::bind(anywhere(), credentials, Arc::new(|_, _| true)).await.unwrap()
    }

    /// Nobody was let in, and a node still is.
    async fn stands(mut self) {
        assert!(self.heard.ready().is_empty(), "somebody was let in");
        let a = Arc::new(self.transport(&self.authority.issue(A).unwrap()).await);
        let peer = Peer::dial(a, Line { us: A, them: B, address: self.address.clone(), lane: Lane::Group }, patient());
        up(&peer).await;
        assert_eq!(self.heard.arrived().await.node, A);
    }
}

fn hello(node: NodeId) -> Vec<u8> {
    let mut bytes = Vec::new();
    encode(&Frame::Hello(Hello { speaks: Speaks::OURS, node, lane: Lane::Group, session: 1 }), &mut bytes);
    bytes
}

/// Until the other side hangs up.
async fn to_the_end(stream: &mut (impl AsyncRead + Unpin)) {
    let _ = stream.read_to_end(&mut Vec::new()).await;
}

#[tokio::test]
async fn who_speaks_in_the_clear_is_turned_away() {
    let door = open().await;
    let mut stream = TcpStream::connect(&door.address).await.unwrap();
    stream.write_all(&hello(A)).await.unwrap();
    to_the_end(&mut stream).await;
    door.stands().await;
}

#[tokio::test]
async fn a_certificate_that_has_ended_opens_nothing() {
    let door = open().await;
    let key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::new(vec!["node-1.hubbub.internal".into()]).unwrap();
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth];
    let (before, after) = (SystemTime::now() - Duration::from_secs(86_400), SystemTime::now() - Duration::from_secs(60));
    let authority_key = KeyPair::from_pem(&door.authority.key_pem()).unwrap();
    let issuer = Issuer::from_ca_cert_pem(door.authority.certificate_pem(), authority_key).unwrap();
    // The same, but for its end, is one that is let in.
    for (ends, is_let_in) in [(SystemTime::now() + Duration::from_secs(3_600), true), (after, false)] {
        (params.not_before, params.not_after) = (before.into(), ends.into());
        let certificate = params.clone().signed_by(&key, &issuer).unwrap().pem();
        let credentials = Credentials::from_pem(&certificate, &key.serialize_pem(), door.authority.certificate_pem()).unwrap();
        let mut stream = door.transport(&credentials).await.dial(B, &door.address).await.unwrap();
        let _ = stream.write_all(&hello(NodeId(99))).await;
        let mut heard = Vec::new();
        let _ = stream.read_to_end(&mut heard).await;
        // To one whose certificate is good it is at least said that it is not node 99.
        assert_eq!(!heard.is_empty(), is_let_in);
    }
    door.stands().await;
}

#[tokio::test]
async fn who_has_a_certificate_of_its_own_is_nobody_else() {
    let door = open().await;
    let mut stream = door.transport(&door.authority.issue(NodeId(3)).unwrap()).await.dial(B, &door.address).await.unwrap();
    stream.write_all(&hello(A)).await.unwrap();
    to_the_end(&mut stream).await;
    door.stands().await;
}

#[tokio::test]
async fn a_frame_of_four_gigabytes_is_the_end_before_its_first_byte_is_kept() {
    let mut door = open().await;
    let mut stream = door.transport(&door.authority.issue(NodeId(3)).unwrap()).await.dial(B, &door.address).await.unwrap();
    stream.write_all(&hello(NodeId(3))).await.unwrap();
    assert_eq!(door.heard.arrived().await.node, NodeId(3));
    stream.write_all(&[0xff; 4]).await.unwrap();
    to_the_end(&mut stream).await;
    assert_eq!(door.heard.gone().await.node, NodeId(3));
    door.stands().await;
}

#[tokio::test]
async fn a_handshake_that_was_listened_to_lets_nobody_in_a_second_time() {
    let mut door = open().await;
    let between = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let a = door.transport(&door.authority.issue(A).unwrap()).await;
    let (at, beyond) = (between.local_addr().unwrap().to_string(), door.address.clone());
    let listens = tokio::spawn(async move {
        let (near, far) = (between.accept().await.unwrap().0, TcpStream::connect(beyond).await.unwrap());
        let ((mut near_read, mut near_write), (mut far_read, mut far_write)) = (near.into_split(), far.into_split());
        tokio::spawn(async move { tokio::io::copy(&mut far_read, &mut near_write).await });
        let mut listened = Vec::new();
        let mut bytes = [0; 4_096];
        while let Ok(count @ 1..) = near_read.read(&mut bytes).await {
            listened.extend_from_slice(&bytes[..count]);
            far_write.write_all(&bytes[..count]).await.unwrap();
        }
        listened
    });
    let mut stream = a.dial(B, &at).await.unwrap();
    stream.write_all(&hello(A)).await.unwrap();
    assert_eq!(door.heard.arrived().await.node, A);
    stream.shutdown().await.unwrap();
    drop(stream);
    door.heard.gone().await;
    let listened = listens.await.unwrap();
    let mut again = TcpStream::connect(&door.address).await.unwrap();
    again.write_all(&listened).await.unwrap();
    to_the_end(&mut again).await;
    door.stands().await;
}
