//! From one page of a list to the next: by keys, so that what comes meanwhile moves nothing.

use maud::{Markup, html};

/// Of a list that begins with the newest: ways to the first page and to the next one; nothing where there is one page only.
pub(crate) fn pager(first: Option<&str>, older: Option<&str>) -> Markup {
    ways((first, "← Newest"), (older, "Older →"))
}

/// The same of a list that begins with the oldest.
pub(crate) fn pager_onward(first: Option<&str>, next: Option<&str>) -> Markup {
    ways((first, "← First"), (next, "Next →"))
}

fn ways((first, to_first): (Option<&str>, &str), (next, to_next): (Option<&str>, &str)) -> Markup {
    html! {
        @if first.is_some() || next.is_some() {
            nav.pager aria-label="Pages" {
                @if let Some(first) = first { a href=(first) rel="first" { (to_first) } }
                @if let Some(next) = next { a href=(next) rel="next" { (to_next) } }
            }
        }
    }
}
