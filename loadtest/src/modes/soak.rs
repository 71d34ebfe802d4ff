//! `hubbub-bench soak`: an ordinary mixture for hours, to see what grows.

use anyhow::Result;

use crate::report::figures;

pub use super::run::OwnScenario as Options;

pub async fn soak(options: &Options) -> Result<u8> {
    options.carry_out("soak", figures::soak).await
}
