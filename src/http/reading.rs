//! `/v1/rooms/{room}/read` and `/receipts`: how far I have read, and how far the others have.

use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::{get, put};
use axum::{Json, Router};
use schema::rest::{PutRead, Receipts};
use schema::{RoomId, UserId};

use super::request::{Asked, At, Body, Caller, List, cursor};
use super::{Http, Problem};

pub fn routes() -> Router<Http> {
    Router::new().route("/v1/rooms/{room}/read", put(read)).route("/v1/rooms/{room}/receipts", get(receipts))
}

async fn read(
    State(http): State<Http>,
    Caller(who): Caller,
    At(room): At<RoomId>,
    Body(PutRead { seq, ordinal }): Body<PutRead>,
) -> Result<StatusCode, Problem> {
    http.0.node.read(who.user, room, seq, ordinal).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn receipts(
    State(http): State<Http>,
    Caller(who): Caller,
    At(room): At<RoomId>,
    Asked(list): Asked<List>,
) -> Result<Json<Receipts>, Problem> {
    let (limit, after) = (list.limit()?, list.after()?.map(UserId));
    let receipts = http.0.node.receipts(who.user, room, after, limit).await?;
    let cursor = cursor(receipts.last().map(|receipt| receipt.user.0), receipts.len(), limit);
    Ok(Json(Receipts { receipts, cursor }))
}
