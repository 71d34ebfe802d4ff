//! A node's certificate, made anew while it runs: by its own key of the group's authority, long before the one that it shows ends. The
//! group knows the new one before anybody is shown it, and believes both, so that no connection is refused meanwhile.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use tokio::time::sleep;

use super::Error;
use super::files::Files;
use crate::link::{Credentials, Request, Transport};
use crate::membership::Membership;
use crate::ring::NodeId;

/// Looked at anew at least this often: clocks jump.
const LOOK_MAX: Duration = Duration::from_secs(3_600);
/// Between two tries.
const TRY_MAX: Duration = Duration::from_secs(60);

pub struct Renewer<T> {
    pub transport: Arc<T>,
    pub membership: Membership,
    pub files: Files,
    pub lasts: Duration,
}

impl<T: Transport> Renewer<T> {
    pub async fn renew(self) {
        loop {
            let left = match self.files.credentials().and_then(|shown| left(&shown)) {
                Ok(left) => left,
                Err(error) => return tracing::error!(%error, "this node's certificate cannot be made anew"),
            };
            let early = left.saturating_sub(self.lasts / 3);
            if !early.is_zero() {
                sleep(early.min(LOOK_MAX)).await;
                continue;
            }
            match self.once().await {
                Ok(()) => tracing::info!(days = self.lasts.as_secs() / 86_400, "this node has a new certificate"),
                Err(error) => {
                    tracing::warn!(%error, days = left.as_secs() / 86_400, "this node's certificate cannot be made anew yet, and ends in so many days");
                    sleep(TRY_MAX.min(self.lasts / 20)).await;
                }
            }
        }
    }

    async fn once(&self) -> Result<(), Error> {
        let us = self.membership.node();
        let (certificate, key) = make(&self.files, us, self.lasts)?;
        let credentials = Credentials::from_pem(&certificate, &key, self.files.authority()?.certificate_pem())?;
        self.membership.renew(credentials.fingerprint()).await?;
        // After a crash before this the old one is shown, and believed.
        self.files.keep_node(&certificate, &key)?;
        Ok(self.transport.replace(&credentials)?)
    }
}

/// What this node shows at its start. One that has ended is no use to show: alone, it may have another.
pub fn at_start(files: &Files, node: NodeId, lasts: Duration) -> Result<Credentials, Error> {
    let credentials = files.credentials()?;
    if !left(&credentials)?.is_zero() {
        return Ok(credentials);
    }
    tracing::warn!(
        "this node's certificate ended while it was stopped, and it shows a new one: if it waits for its group now, remove it there, and let it join anew"
    );
    let (certificate, key) = make(files, node, lasts)?;
    files.keep_node(&certificate, &key)?;
    files.credentials()
}

pub fn make(files: &Files, node: NodeId, lasts: Duration) -> Result<(String, String), Error> {
    let request = Request::make()?;
    Ok((files.authority()?.sign(node, request.pem(), lasts)?, request.key_pem()))
}

fn left(credentials: &Credentials) -> Result<Duration, Error> {
    Ok(credentials.ends()?.duration_since(SystemTime::now()).unwrap_or_default())
}
