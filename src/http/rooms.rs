//! `/v1/rooms`: the rooms I am in; making, changing, joining and leaving one.

use axum::extract::State;
use axum::routing::{get, post};
use axum::{Json, Router};
use schema::client::Act;
use schema::rest::{CreateRoom, Landed, Rooms};
use schema::server::RoomState;
use schema::{ErrorCode, RoomId, RoomKind, RoomSettings};

use super::request::{At, Body, Caller, Key};
use super::{Http, Problem};

pub fn routes() -> Router<Http> {
    Router::new()
        .route("/v1/rooms", get(list).post(create))
        .route("/v1/rooms/{room}", get(show).patch(change))
        .route("/v1/rooms/{room}/join", post(join))
        .route("/v1/rooms/{room}/leave", post(leave))
}

async fn list(State(http): State<Http>, Caller(who): Caller) -> Result<Json<Rooms>, Problem> {
    Ok(Json(Rooms { rooms: http.0.node.rooms(who.user).await? }))
}

async fn create(State(http): State<Http>, Caller(who): Caller, key: Key, Body(body): Body<CreateRoom>) -> Result<Json<Landed>, Problem> {
    let CreateRoom { room, kind, settings, members } = body;
    let room = match (kind, room) {
        (RoomKind::Direct, _) => RoomId::direct(who.user, members.first().copied().unwrap_or(who.user)),
        (_, Some(room)) if room.is_of_client() => room,
        _ => return Err(Problem::new(ErrorCode::BadRequest, actors::NEW_ROOM)),
    };
    http.land(who, room, key, None, Act::Create { kind, settings, members }).await
}

async fn show(State(http): State<Http>, Caller(who): Caller, At(room): At<RoomId>) -> Result<Json<RoomState>, Problem> {
    Ok(Json(http.0.node.room(who.user, room).await?))
}

async fn change(
    State(http): State<Http>,
    Caller(who): Caller,
    At(room): At<RoomId>,
    key: Key,
    Body(settings): Body<RoomSettings>,
) -> Result<Json<Landed>, Problem> {
    http.land(who, room, key, None, Act::Settings { settings }).await
}

async fn join(State(http): State<Http>, Caller(who): Caller, At(room): At<RoomId>, key: Key) -> Result<Json<Landed>, Problem> {
    http.land(who, room, key, None, Act::Join).await
}

async fn leave(State(http): State<Http>, Caller(who): Caller, At(room): At<RoomId>, key: Key) -> Result<Json<Landed>, Problem> {
    http.land(who, room, key, None, Act::Leave).await
}
