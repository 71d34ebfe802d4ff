//! `/v1/invites`: invitations to sign up, for administrators.

use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::{delete, get};
use axum::{Json, Router};
use schema::{ErrorCode, InviteId, UserId, rest};

use super::request::{At, Body, Caller};
use super::{Http, Problem};
use crate::auth::Identity;

pub fn routes() -> Router<Http> {
    Router::new().route("/v1/invites", get(list).post(make)).route("/v1/invites/{invite}", delete(take_back))
}

async fn list(State(http): State<Http>, Caller(who): Caller) -> Result<Json<rest::Invites>, Problem> {
    admin(&http, who).await?;
    Ok(Json(http.0.auth.invites().await?))
}

async fn make(
    State(http): State<Http>,
    Caller(who): Caller,
    Body(body): Body<rest::MakeInvite>,
) -> Result<Json<rest::MadeInvite>, Problem> {
    let by = admin(&http, who).await?;
    Ok(Json(http.0.auth.make_invite(Some(by), body).await?))
}

async fn take_back(State(http): State<Http>, Caller(who): Caller, At(invite): At<InviteId>) -> Result<StatusCode, Problem> {
    admin(&http, who).await?;
    http.0.auth.take_back_invite(invite).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn admin(http: &Http, who: Identity) -> Result<UserId, Problem> {
    match http.0.auth.user(who.user).await? {
        Some(user) if user.admin => Ok(user.id),
        _ => Err(Problem::new(ErrorCode::Forbidden, "only administrators invite")),
    }
}
