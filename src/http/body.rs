//! Reads what a handler left of a request's body. A server that answers and closes while the client still writes makes the
//! client's machine drop the answer; so what is left is taken and thrown away, within bounds, before the answer goes out.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Body, HttpBody};
use futures_util::future::poll_fn;
use hyper::body::{Bytes, Frame, SizeHint};
use parking_lot::Mutex;

/// A client that sends more than this is cut off.
const LEFT_BYTES_MAX: usize = 16 << 20;
/// The same for one that takes longer.
const LEFT_TIME: Duration = Duration::from_secs(10);

#[derive(Clone)]
pub struct Shared(Arc<Mutex<Body>>);

impl Shared {
    pub fn new(body: Body) -> Self {
        Self(Arc::new(Mutex::new(body)))
    }

    /// The same body, for a handler.
    pub fn handle(&self) -> Body {
        Body::new(self.clone())
    }

    /// Not begun where more is announced than is ever taken: that client is cut off anyway, and has its answer before.
    pub async fn read_to_the_end(mut self) {
        if self.size_hint().lower() > LEFT_BYTES_MAX as u64 {
            return;
        }
        let read = async {
            let mut bytes = 0;
            while bytes <= LEFT_BYTES_MAX
                && let Some(Ok(frame)) = poll_fn(|context| Pin::new(&mut self).poll_frame(context)).await
            {
                bytes += frame.data_ref().map_or(0, Bytes::len);
            }
        };
        let _ = tokio::time::timeout(LEFT_TIME, read).await;
    }
}

impl HttpBody for Shared {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut *self.0.lock()).poll_frame(context)
    }
    fn is_end_stream(&self) -> bool {
        self.0.lock().is_end_stream()
    }
    fn size_hint(&self) -> SizeHint {
        self.0.lock().size_hint()
    }
}
