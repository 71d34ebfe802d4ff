//! No two processes on one store process have the same grant, and so never the same epoch.

use std::collections::BTreeSet;

use store::{Embedded, EmbeddedConfig, Journal};
use tokio::task::JoinSet;

use super::{Process, node};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nodes_that_start_at_once_and_one_after_a_restart_have_grants_of_their_own() {
    let process = Process::start().await;
    let (store, address) = (process.store.clone(), process.server.address());
    let mut nodes = JoinSet::new();
    for _ in 0..8 {
        nodes.spawn(async move { node(address).await.grant() });
    }
    let mut grants: BTreeSet<u64> = nodes.join_all().await.into_iter().collect();
    assert_eq!(grants.len(), 8, "{grants:?}");
    process.server.stop().await;
    store.with(|core| core.crash(|_| false));
    let process = Process::over(store, address).await;
    assert!(grants.insert(process.node().await.grant()));
    assert_eq!(grants.last(), Some(&process.node().await.grant().saturating_sub(1)));
}

#[tokio::test]
async fn a_node_that_opens_the_data_itself_later_has_a_grant_above_all_that_were_taken() {
    let folder = tempfile::tempdir().unwrap();
    let open = || {
        let config = EmbeddedConfig { cache_bytes: 8 << 20, reserve_bytes: 0, ballast_bytes: 0, ..EmbeddedConfig::default() };
        Embedded::open(folder.path(), config).unwrap()
    };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let config = store::remote::ServerConfig::new(super::secret());
    let server = store::remote::Server::start(listener, std::sync::Arc::new(open()), config).unwrap();
    let mut last = 0;
    for _ in 0..5 {
        last = node(server.address()).await.grant();
    }
    server.stop().await;
    assert!(open().grant() > last);
}
