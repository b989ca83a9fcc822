//! Another tenant's ids on every call of every dialect, and every kind of stranger: generated from the documents of what is
//! served, which come from the tables of operations (`docs/adr/0006-one-table-of-operations.md`).

mod calls;
mod feed;
mod ids;
mod scene;
mod strangers;

use signalpost_store::testing::block_on::block_on;
use signalpost_store::testing::snapshot::Snapshot;

use crate::app::{Answer, App};

/// All dialects, each with another one beside it.
const DIALECTS: [(&str, &str); 5] = [
    ("native", "sigmamind"),
    ("sigmamind", "opentrain"),
    ("opentrain", "opentrain-partner"),
    ("opentrain-partner", "spaaza"),
    ("spaaza", "native"),
];

/// All that a caller can see of an answer, with a mark in the place of the ids that were asked for.
fn seen(answer: &Answer, ids: &[String]) -> String {
    let headers = answer.headers.iter().filter(|(name, _)| ids.is_empty() || *name != "content-length");
    let mut headers: Vec<String> =
        headers.map(|(name, value)| format!("{name}: {}", value.to_str().unwrap())).collect();
    headers.sort_unstable();
    let body = ids.iter().fold(answer.text(), |body, id| marked(&body, id));
    format!("{}\n{}\n\n{body}", answer.status, headers.join("\n"))
}

/// The text with a mark for each id that stands by itself: a short number may be a part of any text.
fn marked(text: &str, id: &str) -> String {
    let (mut marked, mut rest) = (String::new(), text);
    while let Some((before, after)) = rest.split_once(id) {
        let is_inside = |char: Option<char>| char.is_some_and(char::is_alphanumeric);
        marked.push_str(before);
        let stays = is_inside(marked.chars().next_back()) || is_inside(after.chars().next());
        marked.push_str(if stays { id } else { "<id>" });
        rest = after;
    }
    marked + rest
}

/// Whether two answers, each to ids of its own, are the same.
fn are_alike((one, of): (&Answer, &[String]), (other, of_other): (&Answer, &[String])) -> bool {
    // First as they are: a number may stand in an answer as the code of an error.
    seen(one, &[]) == seen(other, &[]) || seen(one, of) == seen(other, of_other)
}

fn snapshot(app: &App) -> Snapshot {
    block_on(Snapshot::of(&app.store)).unwrap().without_record()
}

#[test]
fn every_dialect_is_looked_at() {
    let served = signalpost_api::built_in_dialects();
    let mut served: Vec<&str> = served.iter().map(|dialect| dialect.name.as_str()).collect();
    let mut known = DIALECTS.map(|(name, _)| name).to_vec();
    served.sort_unstable();
    known.sort_unstable();
    assert_eq!(served, known, "what is new has its place in DIALECTS");
}
