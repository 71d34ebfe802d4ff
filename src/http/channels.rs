//! `/v1/workspaces/{room}/channels`: what a member of the workspace may browse.

use axum::extract::State;
use axum::routing::get;
use axum::{Json, Router};
use schema::RoomId;
use schema::rest::Channels;

use super::request::{Asked, At, Caller, List, cursor};
use super::{Http, Problem};

pub fn routes() -> Router<Http> {
    Router::new().route("/v1/workspaces/{room}/channels", get(list))
}

async fn list(
    State(http): State<Http>,
    Caller(who): Caller,
    At(workspace): At<RoomId>,
    Asked(list): Asked<List>,
) -> Result<Json<Channels>, Problem> {
    let (limit, after) = (list.limit()?, list.after()?.map(RoomId));
    let channels = http.0.node.channels(who.user, workspace, after, limit).await?;
    let cursor = cursor(channels.last().map(|channel| channel.room.0), channels.len(), limit);
    Ok(Json(Channels { channels, cursor }))
}
