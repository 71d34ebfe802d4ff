//! A TLS connection while HTTP is spoken on it: `Session` over tokio's socket, for hyper to read and write.

use std::io::{self, IoSlice, Read, Write};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use rustls::ServerConfig;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

use super::tls::Session;

#[derive(Debug)]
pub struct TlsStream {
    socket: TcpStream,
    session: Box<Session>,
    said_goodbye: bool,
}

impl TlsStream {
    /// Shakes hands. Errors: the peer's, also when it speaks no TLS.
    pub async fn accept(config: Arc<ServerConfig>, socket: TcpStream) -> io::Result<Self> {
        let mut session = Box::new(Session::new(config)?);
        loop {
            if !session.flush(Now(&socket))? {
                socket.writable().await?;
            } else if !session.is_handshaking() {
                return Ok(Self { socket, session, said_goodbye: false });
            } else {
                match session.fill(Now(&socket)) {
                    Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
                    Err(error) if error.kind() == io::ErrorKind::WouldBlock => socket.readable().await?,
                    filled => drop(filled?),
                }
            }
        }
    }

    pub fn into_parts(self) -> (TcpStream, Box<Session>) {
        (self.socket, self.session)
    }

    /// Tries, and again whenever the socket is ready, until it is done.
    fn poll_write_with<T>(
        &mut self,
        cx: &mut Context<'_>,
        mut act: impl FnMut(&mut Session, Now<'_>) -> io::Result<T>,
    ) -> Poll<io::Result<T>> {
        loop {
            match act(&mut self.session, Now(&self.socket)) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => ready!(self.socket.poll_write_ready(cx))?,
                done => return Poll::Ready(done),
            }
        }
    }
}

impl AsyncRead for TlsStream {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        loop {
            match this.session.read(Now(&this.socket), into.initialize_unfilled()) {
                Ok(read) => {
                    into.advance(read);
                    return Poll::Ready(Ok(()));
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    // What the handshake has to say must not wait for the next write.
                    if !this.session.has_left() {
                        while this.socket.poll_write_ready(cx)?.is_ready() && !this.session.flush(Now(&this.socket))? {}
                    }
                    ready!(this.socket.poll_read_ready(cx))?;
                }
                Err(error) => return Poll::Ready(Err(error)),
            }
        }
    }
}

impl AsyncWrite for TlsStream {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.poll_write_vectored(cx, &[IoSlice::new(bytes)])
    }

    fn poll_write_vectored(self: Pin<&mut Self>, cx: &mut Context<'_>, slices: &[IoSlice<'_>]) -> Poll<io::Result<usize>> {
        self.get_mut().poll_write_with(cx, |session, socket| session.write(socket, slices))
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.get_mut().poll_write_with(cx, |session, socket| match session.flush(socket)? {
            true => Ok(()),
            false => Err(io::ErrorKind::WouldBlock.into()),
        })
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = &mut *self;
        if !std::mem::replace(&mut this.said_goodbye, true) {
            this.session.say_goodbye(Now(&this.socket))?;
        }
        ready!(self.as_mut().poll_flush(cx))?;
        Pin::new(&mut self.get_mut().socket).poll_shutdown(cx)
    }
}

/// The socket as it is right now: what would wait says so.
struct Now<'a>(&'a TcpStream);

impl Read for Now<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        self.0.try_read(into)
    }
}

impl Write for Now<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.try_write(bytes)
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
