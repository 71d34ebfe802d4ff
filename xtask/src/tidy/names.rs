//! Names that say nothing are refused: a type called Manager, a file called utils. Only what we define is looked at;
//! a library may call its traits what it likes.

use super::{Finding, code_lines};
use crate::house::Source;

const FILES: &[&str] = &["utils", "util", "common", "helpers", "helper", "misc"];
const ENDINGS: &[&str] = &["Manager", "Service", "Handler", "Helper", "Helpers", "Utils", "Util"];
const DEFINERS: &[&str] = &["struct ", "enum ", "trait ", "class ", "interface "];

pub fn check(source: &Source) -> Vec<Finding> {
    if !matches!(source.extension(), "rs" | "ts" | "tsx") {
        return Vec::new();
    }
    let mut findings = Vec::new();
    let parts = source.path.split('/').map(|part| part.split('.').next().unwrap_or(part));
    if let Some(part) = parts.clone().find(|part| FILES.contains(part)) {
        findings.push(Finding::new(source, 1, format!("`{part}` says nothing: put each thing beside its first user")));
    }
    for (number, line) in code_lines(source) {
        for definer in DEFINERS {
            let Some((before, after)) = line.split_once(definer) else { continue };
            let is_definition = before.trim().is_empty() || ["pub", "pub(crate)", "export"].contains(&before.trim());
            let name: String = after.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
            if is_definition && ENDINGS.iter().any(|ending| name.ends_with(ending)) {
                findings.push(Finding::new(source, number, format!("`{name}`: name it by what it is")));
            }
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::super::planted;
    use super::*;

    #[test]
    fn a_manager_is_caught_and_a_foreign_service_is_not() {
        assert_eq!(check(&planted("src/a.rs", "pub struct RoomManager {\n")).len(), 1);
        assert_eq!(check(&planted("src/a.rs", "use tower::Service;\nimpl Service for X {}\n")), []);
    }

    #[test]
    fn a_drawer_for_everything_is_caught() {
        assert_eq!(check(&planted("web/app/utils/date.ts", "// x\n")).len(), 1);
        assert_eq!(check(&planted("src/utils.rs", "//! x\n")).len(), 1);
    }
}
