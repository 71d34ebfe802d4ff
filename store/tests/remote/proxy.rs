//! A proxy between a node and its store process that reads frames, and cuts the connection at one of them.

use std::net::SocketAddr;
use std::sync::Arc;

use parking_lot::Mutex;
use store::remote::{Call, Decoder, Frame, encode};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};

/// Where the connection is cut, once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cut {
    /// The store process never gets the call.
    BeforeTheCall,
    /// It carries the call out, and the node never gets the answer.
    BeforeTheAnswer,
}

type Plan = Arc<Mutex<Option<(Cut, fn(&Call) -> bool)>>>;

pub struct Proxy {
    pub address: SocketAddr,
    plan: Plan,
}

impl Proxy {
    pub async fn before(process: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let plan = Plan::default();
        let planned = plan.clone();
        tokio::spawn(async move {
            while let Ok((node, _)) = listener.accept().await {
                // A connection that ends ends its other half too.
                tokio::spawn(carry(node, process, planned.clone()));
            }
        });
        Self { address, plan }
    }

    /// At the next call that is meant.
    pub fn cut(&self, cut: Cut, is_meant: fn(&Call) -> bool) {
        *self.plan.lock() = Some((cut, is_meant));
    }
    pub fn has_cut(&self) -> bool {
        self.plan.lock().is_none()
    }
}

async fn carry(node: TcpStream, process: SocketAddr, plan: Plan) {
    let Ok(process) = TcpStream::connect(process).await else { return };
    let ((from_node, to_node), (from_process, to_process)) = (node.into_split(), process.into_split());
    let meant = Mutex::new(None);
    let calls = pass(from_node, to_process, |frame| {
        let Frame::Ask { id, call, .. } = frame else { return true };
        let mut plan = plan.lock();
        match *plan {
            Some((Cut::BeforeTheCall, is_meant)) if is_meant(call) => {
                *plan = None;
                false
            }
            Some((Cut::BeforeTheAnswer, is_meant)) if is_meant(call) => {
                *meant.lock() = Some(*id);
                true
            }
            _ => true,
        }
    });
    let answers = pass(from_process, to_node, |frame| {
        let is_meant = matches!(frame, Frame::Answer { id, .. } if *meant.lock() == Some(*id));
        if is_meant {
            *plan.lock() = None;
        }
        !is_meant
    });
    tokio::select! { () = calls => {} () = answers => {} }
}

/// Frame by frame, until one is not to go on.
async fn pass(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, goes_on: impl Fn(&Frame) -> bool) {
    let (mut decoder, mut bytes) = (Decoder::default(), vec![0; 1 << 16]);
    decoder.trust();
    while let Ok(count @ 1..) = from.read(&mut bytes).await {
        decoder.push(&bytes[..count]);
        while let Some(frame) = decoder.frame().unwrap() {
            if !goes_on(&frame) {
                return;
            }
            let mut encoded = Vec::new();
            encode(&frame, &mut encoded);
            if to.write_all(&encoded).await.is_err() {
                return;
            }
        }
    }
}
