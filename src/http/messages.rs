//! `/v1/rooms/{room}/messages`: saying something, changing it, taking it back, pinning it.

use axum::extract::State;
use axum::routing::{patch, post, put};
use axum::{Json, Router};
use schema::RoomId;
use schema::client::Act;
use schema::rest::{EditMessage, Landed, PostMessage};
use serde::Deserialize;

use super::request::{Asked, At, Body, Caller, Key};
use super::{Http, Problem, history};

pub fn routes() -> Router<Http> {
    Router::new()
        .route("/v1/rooms/{room}/messages", post(say).get(history::page))
        .route("/v1/rooms/{room}/messages/{seq}", patch(edit).delete(take_back))
        .route("/v1/rooms/{room}/messages/{seq}/pin", put(pin).delete(unpin))
}

async fn say(
    State(http): State<Http>,
    Caller(who): Caller,
    At(room): At<RoomId>,
    key: Key,
    Body(body): Body<PostMessage>,
) -> Result<Json<Landed>, Problem> {
    let PostMessage { text, reply, after } = body;
    http.land(who, room, key, after, Act::Post { text, reply, origin: None }).await
}

async fn edit(
    State(http): State<Http>,
    Caller(who): Caller,
    At((room, target)): At<(RoomId, u64)>,
    key: Key,
    Body(body): Body<EditMessage>,
) -> Result<Json<Landed>, Problem> {
    http.land(who, room, key, None, Act::Edit { target, text: body.text }).await
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Why {
    reason: Option<String>,
}

async fn take_back(
    State(http): State<Http>,
    Caller(who): Caller,
    At((room, target)): At<(RoomId, u64)>,
    key: Key,
    Asked(why): Asked<Why>,
) -> Result<Json<Landed>, Problem> {
    http.land(who, room, key, None, Act::Delete { target, reason: why.reason }).await
}

type Pinned = At<(RoomId, u64)>;

async fn pin(State(http): State<Http>, Caller(who): Caller, At((room, target)): Pinned, key: Key) -> Result<Json<Landed>, Problem> {
    http.land(who, room, key, None, Act::Pin { target, on: true }).await
}

async fn unpin(State(http): State<Http>, Caller(who): Caller, At((room, target)): Pinned, key: Key) -> Result<Json<Landed>, Problem> {
    http.land(who, room, key, None, Act::Pin { target, on: false }).await
}
