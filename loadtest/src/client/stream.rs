//! The bytes of one connection, with or without TLS, as both a runtime and a loop of one's own want them. It never waits by
//! itself but in the handshake, and what was asked of it and dropped is not lost.

use std::io::{self, ErrorKind, Read, Write};
use std::pin::Pin;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};

use bytes::BytesMut;
use rustls::ClientConnection;
use tokio::io::{AsyncRead, AsyncWrite, Interest, ReadBuf, Ready};
use tokio::net::TcpStream;

use super::trust::Tls;

/// Taken at a time into rustls' hands; what the kernel does not take of it waits there.
const RECORD_BYTES: usize = 16 * 1024;

#[derive(Debug)]
pub struct Stream {
    tcp: TcpStream,
    /// The lock is only ever held by who polls the connection: one task.
    tls: Option<Box<Mutex<ClientConnection>>>,
}

impl Stream {
    pub fn plain(tcp: TcpStream) -> Self {
        Self { tcp, tls: None }
    }

    /// Shakes hands. Errors: it is not who it should be, or does not speak TLS.
    pub async fn secure(tcp: TcpStream, tls: &Tls) -> io::Result<Self> {
        let connection = ClientConnection::new(tls.config.clone(), tls.name.clone()).map_err(io::Error::other)?;
        let stream = Self { tcp, tls: Some(Box::new(Mutex::new(connection))) };
        loop {
            let (is_handshaking, is_behind) = match &stream.tls {
                Some(tls) => {
                    let mut tls = lock(tls);
                    flush(&stream.tcp, &mut tls)?;
                    (tls.is_handshaking(), tls.wants_write())
                }
                None => (false, false),
            };
            if is_behind {
                stream.tcp.writable().await?;
            } else if is_handshaking {
                stream.tcp.readable().await?;
                stream.take_in()?;
            } else {
                return Ok(stream);
            }
        }
    }

    /// For who speaks no TLS.
    pub fn into_plain(self) -> io::Result<TcpStream> {
        if self.tls.is_some() { Err(io::Error::other("TLS where none was wanted")) } else { Ok(self.tcp) }
    }

    /// Bytes that were taken by `try_write` and not by the kernel: write again when that is possible, also nothing.
    pub fn is_behind(&self) -> bool {
        self.tls.as_ref().is_some_and(|tls| lock(tls).wants_write())
    }
    pub async fn ready(&self, interest: Interest) -> io::Result<Ready> {
        self.tcp.ready(interest).await
    }
    pub async fn readable(&self) -> io::Result<()> {
        self.tcp.readable().await
    }
    pub async fn writable(&self) -> io::Result<()> {
        self.tcp.writable().await
    }

    /// All that has come, as far as one read of the kernel reaches; 0: the end.
    pub fn try_read_buf(&self, buffer: &mut BytesMut) -> io::Result<usize> {
        let Some(tls) = &self.tls else { return self.tcp.try_read_buf(buffer) };
        loop {
            let (before, mut chunk) = (buffer.len(), [0; 4096]);
            let end = loop {
                match lock(tls).reader().read(&mut chunk) {
                    Ok(0) => break true,
                    Ok(count) => buffer.extend_from_slice(&chunk[..count]),
                    Err(error) if error.kind() == ErrorKind::WouldBlock => break false,
                    Err(error) => return Err(error),
                }
            };
            if end || buffer.len() > before {
                return Ok(buffer.len() - before);
            }
            if self.take_in()? == 0 {
                return Ok(0);
            }
        }
    }

    pub fn try_write(&self, bytes: &[u8]) -> io::Result<usize> {
        let Some(tls) = &self.tls else { return self.tcp.try_write(bytes) };
        let mut tls = lock(tls);
        flush(&self.tcp, &mut tls)?;
        if tls.wants_write() {
            return Err(ErrorKind::WouldBlock.into());
        }
        let count = tls.writer().write(&bytes[..bytes.len().min(RECORD_BYTES)])?;
        flush(&self.tcp, &mut tls)?;
        Ok(count)
    }

    /// One read of the kernel into rustls; 0: the end. `WouldBlock`: nothing is there.
    fn take_in(&self) -> io::Result<usize> {
        let Some(tls) = &self.tls else { return Ok(0) };
        let mut tls = lock(tls);
        let count = tls.read_tls(&mut Kernel(&self.tcp))?;
        let processed = tls.process_new_packets();
        // What rustls answers, an alert above all, is to go out also when it did not like what came.
        flush(&self.tcp, &mut tls)?;
        processed.map_err(|error| io::Error::new(ErrorKind::InvalidData, error))?;
        Ok(count)
    }
}

fn lock(tls: &Mutex<ClientConnection>) -> MutexGuard<'_, ClientConnection> {
    tls.lock().unwrap_or_else(PoisonError::into_inner)
}

/// As much as the kernel takes.
fn flush(tcp: &TcpStream, tls: &mut ClientConnection) -> io::Result<()> {
    while tls.wants_write() {
        match tls.write_tls(&mut Kernel(tcp)) {
            Ok(_) => {}
            Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// The socket, as rustls wants it.
struct Kernel<'a>(&'a TcpStream);

impl Read for Kernel<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.try_read(buffer)
    }
}

impl Write for Kernel<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.try_write(bytes)
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl AsyncRead for Stream {
    fn poll_read(self: Pin<&mut Self>, context: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let stream = self.get_mut();
        let Some(tls) = &stream.tls else { return Pin::new(&mut stream.tcp).poll_read(context, buffer) };
        loop {
            match lock(tls).reader().read(buffer.initialize_unfilled()) {
                Ok(count) => {
                    buffer.advance(count);
                    return Poll::Ready(Ok(()));
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                Err(error) => return Poll::Ready(Err(error)),
            }
            match stream.take_in() {
                Ok(0) => return Poll::Ready(Ok(())),
                Ok(_) => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => ready!(stream.tcp.poll_read_ready(context))?,
                Err(error) => return Poll::Ready(Err(error)),
            }
        }
    }
}

impl AsyncWrite for Stream {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        loop {
            match self.try_write(bytes) {
                Err(error) if error.kind() == ErrorKind::WouldBlock => ready!(self.tcp.poll_write_ready(context))?,
                written => return Poll::Ready(written),
            }
        }
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        while let Some(tls) = &self.tls {
            flush(&self.tcp, &mut lock(tls))?;
            if !lock(tls).wants_write() {
                break;
            }
            ready!(self.tcp.poll_write_ready(context))?;
        }
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let stream = self.get_mut();
        if let Some(tls) = &stream.tls {
            lock(tls).send_close_notify();
        }
        ready!(Pin::new(&mut *stream).poll_flush(context))?;
        Pin::new(&mut stream.tcp).poll_shutdown(context)
    }
}
