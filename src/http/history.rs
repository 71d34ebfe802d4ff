//! Reading a room: pages of its history, what is pinned in it, and the hash of what its events fold to.

use actors::PageQuery;
use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;
use axum::routing::get;
use axum::{Json, Router};
use schema::RoomId;
use schema::rest::Pins;
use schema::wire::Format;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::request::{Asked, At, Caller, List, cursor};
use super::{Http, Problem};

pub fn routes() -> Router<Http> {
    Router::new().route("/v1/rooms/{room}/state_hash", get(state_hash)).route("/v1/rooms/{room}/pins", get(pins))
}

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Which {
    before: Option<u64>,
    after: Option<u64>,
    around: Option<u64>,
    at: Option<u64>,
    limit: Option<u16>,
}

pub async fn page(
    State(http): State<Http>,
    Caller(who): Caller,
    At(room): At<RoomId>,
    Asked(which): Asked<Which>,
) -> Result<impl IntoResponse, Problem> {
    let Which { before, after, around, at, limit } = which;
    let page = http.0.node.page(who.user, PageQuery { room, before, after, around, at, limit }, Format::Json).await?;
    Ok(([(CONTENT_TYPE, "application/json")], page.bytes))
}

/// The cursor is the last message's seq.
async fn pins(
    State(http): State<Http>,
    Caller(who): Caller,
    At(room): At<RoomId>,
    Asked(list): Asked<List>,
) -> Result<Json<Pins>, Problem> {
    let (limit, after) = (list.limit()?, list.after()?.map_or(0, |last| last.as_u64_pair().1));
    let pinned = http.0.node.pins(who.user, room, after, limit).await?;
    let cursor = pinned.next.and_then(|seq| cursor(Some(Uuid::from_u64_pair(0, seq)), limit, limit));
    Ok(Json(Pins { events: pinned.events, marks: pinned.marks, cursor }))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Span {
    from: u64,
    to: u64,
}

/// As `state_hash` on a socket, without the number of a request.
#[derive(Serialize)]
struct StateHash {
    room: RoomId,
    from: u64,
    to: u64,
    hash: String,
}

async fn state_hash(
    State(http): State<Http>,
    Caller(who): Caller,
    At(room): At<RoomId>,
    Asked(Span { from, to }): Asked<Span>,
) -> Result<Json<StateHash>, Problem> {
    let hash = http.0.node.state_hash(who.user, room, from, to).await?;
    Ok(Json(StateHash { room, from, to, hash }))
}
