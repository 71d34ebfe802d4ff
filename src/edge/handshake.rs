//! Pure. The opening handshake (RFC 6455, 4.2): is this request one, may it be, and what it is answered.
//!
//! Bounds of addresses and the way to a lot are `accept`'s.

use aws_lc_rs::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hyper::header::{
    CONNECTION, HOST, HeaderMap, HeaderName, HeaderValue, ORIGIN, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_KEY, SEC_WEBSOCKET_PROTOCOL,
    SEC_WEBSOCKET_VERSION, UPGRADE,
};
use hyper::http::request::Parts;
use hyper::{Method, Version};
use schema::wire::Format;

use super::origin::Origins;

/// Why a request for a socket is refused; the sentence goes to whoever wrote the client.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    #[error("this address is for WebSockets: send an upgrade by GET over HTTP/1.1 (RFC 6455)")]
    NotWebSocket,
    #[error("only version 13 of the WebSocket protocol is spoken here")]
    Version,
    #[error("Sec-WebSocket-Key has to be 16 bytes in base64, once")]
    Key,
    #[error("none of the offered subprotocols is known: offer hubbub.v1.json or hubbub.v1.msgpack")]
    Subprotocol,
    #[error("pages of this origin may not open a socket here")]
    Origin,
    #[error("`level` in the address has to be a number, the level of the protocol that you speak: leave it out, or write ?level=2")]
    Level,
}

/// An admissible request for a socket.
#[derive(Debug, PartialEq, Eq)]
pub struct Handshake {
    pub format: Format,
    /// Of the protocol, as the client speaks it.
    pub level: u8,
    accept: String,
    /// Said back only if it was asked for.
    subprotocol: Option<&'static str>,
}

impl Handshake {
    pub fn read(request: &Parts, origins: &Origins) -> Result<Self, Refused> {
        let headers = &request.headers;
        let is_upgrade = has_token(headers, &UPGRADE, "websocket") && has_token(headers, &CONNECTION, "upgrade");
        if request.method != Method::GET || request.version != Version::HTTP_11 || !is_upgrade {
            return Err(Refused::NotWebSocket);
        }
        if only(headers, &SEC_WEBSOCKET_VERSION) != Some("13") {
            return Err(Refused::Version);
        }
        let host = only(headers, &HOST);
        if !origins.allow(headers.get_all(ORIGIN).iter().map(HeaderValue::as_bytes), host) {
            return Err(Refused::Origin);
        }
        let key = only(headers, &SEC_WEBSOCKET_KEY).ok_or(Refused::Key)?;
        if STANDARD.decode(key).ok().is_none_or(|key| key.len() != 16) {
            return Err(Refused::Key);
        }
        let mut offers = tokens(headers, &SEC_WEBSOCKET_PROTOCOL).peekable();
        let format = match offers.peek() {
            None => None,
            Some(_) => Some(offers.find_map(Format::from_subprotocol).ok_or(Refused::Subprotocol)?),
        };
        let level = level(request.uri.query()).ok_or(Refused::Level)?;
        Ok(Self { format: format.unwrap_or_default(), level, accept: accept(key), subprotocol: format.map(Format::subprotocol) })
    }

    /// The headers of the 101.
    pub fn headers(&self) -> Vec<(HeaderName, HeaderValue)> {
        let mut headers = vec![(CONNECTION, HeaderValue::from_static("upgrade")), (UPGRADE, HeaderValue::from_static("websocket"))];
        headers.extend(HeaderValue::from_str(&self.accept).map(|accept| (SEC_WEBSOCKET_ACCEPT, accept)));
        headers.extend(self.subprotocol.map(|name| (SEC_WEBSOCKET_PROTOCOL, HeaderValue::from_static(name))));
        headers
    }
}

/// Who says nothing speaks the first level. It is said here and not in `hello`, since a node of an older level does not look.
fn level(query: Option<&str>) -> Option<u8> {
    let said = query.into_iter().flat_map(|query| query.split('&')).find_map(|field| field.strip_prefix("level="));
    said.map_or(Some(1), |said| said.parse().ok())
}

/// RFC 6455, 4.2.2, step 5.4.
fn accept(key: &str) -> String {
    let joined = format!("{key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11");
    STANDARD.encode(digest(&SHA1_FOR_LEGACY_USE_ONLY, joined.as_bytes()))
}

fn only<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    let mut values = headers.get_all(name).iter();
    let first = values.next()?.to_str().ok()?;
    values.next().is_none().then_some(first.trim())
}

fn tokens<'a>(headers: &'a HeaderMap, name: &HeaderName) -> impl Iterator<Item = &'a str> {
    let values = headers.get_all(name).iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).map(str::trim).filter(|token| !token.is_empty())
}

fn has_token(headers: &HeaderMap, name: &HeaderName, token: &str) -> bool {
    tokens(headers, name).any(|found| found.eq_ignore_ascii_case(token))
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "host: a\nupgrade: websocket\nconnection: keep-alive, Upgrade\nsec-websocket-version: 13\n\
                        sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==";

    fn read(headers: &str) -> Result<Handshake, Refused> {
        read_at("/v1/ws", headers)
    }
    fn read_at(path: &str, headers: &str) -> Result<Handshake, Refused> {
        let mut request = hyper::Request::get(path);
        for line in headers.lines() {
            let (name, value) = line.split_once(": ").unwrap();
            request = request.header(name, value);
        }
        Handshake::read(&request.body(()).unwrap().into_parts().0, &Origins::default())
    }

    #[test]
    fn the_example_of_the_rfc_is_answered_as_there() {
        let handshake = read(GOOD).unwrap();
        assert_eq!(handshake.accept, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
        assert_eq!((handshake.format, handshake.subprotocol), (Format::Json, None));
    }

    #[test]
    fn the_first_known_subprotocol_of_the_client_is_taken() {
        let handshake = read(&format!("{GOOD}\nsec-websocket-protocol: chat, hubbub.v1.msgpack\nsec-websocket-protocol: hubbub.v1.json"));
        assert_eq!(handshake.unwrap().format, Format::MessagePack);
        assert_eq!(read(&format!("{GOOD}\nsec-websocket-protocol: hubbub.v2.json")), Err(Refused::Subprotocol));
    }

    #[test]
    fn who_does_not_say_a_level_speaks_the_first() {
        let level = |path| read_at(path, GOOD).map(|handshake| handshake.level);
        assert_eq!((level("/v1/ws"), level("/v1/ws?other=7")), (Ok(1), Ok(1)));
        assert_eq!((level("/v1/ws?other=7&level=2"), level("/v1/ws?level=200")), (Ok(2), Ok(200)));
        assert_eq!((level("/v1/ws?level="), level("/v1/ws?level=two")), (Err(Refused::Level), Err(Refused::Level)));
    }

    #[test]
    fn what_is_no_handshake_is_refused_by_what_is_wrong() {
        assert_eq!(read("host: a"), Err(Refused::NotWebSocket));
        assert_eq!(read(&GOOD.replace("13", "12")), Err(Refused::Version));
        assert_eq!(read(&GOOD.replace("dGhl", "")), Err(Refused::Key));
        assert_eq!(read(&format!("{GOOD}\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==")), Err(Refused::Key));
        assert_eq!(read(&format!("{GOOD}\norigin: http://b")), Err(Refused::Origin));
        assert!(read(&format!("{GOOD}\norigin: http://a")).is_ok());
    }
}
