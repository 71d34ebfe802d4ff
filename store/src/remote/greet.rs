//! The greeting of both sides: which version, and whether the other one has the secret. Each shows it to the other, so that
//! whoever else takes the store process's port learns nothing from a node and is not believed.

use std::io;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

use super::codec::{Decoder, encode};
use super::frame::{Frame, Refusal, Speaks, Welcome};
use super::secret::{NONCE_BYTES, Nonces, Secret, Side, nonce};

pub trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}
impl<S: AsyncRead + AsyncWrite + Unpin + Send> Stream for S {}

#[derive(Debug, thiserror::Error)]
pub enum GreetError {
    #[error("the connection broke: {0}")]
    Broken(#[from] io::Error),
    /// Trying again does not help: somebody has to do something. One sentence.
    #[error("{0}")]
    Refused(&'static str),
}

/// Of the node. What was read beyond the greeting is in the decoder.
pub async fn meet_store(stream: &mut impl Stream, secret: &Secret) -> Result<(Welcome, Decoder), GreetError> {
    let mut decoder = Decoder::default();
    let mine = nonce()?;
    say(stream, &Frame::Hello { speaks: Speaks::OURS, nonce: mine.clone() }).await?;
    let (theirs, proof) = match hear(stream, &mut decoder).await? {
        Frame::Challenge { nonce, proof, .. } => (nonce, proof),
        other => return Err(turned_away(&other)),
    };
    let nonces = Nonces { node: mine, store: theirs };
    if nonces.store.len() != NONCE_BYTES || !secret.is_proof(Side::Store, &nonces, &proof) {
        return Err(GreetError::Refused(
            "the store process has another secret: set store.secret_file to the file that it was started with",
        ));
    }
    say(stream, &Frame::Proof { proof: secret.prove(Side::Node, &nonces) }).await?;
    match hear(stream, &mut decoder).await? {
        Frame::Welcome(welcome) => {
            decoder.trust();
            Ok((welcome, decoder))
        }
        other => Err(turned_away(&other)),
    }
}

fn turned_away(frame: &Frame) -> GreetError {
    match frame {
        Frame::Refused { why: Refusal::Version } => {
            GreetError::Refused("the store process is too far from this version: run neighbouring releases of both")
        }
        Frame::Refused { why: Refusal::Secret } => {
            GreetError::Refused("the store process refuses the secret: set store.secret_file to the file that it was started with")
        }
        Frame::Refused { why: Refusal::Full } => GreetError::Broken(io::Error::other("as many nodes as may are connected to it")),
        _ => GreetError::Broken(io::Error::other("what answers is no store process")),
    }
}

/// Of the store process. `welcome`: `None` where there is no place.
pub async fn meet_node(stream: &mut impl Stream, secret: &Secret, welcome: Option<Welcome>) -> Result<Decoder, GreetError> {
    let mut decoder = Decoder::default();
    let Frame::Hello { speaks, nonce: theirs } = hear(stream, &mut decoder).await? else {
        return Err(GreetError::Refused("it says no hello"));
    };
    let Some(version) = Speaks::OURS.agree(speaks) else {
        say(stream, &Frame::Refused { why: Refusal::Version }).await?;
        return Err(GreetError::Refused("it speaks no version that is spoken here"));
    };
    let nonces = Nonces { node: theirs, store: nonce()? };
    if nonces.node.len() != NONCE_BYTES {
        return Err(GreetError::Refused("its hello is none"));
    }
    let proof = secret.prove(Side::Store, &nonces);
    say(stream, &Frame::Challenge { version, nonce: nonces.store.clone(), proof }).await?;
    let is_known = matches!(hear(stream, &mut decoder).await?, Frame::Proof { proof } if secret.is_proof(Side::Node, &nonces, &proof));
    if !is_known {
        say(stream, &Frame::Refused { why: Refusal::Secret }).await?;
        return Err(GreetError::Refused("it does not have the secret"));
    }
    let Some(welcome) = welcome else {
        say(stream, &Frame::Refused { why: Refusal::Full }).await?;
        return Err(GreetError::Refused("as many nodes as may are connected"));
    };
    decoder.trust();
    say(stream, &Frame::Welcome(welcome)).await?;
    Ok(decoder)
}

pub async fn say(stream: &mut impl Stream, frame: &Frame) -> io::Result<()> {
    let mut bytes = Vec::new();
    encode(frame, &mut bytes);
    stream.write_all(&bytes).await?;
    stream.flush().await
}

async fn hear(stream: &mut impl Stream, decoder: &mut Decoder) -> io::Result<Frame> {
    let mut bytes = [0; 1024];
    loop {
        if let Some(frame) = decoder.frame().map_err(io::Error::other)? {
            return Ok(frame);
        }
        match stream.read(&mut bytes).await? {
            0 => return Err(io::ErrorKind::UnexpectedEof.into()),
            count => decoder.push(&bytes[..count]),
        }
    }
}
