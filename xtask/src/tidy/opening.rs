//! Every file of code opens with what it is for. Whether the words are true is a reader's work.

use super::Finding;
use crate::house::Source;

pub fn check(source: &Source) -> Vec<Finding> {
    let openings: &[&str] = match source.extension() {
        "rs" => &["//! "],
        "ts" | "tsx" | "js" | "mjs" | "css" => &["//", "/*"],
        "py" => &["\"\"\"", "#"],
        _ => return Vec::new(),
    };
    // What a machine reads first may stand before: `#!`, `@ts-check`.
    let first = source.text.lines().find(|line| !line.trim().is_empty() && !line.starts_with("#!/")).unwrap_or_default();
    if openings.iter().any(|opening| first.starts_with(opening)) {
        return Vec::new();
    }
    vec![Finding::new(source, 1, format!("open the file with what it is for and what it does not do (`{}`)", openings[0].trim()))]
}

#[cfg(test)]
mod tests {
    use super::super::planted;
    use super::*;

    #[test]
    fn a_file_without_an_opening_is_caught() {
        assert_eq!(check(&planted("src/a.rs", "use std::fs;\n")).len(), 1);
        assert_eq!(check(&planted("src/a.rs", "// a plain comment\n")).len(), 1);
        assert_eq!(check(&planted("src/a.rs", "//! What it is for.\n")), []);
        assert_eq!(check(&planted("web/a.tsx", "import x from 'y'\n")).len(), 1);
        assert_eq!(check(&planted("web/a.tsx", "/** What it shows. */\n")), []);
        assert_eq!(check(&planted("tests/a.py", "#!/usr/bin/env python3\n\"\"\"What.\"\"\"\n")), []);
    }
}
