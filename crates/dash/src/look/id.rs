//! Ids: shortened in the middle for the eye, whole on hover, in the link and when they are copied.

use maud::{Markup, html};

/// Longer ones are shortened.
const CHARS_MAX: usize = 20;
const HEAD_CHARS: usize = 11;
const TAIL_CHARS: usize = 6;

pub(crate) fn link(to: &str, id: &str) -> Markup {
    html! { a.id href=(to) title=(id) data-copy=(id) { (shortened(id)) } }
}

/// With a button that copies it, which needs the script.
pub(crate) fn copied(id: &str) -> Markup {
    html! { code.id title=(id) { (id) } " " (copy(id, "Copy the id")) }
}

pub(crate) fn copy(text: &str, label: &str) -> Markup {
    html! { button.copy type="button" data-copy=(text) aria-label=(label) hidden { "copy" } }
}

fn shortened(id: &str) -> String {
    let chars: Vec<char> = id.chars().collect();
    if chars.len() <= CHARS_MAX {
        return id.to_owned();
    }
    let (head, tail) = (&chars[..HEAD_CHARS], &chars[chars.len() - TAIL_CHARS..]);
    format!("{}…{}", head.iter().collect::<String>(), tail.iter().collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_ids_keep_their_ends() {
        assert_eq!(shortened("wh_BUbkx3PsbzQm5V10"), "wh_BUbkx3PsbzQm5V10");
        assert_eq!(shortened("dlv_0aB3dE6gH9jK2mN5pQ8sT1"), "dlv_0aB3dE6…8sT1uV".replace("8sT1uV", "pQ8sT1"));
        assert_eq!(shortened(&"é".repeat(30)), format!("{}…{}", "é".repeat(11), "é".repeat(6)));
    }
}
