//! The seam between a node and the link: how others are reached. The mesh in the product, the simulation's links in its test.

use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use bytes::Bytes;
use cluster::NodeId;
use cluster::link::Mesh;

pub trait Reach: Send + Sync {
    /// In order behind what was said to this node before. `false`: it was not and will not be heard.
    fn say(&self, to: NodeId, word: Bytes) -> bool;
    /// Stands in order with what is said. `None`: there is no answer, and may never be one.
    fn ask(&self, to: NodeId, question: Bytes, within: Duration) -> Pin<Box<dyn Future<Output = Option<Bytes>> + Send>>;
    /// Those that can be spoken to.
    fn up(&self) -> Vec<NodeId>;
    /// The newest table that is known here.
    fn knows_table(&self, version: u64);
}

impl Reach for Mesh {
    fn say(&self, to: NodeId, word: Bytes) -> bool {
        Mesh::say(self, to, word).is_ok()
    }
    fn ask(&self, to: NodeId, question: Bytes, within: Duration) -> Pin<Box<dyn Future<Output = Option<Bytes>> + Send>> {
        let answered = Mesh::ask(self, to, question, within);
        Box::pin(async move { answered.await.ok() })
    }
    fn up(&self) -> Vec<NodeId> {
        Mesh::up(self)
    }
    fn knows_table(&self, version: u64) {
        Mesh::knows_table(self, version);
    }
}
