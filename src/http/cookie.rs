//! Pure. The one cookie: the refresh token of a browser, out of reach of scripts and of other sites.
//!
//! Over TLS it is a `__Host-` cookie (RFC 6265bis: Secure, no domain, whole path). Over plain HTTP, which is for trying
//! things on one's own machine, browsers refuse those, so it has another name there.

use axum::http::{HeaderMap, HeaderValue, header};

use super::Peer;

const NAMES: [&str; 2] = ["hubbub_refresh", "__Host-hubbub_refresh"];
const DAY_S: u64 = 24 * 3600;

/// Only the name that fits the way the request came: a plain cookie planted over HTTP is not taken on HTTPS.
pub fn read(headers: &HeaderMap, peer: Peer) -> Option<&str> {
    let name = NAMES[usize::from(peer.tls)];
    let lines = headers.get_all(header::COOKIE).into_iter().filter_map(|line| line.to_str().ok());
    let mut pairs = lines.flat_map(|line| line.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.find(|(key, _)| *key == name).map(|(_, value)| value)
}

pub fn keep(token: &str, days: u32, peer: Peer) -> Option<HeaderValue> {
    set(token, u64::from(days) * DAY_S, peer)
}

pub fn forget(peer: Peer) -> Option<HeaderValue> {
    set("", 0, peer)
}

fn set(value: &str, age_s: u64, peer: Peer) -> Option<HeaderValue> {
    let (name, secure) = (NAMES[usize::from(peer.tls)], if peer.tls { "; Secure" } else { "" });
    HeaderValue::from_str(&format!("{name}={value}; Path=/; Max-Age={age_s}; HttpOnly; SameSite=Strict{secure}")).ok()
}
