//! The server as a library: the edge, the HTTP API and the one place where everything is wired.
//!
//! The binary (`main.rs`) only calls it; tests start the same parts in their own process.

pub mod admin;
pub mod auth;
pub mod cli;
pub mod cluster;
pub mod config;
pub mod data;
pub mod edge;
pub mod health;
pub mod http;
pub mod import;
pub mod limits;
pub mod logs;
pub mod memory;
pub mod store_process;
mod up;
pub mod wiring;
