//! A worker's end: this program as a process that its coordinator started, or that somebody started on another machine.

use std::net::SocketAddr;

use anyhow::{Context, Result};
use tokio::sync::mpsc;

use super::WAITING_MAX;
use super::link::{Link, receive_message, send};
use crate::run::job::{Job, Order};
use crate::run::worker::work;

/// Works until the coordinator is gone or has all it wants.
pub async fn join(coordinator: SocketAddr, key: &str) -> Result<()> {
    crate::process::raise_open_files();
    let (Link { mut reader, mut writer }, ahead_us) = Link::join(coordinator, key).await?;
    let mut job = receive_message::<Job>(&mut reader).await?.context("the coordinator went away without a job")?;
    // The run's clock is the coordinator's.
    job.epoch_us = job.epoch_us.saturating_add_signed(-ahead_us);
    let (own, mut hear) = mpsc::channel(WAITING_MAX);
    let (sender, orders) = mpsc::channel(WAITING_MAX);
    tokio::spawn(async move {
        while let Ok(Some(order)) = receive_message::<Order>(&mut reader).await {
            if sender.send(order).await.is_err() {
                return;
            }
        }
    });
    let local = tokio::task::LocalSet::new();
    local.spawn_local(work(job, orders, own));
    local
        .run_until(async move {
            while let Some(said) = hear.recv().await {
                send(&mut writer, &said).await.context("the coordinator is gone")?;
            }
            Ok(())
        })
        .await
}
