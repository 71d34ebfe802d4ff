//! What a run has found, and what that means.

pub mod compare;
pub mod figures;
pub mod html;
pub mod judge;
mod run;
pub mod screen;

pub use run::*;
