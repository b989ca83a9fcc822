//! A client that keeps one connection and never repeats a request by itself: whoever counts what was
//! acknowledged must know of each request whether it was answered.

use std::io::{self, BufReader, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::wire::{self, Head, WithoutLength};

/// A connection that rested this long may have been closed by the server; it is looked at before it is used.
const RESTED: Duration = Duration::from_millis(50);

pub struct HttpClient {
    address: SocketAddr,
    timeout: Duration,
    connection: Option<Connection>,
}

struct Connection {
    reader: BufReader<TcpStream>,
    used_at: Instant,
}

/// A request to be sent; `host` and `content-length` are added.
#[derive(Clone, Debug)]
pub struct Request {
    pub method: String,
    pub path: String,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

#[derive(Clone, Debug)]
pub struct Response {
    pub status: u16,
    /// Names in lower case.
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Request {
    pub fn new(method: &str, path: &str) -> Self {
        Self { method: method.to_owned(), path: path.to_owned(), headers: Vec::new(), body: Vec::new() }
    }

    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Sets a JSON body with its content type.
    pub fn json(self, body: &Value) -> Self {
        let mut request = self.header("content-type", "application/json");
        request.body = body.to_string().into_bytes();
        request
    }

    fn encode(&self, host: SocketAddr) -> Vec<u8> {
        let mut head = format!("{} {} HTTP/1.1\r\nhost: {host}\r\n", self.method, self.path);
        for (name, value) in &self.headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        if !self.body.is_empty() || matches!(self.method.as_str(), "POST" | "PUT" | "PATCH") {
            head.push_str(&format!("content-length: {}\r\n", self.body.len()));
        }
        head.push_str("\r\n");
        let mut bytes = head.into_bytes();
        bytes.extend_from_slice(&self.body);
        bytes
    }
}

impl Response {
    /// The first value of a header; `name` in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        wire::find(&self.headers, name)
    }

    /// The body as JSON; `Null` when it is none.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }

    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

impl HttpClient {
    /// Nothing is connected yet. `timeout` bounds the connect and each wait for bytes.
    pub const fn new(address: SocketAddr, timeout: Duration) -> Self {
        Self { address, timeout, connection: None }
    }

    /// Sends a request and reads its answer. After an error the connection is given up; whether the server acted
    /// on the request is then unknown.
    pub fn send(&mut self, request: &Request) -> io::Result<Response> {
        let mut connection = match self.connection.take() {
            Some(connection) if connection.is_usable() => connection,
            _ => Connection::open(self.address, self.timeout)?,
        };
        let written = connection.reader.get_mut().write_all(&request.encode(self.address));
        // A server may refuse a body that it has not read, and close: then writing fails and the answer is there
        // (RFC 9112 section 9.5).
        let answered = read_response(&mut connection.reader, &request.method);
        let is_whole = written.is_ok();
        let (response, head) = match written {
            Ok(()) => answered?,
            Err(broken) => answered.map_err(|_nothing| broken)?,
        };
        if is_whole && !head.closes() {
            connection.used_at = Instant::now();
            self.connection = Some(connection);
        }
        Ok(response)
    }

    /// Closes the connection; the next request opens a new one.
    pub fn disconnect(&mut self) {
        self.connection = None;
    }
}

impl Connection {
    fn open(address: SocketAddr, timeout: Duration) -> io::Result<Self> {
        let stream = TcpStream::connect_timeout(&address, timeout)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(timeout))?;
        stream.set_write_timeout(Some(timeout))?;
        Ok(Self { reader: BufReader::new(stream), used_at: Instant::now() })
    }

    fn is_usable(&self) -> bool {
        if self.used_at.elapsed() < RESTED {
            return true;
        }
        let stream = self.reader.get_ref();
        if stream.set_nonblocking(true).is_err() {
            return false;
        }
        let silent = matches!(stream.peek(&mut [0]), Err(error) if error.kind() == io::ErrorKind::WouldBlock);
        stream.set_nonblocking(false).is_ok() && silent
    }
}

fn read_response(reader: &mut BufReader<TcpStream>, method: &str) -> io::Result<(Response, Head)> {
    let (head, status) = loop {
        let head = Head::read(reader)?
            .ok_or_else(|| io::Error::new(io::ErrorKind::UnexpectedEof, "closed without an answer"))?;
        let status = status_of(&head.start).ok_or_else(|| wire::broken("not an HTTP status line"))?;
        if status >= 200 {
            break (head, status);
        }
    };
    let bodiless = method == "HEAD" || matches!(status, 204 | 304);
    let body = if bodiless { Vec::new() } else { head.read_body(reader, WithoutLength::UntilClosed)? };
    Ok((Response { status, headers: head.headers.clone(), body }, head))
}

fn status_of(line: &str) -> Option<u16> {
    let mut words = line.split(' ');
    words.next()?.strip_prefix("HTTP/1.")?;
    words.next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn encodes_what_was_asked() {
        let host = SocketAddr::from(([127, 0, 0, 1], 80));
        let get = Request::new("GET", "/a?b").header("x-y", "z").encode(host);
        assert_eq!(get, b"GET /a?b HTTP/1.1\r\nhost: 127.0.0.1:80\r\nx-y: z\r\n\r\n");
        let post = Request::new("POST", "/").encode(host);
        assert!(post.ends_with(b"content-length: 0\r\n\r\n"), "an empty POST says so");
    }

    #[test]
    fn reads_status_lines() {
        assert_eq!(status_of("HTTP/1.1 204 No Content"), Some(204));
        assert_eq!(status_of("HTTP/1.1 200"), Some(200));
        assert_eq!(status_of("SSH-2.0"), None);
    }

    /// The answer stands behind a connection that is broken for whoever goes on writing.
    #[test]
    fn an_answer_to_a_body_that_nobody_reads_is_heard() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("loopback is there");
        let address = listener.local_addr().expect("it is bound");
        let refusing = std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().expect("the client comes");
            stream.peek(&mut [0]).expect("it writes");
            stream
                .write_all(b"HTTP/1.1 413 Content Too Large\r\ncontent-length: 0\r\n\r\n")
                .expect("it listens");
        });
        let mut client = HttpClient::new(address, Duration::from_secs(10));
        let body = vec![b'x'; 32 * 1024 * 1024];
        let answer = client.send(&Request { body, ..Request::new("POST", "/") }).expect("an answer");
        assert_eq!(answer.status, 413);
        assert!(client.connection.is_none(), "what is left of the body would be the next request");
        refusing.join().expect("it has answered");
    }
}
