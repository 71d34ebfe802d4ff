//! `/v1/devices`: where a person is signed in, and signing out there.

use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::{delete, get};
use axum::{Json, Router};
use schema::{LoginId, rest};

use super::request::{At, Caller};
use super::{Http, Problem};

pub fn routes() -> Router<Http> {
    Router::new().route("/v1/devices", get(list).delete(sign_out_others)).route("/v1/devices/{login}", delete(sign_out))
}

async fn list(State(http): State<Http>, Caller(who): Caller) -> Result<Json<rest::Devices>, Problem> {
    Ok(Json(http.0.auth.devices(who).await?))
}

async fn sign_out_others(State(http): State<Http>, Caller(who): Caller) -> Result<StatusCode, Problem> {
    http.0.auth.log_out_all(who.user, Some(who.login)).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn sign_out(State(http): State<Http>, Caller(who): Caller, At(login): At<LoginId>) -> Result<StatusCode, Problem> {
    http.0.auth.revoke(who.user, login).await?;
    Ok(StatusCode::NO_CONTENT)
}
