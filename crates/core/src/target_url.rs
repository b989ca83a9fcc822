//! A receiver's URL, parsed once by the WHATWG rules; the same object is judged and connected to.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use url::{Host, Position, Url};

use crate::cidr::Cidr;
use crate::limits::{DNS_LABEL_CHARS_MAX, URL_CHARS_MAX};

const LOCALHOST: &str = "localhost";
const LOOPBACK: [IpAddr; 2] = [IpAddr::V4(Ipv4Addr::LOCALHOST), IpAddr::V6(Ipv6Addr::LOCALHOST)];

/// An absolute `http` or `https` URL with a host and without user information.
#[derive(Clone, PartialEq, Eq)]
pub struct TargetUrl {
    given: String,
    parsed: Url,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Scheme {
    Http,
    Https,
}

impl TargetUrl {
    /// Reads a URL as a customer wrote it. The error is a sentence for that customer.
    ///
    /// The WHATWG parser forgives a lot (it drops line breaks, turns `\` into `/` and skips extra slashes). A
    /// URL that needs forgiving is refused, so that no two readers of it can disagree about its host.
    pub fn parse(text: &str) -> Result<Self, String> {
        if text.chars().count() > URL_CHARS_MAX {
            return Err(format!("must be at most {URL_CHARS_MAX} characters long"));
        }
        if text.chars().any(|c| c.is_control() || c.is_whitespace() || c == '\\') {
            return Err("must not contain spaces, control characters or backslashes".to_owned());
        }
        let after_scheme = match text.split_once("://") {
            Some((scheme, rest))
                if scheme.eq_ignore_ascii_case("http") || scheme.eq_ignore_ascii_case("https") =>
            {
                rest
            }
            _ => return Err("must be an absolute URL that starts with https:// or http://".to_owned()),
        };
        let authority = after_scheme.split(['/', '?', '#']).next().unwrap_or_default();
        if authority.is_empty() {
            return Err("must name a host".to_owned());
        }
        if authority.contains('@') {
            return Err("must not contain user information before the host".to_owned());
        }
        let parsed = Url::parse(text).map_err(|error| format!("is not a valid URL: {error}"))?;
        if parsed.host().is_none() || parsed.port_or_known_default() == Some(0) {
            return Err("must name a host, and a port other than 0".to_owned());
        }
        if let Some(Host::Domain(name)) = parsed.host() {
            check_name(name)?;
        }
        Ok(Self { given: text.to_owned(), parsed })
    }

    /// Whether it is `https`, or plain `http` to this machine or to a literal address that the operator has opened: the
    /// rule of dialects that ask for `https`. The error is a sentence for the customer.
    pub fn check_secure(&self, opened: &[Cidr]) -> Result<(), String> {
        let here = match self.literal_address() {
            Some(address) => {
                LOOPBACK.contains(&address) || opened.iter().any(|range| range.contains(address))
            }
            None => self.host().to_string() == LOCALHOST,
        };
        if self.scheme() == Scheme::Https || here {
            return Ok(());
        }
        Err("must begin with https://; plain http is for localhost only".to_owned())
    }

    /// The text as it was given.
    pub fn as_str(&self) -> &str {
        &self.given
    }

    pub fn scheme(&self) -> Scheme {
        if self.parsed.scheme() == "https" { Scheme::Https } else { Scheme::Http }
    }

    /// The host after normalisation: `0x7f.1` has become `127.0.0.1`, an international name its ASCII form.
    pub fn host(&self) -> Host<&str> {
        self.parsed.host().expect("checked when parsed")
    }

    /// The host when it is an address and no name, without any IPv4-mapped form.
    pub fn literal_address(&self) -> Option<IpAddr> {
        let address = match self.host() {
            Host::Ipv4(address) => IpAddr::V4(address),
            Host::Ipv6(address) => IpAddr::V6(address),
            Host::Domain(_) => return None,
        };
        Some(address.to_canonical())
    }

    pub fn port(&self) -> u16 {
        self.parsed.port_or_known_default().expect("http and https have a default")
    }

    /// Scheme, host and port after normalisation, for example `https://example.com:8443`; the port only when it
    /// is not the scheme's own. Equal for two URLs exactly when one connection can serve both.
    pub fn origin(&self) -> &str {
        &self.parsed[..Position::AfterPort]
    }

    /// Value of the `Host` header: the port only when it is not the scheme's own.
    pub fn host_header(&self) -> String {
        match self.parsed.port() {
            Some(port) => format!("{}:{port}", self.host()),
            None => self.host().to_string(),
        }
    }

    /// Path and query as they go into the request line; a fragment is never sent.
    pub fn path_and_query(&self) -> String {
        match self.parsed.query() {
            Some(query) => format!("{}?{query}", self.parsed.path()),
            None => self.parsed.path().to_owned(),
        }
    }
}

/// Whether the DNS can hold the parts of a name. The parser lets empty labels and long ones pass, and two readers of
/// `localhost..` could differ about what it is. A name that is too long as a whole misleads nobody: contracts let it pass,
/// and its attempts say that it is not found.
fn check_name(name: &str) -> Result<(), String> {
    let name = name.strip_suffix('.').unwrap_or(name);
    let is_label = |label: &str| (1..=DNS_LABEL_CHARS_MAX).contains(&label.len());
    if name.split('.').all(is_label) {
        return Ok(());
    }
    Err(format!("must name a host whose parts have 1 to {DNS_LABEL_CHARS_MAX} characters"))
}

impl fmt::Debug for TargetUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.given)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accepts_and_normalises() {
        let table = [
            ("https://example.com/a?b=1#c", "example.com", 443, "/a?b=1"),
            ("http://EXAMPLE.com:8080", "example.com", 8080, "/"),
            ("http://0x7f.1/", "127.0.0.1", 80, "/"),
            ("http://2130706433/", "127.0.0.1", 80, "/"),
            ("http://017700000001/", "127.0.0.1", 80, "/"),
            ("http://[::ffff:127.0.0.1]/", "[::ffff:7f00:1]", 80, "/"),
            ("https://bücher.example/ü", "xn--bcher-kva.example", 443, "/%C3%BC"),
            ("https://example.com/a@b", "example.com", 443, "/a@b"),
        ];
        for (text, host, port, path) in table {
            let url = TargetUrl::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"));
            assert_eq!((url.host().to_string().as_str(), url.port()), (host, port), "{text}");
            assert_eq!(url.path_and_query(), path, "{text}");
            assert_eq!(url.as_str(), text, "the given text is kept");
        }
    }

    #[test]
    fn refuses_what_readers_could_disagree_about() {
        let long = format!("https://example.com/{}", "a".repeat(URL_CHARS_MAX - 19));
        let table = [
            "",
            "example.com",
            "/path",
            "//example.com",
            "file:///etc/passwd",
            "ftp://example.com",
            "https:example.com",
            "https://",
            "https:///example.com",
            "http://?x",
            "http://#x",
            "https://user@example.com",
            "https://user:pass@example.com/",
            "https://@example.com/",
            "http://exa mple.com",
            "http://example.com/\n",
            " https://example.com",
            "http:\\\\example.com",
            "http://example.com\\@evil.example",
            "http://example.com:0/",
            "http://example.com:99999/",
            "http://[::1",
            "http://256.256.256.256/",
            "http://a..b:x/",
            "http://exam%00ple.com/",
            "http://localhost../",
            "http://.example.com/",
            "http://a..example.com/",
            &format!("http://{}.example/", "a".repeat(64)),
            &long,
        ];
        for text in table {
            assert!(TargetUrl::parse(text).is_err(), "{text:?} must be refused");
        }
        assert!(TargetUrl::parse(&long[..URL_CHARS_MAX]).is_ok(), "the longest permitted URL");
        for (name, end) in [("a".repeat(63), ".example."), ("a.".repeat(123), "example")] {
            assert!(TargetUrl::parse(&format!("http://{name}{end}/")).is_ok(), "the longest names");
        }
    }

    #[test]
    fn host_header_names_the_port_only_when_needed() {
        let header = |text| TargetUrl::parse(text).expect("a good URL").host_header();
        assert_eq!(header("https://example.com:443/"), "example.com");
        assert_eq!(header("http://example.com:443/"), "example.com:443");
        assert_eq!(header("http://[2001:db8::1]:81/"), "[2001:db8::1]:81");
    }

    #[test]
    fn origin_is_equal_for_what_shares_a_connection() {
        let origin = |text| TargetUrl::parse(text).expect("a good URL").origin().to_owned();
        assert_eq!(origin("https://EXAMPLE.com:443/a?b=https://x:1#c"), "https://example.com");
        assert_eq!(origin("https://example.com"), "https://example.com");
        assert_eq!(origin("http://0x7f.1:81?x"), "http://127.0.0.1:81");
        assert_eq!(origin("http://example.com:443"), "http://example.com:443");
    }

    #[test]
    fn plain_http_stays_on_the_machine_or_where_the_operator_lets_it() {
        let opened = Cidr::parse_list("10.1.0.0/16,fd12::/32").expect("good ranges");
        let table = [
            ("https://example.com/", true, true),
            ("http://localhost:3000/x", true, true),
            ("http://LOCALHOST/", true, true),
            ("http://127.0.0.1/", true, true),
            ("http://[::1]:8080/", true, true),
            ("http://[::ffff:127.0.0.1]/", true, true),
            ("http://127.0.0.2/", false, false),
            ("http://10.1.2.3/", false, true),
            ("http://10.2.2.3/", false, false),
            ("http://[fd12::7]/", false, true),
            ("http://example.com/", false, false),
            ("http://localhost.example.com/", false, false),
            ("http://sub.localhost/", false, false),
        ];
        for (text, closed, open) in table {
            let url = TargetUrl::parse(text).expect("a good URL");
            assert_eq!(url.check_secure(&[]).is_ok(), closed, "{text}");
            assert_eq!(url.check_secure(&opened).is_ok(), open, "{text}");
        }
    }
}
