//! Opens what keeps a node's data: the store of its own machine, or a store process that others use too.

use std::fs::DirBuilder;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use futures_util::future::try_join_all;
use schema::record::Installation;
use schema::{InstallationId, SlotId};
use store::embedded::Lock;
use store::remote::Secret;
use store::{Embedded, Expect, Fenced, Journal, Put, Records, RecordsExt, Remote, RemoteConfig};
use uuid::Uuid;

use crate::admin::desk::Backup;
use crate::config::{Backend, Config};
use crate::health::Check;
use crate::memory;

pub struct Opened {
    pub journal: Arc<dyn Journal>,
    pub records: Arc<dyn Records>,
    pub installation: InstallationId,
    pub backup: Backup,
    /// Whether the node can do its work with it.
    pub check: Check,
    /// Of a data directory that the store itself does not lock: held while the node runs.
    pub lock: Option<Lock>,
}

/// Off the async workers: it may take a while after a crash. Errors: one sentence each.
pub async fn open(config: &Config) -> anyhow::Result<Opened> {
    make_private(&config.node.data_dir)?;
    match config.store.backend {
        Backend::Embedded => embedded(config).await,
        Backend::Remote => remote(config).await,
    }
}

/// Where the store of a data directory lies.
pub fn store_dir(data_dir: &Path) -> PathBuf {
    data_dir.join("store")
}

/// The store of one machine, opened.
pub async fn open_embedded(config: &Config, data_dir: &Path) -> anyhow::Result<Arc<Embedded>> {
    let (folder, settings) = (store_dir(data_dir), config.store.settings(memory::limit_bytes(&config.limits)));
    make_private(&folder)?;
    Ok(Arc::new(tokio::task::spawn_blocking(move || Embedded::open(folder, settings)).await??))
}

/// Of a store that can write its own.
pub fn backup_of(store: &Arc<Embedded>) -> Backup {
    let store = store.clone();
    Arc::new(move |to| {
        let store = store.clone();
        Box::pin(async move { store.backup(to).await })
    })
}

/// What is wrong with it, while it takes no writes.
pub fn check_of(store: &Arc<Embedded>) -> Check {
    let store = store.clone();
    Box::new(move || if store.is_read_only() { Err("it takes no writes: the disk is nearly full".into()) } else { Ok(()) })
}

async fn embedded(config: &Config) -> anyhow::Result<Opened> {
    let store = open_embedded(config, &config.node.data_dir).await?;
    let (installation, backup, check) = (installation(&*store).await?, backup_of(&store), check_of(&store));
    Ok(Opened { journal: store.clone(), records: store, installation, backup, check, lock: None })
}

async fn remote(config: &Config) -> anyhow::Result<Opened> {
    let (settings, data_dir) = (&config.store, &config.node.data_dir);
    let lock = Lock::take(data_dir)?;
    let secret = Secret::read(&settings.secret_file)?;
    let authority = Some(settings.tls_ca.clone()).filter(|file| !file.as_os_str().is_empty());
    let within = Duration::from_millis(settings.call_ms.into());
    let remote = Remote::open(RemoteConfig { authority, within, ..RemoteConfig::new(settings.address.clone(), secret) }).await?;
    let store = Arc::new(remote);
    tracing::warn!(address = %settings.address, "the data is in one store process: while it is away nobody can post, whatever node they are on");
    let installation = installation(&*store).await?;
    let looked_at = store.clone();
    let backup: Backup = Arc::new(|_| Box::pin(async { Err(store::Error::Unusable(BACKUP_IS_ELSEWHERE.into())) }));
    Ok(Opened {
        journal: store.clone(),
        records: store,
        installation,
        backup,
        check: Box::new(move || looked_at.check()),
        lock: Some(lock),
    })
}

const BACKUP_IS_ELSEWHERE: &str =
    "the data is in a store process: run `hubbub backup` on its machine, with node.data_dir set to the --data that it was started with";

/// For its owner alone, as the store makes its own: whoever makes it first decides.
fn make_private(folder: &Path) -> anyhow::Result<()> {
    let made = DirBuilder::new().recursive(true).mode(0o700).create(folder);
    made.with_context(|| format!("the data directory {} cannot be made", folder.display()))
}

/// The highest grant by which any slot was ever owned: whoever fences with less is told. An epoch of no grant shuts out nobody.
pub async fn granted(journal: &dyn Journal, slots: u16) -> anyhow::Result<u64> {
    let fences = try_join_all((0..slots).map(|slot| journal.fence(SlotId(slot), NO_GRANT))).await?;
    let granted = fences.into_iter().map(|fenced| match fenced {
        Fenced::Ok { .. } => 0,
        Fenced::Stale { epoch } => epoch >> 16,
    });
    Ok(granted.max().unwrap_or(0).max(journal.grant()))
}

const NO_GRANT: u64 = 1;

/// Whoever comes first names the data set; it is the same for all that come later.
async fn installation(records: &impl Records) -> anyhow::Result<InstallationId> {
    let fresh = Installation { id: InstallationId(Uuid::now_v7()), created_at: actors::now_ms() };
    match records.store(&fresh, Expect::Absent).await? {
        Put::Done { .. } => Ok(fresh.id),
        Put::Conflict { .. } => {
            let stored = records.fetch::<Installation>(Installation::key_of()).await?;
            Ok(stored.context("the identity of the data is gone: restore a backup")?.0.id)
        }
    }
}
