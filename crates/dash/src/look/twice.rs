//! What cannot be taken back takes two presses: the first one shows what the second will do.

use maud::{Markup, html};

/// `act` says in a word what is done, `to` with whom or what; `consequence` is what comes of it. Around a form without its button.
pub(crate) fn twice(act: &str, to: &str, consequence: &str, form: impl FnOnce(Markup) -> Markup) -> Markup {
    let button = html! { button.destructive aria-label={ (act) " " (to) } { (act) } };
    html! {
        details.twice {
            summary aria-label={ (act) " " (to) "…" } { (act) "…" }
            p { (consequence) }
            (form(button))
        }
    }
}
