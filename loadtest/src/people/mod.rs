//! The people and rooms of a run, put on a node before its clock begins. Decides nothing about who is in which room: plans
//! and benchmarks do. Shows nothing: whoever waits is told how far it is.

mod enrol;
mod rooms;
mod sign_up;
mod source;

use std::time::Duration;

use schema::DeviceId;
use schema::rest::Tokens;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

pub use enrol::enrol;
pub use rooms::make_rooms;
pub use sign_up::sign_up;
pub use source::source;

use crate::client::{Api, Error, Settings, Target};

/// Of everybody who signed up; who was enrolled has none.
pub const PASSWORD: &str = "a load test's password";
/// Without any progress for so long, preparing is given up.
const PATIENCE: Duration = Duration::from_secs(60);

/// Told how many are done, after each.
pub type Tell<'a> = &'a (dyn Fn(u32) + Sync);

/// One person with one login.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Person {
    pub name: String,
    pub device: DeviceId,
    pub tokens: Tokens,
}

impl Person {
    pub fn settings(&self, target: Target) -> Settings {
        Settings::new(target, self.device, self.tokens.clone())
    }

    /// The API with a login made now: the access token of the sign-up is good for ten minutes, and a run may take longer.
    /// Its refresh token is the client's, who may have used it.
    pub async fn reader(&self, target: Target) -> Result<Api, Error> {
        let tokens = Api::nobody(target).log_in(&self.name, PASSWORD, DeviceId(Uuid::now_v7())).await?;
        Ok(Api::signed_in(target, &tokens.access))
    }
}
