//! Every backend against the one suite.

use std::future::Future;
use std::sync::{Arc, LazyLock};

use store::conformance::Subject;
use store::remote::{Secret, Server, ServerConfig};
use store::{Embedded, EmbeddedConfig, Remote, RemoteConfig, SimStore};
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::runtime::Runtime;

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

/// Another store behind a store process of its own, met over a socket.
struct Served<S: Subject> {
    behind: S,
    process: Option<(Server, Arc<Remote>)>,
}

/// Of the store processes and the nodes' lines: promises come with runtimes that end before those.
static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| Runtime::new().expect("a runtime starts"));

fn wait<T>(future: impl Future<Output = T>) -> T {
    tokio::task::block_in_place(|| RUNTIME.block_on(future))
}

impl<S: Subject> Served<S> {
    fn new(behind: S) -> Self {
        let mut served = Self { behind, process: None };
        served.start();
        served
    }
    fn start(&mut self) {
        let (store, secret) = (self.behind.store(), Secret::new(&[7; 32]).expect("it is long enough"));
        self.process = Some(wait(async {
            let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
            let server = Server::start(listener, store, ServerConfig::new(secret.clone())).expect("it serves");
            let remote = Remote::open(RemoteConfig::new(server.address().to_string(), secret)).await;
            (server, Arc::new(remote.expect("it is let in")))
        }));
    }
    fn stop(&mut self) {
        if let Some((server, remote)) = self.process.take() {
            drop(remote);
            wait(server.stop());
        }
    }
}

impl<S: Subject> Subject for Served<S> {
    type Store = Remote;
    fn store(&self) -> Arc<Remote> {
        self.process.as_ref().expect("it runs").1.clone()
    }
    /// The store process and the node, both.
    fn reopen(&mut self) {
        self.stop();
        self.behind.reopen();
        self.start();
    }
}

impl<S: Subject> Drop for Served<S> {
    fn drop(&mut self) {
        self.stop();
    }
}

store::conformance!(embedded, OnDisk::new());
store::conformance!(simulated, Simulated(Arc::default()));
store::conformance!(remote, Served::new(OnDisk::new()));
store::conformance!(remote_of_simulated, Served::new(Simulated(Arc::default())));
