//! Pure. Where a key stands in a TOML text, so that a mistake can name its line.

use toml::de::{DeTable, DeValue};

/// The line of a path like `rooms.1.members`, or of as much of it as is there.
pub fn line_of(text: &str, path: &str) -> usize {
    let Ok(table) = DeTable::parse(text) else { return 1 };
    let mut at = 0;
    let mut parts = path.split('.');
    let Some(mut here) = parts.next().and_then(|first| step_in(table.get_ref(), first, &mut at)) else {
        return 1;
    };
    for part in parts {
        let next = match here {
            DeValue::Table(table) => step_in(table, part, &mut at),
            DeValue::Array(array) => part.parse().ok().and_then(|index: usize| array.get(index)).map(|value| {
                at = value.span().start;
                value.get_ref()
            }),
            _ => None,
        };
        let Some(next) = next else { break };
        here = next;
    }
    text[..at.min(text.len())].matches('\n').count() + 1
}

fn step_in<'a>(table: &'a DeTable<'a>, name: &str, at: &mut usize) -> Option<&'a DeValue<'a>> {
    let (key, value) = table.iter().find(|(key, _)| key.get_ref() == name)?;
    *at = key.span().start;
    Some(value.get_ref())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_of_a_key_is_found_however_deep() {
        let text = "name = \"x\"\n\n[people]\nusers = 3\n\n[[rooms]]\ncount = 1\n\n[[rooms]]\ncount = 2\nmembers = 9\n";
        for (path, line) in [("name", 1), ("people.users", 4), ("rooms.0.count", 7), ("rooms.1.members", 11), ("rooms.1.zipf", 9)] {
            assert_eq!(line_of(text, path), line, "{path}");
        }
    }
}
