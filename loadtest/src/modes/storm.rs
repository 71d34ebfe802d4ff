//! `hubbub-bench storm`: everybody is cut at once and comes back at once, with token and resume.

use anyhow::Result;

use crate::report::figures;

pub use super::run::OwnScenario as Options;

pub async fn storm(options: &Options) -> Result<u8> {
    options.carry_out("storm", figures::storm).await
}
