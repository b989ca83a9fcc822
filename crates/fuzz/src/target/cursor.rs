//! Cursors of every list: what was not issued is refused or harmless, and following a list comes to its end.

use std::cell::RefCell;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use http::Method;

use super::dialect::check;
use crate::Target;
use crate::feed::Feed;
use crate::server::{Changed, Server, Setup};

const BYTES_MAX: usize = 256;
/// More pages than any list of these servers has, one row each.
const PAGES_MAX: usize = 32;

pub(super) fn target(setups: Vec<Setup>) -> Target {
    let kept: Vec<RefCell<Option<Server>>> = setups.iter().map(|_| RefCell::new(None)).collect();
    let lists: Vec<(usize, String)> = setups
        .iter()
        .enumerate()
        .flat_map(|(place, setup)| setup.lists.iter().map(move |path| (place, path.clone())))
        .filter(|(_, path)| path.ends_with("cursor="))
        .collect();
    Target::new("cursor", "a list ends whatever it is asked to go on from", BYTES_MAX, move |input| {
        let mut feed = Feed::new(input);
        let (list, form) = (feed.below(lists.len()), feed.below(2));
        let (place, path) = &lists[list];
        let cursor = match form {
            0 => escaped(feed.rest()),
            _ => BASE64.encode(feed.rest()),
        };
        let server = kept[*place].take().unwrap_or_else(|| Server::new(&setups[*place]));
        follow(&setups[*place], &server, path, cursor);
        if server.goes_on(Changed::No) {
            kept[*place].replace(Some(server));
        }
    })
}

fn follow(setup: &Setup, server: &Server, path: &str, mut cursor: String) {
    for _ in 0..PAGES_MAX {
        let request = format!("GET {path}{cursor}&limit=1");
        let Some((_, answer)) = server.ask(request.as_bytes()) else { return };
        check(setup, &Method::GET, &answer);
        let page = answer.json().unwrap_or_default();
        let more = page.get("hasMore").is_none_or(|more| more == true);
        let next = ["/next_cursor", "/nextCursor"].into_iter().find_map(|at| page.pointer(at)?.as_str());
        let Some(next) = next.filter(|_| more && answer.status.is_success()) else { return };
        cursor = escaped(next.as_bytes());
    }
    panic!("{path}: after {PAGES_MAX} pages there is no end, at {cursor}");
}

/// As it stands in a query (RFC 3986 section 2.1).
fn escaped(bytes: &[u8]) -> String {
    let plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"-._~".contains(byte);
    bytes
        .iter()
        .map(|byte| if plain(byte) { char::from(*byte).to_string() } else { format!("%{byte:02X}") })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_plain_is_escaped() {
        assert_eq!(escaped(b"a-1 %\xff"), "a-1%20%25%FF");
    }
}
