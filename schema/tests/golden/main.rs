//! Golden files: what level 1 of every event, body, record and block looks like, byte for byte. An old client and a
//! stored row hold us to them, so files are only added: `cargo xtask gen --golden` writes those that are missing.
//!
//! A variant without a sample does not compile; a sample without a file fails; a file that no longer reads fails.

mod client;
mod event;
mod files;
mod fold;
mod peer;
mod positions;
mod record;
mod rest;
mod sample;
mod server;

/// The samples of an enum: each variant at least once, or it does not compile.
macro_rules! samples {
    ($type:ident { $($variant:ident $name:literal => $value:expr,)* }) => {{
        #[allow(unreachable_patterns)]
        fn every_variant_is_here(value: &$type) {
            match value { $($type::$variant { .. } => {})* }
        }
        let samples: Vec<(&'static str, $type)> = vec![$(($name, $value),)*];
        samples.iter().for_each(|(_, sample)| every_variant_is_here(sample));
        samples
    }};
}
pub(crate) use samples;
