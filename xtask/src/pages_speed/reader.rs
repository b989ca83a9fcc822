//! Somebody who is signed in and reads pages, one after the other.

use std::time::{Duration, Instant};

use signalpost_testkit::{HttpClient, Request, Response, Server};

use super::report::Measured;

/// Far above what a page may take.
const PATIENCE: Duration = Duration::from_secs(60);

pub(super) struct Reader {
    client: HttpClient,
    cookie: String,
}

impl Reader {
    pub(super) fn sign_in(server: &Server) -> Result<Self, String> {
        let mut client = HttpClient::new(server.operator_address(), PATIENCE);
        let mut form =
            Request::new("POST", "/dash/sign-in").header("content-type", "application/x-www-form-urlencoded");
        form.body = format!("key={}", server.operator_key()).into_bytes();
        let answered = client.send(&form).map_err(|error| format!("nobody can sign in: {error}"))?;
        let set = answered.header("set-cookie").and_then(|set| set.split(';').next());
        let cookie =
            set.ok_or_else(|| format!("signing in was answered {}: {}", answered.status, answered.text()))?;
        Ok(Self { client, cookie: cookie.to_owned() })
    }

    /// The same page so many times.
    pub(super) fn again_and_again(
        &mut self,
        name: &str,
        path: &str,
        rounds: usize,
    ) -> Result<Measured, String> {
        let mut measured = Measured::of(name);
        for _ in 0..rounds {
            let (took, page) = self.timed(path)?;
            measured.add(took, page.body.len());
        }
        Ok(measured)
    }

    /// So many pages of a list, or as many as it has, each behind the one before.
    pub(super) fn page_by_page(&mut self, name: &str, path: &str, pages: usize) -> Result<Measured, String> {
        let (mut measured, mut next) = (Measured::of(name), Some(path.to_owned()));
        while let Some(path) = next.take().filter(|_| measured.count() < pages) {
            let (took, page) = self.timed(&path)?;
            measured.add(took, page.body.len());
            next = older(&page.text());
        }
        Ok(measured)
    }

    /// The first address on a page that begins so and goes on.
    pub(super) fn first_link(&mut self, path: &str, beginning: &str) -> Result<String, String> {
        let (_, page) = self.timed(path)?;
        let found = links(&page.text()).into_iter().find(|link| {
            link.strip_prefix(beginning).is_some_and(|rest| !rest.is_empty() && !rest.contains(['/', '?']))
        });
        found.ok_or_else(|| format!("{path} has no link to {beginning}…"))
    }

    fn timed(&mut self, path: &str) -> Result<(Duration, Response), String> {
        let request = Request::new("GET", path).header("cookie", &self.cookie);
        let began = Instant::now();
        let page = self.client.send(&request).map_err(|error| format!("{path}: {error}"))?;
        let took = began.elapsed();
        if page.status != 200 {
            return Err(format!("{path} is answered with {}", page.status));
        }
        Ok((took, page))
    }
}

fn links(page: &str) -> Vec<String> {
    let behind = page.split("href=\"").skip(1);
    behind.filter_map(|part| part.split('"').next()).map(|link| link.replace("&amp;", "&")).collect()
}

/// Where the next page of a list begins.
fn older(page: &str) -> Option<String> {
    let (before, _) = page.split_once("\" rel=\"next\"")?;
    before.rsplit_once("href=\"").map(|(_, link)| link.replace("&amp;", "&"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_way_to_older_rows_is_found() {
        let page = "<a href=\"/a?x=1\" rel=\"first\">Newest</a> <a href=\"/a?x=1&amp;before=2\" rel=\"next\">Older</a>";
        assert_eq!(older(page).as_deref(), Some("/a?x=1&before=2"));
        assert_eq!(older("<a href=\"/a\" rel=\"first\">"), None);
        assert_eq!(links(page), ["/a?x=1", "/a?x=1&before=2"]);
    }
}
