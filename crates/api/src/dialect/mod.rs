//! Dialects: the public contracts that workspaces speak. One folder each, file for file alike.
//!
//! A dialect imports the kit, the engine and core, never another dialect and never a store.

mod brand;
pub mod native;
pub mod opentrain;
mod shape;
pub mod sigmamind;
pub mod spaaza;

use std::sync::Arc;

use axum::Router;
use http::HeaderMap;
use signalpost_core::cidr::Cidr;
use signalpost_core::ports::Spawn;
use signalpost_core::profile::Profile;
use signalpost_engine::Engine;
use signalpost_engine::cells::{Cell, Cells};

use crate::kit::across::{Presented, across, find_by};
use crate::kit::host;
use crate::kit::openapi::Api;

pub(crate) use shape::{Brand, EncodingWord};
pub use shape::{Shape, ShapeError, ShapeValues};

/// What customers see of a dialect instance.
pub(crate) trait Public: Send + Sync {
    /// The routes, one for each of the dialect's base paths.
    fn mounts(&self, behind: &Behind<'_>) -> Vec<Mount>;

    /// How a caller is known.
    fn presented<'h>(&self, headers: &'h HeaderMap) -> Presented<'h>;

    /// The same routes in words.
    fn api(&self) -> Api;
}

/// What stands behind the routes.
pub(crate) struct Behind<'b> {
    pub(crate) engine: &'b Arc<Engine>,
    /// All of which that engine is one.
    pub(crate) cells: &'b Cells,
    /// Run calls to their end.
    pub(crate) tasks: &'b Arc<dyn Spawn>,
    /// Ranges that webhooks may reach although they are not public.
    pub(crate) opened: &'b [Cidr],
}

/// Routes, and the path below which they stand.
pub(crate) struct Mount {
    pub(crate) base_path: String,
    pub(crate) callers: Callers,
    pub(crate) router: Router,
}

/// Who calls there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Callers {
    /// Whoever shows a credential, by which it is known in which cell they are.
    Known,
    /// Whoever has none yet. Whatever else they show says nothing.
    Anybody,
}

/// A dialect instance as it is served.
#[derive(Clone)]
pub struct Dialect {
    /// What workspaces call it; equal to the profile's name.
    pub name: String,
    /// Where it stands on the public port, such as `/v1`: one path as a rule, none when it has no public side.
    pub base_paths: Vec<String>,
    /// The hosts at which it stands there alone, in lower case; wherever no dialect names the host when there are none.
    pub hosts: Vec<String>,
    /// What the engine is told of it.
    pub profile: Profile,
    public: Option<Arc<dyn Public>>,
}

impl Dialect {
    /// The routes below each base path, none when customers do not speak to it.
    pub(crate) fn mounts(&self, cells: &Cells, tasks: &Arc<dyn Spawn>, opened: &[Cidr]) -> Vec<Mount> {
        let Some(public) = &self.public else { return Vec::new() };
        let shown = Arc::clone(public);
        let find = find_by(move |headers| shown.presented(headers));
        let each = cells
            .all()
            .iter()
            .map(|Cell { engine, .. }| public.mounts(&Behind { engine, cells, tasks, opened }));
        let mut each: Vec<_> = each.map(Vec::into_iter).collect();
        // All have the same base paths, in the same order.
        std::iter::from_fn(|| {
            let mounts: Vec<Mount> = each.iter_mut().filter_map(Iterator::next).collect();
            let (base_path, callers) = (mounts.first()?.base_path.clone(), mounts.first()?.callers);
            let mut routers = mounts.into_iter().map(|mount| mount.router);
            let router = match callers {
                Callers::Known => across(cells, routers.collect(), Arc::clone(&find)),
                Callers::Anybody => routers.next()?,
            };
            Some(Mount { base_path, callers, router })
        })
        .collect()
    }

    /// The same dialect at these hosts. The error is a sentence about the first that cannot be one.
    pub fn at_hosts<'a>(self, hosts: impl IntoIterator<Item = &'a str>) -> Result<Self, String> {
        let hosts = hosts.into_iter().map(host::checked).collect::<Result<_, _>>()?;
        Ok(Self { hosts, ..self })
    }

    /// Whether customers can meet both at one host.
    fn shares_a_host(&self, other: &Self) -> bool {
        let nowhere_in_particular = self.hosts.is_empty() && other.hosts.is_empty();
        nowhere_in_particular || self.hosts.iter().any(|host| other.hosts.contains(host))
    }

    /// What its document says, `None` when customers do not speak to it.
    pub(crate) fn api(&self) -> Option<Api> {
        self.public.as_ref().map(|public| public.api())
    }
}

impl std::fmt::Debug for Dialect {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Dialect")
            .field("name", &self.name)
            .field("base_paths", &self.base_paths)
            .finish_non_exhaustive()
    }
}

/// Whether these dialects can be served together: names and base paths that are good, and each its own, the paths at each
/// host.
/// The error is a sentence for whoever wrote the configuration.
pub fn check_base_paths(dialects: &[Dialect]) -> Result<(), String> {
    let mut taken: Vec<(&Dialect, &str)> = Vec::new();
    for (position, dialect) in dialects.iter().enumerate() {
        let Dialect { name, base_paths, .. } = dialect;
        if !is_name(name) {
            let form = "1 to 64 of lower-case letters, digits, `-` and `_`";
            return Err(format!("`{name}` is not a dialect's name: {form}"));
        }
        if dialects[..position].iter().any(|other| other.name == *name) {
            return Err(format!("two dialects are called `{name}`"));
        }
        for path in base_paths {
            if !is_base_path(path) {
                return Err(format!("dialect `{name}`: `{path}` is not a base path such as `/v1`"));
            }
            let in_the_way =
                |(other, at): &&(&Dialect, &str)| dialect.shares_a_host(other) && overlap(path, at);
            if let Some((other, at)) = taken.iter().find(in_the_way) {
                return Err(format!("`{}` at `{at}` and `{name}` at `{path}` overlap", other.name));
            }
            taken.push((dialect, path));
        }
    }
    Ok(())
}

/// Stands in answers, logs and stored workspaces.
fn is_name(text: &str) -> bool {
    let permitted =
        |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'-' | b'_');
    (1..=64).contains(&text.len()) && text.bytes().all(permitted)
}

/// One segment or more, each of characters that need no escape and none of them `.` or `..`.
fn is_base_path(text: &str) -> bool {
    let permitted = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    let segment = |segment: &str| {
        !segment.is_empty() && !matches!(segment, "." | "..") && segment.bytes().all(permitted)
    };
    text.strip_prefix('/').is_some_and(|segments| segments.split('/').all(segment))
}

/// Whether one path is the other or stands above it.
fn overlap(one: &str, other: &str) -> bool {
    let (short, long) = if one.len() <= other.len() { (one, other) } else { (other, one) };
    long.strip_prefix(short).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_plain() {
        for (name, good) in
            [("acme", true), ("a-b_2", true), ("", false), ("Acme", false), ("a b", false), ("é", false)]
        {
            assert_eq!(is_name(name), good, "{name}");
        }
        assert!(is_name(&"a".repeat(64)) && !is_name(&"a".repeat(65)));
    }

    #[test]
    fn base_paths_are_plain_and_do_not_overlap() {
        for good in ["/v1", "/acme/v1", "/a-b._~/2"] {
            assert!(is_base_path(good), "{good}");
        }
        for bad in ["", "/", "v1", "/v1/", "//v1", "/a/../b", "/{a}", "/a b", "/é", "/a?b"] {
            assert!(!is_base_path(bad), "{bad}");
        }
        for (one, other, expected) in [
            ("/v1", "/v1", true),
            ("/v1", "/v1/x", true),
            ("/v1/x", "/v1", true),
            ("/v1", "/v11", false),
            ("/a", "/b", false),
        ] {
            assert_eq!(overlap(one, other), expected, "{one} {other}");
        }
    }
}
