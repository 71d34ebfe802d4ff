//! Two nodes that can dial each other, over each transport, and somebody above who writes down what comes.

use std::net::SocketAddr;
use std::sync::Arc;

use cluster::NodeId;
use cluster::link::{
    Asked, Authority, Lane, Limits, Line, Listener, Peer, Receive, Said, SimNet, SimTransport, TcpTransport, Transport, Whence,
};
use parking_lot::Mutex;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::task::JoinSet;

pub const A: NodeId = NodeId(1);
pub const B: NodeId = NodeId(2);

pub enum Came {
    Arrived(Whence),
    Said(Said),
    Asked(Asked),
    Gone(Whence),
}

pub struct Above(mpsc::UnboundedSender<Came>);

impl Above {
    pub fn new() -> (Self, Heard) {
        let (above, heard) = mpsc::unbounded_channel();
        (Self(above), Heard(heard))
    }
}

impl Receive for Above {
    fn arrived(&self, from: Whence) {
        drop(self.0.send(Came::Arrived(from)));
    }
    fn said(&self, said: Said) {
        drop(self.0.send(Came::Said(said)));
    }
    fn asked(&self, asked: Asked) {
        drop(self.0.send(Came::Asked(asked)));
    }
    fn gone(&self, from: Whence) {
        drop(self.0.send(Came::Gone(from)));
    }
}

pub struct Heard(mpsc::UnboundedReceiver<Came>);

impl Heard {
    pub async fn next(&mut self) -> Came {
        self.0.recv().await.expect("the listener lives as long as the test")
    }
    pub async fn arrived(&mut self) -> Whence {
        match self.next().await {
            Came::Arrived(from) => from,
            Came::Said(_) | Came::Asked(_) | Came::Gone(_) => panic!("somebody was to arrive"),
        }
    }
    pub async fn said(&mut self) -> Said {
        match self.next().await {
            Came::Said(said) => said,
            Came::Arrived(_) | Came::Asked(_) | Came::Gone(_) => panic!("something was to be said"),
        }
    }
    pub async fn asked(&mut self) -> Asked {
        match self.next().await {
            Came::Asked(asked) => asked,
            Came::Arrived(_) | Came::Said(_) | Came::Gone(_) => panic!("something was to be asked"),
        }
    }
    pub async fn gone(&mut self) -> Whence {
        match self.next().await {
            Came::Gone(from) => from,
            Came::Arrived(_) | Came::Said(_) | Came::Asked(_) => panic!("somebody was to go"),
        }
    }
    /// All that is there already.
    pub fn ready(&mut self) -> Vec<Came> {
        std::iter::from_fn(|| self.0.try_recv().ok()).collect()
    }
}

pub fn listen<T: Transport>(transport: &Arc<T>, us: NodeId, limits: Limits) -> (Listener, Heard) {
    let (above, heard) = Above::new();
    (Listener::listen(transport.clone(), us, limits, Arc::new(above)), heard)
}

/// A dials B.
pub trait Net: Sized {
    type Transport: Transport;

    async fn new() -> Self;
    fn a(&self) -> &Arc<Self::Transport>;
    fn b(&self) -> &Arc<Self::Transport>;
    /// Where B is reached.
    fn address(&self) -> String;
    /// Ends every connection, with what is on the way.
    fn cut_off(&self);

    fn listen(&self, limits: Limits) -> (Listener, Heard) {
        listen(self.b(), B, limits)
    }
    fn dial(&self, lane: Lane, limits: Limits) -> Peer {
        Peer::dial(self.a().clone(), Line { us: A, them: B, address: self.address(), lane }, limits)
    }
}

pub struct Sim {
    net: SimNet,
    a: Arc<SimTransport>,
    b: Arc<SimTransport>,
}

impl Net for Sim {
    type Transport = SimTransport;

    async fn new() -> Self {
        let net = SimNet::default();
        let [a, b] = [(A, "a"), (B, "b")].map(|(node, address)| Arc::new(net.join(node, address)));
        Self { net, a, b }
    }
    fn a(&self) -> &Arc<SimTransport> {
        &self.a
    }
    fn b(&self) -> &Arc<SimTransport> {
        &self.b
    }
    fn address(&self) -> String {
        "b".into()
    }
    fn cut_off(&self) {
        self.net.break_between(A, B);
    }
}

pub struct Tcp {
    a: Arc<TcpTransport>,
    b: Arc<TcpTransport>,
    /// Between them, so that connections can be ended from outside.
    between: SocketAddr,
    carried: Arc<Mutex<JoinSet<()>>>,
}

pub fn anywhere() -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], 0))
}

impl Net for Tcp {
    type Transport = TcpTransport;

    async fn new() -> Self {
        let authority = Authority::make().unwrap();
        let bind = async |node| {
            let credentials = authority.issue(node).unwrap();
            Arc::new(TcpTransport::bind(anywhere(), &credentials, Arc::new(|_, _| true)).await.unwrap())
        };
        let (a, b) = (bind(A).await, bind(B).await);
        let middle = TcpListener::bind(anywhere()).await.unwrap();
        let (between, to) = (middle.local_addr().unwrap(), b.address().unwrap());
        let carried = Arc::<Mutex<JoinSet<()>>>::default();
        let carries = carried.clone();
        tokio::spawn(async move {
            while let Ok((mut near, _)) = middle.accept().await {
                carries.lock().spawn(async move {
                    let mut far = TcpStream::connect(to).await.unwrap();
                    let _ = tokio::io::copy_bidirectional(&mut near, &mut far).await;
                });
            }
        });
        Self { a, b, between, carried }
    }
    fn a(&self) -> &Arc<TcpTransport> {
        &self.a
    }
    fn b(&self) -> &Arc<TcpTransport> {
        &self.b
    }
    fn address(&self) -> String {
        self.between.to_string()
    }
    fn cut_off(&self) {
        self.carried.lock().abort_all();
    }
}
