//! One keep-alive connection to the server, as lean as a caller can be. It never repeats a request by itself: the
//! ledger must know of each request whether it was answered.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use serde_json::Value;
use signalpost_core::limits::CALLER_HEAD_TIMEOUT;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::clock::{NS_PER_S, now_ns};
use super::request::Letterhead;
use crate::cmd::Failure;

const ANSWER_TIMEOUT: Duration = Duration::from_secs(30);
/// A connection that has rested for longer is not used again: the server closes it after [`CALLER_HEAD_TIMEOUT`], and a request
/// that is sent at that moment would have no answer.
const REST_NS_MAX: u64 = CALLER_HEAD_TIMEOUT.as_secs() * NS_PER_S / 2;
const READ_BYTES: usize = 16 * 1024;
/// The largest answer, a batch's receipts, takes some 70 KB; lists are bounded at 8 MiB.
const ANSWER_BYTES_MAX: usize = 32 * 1024 * 1024;

pub(super) struct Connection {
    address: SocketAddr,
    stream: Option<TcpStream>,
    /// When the last answer came.
    used_ns: u64,
    buffer: Vec<u8>,
}

pub(super) struct Answer<'a> {
    pub(super) status: u16,
    pub(super) retry_after_s: Option<u64>,
    pub(super) body: &'a [u8],
}

struct Head {
    status: u16,
    retry_after_s: Option<u64>,
    body_at: usize,
    body_bytes: usize,
    closes: bool,
}

impl Connection {
    /// Nothing is connected yet.
    pub(super) const fn new(address: SocketAddr) -> Self {
        Self { address, stream: None, used_ns: 0, buffer: Vec::new() }
    }

    /// Sends a request and reads its answer. After an error it is unknown whether the server acted on it; the next
    /// request opens a new connection.
    pub(super) async fn exchange(&mut self, request: &[u8]) -> io::Result<Answer<'_>> {
        let rested = now_ns() > self.used_ns + REST_NS_MAX;
        let mut stream = match self.stream.take().filter(|_| !rested) {
            Some(stream) => stream,
            None => self.connect().await?,
        };
        self.buffer.clear();
        let answered =
            tokio::time::timeout(ANSWER_TIMEOUT, talk(&mut stream, request, &mut self.buffer)).await;
        let head = answered.map_err(|_| io::Error::from(io::ErrorKind::TimedOut)).flatten()?;
        if !head.closes {
            (self.stream, self.used_ns) = (Some(stream), now_ns());
        }
        let body = &self.buffer[head.body_at..head.body_at + head.body_bytes];
        Ok(Answer { status: head.status, retry_after_s: head.retry_after_s, body })
    }

    /// Connects before there is anything to send. What fails here is tried again with the first request, and told there.
    pub(super) async fn warm_up(&mut self) {
        self.stream = self.connect().await.ok();
        self.used_ns = now_ns();
    }

    async fn connect(&self) -> io::Result<TcpStream> {
        let stream = TcpStream::connect(self.address).await?;
        stream.set_nodelay(true)?;
        Ok(stream)
    }

    /// Posts a body and returns the answer's, which must be a success.
    pub(super) async fn post(&mut self, by: &Letterhead, path: &str, body: &Value) -> Result<Value, Failure> {
        self.management(&format!("POST {path}"), &by.post(path, body)).await
    }

    pub(super) async fn get(&mut self, by: &Letterhead, path: &str) -> Result<Value, Failure> {
        self.management(&format!("GET {path}"), &by.get(path)).await
    }

    /// The text of the metrics page.
    pub(super) async fn metrics(&mut self, by: &Letterhead) -> Result<String, Failure> {
        let answer = self.exchange(&by.get("/metrics")).await;
        let answer = answer.map_err(|error| Failure::io("the metrics cannot be read", error))?;
        Ok(String::from_utf8_lossy(answer.body).into_owned())
    }

    async fn management(&mut self, what: &str, request: &[u8]) -> Result<Value, Failure> {
        let answer = self.exchange(request).await.map_err(|error| Failure::io(what, error))?;
        if !(200..300).contains(&answer.status) {
            let text = String::from_utf8_lossy(answer.body);
            return Err(Failure::new(format!("{what} was answered with {}: {text}", answer.status)));
        }
        serde_json::from_slice(answer.body).map_err(|error| Failure::new(format!("{what}: {error}")))
    }
}

async fn talk(stream: &mut TcpStream, request: &[u8], buffer: &mut Vec<u8>) -> io::Result<Head> {
    stream.write_all(request).await?;
    loop {
        buffer.reserve(READ_BYTES);
        if stream.read_buf(buffer).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        if let Some(head) = head_of(buffer)?
            && buffer.len() >= head.body_at + head.body_bytes
        {
            return Ok(head);
        }
        if buffer.len() > ANSWER_BYTES_MAX {
            return Err(io::Error::other("an answer without end"));
        }
    }
}

/// The head of the answer; `None` while it is not complete.
fn head_of(buffer: &[u8]) -> io::Result<Option<Head>> {
    let Some(end) = buffer.windows(4).position(|four| four == b"\r\n\r\n") else { return Ok(None) };
    let broken = || io::Error::new(io::ErrorKind::InvalidData, "not an HTTP answer with a length");
    let head = str::from_utf8(&buffer[..end]).map_err(|_| broken())?;
    let mut lines = head.split("\r\n");
    let status = lines.next().and_then(|line| line.strip_prefix("HTTP/1.1 ")?.get(..3)?.parse().ok());
    let (mut body_bytes, mut closes, mut retry_after_s) = (None, false, None);
    for (name, value) in lines.filter_map(|line| line.split_once(':')) {
        if name.eq_ignore_ascii_case("content-length") {
            body_bytes = value.trim().parse().ok();
        } else if name.eq_ignore_ascii_case("connection") {
            closes = value.trim().eq_ignore_ascii_case("close");
        } else if name.eq_ignore_ascii_case("retry-after") {
            retry_after_s = value.trim().parse().ok();
        }
    }
    let status = status.ok_or_else(broken)?;
    let body_bytes = body_bytes.or((status == 204).then_some(0)).ok_or_else(broken)?;
    Ok(Some(Head { status, retry_after_s, body_at: end + 4, body_bytes, closes }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn heads_are_read_when_they_are_complete() {
        let answer = b"HTTP/1.1 202 Accepted\r\nContent-Length: 12\r\nconnection: close\r\n\r\n{";
        for cut in 0..answer.len() - 1 {
            assert!(head_of(&answer[..cut]).expect("so far so good").is_none(), "{cut}");
        }
        let head = head_of(answer).expect("well formed").expect("complete");
        assert_eq!((head.status, head.body_bytes, head.closes), (202, 12, true));
        assert_eq!((head.body_at, head.retry_after_s), (answer.len() - 1, None));
        let busy = b"HTTP/1.1 503 Busy\r\nretry-after: 7\r\ncontent-length: 0\r\n\r\n";
        let head = head_of(busy).expect("well formed").expect("complete");
        assert_eq!((head.status, head.retry_after_s), (503, Some(7)));
        assert!(head_of(b"HTTP/1.1 200 OK\r\n\r\n").is_err(), "no length");
        assert!(head_of(b"SSH-2.0\r\n\r\n").is_err());
    }
}
