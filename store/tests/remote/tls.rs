//! Between machines: a certificate that the node's own file vouches for, and no store process in the clear.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use store::remote::{Door, Server, ServerConfig};
use store::{Error, Journal, Remote, RemoteConfig, SimStore};
use tempfile::TempDir;
use tokio::net::TcpListener;

use super::{SLOT, secret};

struct Pair {
    folder: TempDir,
}

impl Pair {
    fn make() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let made = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap();
        std::fs::write(folder.path().join("cert.pem"), made.cert.pem()).unwrap();
        std::fs::write(folder.path().join("key.pem"), made.signing_key.serialize_pem()).unwrap();
        Self { folder }
    }
    fn certificate(&self) -> PathBuf {
        self.folder.path().join("cert.pem")
    }
    fn key(&self) -> PathBuf {
        self.folder.path().join("key.pem")
    }
}

async fn serve(pair: &Pair) -> Server {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let config = ServerConfig { door: Door::new(&pair.certificate(), &pair.key()).unwrap(), ..ServerConfig::new(secret()) };
    Server::start(listener, Arc::new(SimStore::default()), config).unwrap()
}

fn config(server: &Server, authority: &Pair) -> RemoteConfig {
    let address = server.address().to_string();
    RemoteConfig { authority: Some(authority.certificate()), ..RemoteConfig::new(address, secret()) }
}

#[tokio::test]
async fn a_certificate_that_the_node_vouches_for_is_believed_and_no_other() {
    let (ours, other) = (Pair::make(), Pair::make());
    let server = serve(&ours).await;
    let node = Remote::open(config(&server, &ours)).await.unwrap();
    node.fence(SLOT, 1).await.unwrap();
    let stranger = RemoteConfig { open_within: Duration::from_secs(2), ..config(&server, &other) };
    let Err(Error::Unusable(sentence)) = Remote::open(stranger).await else { panic!("it was believed") };
    assert!(sentence.contains("certificate"), "{sentence}");
}

#[tokio::test]
async fn nobody_listens_to_other_machines_in_the_clear() {
    let listener = TcpListener::bind("0.0.0.0:0").await.unwrap();
    let started = Server::start(listener, Arc::new(SimStore::default()), ServerConfig::new(secret()));
    let Err(Error::Unusable(sentence)) = started else { panic!("it serves") };
    assert!(sentence.ends_with("can be reached from other machines: give a certificate, or listen on 127.0.0.1"), "{sentence}");
}
