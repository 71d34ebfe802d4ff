//! Reading a room: pages of its history and the hash of what they fold to.

use actors::PageQuery;
use axum::extract::State;
use axum::routing::get;
use axum::{Json, Router};
use schema::RoomId;
use schema::rest::Page;
use serde::{Deserialize, Serialize};

use super::request::{Asked, At, Caller};
use super::{Http, Problem};

pub fn routes() -> Router<Http> {
    Router::new().route("/v1/rooms/{room}/state_hash", get(state_hash))
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
) -> Result<Json<Page>, Problem> {
    let Which { before, after, around, at, limit } = which;
    Ok(Json(http.0.node.history(who.user, PageQuery { room, before, after, around, at, limit }).await?))
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
