//! What goes between a coordinator and a worker: a greeting, then messages of the run, each its length and MessagePack, over
//! TCP. It does not know what the messages mean.

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use schema::wire::{from_msgpack, to_msgpack};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::time::timeout;

use crate::run::clock::unix_us;

/// A job has the tokens of a worker's accounts; a stranger may not even greet with more than this.
const MESSAGE_BYTES_MAX: u32 = 256 << 20;
const GREETING_BYTES_MAX: u32 = 4096;
const GREETING_MAX: Duration = Duration::from_secs(5);
/// A machine that is gone says nothing: its line is tried after so long, and so often.
const SILENCE: Duration = Duration::from_secs(10);

/// What a worker says first. `program`: both have to be the same program, or they would misread each other.
#[derive(Debug, Serialize, Deserialize)]
struct Greeting {
    program: String,
    key: String,
}

#[derive(Debug, Serialize, Deserialize)]
enum Welcome {
    /// The coordinator's clock: microseconds since 1970.
    Welcome {
        unix_us: u64,
    },
    Unwelcome(String),
}

/// One end's way to the other.
pub struct Link {
    pub reader: OwnedReadHalf,
    pub writer: OwnedWriteHalf,
}

fn program() -> String {
    format!("hubbub-bench {}", env!("CARGO_PKG_VERSION"))
}

impl Link {
    fn over(stream: TcpStream) -> Result<Self> {
        stream.set_nodelay(true)?;
        let keepalive = socket2::TcpKeepalive::new().with_time(SILENCE).with_interval(SILENCE).with_retries(3);
        socket2::SockRef::from(&stream).set_tcp_keepalive(&keepalive)?;
        let (reader, writer) = stream.into_split();
        Ok(Self { reader, writer })
    }

    /// The worker's side. Returns how much the coordinator's clock is ahead of this machine's, in microseconds.
    pub async fn join(coordinator: SocketAddr, key: &str) -> Result<(Self, i64)> {
        let stream = TcpStream::connect(coordinator).await.with_context(|| format!("no coordinator answers at {coordinator}"))?;
        let mut link = Self::over(stream)?;
        let asked_us = unix_us();
        let greeting = Greeting { program: program(), key: key.to_owned() };
        link.send(&greeting).await?;
        let answer = timeout(GREETING_MAX, receive::<Welcome>(&mut link.reader, GREETING_BYTES_MAX)).await;
        let answer = answer.ok().transpose()?.flatten();
        match answer.with_context(|| format!("what listens at {coordinator} is no coordinator of hubbub-bench"))? {
            Welcome::Welcome { unix_us: theirs_us } => Ok((link, ahead_us(asked_us, theirs_us, unix_us()))),
            Welcome::Unwelcome(why) => bail!("the coordinator at {coordinator} does not take this worker: {why}"),
        }
    }

    /// The coordinator's side. Errors: who came is no worker of this run.
    pub async fn accept(stream: TcpStream, key: &str) -> Result<Self> {
        let mut link = Self::over(stream)?;
        let greeting = timeout(GREETING_MAX, receive::<Greeting>(&mut link.reader, GREETING_BYTES_MAX)).await??;
        let greeting = greeting.context("it went away")?;
        let refused = if greeting.program != program() {
            Some(format!("it is {}, and the coordinator {}", greeting.program, program()))
        } else if greeting.key != key {
            Some("its --key is not the one that the coordinator printed".to_owned())
        } else {
            None
        };
        if let Some(why) = refused {
            link.send(&Welcome::Unwelcome(why.clone())).await?;
            bail!(why);
        }
        link.send(&Welcome::Welcome { unix_us: unix_us() }).await?;
        Ok(link)
    }

    async fn send<T: Serialize>(&mut self, message: &T) -> Result<()> {
        send(&mut self.writer, message).await
    }
}

/// By one question and its answer. What cannot be told from the way's own time is none: one machine has one clock.
fn ahead_us(asked_us: u64, theirs_us: u64, answered_us: u64) -> i64 {
    let (way_us, middle_us) = (answered_us.saturating_sub(asked_us), asked_us.midpoint(answered_us));
    let ahead_us = theirs_us.cast_signed() - middle_us.cast_signed();
    if ahead_us.unsigned_abs() <= way_us { 0 } else { ahead_us }
}

pub async fn send<T: Serialize>(writer: &mut OwnedWriteHalf, message: &T) -> Result<()> {
    let body = to_msgpack(message);
    writer.write_u32(u32::try_from(body.len())?).await?;
    Ok(writer.write_all(&body).await?)
}

/// `None`: the other end is gone.
pub async fn receive_message<T: DeserializeOwned>(reader: &mut OwnedReadHalf) -> Result<Option<T>> {
    receive(reader, MESSAGE_BYTES_MAX).await
}

async fn receive<T: DeserializeOwned>(reader: &mut OwnedReadHalf, bytes_max: u32) -> Result<Option<T>> {
    let Ok(length) = reader.read_u32().await else { return Ok(None) };
    ensure!(length <= bytes_max, "a message of {length} bytes is more than {bytes_max}");
    let mut body = vec![0; length as usize];
    if reader.read_exact(&mut body).await.is_err() {
        return Ok(None);
    }
    from_msgpack(&body).map(Some).map_err(|error| anyhow::anyhow!("it could not be read: {}", error.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn greeted(key: &str) -> (Result<(Link, i64)>, Result<Link>) {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let accept = async { Link::accept(listener.accept().await.unwrap().0, "the key").await };
        tokio::join!(Link::join(address, key), accept)
    }

    #[tokio::test]
    async fn only_a_worker_with_the_run_s_key_is_taken_and_one_without_is_told_why() {
        let (joined, accepted) = greeted("the key").await;
        assert!(accepted.is_ok() && joined.unwrap().1 == 0);
        let (joined, accepted) = greeted("another").await;
        let why = joined.err().unwrap().to_string();
        assert!(why.ends_with("does not take this worker: its --key is not the one that the coordinator printed"), "{why}");
        assert!(accepted.is_err());
    }

    #[test]
    fn a_clock_that_differs_by_less_than_the_way_takes_is_the_same() {
        assert_eq!(ahead_us(1_000, 1_900, 2_000), 0);
        assert_eq!(ahead_us(1_000, 501_500, 2_000), 500_000);
        assert_eq!(ahead_us(900_000, 100_100, 900_200), -800_000);
    }
}
