//! One node as a member of its group: from a folder and an address to a ring that follows what the group agrees on. What goes over the
//! chat lane is for whoever is above.
//!
//! A folder that is nobody's yet founds a group of one, or joins with a token. From then on the folder says who this node is.

mod files;
mod join;
mod renew;
mod standing;
mod token;

use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::link::{Authority, AuthorityError, Lane, Lanes, Limits, Listener, Meet, Mesh, Receive, TcpTransport, Transport, fingerprint};
use crate::membership::{self, Folder, Identity, Membership};
use crate::ring::Ring;
use crate::state::{Command, Outcome, Refusal, Spec};
use files::Files;
use join::Gate;
use renew::Renewer;
use standing::Asker;

pub use crate::link::NODE_LASTS as CERTIFICATES_LAST;
pub use join::Wish;
pub use standing::Question;
pub use token::{NoToken, Token};

/// The first node of every group.
const FOUNDER: crate::NodeId = membership::FOUNDER;

#[derive(Clone, Debug)]
pub struct Config {
    /// Of this node alone; made if it is not there.
    pub folder: PathBuf,
    /// Where other nodes are let in. `None`: nowhere, and the node stays alone.
    pub listen: Option<SocketAddr>,
    /// `host:port` at which others reach it; empty: as it listens.
    pub advertise: String,
    pub zone: String,
    /// Its share of the slots beside the others'.
    pub weight: u16,
    /// Of a group that this node founds.
    pub slots: u16,
    /// The highest grant that its store has seen.
    pub above: u64,
    /// For a folder that is nobody's yet; `None`: it founds a group.
    pub join: Option<Token>,
    /// `host:port` of nodes of the group, or of names that stand for all of them. Whoever joins is let in there, instead of where the
    /// token says; and a node that has lost the others looks for them there.
    pub seeds: Vec<String>,
    /// Of this node's certificate, and of those that it makes for others.
    pub certificates_last: Duration,
}

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error(transparent)]
    Group(#[from] membership::Error),
    #[error(transparent)]
    Authority(#[from] AuthorityError),
    #[error(transparent)]
    Io(#[from] io::Error),
    #[error("an answer of the group cannot be read: {0}")]
    Unreadable(#[from] crate::raft::Error),
    #[error("{} cannot be used: {error}", path.display())]
    File { path: PathBuf, error: io::Error },
    #[error("{address} is taken by another program: stop it, or set cluster.listen to another port")]
    Taken { address: SocketAddr },
    #[error("nodes cannot be listened for at {address}: {error}")]
    Listen { address: SocketAddr, error: io::Error },
    #[error("{0} is no address that other nodes could reach: set cluster.advertise to this machine's name or address and port")]
    NoAddress(SocketAddr),
    #[error("the group did not let this node in: {0}")]
    NotLetIn(String),
    #[error("nobody of the group could be reached to join by ({0}): is the node of the token up, and may this one reach it?")]
    NobodyThere(String),
    #[error("whoever let this node in is of another group than its token: make another token")]
    OtherAuthority,
    #[error("no node can join this one, since it does not listen for others: set cluster.listen, start it again, and make the token then")]
    NotListening,
    #[error(
        "this node was removed from its group, and its number is not given again: delete {}, and start it with a new token \
         (`hubbub cluster token` on a node that is left) to let it join as a new one",
        .0.display()
    )]
    Removed(PathBuf),
    #[error("{} has a group's authority already: nothing was changed", .0.display())]
    Initialised(PathBuf),
}

pub struct Member {
    membership: Membership,
    ring: Arc<Ring>,
    spec: Spec,
    files: Files,
    /// Knows the transport, so that nobody else has to.
    lane: Box<dyn Fn(Arc<dyn Meet>) -> Mesh + Send + Sync>,
    followers: Mutex<Vec<JoinHandle<()>>>,
    removed: watch::Receiver<bool>,
    listener: Mutex<Option<Listener>>,
}

/// Makes the authority of a group that a node will found in this folder. Errors: there is one.
pub fn init(folder: &Path) -> Result<(), Error> {
    let files = Files::open(folder)?;
    if files.has_authority() {
        return Err(Error::Initialised(folder.to_owned()));
    }
    let authority = Authority::make()?;
    files.keep_authority(authority.certificate_pem(), &authority.key_pem())
}

impl Member {
    /// Answers when the group knows this process, which takes more than half of its voters: a node that is one of many waits for them.
    /// `chat` is told what comes in on the chat lane, from now on.
    pub async fn start(config: Config, chat: Arc<dyn Receive>) -> Result<Self, Error> {
        let transport = TcpTransport::listen(config.listen).await.map_err(|error| match config.listen {
            Some(address) if error.kind() == io::ErrorKind::AddrInUse => Error::Taken { address },
            Some(address) => Error::Listen { address, error },
            None => error.into(),
        })?;
        let address = match transport.address() {
            _ if !config.advertise.is_empty() => config.advertise.clone(),
            Ok(address) if address.ip().is_unspecified() => return Err(Error::NoAddress(address)),
            Ok(address) => address.to_string(),
            Err(_) => String::new(),
        };
        Self::start_on(Arc::new(transport), Config { advertise: address, ..config }, chat).await
    }

    /// The same over any transport, as whoever is at `config.advertise`.
    pub async fn start_on<T: Transport>(transport: Arc<T>, config: Config, chat: Arc<dyn Receive>) -> Result<Self, Error> {
        let files = Files::open(&config.folder)?;
        if files.is_removed() {
            return Err(Error::Removed(config.folder));
        }
        let (seeds, lasts) = (config.seeds.clone(), config.certificates_last);
        let (on, at, keys) = (transport.clone(), config.clone(), files.clone());
        let begun = Membership::on_thread(move || begin(on, at, keys)).await;
        let (membership, spec) = begun?;
        let gate = Gate { membership: membership.clone(), files: files.clone(), certificates_last: lasts };
        let lanes = Arc::new(Lanes { group: Arc::new(gate), chat });
        let (us, dials) = (membership.node(), transport.clone());
        let listener = Listener::listen(transport, us, Limits::default(), lanes);
        let (say_removed, mut removed) = watch::channel(false);
        let authority = fingerprint(&files.credentials()?.authority);
        let asker = Asker {
            transport: dials.clone(),
            membership: membership.clone(),
            files: files.clone(),
            authority,
            seeds,
            address: spec.address.clone(),
        };
        let followers = Mutex::new(vec![tokio::spawn(asker.ask(say_removed))]);
        let active = tokio::select! {
            active = membership.active() => active.map_err(Error::from),
            () = until(&mut removed) => Err(Error::Removed(files.folder().to_owned())),
        };
        // By its refusal, before anybody was asked.
        let active = active.map_err(|error| match error {
            Error::Group(membership::Error::Refused(Refusal::NoNode(node))) if node == us => Error::Removed(files.folder().to_owned()),
            other => other,
        });
        if let Err(error) = active {
            if let (Error::Removed(_), Err(error)) = (&error, files.note_removed()) {
                tracing::warn!(%error, "that this node was removed is not on disk: it will ask again");
            }
            followers.lock().drain(..).for_each(|follower| follower.abort());
            membership.stop().await;
            return Err(error);
        }
        let renewer = Renewer { transport: dials.clone(), membership: membership.clone(), files: files.clone(), lasts };
        followers.lock().push(tokio::spawn(renewer.renew()));
        let ring = membership.ring();
        let lane = move |meet| Mesh::new(dials.clone(), us, Lane::Chat, Limits::default(), meet);
        Ok(Self { membership, ring, spec, files, lane: Box::new(lane), followers, removed, listener: Mutex::new(Some(listener)) })
    }

    /// When the group has removed this node. It hears nothing any more then.
    pub async fn removed(&self) -> Error {
        until(&mut self.removed.clone()).await;
        Error::Removed(self.files.folder().to_owned())
    }
    pub fn is_removed(&self) -> bool {
        *self.removed.borrow()
    }

    /// The table as it is now; it follows what the group agrees on.
    pub fn ring(&self) -> Arc<Ring> {
        self.ring.clone()
    }
    pub fn membership(&self) -> &Membership {
        &self.membership
    }

    /// The way to the others on the chat lane. It dials nobody before [`Self::follow`].
    pub fn chat(&self, meet: Arc<dyn Meet>) -> Arc<Mesh> {
        Arc::new((self.lane)(meet))
    }
    /// From now on the mesh reaches whoever is in the group, and knows its table. Call in a runtime.
    pub fn follow(&self, mesh: Arc<Mesh>) {
        let mut state = self.membership.watch();
        let follower = tokio::spawn(async move {
            loop {
                {
                    let state = state.borrow_and_update();
                    mesh.follow(&state.nodes.iter().map(|(id, node)| (*id, node.spec.address.clone())).collect());
                    mesh.knows_table(state.version);
                }
                if state.changed().await.is_err() {
                    return;
                }
            }
        });
        self.followers.lock().push(follower);
    }

    /// Lets one node join, once. Errors: nobody could reach this one.
    pub async fn token(&self) -> Result<Token, Error> {
        if self.spec.address.is_empty() {
            return Err(Error::NotListening);
        }
        let secret: [u8; 32] = rand::random();
        let authority = self.files.authority()?.fingerprint()?;
        match self.membership.propose(Command::Invite { invite: Token::invite(&secret) }).await? {
            Outcome::Refused(refusal) => Err(membership::Error::from(refusal).into()),
            _ => Ok(Token { address: self.spec.address.clone(), authority, secret }),
        }
    }

    /// Ends this process's part in the group, without leaving it.
    pub async fn stop(&self) {
        self.followers.lock().drain(..).for_each(|follower| follower.abort());
        self.membership.stop().await;
        // Who has a connection has to hear that nobody is there.
        drop(self.listener.lock().take());
    }
}

async fn until(said: &mut watch::Receiver<bool>) {
    // Nobody will say it any more.
    if said.wait_for(|said| *said).await.is_err() {
        std::future::pending().await
    }
}

/// On the group's own thread.
async fn begin<T: Transport>(transport: Arc<T>, config: Config, files: Files) -> Result<(Membership, Spec), Error> {
    let mut folder = Folder::open(&config.folder)?;
    let mut spec = Spec { address: config.advertise, zone: config.zone, weight: config.weight, fingerprint: [0; 32] };
    let identity = match folder.identity() {
        Some(identity) => identity,
        None => match become_somebody(&*transport, &files, config.join.as_ref(), &config.seeds, &spec, config.certificates_last).await {
            Ok(identity) => {
                folder.remember(identity).await?;
                identity
            }
            Err(error) => {
                folder.close().await;
                return Err(error);
            }
        },
    };
    let credentials = renew::at_start(&files, identity.node, config.certificates_last)?;
    spec.fingerprint = credentials.fingerprint();
    let mesh = Arc::new(Mesh::new(transport.clone(), identity.node, Lane::Group, Limits::default(), Arc::new(())));
    let begins = membership::Config { spec: spec.clone(), above: config.above, slots: config.slots };
    let membership = Membership::start(folder, begins, mesh).await?;
    transport.appear(identity.node, &credentials, join::trust(membership.watch()))?;
    Ok((membership, spec))
}

async fn become_somebody<T: Transport>(
    transport: &T,
    files: &Files,
    join: Option<&Token>,
    seeds: &[String],
    spec: &Spec,
    lasts: Duration,
) -> Result<Identity, Error> {
    match join {
        Some(token) => join::join(transport, files, token, seeds, spec).await,
        None => found(files, lasts),
    }
}

/// The first node of a new group. An authority that was made before is the group's.
fn found(files: &Files, lasts: Duration) -> Result<Identity, Error> {
    if !files.has_authority() {
        let authority = Authority::make()?;
        files.keep_authority(authority.certificate_pem(), &authority.key_pem())?;
    }
    let (certificate, key) = renew::make(files, FOUNDER, lasts)?;
    files.keep_node(&certificate, &key)?;
    Ok(Identity { node: FOUNDER, cluster: rand::random() })
}
