//! The sealed values of a webhook in one blob each: its headers, and its secrets that still sign.

use signalpost_core::custom_header::CustomHeader;
use signalpost_core::rotation::PreviousSecret;
use signalpost_core::secret::SealedSecret;
use signalpost_core::time::Timestamp;

use crate::pack::{Packer, Unpacked, Unpacker};

/// `None` when there are none, as the column has it.
pub fn pack_headers(headers: &[CustomHeader]) -> Option<Vec<u8>> {
    let mut packer = Packer::default();
    packer.count(headers.len());
    for header in headers {
        packer.bytes(header.name.as_bytes());
        packer.bytes(header.value.as_bytes());
    }
    (!headers.is_empty()).then(|| packer.finish())
}

pub fn unpack_headers(blob: &[u8]) -> Unpacked<Vec<CustomHeader>> {
    unpack_all(blob, |unpacker| Ok(CustomHeader { name: unpacker.text()?, value: sealed(unpacker)? }))
}

/// `None` when there are none, as the column has it.
pub fn pack_secrets(secrets: &[PreviousSecret]) -> Option<Vec<u8>> {
    let mut packer = Packer::default();
    packer.count(secrets.len());
    for secret in secrets {
        packer.number(secret.expires_at.as_ms().cast_unsigned());
        packer.bytes(secret.sealed.as_bytes());
    }
    (!secrets.is_empty()).then(|| packer.finish())
}

pub fn unpack_secrets(blob: &[u8]) -> Unpacked<Vec<PreviousSecret>> {
    unpack_all(blob, |unpacker| {
        let expires_at = Timestamp::from_ms(unpacker.number()?.cast_signed());
        Ok(PreviousSecret { expires_at, sealed: sealed(unpacker)? })
    })
}

fn unpack_all<T>(blob: &[u8], one: impl Fn(&mut Unpacker<'_>) -> Unpacked<T>) -> Unpacked<Vec<T>> {
    let mut unpacker = Unpacker::new(blob);
    let count = unpacker.number()?;
    let all = (0..count).map(|_| one(&mut unpacker)).collect::<Unpacked<_>>()?;
    unpacker.finish()?;
    Ok(all)
}

fn sealed(unpacker: &mut Unpacker<'_>) -> Unpacked<SealedSecret> {
    Ok(SealedSecret::from_bytes(unpacker.bytes()?.to_vec()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sealed(bytes: &[u8]) -> SealedSecret {
        SealedSecret::from_bytes(bytes.to_vec())
    }

    #[test]
    fn sealed_values_return_as_they_went_in() {
        let header = |name: &str, value: &[u8]| CustomHeader { name: name.to_owned(), value: sealed(value) };
        let headers = vec![header("x-api-key", b"\xff\0"), header("x", b"")];
        let blob = pack_headers(&headers).expect("there are some");
        assert_eq!(unpack_headers(&blob), Ok(headers));
        let secret =
            |ms, value: &[u8]| PreviousSecret { expires_at: Timestamp::from_ms(ms), sealed: sealed(value) };
        let secrets = vec![secret(1_777_975_606_150, b"s"), secret(-1, b""), secret(i64::MIN, b"x")];
        let blob = pack_secrets(&secrets).expect("there are some");
        assert_eq!(unpack_secrets(&blob), Ok(secrets));
        for end in 0..blob.len() {
            assert!(unpack_secrets(&blob[..end]).is_err(), "{end} bytes");
        }
        assert_eq!((pack_headers(&[]), pack_secrets(&[])), (None, None));
    }
}
