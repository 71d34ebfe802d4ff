//! Pure. HTML put together piece by piece: whatever comes from a run is text, and is escaped here and nowhere else.

use std::fmt::{Display, Write};

#[derive(Debug, Default)]
pub struct Markup(String);

/// A cell that is a number is set to the right.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cell<'a> {
    Text(&'a str),
    Number(&'a str),
    /// A word that is good or bad.
    Mark(&'a str, &'static str),
}

impl Markup {
    /// Markup of this program's own; never of a run.
    pub fn raw(&mut self, own: &str) -> &mut Self {
        self.0.push_str(own);
        self
    }

    pub fn text(&mut self, text: impl Display) -> &mut Self {
        for char in text.to_string().chars() {
            match char {
                '<' => self.0.push_str("&lt;"),
                '>' => self.0.push_str("&gt;"),
                '&' => self.0.push_str("&amp;"),
                '"' => self.0.push_str("&quot;"),
                '\'' => self.0.push_str("&#39;"),
                // Control characters have no place in a document.
                char if char.is_control() && char != '\n' && char != '\t' => self.0.push('\u{fffd}'),
                char => self.0.push(char),
            }
        }
        self
    }

    /// `<name class="class">text</name>`.
    pub fn element(&mut self, name: &'static str, class: &'static str, text: impl Display) -> &mut Self {
        self.open(name, class).text(text).close(name)
    }

    pub fn open(&mut self, name: &'static str, class: &'static str) -> &mut Self {
        // Writing into memory does not fail.
        match class {
            "" => write!(self.0, "<{name}>").ok(),
            class => write!(self.0, "<{name} class=\"{class}\">").ok(),
        };
        self
    }

    pub fn close(&mut self, name: &'static str) -> &mut Self {
        write!(self.0, "</{name}>").ok();
        if matches!(name, "p" | "h1" | "h2" | "h3" | "tr" | "table" | "section" | "div" | "li" | "figure" | "pre" | "header") {
            self.0.push('\n');
        }
        self
    }

    /// Scrolls by itself where it is too wide.
    pub fn table<'a>(&mut self, heads: &[&str], rows: impl IntoIterator<Item = Vec<Cell<'a>>>) -> &mut Self {
        // What scrolls must be reachable without a mouse.
        self.raw("<div class=\"wide\" tabindex=\"0\" role=\"group\">").open("table", "").raw("<thead><tr>");
        for (place, head) in heads.iter().enumerate() {
            self.element("th", if place == 0 { "" } else { "number" }, head);
        }
        self.raw("</tr></thead><tbody>");
        for row in rows {
            self.open("tr", "");
            for cell in row {
                match cell {
                    Cell::Text(text) => self.element("td", "", text),
                    Cell::Number(text) => self.element("td", "number", text),
                    Cell::Mark(text, class) => self.element("td", class, text),
                };
            }
            self.close("tr");
        }
        self.raw("</tbody>").close("table").close("div")
    }

    pub fn into_string(self) -> String {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_a_run_says_is_text() {
        let mut markup = Markup::default();
        markup.element("p", "", "<script>alert('1')</script> & \"\u{7}");
        assert_eq!(markup.into_string(), "<p>&lt;script&gt;alert(&#39;1&#39;)&lt;/script&gt; &amp; &quot;\u{fffd}</p>\n");
    }
}
