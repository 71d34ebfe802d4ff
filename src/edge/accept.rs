//! The door: one port for REST, the client's files and WebSockets. Who comes too fast or too often is turned away here,
//! before anything is spent on him.
//!
//! HTTP is hyper's and the router's; a socket that asks for `/v1/ws` leaves hyper after the 101 and is given to a lot,
//! with nothing of its request kept.

use std::convert::Infallible;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::{Service, service_fn};
use hyper::upgrade::{OnUpgrade, Upgraded};
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use metrics::Counter;
use parking_lot::Mutex;
use schema::ErrorCode;
use schema::wire::Format;
use tokio::net::{TcpListener, TcpStream};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};

use super::addresses::{As, Place};
use super::certificates::Certificates;
use super::handshake::{Handshake, Refused};
use super::lots::{Arrival, Lots};
use super::metrics::DoorMetrics;
use super::origin::Origins;
use super::rate::Rate;
use super::refuse::{problem, turned_away};
use super::tls::Session;
use super::tls_stream::TlsStream;
use crate::http::Peer;

/// The WebSocket endpoint.
const SOCKET_PATH: &str = "/v1/ws";
/// How often the certificate's files are looked at.
const CERTIFICATE_LOOK: Duration = Duration::from_secs(10);

/// A request's extension: it came by TLS.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Secure(pub bool);

pub struct Door {
    lots: Arc<Lots>,
    router: TowerToHyperService<Router>,
    origins: Origins,
    /// Their connections are not counted, their clients are.
    proxies: Vec<IpAddr>,
    certificates: Option<Arc<Certificates>>,
    accepts: Mutex<Rate>,
    tls_accepts: Mutex<Rate>,
    http: Arc<Semaphore>,
    draining: watch::Sender<bool>,
    takes_sockets: AtomicBool,
    metrics: DoorMetrics,
}

/// One HTTP connection.
struct Visit {
    peer: SocketAddr,
    secure: bool,
    /// As `Unknown` until the first whole request, then as `Http`.
    place: Mutex<(As, Option<Place>)>,
    is_proxy: bool,
}

impl Door {
    /// `proxies` are believed about the address of who is behind them.
    pub fn new(
        lots: Arc<Lots>,
        router: Router,
        origins: Origins,
        proxies: Vec<IpAddr>,
        certificates: Option<Arc<Certificates>>,
    ) -> Arc<Self> {
        let limits = lots.limits();
        let cores = std::thread::available_parallelism().map_or(1, |cores| cores.get() as u32);
        Arc::new(Self {
            accepts: Mutex::new(Rate::new(limits.accepts_per_second_max)),
            tls_accepts: Mutex::new(Rate::new(limits.tls_accepts_per_core_per_second_max.saturating_mul(cores))),
            http: Arc::new(Semaphore::new(limits.http_connections_max)),
            router: TowerToHyperService::new(router),
            origins,
            proxies,
            certificates,
            lots,
            draining: watch::Sender::new(false),
            takes_sockets: AtomicBool::new(true),
            metrics: DoorMetrics::new(),
        })
    }

    /// Nobody new comes in: `serve` ends, requests for sockets get 503.
    pub fn drain(&self) {
        self.draining.send_replace(true);
    }

    /// While it is false, requests for sockets get 503; all others are answered.
    pub fn take_sockets(&self, take: bool) {
        self.takes_sockets.store(take, Ordering::Relaxed);
    }

    /// Accepts until `drain`.
    pub async fn serve(self: &Arc<Self>, listener: TcpListener) {
        let mut draining = self.draining.subscribe();
        // Without it the signal would end the process; with TLS it means that the files are new.
        let mut hangup = signal(SignalKind::hangup()).ok();
        let mut look = tokio::time::interval(CERTIFICATE_LOOK);
        loop {
            tokio::select! {
                accepted = listener.accept() => match accepted {
                    Ok((socket, peer)) => self.admit(socket, peer),
                    Err(error) => {
                        // Out of file descriptors, mostly: the queue in the kernel waits for us.
                        tracing::warn!(%error, "a connection cannot be accepted: raise the limit of open files");
                        tokio::time::sleep(Duration::from_millis(50)).await;
                    }
                },
                _ = look.tick() => self.look_at_certificate(false),
                true = heard(&mut hangup) => self.look_at_certificate(true),
                () = async { drop(draining.wait_for(|draining| *draining).await) } => return,
            }
        }
    }

    fn is_proxy(&self, address: IpAddr) -> bool {
        self.proxies.contains(&address.to_canonical())
    }

    fn look_at_certificate(&self, always: bool) {
        match self.certificates.as_ref().map(|certificates| certificates.reload(always)) {
            Some(Ok(true)) => tracing::info!("a new certificate is in use"),
            Some(Err(error)) => tracing::error!(%error, "the new certificate is not used, the old one stays"),
            _ => {}
        }
    }

    fn admit(self: &Arc<Self>, socket: TcpStream, peer: SocketAddr) {
        self.metrics.accepted.increment(1);
        let door = self.clone();
        match self.let_in(peer) {
            Ok((permit, place)) => drop(tokio::spawn(async move {
                door.receive(socket, peer, place).await;
                drop(permit);
            })),
            Err(refused) => {
                refused.increment(1);
                // Through TLS nothing can be said without a handshake, which is what is to be spared.
                if self.certificates.is_none() {
                    turned_away(socket);
                }
            }
        }
    }

    fn let_in(&self, peer: SocketAddr) -> Result<(OwnedSemaphorePermit, Option<Place>), &Counter> {
        if !self.accepts.lock().admit(self.lots.now_us()) {
            return Err(&self.metrics.refused_rate);
        }
        let permit = self.http.clone().try_acquire_owned().map_err(|_| &self.metrics.refused_http)?;
        if self.is_proxy(peer.ip()) {
            return Ok((permit, None));
        }
        let place = self.lots.addresses().enter(peer.ip(), As::Unknown).ok_or(&self.metrics.refused_unauthenticated)?;
        Ok((permit, Some(place)))
    }

    async fn receive(self: Arc<Self>, socket: TcpStream, peer: SocketAddr, place: Option<Place>) {
        // An option that is not taken costs latency, not correctness.
        drop(socket.set_nodelay(true));
        let Some(certificates) = &self.certificates else {
            return self.http(TokioIo::new(socket), peer, false, place).await;
        };
        if !self.tls_accepts.lock().admit(self.lots.now_us()) {
            return self.metrics.refused_tls_rate.increment(1);
        }
        let within = Duration::from_millis(self.lots.limits().head_ms.into());
        match tokio::time::timeout(within, TlsStream::accept(certificates.config(), socket)).await {
            Ok(Ok(stream)) => self.http(TokioIo::new(stream), peer, true, place).await,
            Ok(Err(_)) | Err(_) => self.metrics.refused_tls.increment(1),
        }
    }

    async fn http<I>(self: Arc<Self>, io: I, peer: SocketAddr, secure: bool, place: Option<Place>)
    where
        I: hyper::rt::Read + hyper::rt::Write + Unpin + Send + 'static,
    {
        let limits = self.lots.limits();
        let mut builder = http1::Builder::new();
        builder
            .timer(TokioTimer::new())
            .header_read_timeout(Duration::from_millis(limits.head_ms.into()))
            .max_headers(limits.head_fields_max)
            .max_header_size(limits.head_bytes_max)
            .max_buf_size((limits.head_bytes_max * 2).max(8192));
        let is_proxy = self.is_proxy(peer.ip());
        let visit = Arc::new(Visit { peer, secure, place: Mutex::new((As::Unknown, place)), is_proxy });
        let door = self.clone();
        let service = service_fn(move |request| door.clone().answer(request, visit.clone()));
        // A request that breaks HTTP is answered by hyper and ends its connection; nothing is left to do.
        drop(builder.serve_connection(io, service).with_upgrades().await);
    }

    async fn answer(self: Arc<Self>, mut request: Request<Incoming>, visit: Arc<Visit>) -> Result<Response<Body>, Infallible> {
        if !visit.is_known(&self.lots) {
            self.metrics.refused_address.increment(1);
            return Ok(problem(ErrorCode::TooManyConnections, None));
        }
        if request.uri().path() == SOCKET_PATH {
            return Ok(self.socket(request, &visit));
        }
        request.extensions_mut().insert(ConnectInfo(visit.peer));
        request.extensions_mut().insert(Secure(visit.secure));
        self.router.call(request).await
    }

    fn socket(self: Arc<Self>, mut request: Request<Incoming>, visit: &Visit) -> Response<Body> {
        let on_upgrade = hyper::upgrade::on(&mut request);
        let (parts, _) = request.into_parts();
        let handshake = match Handshake::read(&parts, &self.origins) {
            Ok(handshake) => handshake,
            Err(refused) => {
                let count = if refused == Refused::Origin { &self.metrics.refused_origin } else { &self.metrics.refused_request };
                count.increment(1);
                return refusal(refused);
            }
        };
        if *self.draining.borrow() {
            self.metrics.refused_draining.increment(1);
            return problem(ErrorCode::Draining, None);
        }
        if !self.takes_sockets.load(Ordering::Relaxed) {
            self.metrics.refused_memory.increment(1);
            return problem(ErrorCode::Busy, Some("the node is short of memory: connect again after the delay"));
        }
        let direct = Peer { address: visit.peer.ip(), tls: visit.secure };
        let address = direct.seen_through(&parts.headers, &self.proxies).address;
        let addresses = self.lots.addresses();
        let (Some(counted), Some(unknown)) = (addresses.enter(address, As::WebSocket), addresses.enter(address, As::Unknown)) else {
            self.metrics.refused_address.increment(1);
            return problem(ErrorCode::TooManyConnections, None);
        };
        let mut response = Response::new(Body::empty());
        *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
        response.headers_mut().extend(handshake.headers().into_iter().map(|(name, value)| (Some(name), value)));
        let Handshake { format, level, .. } = handshake;
        tokio::spawn(async move { self.park(on_upgrade, address, (format, level), [counted, unknown]).await });
        response
    }

    /// Waits for the 101 to be out, then gives the bare socket to a lot.
    async fn park(self: Arc<Self>, on_upgrade: OnUpgrade, address: IpAddr, (format, level): (Format, u8), places: [Place; 2]) {
        let within = Duration::from_millis(self.lots.limits().head_ms.into());
        let Ok(Ok(upgraded)) = tokio::time::timeout(within, on_upgrade).await else { return };
        let Some((socket, tls, read)) = bare(upgraded) else { return };
        let Ok(socket) = socket.into_std() else { return };
        self.metrics.handshakes.increment(1);
        self.lots.park(Arrival { socket, tls, format, level, address, read });
        places.into_iter().for_each(Place::keep);
    }
}

async fn heard(hangup: &mut Option<Signal>) -> bool {
    match hangup {
        Some(hangup) => hangup.recv().await.is_some(),
        None => false,
    }
}

/// The socket, its TLS, and what hyper had read beyond the request.
fn bare(upgraded: Upgraded) -> Option<(TcpStream, Option<Box<Session>>, bytes::Bytes)> {
    match upgraded.downcast::<TokioIo<TcpStream>>() {
        Ok(parts) => Some((parts.io.into_inner(), None, parts.read_buf)),
        Err(upgraded) => {
            let parts = upgraded.downcast::<TokioIo<TlsStream>>().ok()?;
            let (socket, session) = parts.io.into_inner().into_parts();
            Some((socket, Some(session), parts.read_buf))
        }
    }
}

fn refusal(refused: Refused) -> Response<Body> {
    let code = if refused == Refused::Origin { ErrorCode::Forbidden } else { ErrorCode::BadRequest };
    let mut response = problem(code, Some(&refused.to_string()));
    if matches!(refused, Refused::Version | Refused::NotWebSocket) {
        *response.status_mut() = StatusCode::UPGRADE_REQUIRED;
        let headers = response.headers_mut();
        headers.insert("upgrade", "websocket".parse().expect("a header value"));
        headers.insert("sec-websocket-version", "13".parse().expect("a header value"));
    }
    response
}

impl Visit {
    /// The first whole request makes a stranger a visitor, if his address has not too many of these.
    fn is_known(&self, lots: &Lots) -> bool {
        if self.is_proxy {
            return true;
        }
        let mut place = self.place.lock();
        if place.0 == As::Unknown {
            *place = (As::Http, lots.addresses().enter(self.peer.ip(), As::Http));
        }
        place.1.is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn future_bytes<F: Future>(_: fn(Arc<Door>, TcpStream, SocketAddr, Option<Place>) -> F) -> usize {
        size_of::<F>()
    }

    /// Until its handshake is done a connection is a task of this size; a storm of them is so many times that.
    #[test]
    fn a_connection_before_its_handshake_is_a_small_task() {
        let bytes = future_bytes(Door::receive);
        assert!(bytes <= 4096, "{bytes} bytes");
    }
}
