//! Decides which bytes of an HTTP/1.1 connection actix-http may read now: those of one request, and the next ones when
//! its response is complete.

use std::cell::{Cell, RefCell};
use std::task::Waker;

use actix_http::{HttpMessage as _, Request};
use actix_web::http::header::{CONTENT_LENGTH, TRANSFER_ENCODING};

use super::boundary::{BodyLength, Position, declared_length};

/// Which bytes of a connection actix-http may read now.
#[derive(Debug)]
pub(super) struct PipelineGate {
    /// The position after the last byte that actix-http was allowed to read.
    position: Cell<Position>,
    stage: Cell<Stage>,
    /// Wakes the reader of the connection when more bytes may be read.
    waker: RefCell<Option<Waker>>,
}

/// The stage of the request that was read last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// The header of the request is incomplete, or its response is complete.
    Reading,
    /// The header is complete, but actix-http has not called the application with the request. The number is the length
    /// of the body, which may be read already. `None` if [`declared_length`] cannot tell the length, or if the header
    /// arrived in parts: then the body may be read only after the call.
    Parsing(Option<u64>),
    /// The application handles the request, or its response is being sent.
    Handling,
}

impl Default for PipelineGate {
    fn default() -> Self {
        Self {
            position: Cell::new(Position::START),
            stage: Cell::new(Stage::Reading),
            waker: RefCell::new(None),
        }
    }
}

impl PipelineGate {
    /// Returns how many of `bytes`, which arrived next, may be read now, and treats these as read. Without `may_begin`,
    /// accepts only bytes of a body, none of a header.
    pub(super) fn accept(&self, bytes: &[u8], may_begin: bool) -> usize {
        let mut position = self.position.get();
        let mut accepted = 0;
        while let Some(rest) = bytes.get(accepted..).filter(|rest| !rest.is_empty()) {
            if matches!(position, Position::Header(_))
                && (!may_begin || self.stage.get() != Stage::Reading)
            {
                break;
            }
            let has_whole_header = position == Position::START;
            let length = position.advance(rest);
            if length == 0 {
                break;
            }
            if position == Position::HeaderEnd {
                let header = rest.get(..length).filter(|_| has_whole_header);
                let body_length = header.and_then(declared_length);
                self.stage.set(Stage::Parsing(body_length));
                if let Some(count) = body_length {
                    position = Position::after_header(BodyLength::Bytes(count));
                }
            }
            accepted += length;
        }
        self.position.set(position);
        accepted
    }

    /// Records that actix-http calls the application with a request that has this body. If [`accept`](Self::accept)
    /// has found another body or no request, nothing more of the connection is read.
    pub(super) fn record_request(&self, length: BodyLength) {
        match self.stage.replace(Stage::Handling) {
            Stage::Parsing(None) => self.position.set(Position::after_header(length)),
            Stage::Parsing(Some(expected)) if length == BodyLength::Bytes(expected) => return,
            _ => self.position.set(Position::Malformed),
        }
        self.wake();
    }

    /// Returns whether the body of a request may be read only after the application was called with the request.
    pub(super) fn is_body_length_unknown(&self) -> bool {
        self.stage.get() == Stage::Parsing(None)
    }

    /// Records that the response of every request is complete.
    pub(super) fn record_responses_complete(&self) {
        self.stage.set(Stage::Reading);
        self.wake();
    }

    /// Makes the next call of [`wake`](Self::wake) wake this task.
    pub(super) fn set_waker(&self, waker: &Waker) {
        self.waker.replace(Some(waker.clone()));
    }

    /// Wakes the task of [`set_waker`](Self::set_waker), if any, because more bytes may be readable now.
    pub(super) fn wake(&self) {
        if let Some(waker) = self.waker.take() {
            waker.wake();
        }
    }
}

/// Returns the length of the request's body. actix-http has rejected every `Transfer-Encoding` except `chunked`.
pub(super) fn body_length(request: &Request) -> BodyLength {
    if request.headers().contains_key(TRANSFER_ENCODING) {
        return BodyLength::Chunked;
    }
    let header = request.headers().get(CONTENT_LENGTH);
    let text = header.and_then(|value| value.to_str().ok());
    let count = text.and_then(|text| text.trim().parse().ok());
    BodyLength::Bytes(count.unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::{BodyLength, PipelineGate};

    const GET: &[u8] = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n";
    const POST: &[u8] = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\n{}";
    const CHUNKED: &[u8] = b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";

    #[test]
    fn the_next_request_is_read_when_the_response_before_it_is_complete() {
        let gate = PipelineGate::default();
        let pipelined = [GET, GET, GET].concat();
        assert_eq!(gate.accept(&pipelined, true), GET.len());
        assert_eq!(gate.accept(&pipelined[GET.len()..], true), 0);
        gate.record_request(BodyLength::Bytes(0));
        assert_eq!(gate.accept(&pipelined[GET.len()..], true), 0);
        gate.record_responses_complete();
        assert_eq!(gate.accept(&pipelined[GET.len()..], true), GET.len());
    }

    #[test]
    fn a_body_is_read_together_with_its_header_but_nothing_after_it() {
        let gate = PipelineGate::default();
        let pipelined = [POST, GET].concat();
        assert_eq!(gate.accept(&pipelined, true), POST.len());
        gate.record_request(BodyLength::Bytes(2));
        assert_eq!(gate.accept(GET, true), 0);
        gate.record_responses_complete();
        assert_eq!(gate.accept(GET, true), GET.len());
    }

    #[test]
    fn a_body_that_arrives_in_parts_is_read_while_the_request_is_handled_and_after_its_response() {
        let gate = PipelineGate::default();
        let (header, body) = POST.split_at(POST.len() - 2);
        assert_eq!(gate.accept(header, true), header.len());
        gate.record_request(BodyLength::Bytes(2));
        assert_eq!(gate.accept(&body[..1], true), 1);
        gate.record_responses_complete();
        let rest = [&body[1..], GET].concat();
        assert_eq!(gate.accept(&rest, true), rest.len());
    }

    #[test]
    fn a_header_that_arrives_in_parts_is_followed_by_the_body_that_actix_http_has_found() {
        let gate = PipelineGate::default();
        let (first, second) = POST.split_at(20);
        assert_eq!(gate.accept(first, true), first.len());
        assert_eq!(gate.accept(second, true), second.len() - 2);
        assert_eq!(gate.accept(b"{}", true), 0);
        gate.record_request(BodyLength::Bytes(2));
        assert_eq!(gate.accept(b"{}GET", true), 2);
    }

    #[test]
    fn a_chunked_body_is_read_up_to_its_end() {
        let gate = PipelineGate::default();
        let body = b"2\r\n{}\r\n0\r\n\r\n";
        let pipelined = [CHUNKED, body, GET].concat();
        assert_eq!(gate.accept(&pipelined, true), CHUNKED.len());
        gate.record_request(BodyLength::Chunked);
        assert_eq!(gate.accept(&pipelined[CHUNKED.len()..], true), body.len());
        assert_eq!(gate.accept(GET, true), 0);
        gate.record_responses_complete();
        assert_eq!(gate.accept(GET, true), GET.len());
    }

    #[test]
    fn nothing_more_is_read_after_a_request_with_another_body_than_expected() {
        for length in [
            BodyLength::Bytes(0),
            BodyLength::Bytes(3),
            BodyLength::Chunked,
        ] {
            let gate = PipelineGate::default();
            assert_eq!(gate.accept(POST, true), POST.len());
            gate.record_request(length);
            gate.record_responses_complete();
            assert_eq!(gate.accept(GET, true), 0, "{length:?}");
        }
        let gate = PipelineGate::default();
        gate.record_request(BodyLength::Bytes(0));
        gate.record_responses_complete();
        assert_eq!(
            gate.accept(GET, true),
            0,
            "a request before its header is complete"
        );
    }

    #[test]
    fn no_request_begins_while_the_client_does_not_read() {
        let gate = PipelineGate::default();
        assert_eq!(gate.accept(GET, false), 0);
        let (header, body) = POST.split_at(POST.len() - 2);
        assert_eq!(gate.accept(header, true), header.len());
        assert_eq!(gate.accept(body, false), body.len());
    }
}
