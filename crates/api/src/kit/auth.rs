//! Finding a credential in the headers of a request. Judging it is the surface's business.

use http::HeaderMap;
use http::header::AUTHORIZATION;

/// The value of a header that stands exactly once and is not empty. Twice is as good as missing: two readers
/// could take different ones.
pub(crate) fn single<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a [u8]> {
    let mut values = headers.get_all(name).iter();
    let first = values.next()?.as_bytes();
    (values.next().is_none() && !first.is_empty()).then_some(first)
}

/// The token of `Authorization: Bearer <token>`; the scheme in any case (RFC 9110 section 11.1).
pub(crate) fn bearer(headers: &HeaderMap) -> Option<&[u8]> {
    let value = single(headers, AUTHORIZATION.as_str())?;
    let (scheme, token) = value.split_at_checked("bearer ".len())?;
    let token = token.trim_ascii();
    (scheme.eq_ignore_ascii_case(b"bearer ") && !token.is_empty()).then_some(token)
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    fn headers(values: &[&'static str]) -> HeaderMap {
        values.iter().map(|value| (AUTHORIZATION, HeaderValue::from_static(value))).collect()
    }

    #[test]
    fn a_bearer_token_stands_once_after_its_scheme() {
        for good in ["Bearer abc", "bearer abc", "BEARER   abc "] {
            assert_eq!(bearer(&headers(&[good])), Some(&b"abc"[..]), "{good}");
        }
        for bad in
            [&[][..], &[""], &["Bearer"], &["Bearer "], &["Basic abc"], &["abc"], &["Bearer a", "Bearer a"]]
        {
            assert_eq!(bearer(&headers(bad)), None, "{bad:?}");
        }
    }
}
