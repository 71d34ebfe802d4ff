//! `hubbub-bench jitter`: phones in a tunnel. Every connection is cut again and again while everybody goes on talking.

use anyhow::Result;

use crate::report::figures;

pub use super::run::OwnScenario as Options;

pub async fn jitter(options: &Options) -> Result<u8> {
    options.carry_out("jitter", figures::jitter).await
}
