//! `/v1/rooms/{room}/members`: who is in a room; inviting, promoting, removing.

use axum::extract::State;
use axum::routing::{get, put};
use axum::{Json, Router};
use schema::client::Act;
use schema::rest::{Landed, Members, PutMember};
use schema::{RoomId, UserId};

use super::request::{Asked, At, Body, Caller, Key, List, cursor};
use super::{Http, Problem};

pub fn routes() -> Router<Http> {
    Router::new().route("/v1/rooms/{room}/members", get(list)).route("/v1/rooms/{room}/members/{user}", put(invite_or_promote).delete(kick))
}

async fn list(
    State(http): State<Http>,
    Caller(who): Caller,
    At(room): At<RoomId>,
    Asked(list): Asked<List>,
) -> Result<Json<Members>, Problem> {
    let (limit, after) = (list.limit()?, list.after()?.map(UserId));
    let members = http.0.node.members(who.user, room, after, limit).await?;
    let cursor = cursor(members.last().map(|member| member.user.0), members.len(), limit);
    Ok(Json(Members { members, cursor }))
}

async fn invite_or_promote(
    State(http): State<Http>,
    Caller(who): Caller,
    At((room, user)): At<(RoomId, UserId)>,
    key: Key,
    Body(body): Body<PutMember>,
) -> Result<Json<Landed>, Problem> {
    let act = match body.role {
        Some(role) => Act::Role { user, role },
        None => Act::Invite { user },
    };
    http.land(who, room, key, None, act).await
}

async fn kick(
    State(http): State<Http>,
    Caller(who): Caller,
    At((room, user)): At<(RoomId, UserId)>,
    key: Key,
) -> Result<Json<Landed>, Problem> {
    http.land(who, room, key, None, Act::Kick { user }).await
}
