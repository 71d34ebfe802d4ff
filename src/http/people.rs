//! `/v1/me` and `/v1/users`: oneself and others, with their presence.

use axum::extract::State;
use axum::routing::get;
use axum::{Json, Router};
use schema::rest::{ChangeProfile, Profile, Profiles};
use schema::{ErrorCode, UserId, limits};
use serde::Deserialize;

use super::request::{Asked, Body, Caller};
use super::{Http, Problem};
use crate::auth::Identity;

const FOUND_DEFAULT: usize = 20;

pub fn routes() -> Router<Http> {
    Router::new().route("/v1/me", get(me).patch(change_me)).route("/v1/users", get(users))
}

async fn me(State(http): State<Http>, Caller(who): Caller) -> Result<Json<Profile>, Problem> {
    let profile = http.0.auth.profile(who.user).await?;
    Ok(Json(with_presence(&http, who, vec![profile]).await?.remove(0)))
}

async fn change_me(State(http): State<Http>, Caller(who): Caller, Body(body): Body<ChangeProfile>) -> Result<Json<Profile>, Problem> {
    let profile = http.0.auth.change_display(who.user, &body.display).await?;
    Ok(Json(with_presence(&http, who, vec![profile]).await?.remove(0)))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Whom {
    ids: Option<String>,
    q: Option<String>,
    limit: Option<usize>,
}

/// By ids, or by the beginning of a name.
async fn users(State(http): State<Http>, Caller(who): Caller, Asked(whom): Asked<Whom>) -> Result<Json<Profiles>, Problem> {
    let found = match (whom.ids, whom.q) {
        (Some(ids), None) => http.0.auth.profiles(&parse_ids(&ids)?).await?,
        (None, Some(prefix)) => http.0.auth.find(&prefix, whom.limit.unwrap_or(FOUND_DEFAULT)).await?,
        _ => return Err(Problem::new(ErrorCode::BadRequest, "say either ids or q")),
    };
    Ok(Json(Profiles { users: with_presence(&http, who, found).await? }))
}

fn parse_ids(ids: &str) -> Result<Vec<UserId>, Problem> {
    let ids = ids.split(',').filter(|id| !id.is_empty()).map(|id| id.trim().parse());
    let ids: Result<Vec<UserId>, _> = ids.take(limits::PAGE_MAX + 1).collect();
    match ids {
        Ok(ids) if ids.len() <= limits::PAGE_MAX => Ok(ids),
        Ok(_) => Err(Problem::new(ErrorCode::TooLong, format!("at most {} ids at once", limits::PAGE_MAX))),
        Err(_) => Err(Problem::new(ErrorCode::BadRequest, "ids are UUIDs with commas between")),
    }
}

/// Of those who share a room with the one who asks; the others are offline, and were never here.
async fn with_presence(http: &Http, who: Identity, mut profiles: Vec<Profile>) -> Result<Vec<Profile>, Problem> {
    let ids: Vec<UserId> = profiles.iter().map(|profile| profile.id).collect();
    for (profile, seen) in profiles.iter_mut().zip(http.0.node.presence_of(who.user, &ids).await?) {
        (profile.status, profile.last_seen) = (seen.status, seen.last_seen);
    }
    Ok(profiles)
}
