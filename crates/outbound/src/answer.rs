//! The beginning of an answer's body, read within bounds and decoded for display.
//!
//! We ask for no compression, and some receivers compress anyway. What is decoded is bounded like what is read,
//! so a small body that unpacks into gigabytes costs no more than an honest one.

use std::io::{self, Write};

use bytes::Bytes;
use flate2::write::{DeflateDecoder, GzDecoder, ZlibDecoder};
use http::HeaderMap;
use http::header::CONTENT_ENCODING;
use http_body_util::BodyExt;
use hyper::body::Incoming;
use signalpost_core::limits::{ANSWER_BYTES_MAX, ANSWER_KEPT_FAILURE_BYTES, ANSWER_KEPT_SUCCESS_BYTES};

/// Collects a body.
pub(crate) struct Answer {
    coding: Coding,
    /// What came, before decoding: shown when it cannot be decoded.
    raw: Prefix,
}

/// How the reading of a body ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum BodyEnd {
    /// With its last byte: the connection can serve another request.
    Complete,
    /// By our bound or by a broken connection. The status stands all the same.
    Cut,
}

enum Coding {
    Identity,
    Gzip(Box<GzDecoder<Prefix>>),
    /// `deflate` is zlib by the standard and raw by some senders; the first byte tells.
    DeflateUnseen(usize),
    Zlib(Box<ZlibDecoder<Prefix>>),
    Deflate(Box<DeflateDecoder<Prefix>>),
}

/// The first bytes of a text of which every byte is counted. Refuses bytes beyond [`ANSWER_BYTES_MAX`].
struct Prefix {
    kept: Vec<u8>,
    keep: usize,
    total: usize,
}

impl Answer {
    /// Prepares for the body of an answer with these headers.
    pub(crate) fn new(is_success: Success, headers: &HeaderMap) -> Self {
        let keep = match is_success {
            Success::Yes => ANSWER_KEPT_SUCCESS_BYTES,
            Success::No => ANSWER_KEPT_FAILURE_BYTES,
        };
        let named = headers.get(CONTENT_ENCODING).map(|value| value.as_bytes().trim_ascii());
        let coding = match named {
            Some(name) if name.eq_ignore_ascii_case(b"gzip") || name.eq_ignore_ascii_case(b"x-gzip") => {
                Coding::Gzip(Box::new(GzDecoder::new(Prefix::new(keep))))
            }
            Some(name) if name.eq_ignore_ascii_case(b"deflate") => Coding::DeflateUnseen(keep),
            _ => Coding::Identity,
        };
        Self { coding, raw: Prefix::new(keep) }
    }

    /// Reads a body to its end or to the bound. May be dropped at any await; what was read so far stays.
    pub(crate) async fn read(&mut self, body: &mut Incoming) -> BodyEnd {
        loop {
            match body.frame().await {
                None => return BodyEnd::Complete,
                Some(Err(_)) => return BodyEnd::Cut,
                Some(Ok(frame)) => {
                    if let Ok(data) = frame.into_data()
                        && self.take(&data) == Room::Full
                    {
                        return BodyEnd::Cut;
                    }
                }
            }
        }
    }

    /// The beginning of the body: decoded, or as it came when it cannot be decoded.
    pub(crate) fn into_bytes(self) -> Bytes {
        let decoded = match self.coding {
            Coding::Identity | Coding::DeflateUnseen(_) => None,
            // An error here means that the body was cut or broken; what was decoded up to there is the answer.
            Coding::Gzip(mut decoder) => Some((decoder.flush(), std::mem::take(&mut decoder.get_mut().kept))),
            Coding::Zlib(mut decoder) => Some((decoder.flush(), std::mem::take(&mut decoder.get_mut().kept))),
            Coding::Deflate(mut decoder) => {
                Some((decoder.flush(), std::mem::take(&mut decoder.get_mut().kept)))
            }
        };
        match decoded {
            Some((_, text)) if !text.is_empty() => text.into(),
            _ => self.raw.kept.into(),
        }
    }

    fn take(&mut self, data: &[u8]) -> Room {
        if data.is_empty() {
            return Room::Left;
        }
        if let Coding::DeflateUnseen(keep) = self.coding {
            self.coding = deflate(data[0], Prefix::new(keep));
        }
        let decoded_total = match &mut self.coding {
            Coding::Identity | Coding::DeflateUnseen(_) => 0,
            Coding::Gzip(decoder) => total_after(decoder.write_all(data), decoder.get_ref()),
            Coding::Zlib(decoder) => total_after(decoder.write_all(data), decoder.get_ref()),
            Coding::Deflate(decoder) => total_after(decoder.write_all(data), decoder.get_ref()),
        };
        match self.raw.write_all(data) {
            Ok(()) if decoded_total < ANSWER_BYTES_MAX => Room::Left,
            _ => Room::Full,
        }
    }
}

/// Whether the answer's status is a success: less of its body is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Success {
    Yes,
    No,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Room {
    Left,
    Full,
}

impl Prefix {
    fn new(keep: usize) -> Self {
        Self { kept: Vec::new(), keep, total: 0 }
    }
}

impl Write for Prefix {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        let room = self.keep - self.kept.len();
        self.kept.extend_from_slice(&data[..room.min(data.len())]);
        self.total += data.len();
        if self.total > ANSWER_BYTES_MAX { Err(io::ErrorKind::FileTooLarge.into()) } else { Ok(data.len()) }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Bytes decoded so far. Text that cannot be decoded is no reason to stop reading: it counts as nothing, and
/// the raw bytes are bounded on their own.
fn total_after(written: io::Result<()>, decoded: &Prefix) -> usize {
    match written {
        Err(error) if error.kind() == io::ErrorKind::FileTooLarge => ANSWER_BYTES_MAX,
        _ => decoded.total,
    }
}

/// A zlib header starts with method 8 in the low half of its first byte and a window size up to 7 in the high.
fn deflate(first: u8, into: Prefix) -> Coding {
    if first & 0x0f == 8 && first >> 4 <= 7 {
        Coding::Zlib(Box::new(ZlibDecoder::new(into)))
    } else {
        Coding::Deflate(Box::new(DeflateDecoder::new(into)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::Compression;
    use flate2::write::{DeflateEncoder, GzEncoder, ZlibEncoder};
    use http::HeaderValue;

    fn headers(coding: &'static str) -> HeaderMap {
        HeaderMap::from_iter([(CONTENT_ENCODING, HeaderValue::from_static(coding))])
    }

    fn encoded(coding: &str, text: &[u8]) -> Vec<u8> {
        let done = "writing to memory";
        match coding {
            "gzip" => {
                let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
                encoder.write_all(text).and_then(|()| encoder.finish()).expect(done)
            }
            "zlib" => {
                let mut encoder = ZlibEncoder::new(Vec::new(), Compression::best());
                encoder.write_all(text).and_then(|()| encoder.finish()).expect(done)
            }
            _ => {
                let mut encoder = DeflateEncoder::new(Vec::new(), Compression::best());
                encoder.write_all(text).and_then(|()| encoder.finish()).expect(done)
            }
        }
    }

    /// Feeds `body` in pieces of `piece` bytes; returns what is shown, and how many bytes were taken.
    fn read(success: Success, coding: &'static str, body: &[u8], piece: usize) -> (Bytes, usize) {
        let mut answer = Answer::new(success, &headers(coding));
        let mut taken = 0;
        for data in body.chunks(piece) {
            taken += data.len();
            if answer.take(data) == Room::Full {
                break;
            }
        }
        (answer.into_bytes(), taken)
    }

    #[test]
    fn every_coding_is_shown_as_text_in_pieces_of_any_size() {
        let text = b"{\"error\":\"no such order\"}".repeat(4);
        for (named, made) in [("gzip", "gzip"), ("X-GZIP", "gzip"), ("deflate", "zlib"), (" Deflate ", "raw")]
        {
            let body = encoded(made, &text);
            for piece in [1, 2, 7, body.len()] {
                let (shown, taken) = read(Success::No, named, &body, piece);
                assert_eq!(shown, text, "{named} as {made} in pieces of {piece}");
                assert_eq!(taken, body.len());
            }
        }
    }

    #[test]
    fn the_prefix_is_short_on_success_and_longer_on_failure() {
        let text = vec![b'x'; 10_000];
        for coding in ["identity", "gzip"] {
            let body = if coding == "gzip" { encoded("gzip", &text) } else { text.clone() };
            assert_eq!(read(Success::Yes, coding, &body, 100).0.len(), ANSWER_KEPT_SUCCESS_BYTES);
            assert_eq!(read(Success::No, coding, &body, 100).0.len(), ANSWER_KEPT_FAILURE_BYTES);
        }
    }

    #[test]
    fn a_bomb_is_cut_at_the_bound_of_decoded_bytes() {
        for made in ["gzip", "zlib", "raw"] {
            let body = encoded(made, &vec![0; 64 * ANSWER_BYTES_MAX]);
            let coding = if made == "gzip" { "gzip" } else { "deflate" };
            let (shown, taken) = read(Success::No, coding, &body, 64);
            assert_eq!(shown.len(), ANSWER_KEPT_FAILURE_BYTES);
            assert!(taken < body.len() / 8, "{made}: {taken} of {} bytes taken", body.len());
        }
    }

    #[test]
    fn raw_bytes_are_bounded_too() {
        let body = vec![b'x'; 4 * ANSWER_BYTES_MAX];
        for coding in ["identity", "br", "gzip"] {
            let (shown, taken) = read(Success::No, coding, &body, 1_000);
            assert_eq!(shown, body[..ANSWER_KEPT_FAILURE_BYTES], "{coding}: shown as it came");
            assert_eq!(taken, 66_000, "{coding}: the first piece beyond the bound");
        }
    }

    #[test]
    fn what_was_decoded_before_a_break_is_shown() {
        let text: Vec<u8> = (0..4_000u32).flat_map(|n| n.to_string().into_bytes()).collect();
        let body = encoded("gzip", &text);
        let (shown, _) = read(Success::No, "gzip", &body[..body.len() / 2], 100);
        assert!(!shown.is_empty() && text.starts_with(&shown[..]), "{shown:?}");
        let mut broken = body.clone();
        let last = broken.len() - 1;
        broken[last] ^= 1;
        let (shown, _) = read(Success::No, "gzip", &broken, 100);
        assert_eq!(shown, text[..ANSWER_KEPT_FAILURE_BYTES], "a wrong length at the end hides nothing");
    }
}
