//! Lists and records in one blob: numbers as LEB128, bytes with their length before them.
//!
//! For what is only ever read as a whole. Reading is checked to the last byte, because a blob on disk may be
//! anything.

use bytes::Bytes;

/// Appends values to a blob.
#[derive(Default)]
pub struct Packer(Vec<u8>);

impl Packer {
    pub fn with_capacity(bytes: usize) -> Self {
        Self(Vec::with_capacity(bytes))
    }

    pub fn number(&mut self, mut value: u64) {
        while value >= 0x80 {
            self.0.push(u8::try_from(value & 0x7f).expect("seven bits") | 0x80);
            value >>= 7;
        }
        self.0.push(u8::try_from(value).expect("seven bits"));
    }

    pub fn bytes(&mut self, bytes: &[u8]) {
        self.count(bytes.len());
        self.0.extend_from_slice(bytes);
    }

    pub fn count(&mut self, count: usize) {
        self.number(u64::try_from(count).expect("a length fits 64 bits"));
    }

    pub fn finish(self) -> Vec<u8> {
        self.0
    }
}

/// Takes values off a blob; the error is what is wrong with it.
pub struct Unpacker<'a>(&'a [u8]);

pub type Unpacked<T> = Result<T, String>;

impl<'a> Unpacker<'a> {
    pub const fn new(blob: &'a [u8]) -> Self {
        Self(blob)
    }

    pub fn number(&mut self) -> Unpacked<u64> {
        let mut value = 0u64;
        for shift in (0..64).step_by(7) {
            let (byte, rest) = self.0.split_first().ok_or("it ends inside a number")?;
            self.0 = rest;
            let bits = u64::from(byte & 0x7f);
            if bits << shift >> shift != bits {
                break;
            }
            value |= bits << shift;
            if byte & 0x80 == 0 {
                return Ok(value);
            }
        }
        Err("a number has more than 64 bits".to_owned())
    }

    pub fn bytes(&mut self) -> Unpacked<&'a [u8]> {
        let length = usize::try_from(self.number()?).map_err(|error| error.to_string())?;
        let (bytes, rest) = self.0.split_at_checked(length).ok_or("it ends inside a value")?;
        self.0 = rest;
        Ok(bytes)
    }

    pub fn text(&mut self) -> Unpacked<String> {
        std::str::from_utf8(self.bytes()?).map(str::to_owned).map_err(|error| error.to_string())
    }

    pub fn finish(self) -> Unpacked<()> {
        if self.0.is_empty() { Ok(()) } else { Err(format!("{} bytes too many", self.0.len())) }
    }
}

pub fn pack_texts(texts: &[String]) -> Vec<u8> {
    let mut packer = Packer::default();
    packer.count(texts.len());
    for text in texts {
        packer.bytes(text.as_bytes());
    }
    packer.finish()
}

pub fn unpack_texts(blob: &[u8]) -> Unpacked<Vec<String>> {
    let mut unpacker = Unpacker::new(blob);
    let count = unpacker.number()?;
    let texts = (0..count).map(|_| unpacker.text()).collect::<Unpacked<_>>()?;
    unpacker.finish()?;
    Ok(texts)
}

pub fn put_pairs(packer: &mut Packer, pairs: &[(String, String)]) {
    packer.count(pairs.len());
    for (name, value) in pairs {
        packer.bytes(name.as_bytes());
        packer.bytes(value.as_bytes());
    }
}

pub fn take_pairs(unpacker: &mut Unpacker<'_>) -> Unpacked<Vec<(String, String)>> {
    let count = unpacker.number()?;
    (0..count).map(|_| Ok((unpacker.text()?, unpacker.text()?))).collect()
}

pub fn pack_pairs(pairs: &[(String, String)]) -> Vec<u8> {
    let mut packer = Packer::default();
    put_pairs(&mut packer, pairs);
    packer.finish()
}

pub fn unpack_pairs(blob: &[u8]) -> Unpacked<Vec<(String, String)>> {
    let mut unpacker = Unpacker::new(blob);
    let pairs = take_pairs(&mut unpacker)?;
    unpacker.finish()?;
    Ok(pairs)
}

/// Numbers of fixed width: eight bytes each, little endian.
pub fn pack_ids(ids: impl Iterator<Item = i64>) -> Vec<u8> {
    ids.flat_map(i64::to_le_bytes).collect()
}

pub fn unpack_ids(blob: &[u8]) -> Unpacked<impl DoubleEndedIterator<Item = i64> + '_> {
    let (ids, rest) = blob.as_chunks::<8>();
    if !rest.is_empty() {
        return Err(format!("{} bytes are not a whole number of ids", blob.len()));
    }
    Ok(ids.iter().map(|id| i64::from_le_bytes(*id)))
}

/// The part of an attempt that no query looks at.
#[derive(Debug, PartialEq, Eq)]
pub struct Detail {
    pub timing_us: [u64; 5],
    pub text: String,
    pub headers: Vec<(String, String)>,
    pub answer: Bytes,
}

const DETAIL_FORM: u64 = 1;

pub fn pack_detail(timing_us: [u64; 5], text: &str, headers: &[(String, String)], answer: &[u8]) -> Vec<u8> {
    let header_bytes: usize = headers.iter().map(|(name, value)| name.len() + value.len() + 4).sum();
    let mut packer = Packer::with_capacity(32 + text.len() + header_bytes + answer.len());
    packer.number(DETAIL_FORM);
    for us in timing_us {
        packer.number(us);
    }
    packer.bytes(text.as_bytes());
    put_pairs(&mut packer, headers);
    packer.bytes(answer);
    packer.finish()
}

pub fn unpack_detail(blob: &[u8]) -> Unpacked<Detail> {
    let mut unpacker = Unpacker::new(blob);
    let form = unpacker.number()?;
    if form != DETAIL_FORM {
        return Err(format!("unknown form {form}"));
    }
    let mut timing_us = [0; 5];
    for us in &mut timing_us {
        *us = unpacker.number()?;
    }
    let text = unpacker.text()?;
    let headers = take_pairs(&mut unpacker)?;
    let answer = Bytes::copy_from_slice(unpacker.bytes()?);
    unpacker.finish()?;
    Ok(Detail { timing_us, text, headers, answer })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_return_as_they_went_in() {
        let texts = vec![String::new(), "a\0b".to_owned(), "🧀".repeat(200)];
        assert_eq!(unpack_texts(&pack_texts(&texts)), Ok(texts.clone()));
        assert_eq!(unpack_texts(&pack_texts(&[])), Ok(Vec::new()));
        let pairs = vec![("n".to_owned(), "\"v\"".to_owned()), (String::new(), String::new())];
        assert_eq!(unpack_pairs(&pack_pairs(&pairs)), Ok(pairs.clone()));
        let ids = [1, i64::MAX, i64::MIN, 0];
        let packed = pack_ids(ids.into_iter());
        assert_eq!(unpack_ids(&packed).map(|ids| ids.collect::<Vec<_>>()), Ok(ids.to_vec()));
        let timing_us = [0, 127, 128, u64::from(u32::MAX), u64::MAX];
        let blob = pack_detail(timing_us, "refused", &pairs, b"\xff\0");
        let detail = Detail {
            timing_us,
            text: "refused".to_owned(),
            headers: pairs,
            answer: Bytes::from_static(b"\xff\0"),
        };
        assert_eq!(unpack_detail(&blob), Ok(detail));
    }

    /// Every prefix of a good blob, and the blob with more behind it, is refused and never panics.
    #[test]
    fn damaged_blobs_are_refused() {
        let pairs = [("name".to_owned(), "value".to_owned())];
        let good = pack_detail([1, 2, 3, 4, 1 << 40], "text", &pairs, b"answer");
        for end in 0..good.len() {
            assert!(unpack_detail(&good[..end]).is_err(), "{end} bytes");
        }
        assert!(unpack_detail(&[good.as_slice(), b"x"].concat()).is_err());
        for blob in
            [&b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\x7f"[..], b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"]
        {
            assert!(unpack_texts(blob).is_err(), "a count that memory cannot hold: {blob:?}");
        }
        assert!(unpack_texts(&[1, 1, 0xff]).is_err(), "not UTF-8");
        assert!(unpack_ids(&[0; 9]).is_err());
    }
}
