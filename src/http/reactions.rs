//! `/v1/rooms/{room}/messages/{seq}/reactions/{emoji}`: reacting, and taking it back.

use axum::extract::State;
use axum::routing::put;
use axum::{Json, Router};
use schema::RoomId;
use schema::client::Act;
use schema::rest::Landed;

use super::request::{At, Caller, Key};
use super::{Http, Problem};

pub fn routes() -> Router<Http> {
    Router::new().route("/v1/rooms/{room}/messages/{seq}/reactions/{emoji}", put(react).delete(take_back))
}

type Reaction = At<(RoomId, u64, String)>;

async fn react(
    State(http): State<Http>,
    Caller(who): Caller,
    At((room, target, emoji)): Reaction,
    key: Key,
) -> Result<Json<Landed>, Problem> {
    http.land(who, room, key, None, Act::React { target, emoji, on: true }).await
}

async fn take_back(
    State(http): State<Http>,
    Caller(who): Caller,
    At((room, target, emoji)): Reaction,
    key: Key,
) -> Result<Json<Landed>, Problem> {
    http.land(who, room, key, None, Act::React { target, emoji, on: false }).await
}
