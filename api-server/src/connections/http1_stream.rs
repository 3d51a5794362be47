//! Defines the stream of an HTTP/1.1 connection. It hands one request at a time to actix-http.
//!
//! actix-http parses all requests that it has read, and a request of 26 bytes takes 6 KiB of memory: 128 KiB of them,
//! which a client sends without waiting for a response, would become 30 MiB. So the bytes of a request are held back
//! until the previous response is complete. They are also held back while a write waits for the client, because
//! actix-http adds responses without a body to a buffer that has no limit. This delays no response: actix-http handles
//! one request after the other, and a client that does not read receives nothing.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use actix_web::web::BytesMut;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::client_stream::ClientStream;
use super::connection_state::ConnectionState;

/// From this number of held bytes on, the stream reads no more. One read may add up to the size of its buffer.
const MAX_HELD_BYTES: usize = 8 << 10;

/// The stream of an HTTP/1.1 connection, and the received bytes that are held back from actix-http.
pub(super) struct Http1Stream {
    stream: ClientStream,
    held_bytes: BytesMut,
    /// Whether the client has hung up while the body of a request was held. actix-http still gets this body.
    has_ended: bool,
}

impl Http1Stream {
    pub(super) fn new(stream: ClientStream) -> Self {
        Self {
            stream,
            held_bytes: BytesMut::new(),
            has_ended: false,
        }
    }

    pub(super) fn state(&self) -> &Rc<ConnectionState> {
        self.stream.state()
    }

    fn accept(&self, bytes: &[u8]) -> usize {
        let state = self.state();
        state.pipeline_gate.accept(bytes, !state.is_blocked())
    }

    /// Returns whether held bytes are the body of a request that actix-http has not parsed yet.
    fn holds_body(&self) -> bool {
        !self.held_bytes.is_empty() && self.state().pipeline_gate.is_body_length_unknown()
    }

    /// Copies held bytes to the buffer, at most to the end of the current request. Returns whether it copied any.
    fn hand_out_held_bytes(&mut self, buffer: &mut ReadBuf<'_>) -> bool {
        let length = self.held_bytes.len().min(buffer.remaining());
        let candidates = self.held_bytes.get(..length).unwrap_or_default();
        let accepted = self.accept(candidates);
        buffer.put_slice(&self.held_bytes.split_to(accepted));
        accepted > 0
    }
}

impl AsyncRead for Http1Stream {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if !this.held_bytes.is_empty() && this.hand_out_held_bytes(buffer) {
            return Poll::Ready(Ok(()));
        }
        if this.has_ended && !this.holds_body() {
            return Poll::Ready(Ok(()));
        }
        let previous_len = buffer.filled().len();
        // Reads although a request is in flight, because the end of the stream means that the client has hung up.
        while !this.has_ended && this.held_bytes.len() < MAX_HELD_BYTES {
            match Pin::new(&mut this.stream).poll_read(context, buffer) {
                Poll::Pending => break,
                Poll::Ready(Err(_)) if this.holds_body() => this.has_ended = true,
                Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
                Poll::Ready(Ok(())) => {}
            }
            let received = buffer.filled().get(previous_len..).unwrap_or_default();
            if received.is_empty() {
                if !this.holds_body() {
                    return Poll::Ready(Ok(()));
                }
                this.has_ended = true;
                break;
            }
            let accepted = if this.held_bytes.is_empty() {
                this.accept(received)
            } else {
                0
            };
            let early_bytes = received.get(accepted..).unwrap_or_default();
            this.held_bytes.extend_from_slice(early_bytes);
            buffer.set_filled(previous_len + accepted);
            if accepted > 0 {
                return Poll::Ready(Ok(()));
            }
        }
        // The gate wakes the task when held bytes may be read. Without held bytes, the arrival of bytes wakes the task.
        if !this.held_bytes.is_empty() {
            this.state().pipeline_gate.set_waker(context.waker());
        }
        Poll::Pending
    }
}

impl AsyncWrite for Http1Stream {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().stream).poll_write(context, bytes)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().stream).poll_write_vectored(context, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_flush(context)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_shutdown(context)
    }
}
