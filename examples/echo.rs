//! An echo over the very same door, parser, writer and lots as the server: what conformance suites for RFC 6455 talk to.
//!
//! `cargo run --example echo -- 127.0.0.1:9001`: the path is `/v1/ws`, messages may have 32 MiB.

use std::net::SocketAddr;
use std::sync::Arc;

use hubbub::edge::{Door, Lots, Origins, Voice};
use hubbub::limits::Limits;
use tokio::net::TcpListener;

#[tokio::main(flavor = "current_thread")]
async fn main() -> std::io::Result<()> {
    let address = std::env::args().nth(1).unwrap_or_else(|| "127.0.0.1:0".to_owned());
    let address: SocketAddr = address.parse().map_err(std::io::Error::other)?;
    let limits = Limits {
        message_bytes_max: 32 << 20,
        fragments_max: 1_000_000,
        outbox_bytes_max: 128 << 20,
        outbox_frames_max: 100_000,
        ..Limits::default()
    };
    let lots = Arc::new(Lots::prepare(&limits, 1)?.start_as(Voice::Echo, Arc::new(|_| {}))?);
    let listener = TcpListener::bind(address).await?;
    println!("ws://{}/v1/ws", listener.local_addr()?);
    Door::new(lots, axum::Router::new(), Origins::default(), Vec::new(), None).serve(listener).await;
    Ok(())
}
