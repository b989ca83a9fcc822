//! Bytes of a body as they were sent or came, coloured where they are JSON.

use maud::{Markup, PreEscaped, html};

/// Of a page that is taken by one body. What is left out is behind a link of the caller's, or was never kept.
const MARKUP_BYTES_MAX: usize = 24 * 1024;

/// A body with its size told where not all of it is shown.
pub(crate) fn body(bytes: &[u8], label: &str) -> Markup {
    body_within(MARKUP_BYTES_MAX, bytes, label)
}

/// One of several on a page, which takes about so many bytes of it.
pub(crate) fn body_within(markup_bytes_max: usize, bytes: &[u8], label: &str) -> Markup {
    // What is shown takes no fewer bytes than it has.
    let text = String::from_utf8_lossy(&bytes[..bytes.len().min(markup_bytes_max)]);
    let (markup, shown) = coloured(&text, markup_bytes_max);
    let is_whole = shown == text.len() && text.len() >= bytes.len();
    html! {
        pre.body tabindex="0" aria-label=(label) { code { (PreEscaped(markup)) } }
        @if !is_whole {
            p.muted { "The first " (super::numbers::bytes(shown as u64)) " of " (super::numbers::bytes(bytes.len() as u64)) "." }
        }
    }
}

/// What a run of characters is in JSON. Anything else passes through unharmed: this colours, and judges nothing. Ends when it
/// has so much, and says how many bytes of the text that took.
fn coloured(text: &str, markup_bytes_max: usize) -> (String, usize) {
    let mut out = String::with_capacity(markup_bytes_max.min(text.len() * 2));
    let mut rest = text;
    while let Some(first) = rest.chars().next().filter(|_| out.len() < markup_bytes_max) {
        let (length, class) = match first {
            '"' => {
                let length = string_length(rest);
                let is_key = rest[length..].trim_start().starts_with(':');
                (length, if is_key { "k" } else { "s" })
            }
            '0'..='9' | '-' => (word_length(rest), "n"),
            't' | 'f' | 'n' if ["true", "false", "null"].contains(&&rest[..word_length(rest)]) => {
                (word_length(rest), "n")
            }
            _ => (first.len_utf8(), ""),
        };
        let room = markup_bytes_max - out.len();
        let taken = match class {
            "" => escape(&rest[..length], room, &mut out),
            class => {
                out.push_str(&format!("<span class=\"{class}\">"));
                let taken = escape(&rest[..length], room, &mut out);
                out.push_str("</span>");
                taken
            }
        };
        rest = &rest[taken..];
    }
    (out, text.len() - rest.len())
}

/// Bytes of a string with its quotes; to the end where it is not closed.
fn string_length(text: &str) -> usize {
    let mut is_escaped = false;
    for (place, c) in text.char_indices().skip(1) {
        match c {
            _ if is_escaped => is_escaped = false,
            '\\' => is_escaped = true,
            '"' => return place + 1,
            _ => {}
        }
    }
    text.len()
}

fn word_length(text: &str) -> usize {
    text.find(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '+'))).unwrap_or(text.len())
}

/// As much of it as goes into the room, and how many of its bytes that were: one character at least.
fn escape(text: &str, room: usize, out: &mut String) -> usize {
    let full = out.len() + room;
    for (place, c) in text.char_indices() {
        if out.len() >= full {
            return place;
        }
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            c => out.push(c),
        }
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_is_coloured_and_nothing_becomes_markup() {
        let text = coloured(r#"{"a<b": "x\"</pre>", "n": -1.5e+3, "t": true}"#, 1_000).0;
        let expected = "{<span class=\"k\">\"a&lt;b\"</span>: <span class=\"s\">\"x\\\"&lt;/pre&gt;\"</span>, \
                        <span class=\"k\">\"n\"</span>: <span class=\"n\">-1.5e+3</span>, \
                        <span class=\"k\">\"t\"</span>: <span class=\"n\">true</span>}";
        assert_eq!(text, expected);
    }

    #[test]
    fn a_body_takes_no_more_of_a_page_than_it_may() {
        for text in
            ["1,".repeat(5_000), "<".repeat(10_000), format!("\"{}\"", "&é".repeat(5_000)), "é".repeat(5_000)]
        {
            let (markup, shown) = coloured(&text, 2_000);
            assert!(markup.len() >= 2_000 && markup.len() < 2_050, "{}", markup.len());
            assert!(shown > 50 && text.is_char_boundary(shown));
            let page = body_within(2_000, text.as_bytes(), "x").into_string();
            assert!(
                page.contains(&format!("The first {}", super::super::numbers::bytes(shown as u64))),
                "{page}"
            );
        }
        let page = body_within(2_000, b"{\"a\": 1}", "x").into_string();
        assert!(!page.contains("The first"));
    }

    #[test]
    fn what_is_no_json_comes_out_as_it_is() {
        for text in ["", "not found", "\"open", "-", "é\u{0}ü", "tru", "<"] {
            let plain =
                coloured(text, 1_000).0.replace("<span class=\"s\">", "").replace("<span class=\"n\">", "");
            assert_eq!(plain.replace("</span>", "").replace("&lt;", "<"), text);
        }
    }
}
