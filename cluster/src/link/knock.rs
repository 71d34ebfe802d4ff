//! One question of somebody who is no node yet, and its answer, over a connection of its own. Nothing else is heard from them.

use std::io;
use std::time::Duration;

use bytes::Bytes;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::sync::oneshot;
use tokio::time::timeout;

use super::codec::{Decoder, encode};
use super::frame::{Answered, Frame, Refusal};
use super::listener::Receive;
use super::transport::Transport;

/// Of what may come from somebody whom nobody knows.
const QUESTION_BYTES_MAX: usize = 16 << 10;
const ANSWER_BYTES_MAX: usize = 64 << 10;
const ASK_WITHIN: Duration = Duration::from_secs(5);
/// The group may have to elect a leader first.
const ANSWER_WITHIN: Duration = Duration::from_secs(10);

/// To be answered.
pub struct Knock {
    pub body: Bytes,
    pub answer: oneshot::Sender<Bytes>,
}

/// Errors: nobody is there, it is not of the group with this authority, it has no answer.
pub async fn knock<T: Transport>(transport: &T, address: &str, authority: [u8; 32], body: Bytes) -> io::Result<Bytes> {
    let asks = async {
        let mut stream = transport.knock(address, authority).await?;
        let within_ms = ANSWER_WITHIN.as_millis() as u32;
        write(&mut stream, &Frame::Ask { id: 1, table: 0, within_ms, body }).await?;
        match read(&mut stream, ANSWER_BYTES_MAX).await? {
            Frame::Answer { answered: Answered::Done(body), .. } => Ok(body),
            _ => Err(io::Error::new(io::ErrorKind::PermissionDenied, "it turned us away")),
        }
    };
    timeout(ASK_WITHIN + ANSWER_WITHIN, asks).await.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
}

pub(super) async fn answer<S: AsyncRead + AsyncWrite + Unpin>(mut stream: S, above: &dyn Receive) -> io::Result<()> {
    let asked = timeout(ASK_WITHIN, read(&mut stream, QUESTION_BYTES_MAX)).await.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))?;
    let Frame::Ask { id, body, .. } = asked else { return Err(io::ErrorKind::InvalidData.into()) };
    let (answer, answered) = oneshot::channel();
    above.knocked(Knock { body, answer });
    let answered = match timeout(ANSWER_WITHIN, answered).await {
        Ok(Ok(body)) => Answered::Done(body),
        Ok(Err(_)) => Answered::Refused(Refusal::Stranger),
        Err(_) => Answered::Refused(Refusal::Gone),
    };
    timeout(ASK_WITHIN, write(&mut stream, &Frame::Answer { id, table: 0, answered })).await.unwrap_or(Ok(()))
}

async fn write<S: AsyncWrite + Unpin>(stream: &mut S, frame: &Frame) -> io::Result<()> {
    let mut bytes = Vec::new();
    encode(frame, &mut bytes);
    stream.write_all(&bytes).await?;
    stream.flush().await
}

async fn read<S: AsyncRead + Unpin>(stream: &mut S, bytes_max: usize) -> io::Result<Frame> {
    let (mut decoder, mut bytes, mut read) = (Decoder::default(), vec![0; 4 << 10], 0);
    loop {
        if let Some(frame) = decoder.frame().map_err(io::Error::other)? {
            return Ok(frame);
        }
        match stream.read(&mut bytes).await? {
            0 => return Err(io::ErrorKind::UnexpectedEof.into()),
            count if read + count > bytes_max => return Err(io::Error::other(format!("more than {} bytes", bytes_max.max(read)))),
            count => {
                read += count;
                decoder.push(&bytes[..count]);
            }
        }
    }
}
