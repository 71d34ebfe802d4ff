//! How a new node is let in: what it says at the door, and what it is given there. Both sides of it.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::sync::watch;

use super::Error;
use super::files::Files;
use super::standing::{Question, Stands};
use super::token::Token;
use crate::link::{Asked, Knock, Receive, Request, Said, Transport, Whence, fingerprint, knock};
use crate::membership::{self, Identity, Membership};
use crate::raft::{decode, encode};
use crate::ring::NodeId;
use crate::state::{Command, Outcome, Refusal, Spec};

/// Of those behind the names that are tried; with more, the first.
pub const SEEDS_MAX: usize = 64;

/// Of somebody who has a token.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Wish {
    pub secret: [u8; 32],
    pub spec: Spec,
    /// PKCS #10 in PEM.
    pub request: String,
}

impl Wish {
    pub fn to_bytes(&self) -> Vec<u8> {
        encode(self)
    }
    /// The whole of what somebody sent whom nobody knows, and nothing else.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, crate::raft::Error> {
        decode(bytes)
    }
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Reply {
    /// PEM, all of it. With the authority's key, so that this node can let in others.
    Welcome {
        node: NodeId,
        cluster: u128,
        certificate: String,
        authority: String,
        authority_key: String,
    },
    Refused {
        why: String,
    },
    Stands(Stands),
}

/// At the first address that lets it in. What it was given is on disk when it returns.
pub async fn join<T: Transport>(transport: &T, files: &Files, token: &Token, seeds: &[String], spec: &Spec) -> Result<Identity, Error> {
    let request = Request::make()?;
    let wish = Wish { secret: token.secret, spec: spec.clone(), request: request.pem().to_owned() };
    let mut tried = Vec::new();
    // Where an operator says where, nobody is asked elsewhere.
    let named = if seeds.is_empty() { std::slice::from_ref(&token.address) } else { seeds };
    for address in resolve(transport, named, &spec.address, &mut tried).await {
        let answer = match knock(transport, &address, token.authority, wish.to_bytes().into()).await {
            Ok(answer) => answer,
            Err(error) => {
                tried.push(format!("{address}: {error}"));
                continue;
            }
        };
        match decode(&answer)? {
            Reply::Refused { why } => return Err(Error::NotLetIn(why)),
            Reply::Stands(_) => return Err(Error::NotLetIn("the node speaks another version: let both run the same".into())),
            Reply::Welcome { node, cluster, certificate, authority, authority_key } => {
                files.keep_node(&certificate, &request.key_pem())?;
                files.keep_authority(&authority, &authority_key)?;
                let is_theirs = fingerprint(&files.credentials()?.authority) == token.authority;
                return if is_theirs { Ok(Identity { node, cluster }) } else { Err(Error::OtherAuthority) };
            }
        }
    }
    Err(Error::NobodyThere(tried.join("; ")))
}

/// Every address behind the names, but our own. What cannot be found is said in `failed`.
pub async fn resolve<T: Transport>(transport: &T, named: &[String], ours: &str, failed: &mut Vec<String>) -> Vec<String> {
    let mut addresses = Vec::new();
    for name in named {
        match transport.resolve(name).await {
            Ok(found) => addresses.extend(found),
            Err(error) => failed.push(format!("{name}: {error}")),
        }
    }
    let mut seen = std::collections::HashSet::new();
    addresses.retain(|address| address != ours && seen.insert(address.clone()));
    addresses.truncate(SEEDS_MAX);
    addresses
}

/// What comes in on the group's lane, and those who knock.
pub struct Gate {
    pub membership: Membership,
    pub files: Files,
    pub certificates_last: Duration,
}

impl Receive for Gate {
    fn arrived(&self, from: Whence) {
        self.membership.arrived(from);
    }
    fn said(&self, said: Said) {
        self.membership.said(said);
    }
    fn asked(&self, asked: Asked) {
        self.membership.asked(asked);
    }
    fn gone(&self, from: Whence) {
        self.membership.gone(from);
    }
    fn knocked(&self, Knock { body, answer }: Knock) {
        let (membership, files, lasts) = (self.membership.clone(), self.files.clone(), self.certificates_last);
        tokio::spawn(async move {
            let refused = |error: Error| Reply::Refused { why: error.to_string() };
            let reply = match (Wish::from_bytes(&body), Question::from_bytes(&body)) {
                (Ok(wish), _) => let_in(&membership, &files, wish, lasts).await.unwrap_or_else(refused),
                (_, Ok(question)) => question.answer(&membership).map_or_else(stranger, Reply::Stands),
                _ => Reply::Refused { why: "the node speaks another version: let both run the same".into() },
            };
            let _ = answer.send(encode(&reply).into());
        });
    }
}

fn stranger() -> Reply {
    Reply::Refused { why: "this node is of another group".into() }
}

async fn let_in(membership: &Membership, files: &Files, Wish { secret, spec, request }: Wish, lasts: Duration) -> Result<Reply, Error> {
    // Before anything is written for them: strangers would fill the log of all nodes.
    if !membership.state().is_invited(Token::invite(&secret), &spec.address) {
        return Err(membership::Error::from(Refusal::NotInvited).into());
    }
    let authority = files.authority()?;
    match membership.propose(Command::Admit { invite: Token::invite(&secret), spec: spec.clone() }).await? {
        Outcome::Joined { node, cluster } => {
            tracing::info!(node = node.0, address = spec.address, "a node was let in");
            let certificate = authority.sign(node, &request, lasts)?;
            let (authority, authority_key) = (authority.certificate_pem().to_owned(), authority.key_pem());
            Ok(Reply::Welcome { node, cluster, certificate, authority, authority_key })
        }
        Outcome::Refused(refusal) => Err(membership::Error::from(refusal).into()),
        other => Err(io::Error::other(format!("it answered {other:?}")).into()),
    }
}

/// Whom the group's state believes, as it is at that moment.
pub fn trust(state: watch::Receiver<Arc<crate::State>>) -> Arc<crate::link::Trust> {
    Arc::new(move |node, fingerprint| state.borrow().trusts(node, fingerprint))
}
