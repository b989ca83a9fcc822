//! HTTP/1.1 messages as bytes, as far as a client and a receiver of tests need them: heads, bodies by length or
//! in chunks, and a bound on everything.

use std::io::{self, BufRead, Read};

const HEAD_BYTES_MAX: u64 = 64 * 1024;
const BODY_BYTES_MAX: usize = 64 * 1024 * 1024;

/// Start line and headers; names in lower case, values trimmed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Head {
    pub(crate) start: String,
    pub(crate) headers: Vec<(String, String)>,
}

/// How the end of a body is known when no header says it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum WithoutLength {
    /// A request: there is no body.
    Empty,
    /// A response: the body ends with the connection.
    UntilClosed,
}

impl Head {
    /// Reads up to the empty line; `None` when the peer closed before the first byte.
    pub(crate) fn read(reader: &mut impl BufRead) -> io::Result<Option<Self>> {
        let mut bounded = reader.take(HEAD_BYTES_MAX);
        let Some(start) = read_line(&mut bounded)? else { return Ok(None) };
        let mut headers = Vec::new();
        loop {
            let line = read_line(&mut bounded)?.ok_or_else(|| broken("the head is not complete"))?;
            if line.is_empty() {
                return Ok(Some(Self { start, headers }));
            }
            let (name, value) = line.split_once(':').ok_or_else(|| broken("a header without a colon"))?;
            headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
        }
    }

    pub(crate) fn read_body(&self, reader: &mut impl BufRead, end: WithoutLength) -> io::Result<Vec<u8>> {
        if find(&self.headers, "transfer-encoding")
            .is_some_and(|coding| coding.eq_ignore_ascii_case("chunked"))
        {
            return read_chunks(reader);
        }
        match (find(&self.headers, "content-length"), end) {
            (Some(text), _) => {
                let length = text.parse().map_err(|_| broken("content-length is not a number"))?;
                read_exactly(reader, length)
            }
            (None, WithoutLength::Empty) => Ok(Vec::new()),
            (None, WithoutLength::UntilClosed) => read_to_end(reader),
        }
    }

    /// Whether the peer wants no further message on this connection.
    pub(crate) fn closes(&self) -> bool {
        find(&self.headers, "connection").is_some_and(|value| value.eq_ignore_ascii_case("close"))
    }
}

/// The first value of a header; `name` in lower case.
pub(crate) fn find<'a>(headers: &'a [(String, String)], name: &str) -> Option<&'a str> {
    headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
}

fn read_line(reader: &mut impl BufRead) -> io::Result<Option<String>> {
    let mut line = Vec::new();
    if reader.read_until(b'\n', &mut line)? == 0 {
        return Ok(None);
    }
    if line.pop() != Some(b'\n') {
        return Err(broken("a line that does not end, or a head that is too long"));
    }
    if line.last() == Some(&b'\r') {
        line.pop();
    }
    String::from_utf8(line).map(Some).map_err(|_| broken("a head that is not UTF-8"))
}

fn read_exactly(reader: &mut impl BufRead, length: usize) -> io::Result<Vec<u8>> {
    if length > BODY_BYTES_MAX {
        return Err(broken("the body is too long"));
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    Ok(body)
}

fn read_to_end(reader: &mut impl BufRead) -> io::Result<Vec<u8>> {
    let mut body = Vec::new();
    reader.take(BODY_BYTES_MAX as u64).read_to_end(&mut body)?;
    Ok(body)
}

fn read_chunks(reader: &mut impl BufRead) -> io::Result<Vec<u8>> {
    let mut body = Vec::new();
    loop {
        let line = read_line(reader)?.ok_or_else(|| broken("chunks without an end"))?;
        let digits = line.split(';').next().unwrap_or_default().trim();
        let length = usize::from_str_radix(digits, 16).map_err(|_| broken("a chunk without a length"))?;
        if body.len().saturating_add(length) > BODY_BYTES_MAX {
            return Err(broken("the body is too long"));
        }
        body.extend(read_exactly(reader, length)?);
        // A chunk, the last empty one too (no trailers are used here), is followed by an empty line.
        if read_line(reader)?.is_none_or(|rest| !rest.is_empty()) {
            return Err(broken("a chunk that does not end where it said"));
        }
        if length == 0 {
            return Ok(body);
        }
    }
}

pub(crate) fn broken(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> io::Result<(Head, Vec<u8>)> {
        let mut reader = text.as_bytes();
        let head = Head::read(&mut reader)?.ok_or_else(|| broken("nothing"))?;
        let body = head.read_body(&mut reader, WithoutLength::Empty)?;
        Ok((head, body))
    }

    #[test]
    fn reads_bodies_by_length_and_in_chunks() {
        let (head, body) =
            read("POST /a HTTP/1.1\r\nContent-Length: 3\r\nX: y: z \r\n\r\nabcdef").expect("good");
        assert_eq!((head.start.as_str(), body.as_slice()), ("POST /a HTTP/1.1", &b"abc"[..]));
        assert_eq!(find(&head.headers, "x"), Some("y: z"));
        let chunked =
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2;x=1\r\nde\r\n0\r\n\r\n";
        assert_eq!(read(chunked).expect("good").1, b"abcde");
        assert_eq!(read("GET / HTTP/1.1\r\n\r\n").expect("good").1, b"");
    }

    #[test]
    fn refuses_what_is_broken_or_has_no_bound() {
        let endless = format!("GET / HTTP/1.1\r\nx: {}", "a".repeat(70_000));
        let table = [
            "",
            "GET / HTTP/1.1",
            "GET / HTTP/1.1\r\nx: y\r\n",
            "GET / HTTP/1.1\r\nno colon\r\n\r\n",
            "POST / HTTP/1.1\r\ncontent-length: 5\r\n\r\nabc",
            "POST / HTTP/1.1\r\ncontent-length: 99999999999\r\n\r\nabc",
            "POST / HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabcd\r\n0\r\n\r\n",
            "POST / HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\nfffffffff\r\n",
            &endless,
        ];
        for text in table {
            assert!(read(text).is_err(), "{:?}", &text[..text.len().min(60)]);
        }
    }
}
