//! From one page of a list to the next: by keys, so that what comes meanwhile moves nothing.

use maud::{Markup, html};

/// Ways to the first page and to the next one; nothing where there is one page only.
pub(crate) fn pager(first: Option<&str>, older: Option<&str>) -> Markup {
    html! {
        @if first.is_some() || older.is_some() {
            nav.pager aria-label="Pages" {
                @if let Some(first) = first { a href=(first) rel="first" { "← Newest" } }
                @if let Some(older) = older { a href=(older) rel="next" { "Older →" } }
            }
        }
    }
}
