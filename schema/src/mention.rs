//! Who a text names: `<@user-id>`.

use crate::id::UserId;

/// The people named, each once, in the order of their first mention; at most `max`.
pub fn mentions(text: &str, max: usize) -> Vec<UserId> {
    let mut found = Vec::new();
    let mut rest = text;
    while let Some(start) = rest.find("<@") {
        rest = &rest[start + 2..];
        let Some(end) = rest.find('>') else { break };
        if let Ok(user) = rest[..end].parse::<UserId>()
            && !found.contains(&user)
            && found.len() < max
        {
            found.push(user);
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn people_are_found_once_and_names_are_not_ids() {
        let user = UserId::from_bytes([9; 16]);
        let text = format!("<@Ann> hi <@{user}>, <@{user}> <@{user}");
        assert_eq!(mentions(&text, 10), vec![user]);
        assert!(mentions(&text, 0).is_empty());
    }
}
