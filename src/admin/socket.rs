//! The node's end of the Unix socket: one route, an order in, its answer out. Who may open the socket may do everything,
//! so it lies in a directory of mode 0700 and has mode 0600.

use std::fs::{DirBuilder, Permissions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::{Path, PathBuf};

use axum::extract::{DefaultBodyLimit, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use axum::{Json, Router};
use tokio::net::UnixListener;

use super::{Carry, Order};

const DIRECTORY: &str = "admin";
const NAME: &str = "socket";
pub const PATH: &str = "/order";
const ORDER_BYTES_MAX: usize = 4 << 20;

pub fn path(data_dir: &Path) -> PathBuf {
    data_dir.join(DIRECTORY).join(NAME)
}

/// Takes the place of a socket that a crashed node left: the caller holds the data's lock.
pub fn bind(data_dir: &Path) -> io::Result<UnixListener> {
    let directory = data_dir.join(DIRECTORY);
    DirBuilder::new().recursive(true).mode(0o700).create(&directory)?;
    std::fs::set_permissions(&directory, Permissions::from_mode(0o700))?;
    let path = path(data_dir);
    match std::fs::remove_file(&path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let listener = UnixListener::bind(&path)?;
    std::fs::set_permissions(&path, Permissions::from_mode(0o600))?;
    Ok(listener)
}

/// Until it is dropped.
pub async fn serve<D: Carry>(listener: UnixListener, desk: D) -> io::Result<()> {
    let router = Router::new().route(PATH, post(order::<D>)).layer(DefaultBodyLimit::max(ORDER_BYTES_MAX)).with_state(desk);
    axum::serve(listener, router).await
}

async fn order<D: Carry>(State(desk): State<D>, Json(order): Json<Order>) -> Response {
    match desk.carry_out(order).await {
        Ok(answer) => Json(answer).into_response(),
        Err(refused) => (StatusCode::BAD_REQUEST, Json(refused)).into_response(),
    }
}
