//! Both backends against the one suite.

use std::sync::Arc;

use store::conformance::Subject;
use store::{Embedded, EmbeddedConfig, SimStore};
use tempfile::TempDir;

/// `store` is `None` only while it is being reopened.
struct OnDisk {
    folder: TempDir,
    store: Option<Arc<Embedded>>,
}

fn open(folder: &TempDir) -> Arc<Embedded> {
    let config = EmbeddedConfig { cache_bytes: 8 << 20, reserve_bytes: 0, ballast_bytes: 0, ..EmbeddedConfig::default() };
    Arc::new(Embedded::open(folder.path(), config).expect("the store opens"))
}

impl OnDisk {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder is made");
        let store = Some(open(&folder));
        Self { folder, store }
    }
}

impl Subject for OnDisk {
    type Store = Embedded;
    fn store(&self) -> Arc<Embedded> {
        self.store.clone().expect("it is open")
    }
    fn reopen(&mut self) {
        let closed = self.store.take().and_then(Arc::into_inner);
        drop(closed.expect("nobody else holds the store"));
        self.store = Some(open(&self.folder));
    }
}

struct Simulated(Arc<SimStore>);

impl Subject for Simulated {
    type Store = SimStore;
    fn store(&self) -> Arc<SimStore> {
        self.0.clone()
    }
    /// The hardest restart that the contract allows.
    fn reopen(&mut self) {
        self.0.with(|core| core.crash(|_| false));
    }
}

store::conformance!(embedded, OnDisk::new());
store::conformance!(simulated, Simulated(Arc::default()));
