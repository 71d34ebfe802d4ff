//! What handlers take from a request: who asks, a body, a path, a query, an idempotency key. Each refuses in a sentence.

use axum::body::{Body as Bytes, HttpBody, to_bytes};
use axum::extract::{FromRequest, FromRequestParts, Path, Query, Request};
use axum::http::request::Parts;
use axum::http::{HeaderMap, header};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use schema::{Cmid, ErrorCode, RoomId, UserId, limits};
use serde::de::DeserializeOwned;
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::{Http, Problem};
use crate::auth::Identity;

const BODY_BYTES_MAX: usize = limits::MESSAGE_BYTES_MAX;
const KEY_BYTES_MAX: usize = 128;

/// Somebody with a valid access token.
pub struct Caller(pub Identity);

impl FromRequestParts<Http> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, http: &Http) -> Result<Self, Problem> {
        let token = bearer(&parts.headers).ok_or(ErrorCode::Unauthenticated)?;
        Ok(Self(http.0.auth.check(token)?))
    }
}

/// RFC 6750, 2.1; never from the query, where it would end up in logs.
pub fn bearer(headers: &HeaderMap) -> Option<&str> {
    let (scheme, token) = headers.get(header::AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then_some(token.trim())
}

/// A JSON body; an empty one is `{}`.
pub struct Body<T>(pub T);

impl<T: DeserializeOwned> FromRequest<Http> for Body<T> {
    type Rejection = Problem;

    async fn from_request(request: Request<Bytes>, _: &Http) -> Result<Self, Problem> {
        let kind = request.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let is_json = kind.split(';').next().is_some_and(|kind| kind.trim().eq_ignore_ascii_case("application/json"));
        let too_long = || Problem::new(ErrorCode::TooLong, format!("a body has at most {BODY_BYTES_MAX} bytes"));
        let body = request.into_body();
        if body.size_hint().lower() > BODY_BYTES_MAX as u64 {
            return Err(too_long());
        }
        let body = to_bytes(body, BODY_BYTES_MAX).await.map_err(|_| too_long())?;
        // Also what keeps a form on another site from being taken for a request of ours.
        if !is_json && !body.is_empty() {
            return Err(Problem::new(ErrorCode::BadRequest, "the body must be application/json"));
        }
        let text: &[u8] = if body.is_empty() { b"{}" } else { &body };
        read(text).map(Self)
    }
}

/// Everything that requests take is an object; the reader's own words for anything else help nobody.
fn read<T: DeserializeOwned>(text: &[u8]) -> Result<T, Problem> {
    let wrong = |why: &str| Problem::new(ErrorCode::BadRequest, format!("the body is not what this request takes: {why}"));
    if text.trim_ascii_start().first() != Some(&b'{') {
        return Err(wrong("it must be a JSON object, as in {\"name\": \"value\"}"));
    }
    schema::wire::from_json(text).map_err(|error| wrong(&error.0))
}

/// The ids in the path. One that cannot be an id names nothing.
pub struct At<T>(pub T);

impl<T: DeserializeOwned + Send> FromRequestParts<Http> for At<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, http: &Http) -> Result<Self, Problem> {
        let path = Path::<T>::from_request_parts(parts, http).await;
        path.map(|Path(ids)| Self(ids)).map_err(|_| ErrorCode::NotFound.into())
    }
}

pub struct Asked<T>(pub T);

impl<T: DeserializeOwned> FromRequestParts<Http> for Asked<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, http: &Http) -> Result<Self, Problem> {
        let query = Query::<T>::from_request_parts(parts, http).await;
        query.map(|Query(query)| Self(query)).map_err(|error| Problem::new(ErrorCode::BadRequest, error.body_text()))
    }
}

/// The `Idempotency-Key` of an ordered request. Without one the request gets a key that nobody else has.
pub struct Key(Option<String>);

impl FromRequestParts<Http> for Key {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &Http) -> Result<Self, Problem> {
        let Some(value) = parts.headers.get("idempotency-key") else { return Ok(Self(None)) };
        match value.to_str() {
            Ok(key) if (1..=KEY_BYTES_MAX).contains(&key.len()) => Ok(Self(Some(key.to_owned()))),
            _ => Err(Problem::new(ErrorCode::BadRequest, format!("an Idempotency-Key has 1 to {KEY_BYTES_MAX} visible characters"))),
        }
    }
}

impl Key {
    /// With `after` the key is the cmid itself, so that one request may go over a socket or over REST. Without, the room
    /// has to remember it: such cmids are UUIDv8, of the person, the room and the key.
    pub fn cmid(&self, user: UserId, room: RoomId, after: Option<u64>) -> Cmid {
        let given = self.0.as_deref();
        if let (Some(_), Some(id)) = (after, given.and_then(|key| Uuid::try_parse(key).ok())) {
            return Cmid(id);
        }
        let made = Uuid::now_v7().to_string();
        let hash = Sha256::new_with_prefix(b"hubbub request key")
            .chain_update(user.as_bytes())
            .chain_update(room.as_bytes())
            .chain_update(given.unwrap_or(&made));
        let mut bytes = [0; 16];
        bytes.copy_from_slice(&hash.finalize()[..16]);
        Cmid(Uuid::new_v8(bytes))
    }
}

/// A list's query: where to go on, and how many.
#[derive(Debug, Default, serde::Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct List {
    cursor: String,
    limit: Option<usize>,
}

impl List {
    pub fn limit(&self) -> Result<usize, Problem> {
        match self.limit.unwrap_or(limits::PAGE_DEFAULT) {
            limit if (1..=limits::PAGE_MAX).contains(&limit) => Ok(limit),
            _ => Err(Problem::new(ErrorCode::BadRequest, format!("limit is 1 to {}", limits::PAGE_MAX))),
        }
    }

    /// The id that the page before ended with.
    pub fn after(&self) -> Result<Option<Uuid>, Problem> {
        if self.cursor.is_empty() {
            return Ok(None);
        }
        let bytes = URL_SAFE_NO_PAD.decode(&self.cursor).ok();
        let id = bytes.and_then(|bytes| Uuid::from_slice(&bytes).ok());
        id.map(Some).ok_or_else(|| Problem::new(ErrorCode::BadRequest, "that cursor is not one of ours"))
    }
}

/// Opaque to clients: what it is made of may change.
pub fn cursor(last: Option<Uuid>, entries: usize, limit: usize) -> Option<String> {
    last.filter(|_| entries == limit).map(|id| URL_SAFE_NO_PAD.encode(id.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_that_is_no_object_is_told_what_was_expected() {
        for body in ["[]", " 1", "null", "\"x\"", "x"] {
            let problem = read::<serde_json::Value>(body.as_bytes()).unwrap_err();
            assert_eq!(
                problem.detail, "the body is not what this request takes: it must be a JSON object, as in {\"name\": \"value\"}",
                "{body}"
            );
        }
    }
}
