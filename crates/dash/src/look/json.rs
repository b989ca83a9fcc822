//! Bytes of a body as they were sent or came, coloured where they are JSON.

use maud::{Markup, PreEscaped, html};

/// More is left out of the page; the whole is behind a link of the caller's, or was never kept.
const SHOWN_BYTES_MAX: usize = 16 * 1024;

/// A body with its size told where not all of it is shown.
pub(crate) fn body(bytes: &[u8], label: &str) -> Markup {
    let shown = &bytes[..bytes.len().min(SHOWN_BYTES_MAX)];
    let text = String::from_utf8_lossy(shown);
    html! {
        pre.body tabindex="0" aria-label=(label) { code { (PreEscaped(coloured(&text))) } }
        @if shown.len() < bytes.len() {
            p.muted { "The first " (super::numbers::bytes(shown.len() as u64)) " of " (super::numbers::bytes(bytes.len() as u64)) "." }
        }
    }
}

/// What a run of characters is in JSON. Anything else passes through unharmed: this colours, and judges nothing.
fn coloured(text: &str) -> String {
    let mut out = String::with_capacity(text.len() * 2);
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
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
        let (run, after) = rest.split_at(length);
        match class {
            "" => escape(run, &mut out),
            class => {
                out.push_str(&format!("<span class=\"{class}\">"));
                escape(run, &mut out);
                out.push_str("</span>");
            }
        }
        rest = after;
    }
    out
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

fn escape(text: &str, out: &mut String) {
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            c => out.push(c),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_is_coloured_and_nothing_becomes_markup() {
        let text = coloured(r#"{"a<b": "x\"</pre>", "n": -1.5e+3, "t": true}"#);
        let expected = "{<span class=\"k\">\"a&lt;b\"</span>: <span class=\"s\">\"x\\\"&lt;/pre&gt;\"</span>, \
                        <span class=\"k\">\"n\"</span>: <span class=\"n\">-1.5e+3</span>, \
                        <span class=\"k\">\"t\"</span>: <span class=\"n\">true</span>}";
        assert_eq!(text, expected);
    }

    #[test]
    fn what_is_no_json_comes_out_as_it_is() {
        for text in ["", "not found", "\"open", "-", "é\u{0}ü", "tru", "<"] {
            let plain = coloured(text).replace("<span class=\"s\">", "").replace("<span class=\"n\">", "");
            assert_eq!(plain.replace("</span>", "").replace("&lt;", "<"), text);
        }
    }
}
