//! Who is no node, or breaks the rules of the wire, met by a server: hung up on, and nobody else notices.

use std::io;
use std::sync::Arc;

use bytes::Bytes;
use schema::SlotId;
use schema::limits::BLOCK_BYTES_MAX;
use schema::record::Table;
use tokio::io::AsyncReadExt;
use tokio::net::{TcpListener, TcpStream};
use uuid::Uuid;

use super::frame::{Answered, Call, Expected, Frame, Refusal, RowKey, RowWrite, Speaks};
use super::greet::{meet_store, say};
use super::secret::nonce;
use super::{Decoder, Secret, Server, ServerConfig};
use crate::SimStore;

fn secret() -> Secret {
    Secret::new(&[1; 32]).unwrap()
}

async fn serve(store: Arc<SimStore>, change: impl FnOnce(&mut ServerConfig)) -> Server {
    let mut config = ServerConfig::new(secret());
    change(&mut config);
    Server::start(TcpListener::bind("127.0.0.1:0").await.unwrap(), store, config).unwrap()
}

/// Frames by hand, instead of a node.
struct Raw {
    stream: TcpStream,
    decoder: Decoder,
}

impl Raw {
    async fn connect(server: &Server) -> Self {
        Self { stream: TcpStream::connect(server.address()).await.unwrap(), decoder: Decoder::default() }
    }
    async fn greeted(server: &Server) -> Self {
        let mut raw = Self::connect(server).await;
        raw.decoder = meet_store(&mut raw.stream, &secret()).await.unwrap().1;
        raw
    }
    async fn say(&mut self, frame: Frame) {
        // It may have hung up already: what is read says so.
        let _ = say(&mut self.stream, &frame).await;
    }
    async fn ask(&mut self, id: u64, call: Call) {
        self.say(Frame::Ask { id, within_ms: 10_000, call }).await;
    }
    /// `None`: it hung up.
    async fn hear(&mut self) -> Option<Frame> {
        let mut bytes = [0; 4096];
        loop {
            if let Some(frame) = self.decoder.frame().unwrap() {
                return Some(frame);
            }
            match self.stream.read(&mut bytes).await {
                Ok(count @ 1..) => self.decoder.push(&bytes[..count]),
                Ok(0) => return None,
                Err(error) if error.kind() == io::ErrorKind::ConnectionReset => return None,
                Err(error) => panic!("{error}"),
            }
        }
    }
}

fn get() -> Call {
    Call::Get { key: RowKey { table: Table::Users as u8, partition: Bytes::new(), sort: Bytes::new() } }
}

#[tokio::test]
async fn whoever_does_not_have_the_secret_is_told_so_and_nothing_else() {
    let server = serve(Arc::default(), |_| {}).await;
    let mut raw = Raw::connect(&server).await;
    raw.say(Frame::Hello { speaks: Speaks::OURS, nonce: nonce().unwrap() }).await;
    let Some(Frame::Challenge { proof, .. }) = raw.hear().await else { panic!("no challenge") };
    // The store process's own proof is not the node's.
    raw.say(Frame::Proof { proof }).await;
    assert_eq!(raw.hear().await, Some(Frame::Refused { why: Refusal::Secret }));
    assert_eq!(raw.hear().await, None);
}

#[tokio::test]
async fn a_call_before_the_greeting_is_hung_up_on() {
    let server = serve(Arc::default(), |_| {}).await;
    let mut raw = Raw::connect(&server).await;
    raw.ask(1, get()).await;
    assert_eq!(raw.hear().await, None);
}

#[tokio::test]
async fn a_node_that_is_too_far_in_time_is_told_so() {
    let server = serve(Arc::default(), |_| {}).await;
    let mut raw = Raw::connect(&server).await;
    raw.say(Frame::Hello { speaks: Speaks { oldest: 900, newest: 901 }, nonce: nonce().unwrap() }).await;
    assert_eq!(raw.hear().await, Some(Frame::Refused { why: Refusal::Version }));
}

#[tokio::test]
async fn one_node_more_than_may_connect_is_turned_away_until_another_goes() {
    let server = serve(Arc::default(), |config| config.nodes_max = 1).await;
    let first = Raw::greeted(&server).await;
    let mut second = Raw::connect(&server).await;
    assert!(meet_store(&mut second.stream, &secret()).await.is_err());
    drop(first);
    while meet_store(&mut Raw::connect(&server).await.stream, &secret()).await.is_err() {}
}

#[tokio::test]
async fn a_node_with_more_under_way_than_it_may_is_hung_up_on() {
    let store = Arc::new(SimStore::default());
    store.stall_reads(true);
    let server = serve(store, |config| config.calls_max = 2).await;
    let mut raw = Raw::greeted(&server).await;
    for id in 0..2 {
        raw.ask(id, get()).await;
    }
    raw.say(Frame::Ping {}).await;
    assert_eq!(raw.hear().await, Some(Frame::Pong {}));
    raw.ask(2, get()).await;
    assert_eq!(raw.hear().await, None);
}

#[tokio::test]
async fn what_no_caller_of_the_traits_may_ask_is_hung_up_on_and_others_go_on() {
    let server = serve(Arc::default(), |_| {}).await;
    let mut other = Raw::greeted(&server).await;
    let (slot, batch, value) = (SlotId(1), Uuid::nil(), Bytes::new());
    let key = |table: u8| RowKey { table, partition: Bytes::new(), sort: Bytes::new() };
    let long = RowKey { partition: Bytes::from(vec![0; crate::op::KEY_BYTES_MAX + 1]), ..key(Table::Members as u8) };
    let expect = Expected::Any;
    let write = |key| Call::PutMany { writes: vec![RowWrite { key, stamp: 1, value: None }] };
    for call in [
        Call::Fence { slot, epoch: 0 },
        Call::Append { slot, epoch: 1, head: 0, batch, block: Bytes::from(vec![0; BLOCK_BYTES_MAX + 1]) },
        Call::Put { key: key(Table::Members as u8), value: value.clone(), expect },
        Call::PutMax { key: key(Table::Users as u8), value, stamp: 1 },
        Call::Delete { key: key(Table::Markers as u8) },
        write(key(Table::Users as u8)),
        write(key(200)),
        write(long),
        Call::Get { key: key(0) },
    ] {
        let mut raw = Raw::greeted(&server).await;
        let said = format!("{call:?}");
        raw.ask(1, call).await;
        assert_eq!(raw.hear().await, None, "{said:.100}");
        other.ask(1, get()).await;
        assert_eq!(other.hear().await, Some(Frame::Answer { id: 1, answered: Answered::Row { row: None } }));
    }
}

#[tokio::test]
async fn a_node_that_says_nothing_is_hung_up_on() {
    let server = serve(Arc::default(), |config| config.silence = std::time::Duration::from_millis(100)).await;
    let mut raw = Raw::greeted(&server).await;
    assert_eq!(raw.hear().await, None);
}
