//! HTML as text: escaping, and the few marks that descriptions use.

use std::fmt::Write as _;

/// A page or a part of it being written. What goes in by `text` is escaped; what goes in by `raw` is ours.
#[derive(Default)]
pub(super) struct Html(String);

impl Html {
    pub(super) fn raw(&mut self, markup: &str) -> &mut Self {
        self.0.push_str(markup);
        self
    }

    pub(super) fn text(&mut self, text: &str) -> &mut Self {
        for c in text.chars() {
            match c {
                '&' => self.0.push_str("&amp;"),
                '<' => self.0.push_str("&lt;"),
                '>' => self.0.push_str("&gt;"),
                '"' => self.0.push_str("&quot;"),
                '\'' => self.0.push_str("&#39;"),
                c => self.0.push(c),
            }
        }
        self
    }

    /// An element without attributes around a text.
    pub(super) fn element(&mut self, name: &str, text: &str) -> &mut Self {
        self.open(name, &[]).text(text).raw(&format!("</{name}>"))
    }

    /// The start of an element.
    pub(super) fn open(&mut self, name: &str, attributes: &[(&str, &str)]) -> &mut Self {
        write!(self.0, "<{name}").expect("writing to a string does not fail");
        for (attribute, value) in attributes {
            write!(self.0, " {attribute}=\"").expect("writing to a string does not fail");
            self.text(value).raw("\"");
        }
        self.raw(">")
    }

    /// A link; `to` is ours, or an id of the document.
    pub(super) fn link(&mut self, to: &str, text: &str) -> &mut Self {
        self.open("a", &[("href", to)]).text(text).raw("</a>")
    }

    /// A line in which what stands between back-quotes is code.
    pub(super) fn line(&mut self, text: &str) -> &mut Self {
        for (position, part) in text.split('`').enumerate() {
            if position % 2 == 0 {
                self.text(part)
            } else {
                self.element("code", part)
            };
        }
        self
    }

    /// Paragraphs, with an empty line between them.
    pub(super) fn paragraphs(&mut self, text: &str) -> &mut Self {
        for paragraph in text.split("\n\n").filter(|paragraph| !paragraph.is_empty()) {
            self.raw("<p>").line(paragraph).raw("</p>\n");
        }
        self
    }

    pub(super) fn finish(self) -> String {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_cannot_become_markup() {
        let mut html = Html::default();
        html.open("a", &[("href", "\"><script>")]).line("`<b>` & 'x'\u{0}").raw("</a>");
        let expected =
            "<a href=\"&quot;&gt;&lt;script&gt;\"><code>&lt;b&gt;</code> &amp; &#39;x&#39;\u{0}</a>";
        assert_eq!(html.finish(), expected);
        let mut html = Html::default();
        html.paragraphs("one\n\ntwo");
        assert_eq!(html.finish(), "<p>one</p>\n<p>two</p>\n");
    }
}
