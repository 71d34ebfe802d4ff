//! Pure. A page of a room as lines that an import reads: what stands now, by whom, and when it was first said. Replies,
//! reactions and pins are not in it, nor is what was deleted.

use std::collections::{BTreeSet, HashMap};

use schema::{EventBody, UserId, rest};

use super::line::{Written, date_time};

/// Everybody who speaks or is spoken of in a page.
pub fn people(page: &rest::Page) -> BTreeSet<UserId> {
    let texts = page.events.iter().chain(&page.marks).filter_map(|event| match &event.body {
        EventBody::Message(message) => Some(&message.text),
        EventBody::Edit { text, .. } => Some(text),
        _ => None,
    });
    let named = texts.flat_map(|text| ids(text).map(|(user, _)| user));
    page.events.iter().map(|event| event.user).chain(named).collect()
}

/// `names`: of those that have one.
pub fn lines(page: &rest::Page, names: &HashMap<UserId, String>) -> Vec<Written> {
    let mut edits: HashMap<u64, (u64, &str)> = HashMap::new();
    for event in page.events.iter().chain(&page.marks) {
        if let EventBody::Edit { target, text } = &event.body
            && edits.get(target).is_none_or(|(seq, _)| *seq < event.seq)
        {
            edits.insert(*target, (event.seq, text));
        }
    }
    let said = page.events.iter().filter_map(|event| match &event.body {
        EventBody::Message(message) => {
            let text = edits.get(&event.seq).map_or(message.text.as_str(), |(_, text)| text);
            let (at, thread) = message.origin.as_ref().map_or((event.at, None), |origin| (origin.at, origin.thread.clone()));
            let user = names.get(&event.user).cloned()?;
            Some(Written { ts: date_time(at), user, text: with_names(text, names), thread })
        }
        _ => None,
    });
    said.collect()
}

/// The ids in `<@…>`, each with the place where it begins.
fn ids(text: &str) -> impl Iterator<Item = (UserId, usize)> {
    text.match_indices("<@").filter_map(|(place, _)| {
        let id = text[place + 2..].split_once('>')?.0;
        Some((id.parse().ok()?, place))
    })
}

fn with_names(text: &str, names: &HashMap<UserId, String>) -> String {
    let (mut said, mut from) = (String::with_capacity(text.len()), 0);
    for (user, place) in ids(text) {
        let Some(name) = names.get(&user) else { continue };
        let end = place + text[place..].find('>').unwrap_or(0);
        said.push_str(&text[from..place]);
        said.push_str(&format!("<@{name}"));
        from = end;
    }
    said.push_str(&text[from..]);
    said
}

#[cfg(test)]
mod tests {
    use schema::event::{Message, Origin};
    use schema::{Cmid, Event, RoomId};

    use super::*;

    #[test]
    fn what_stands_is_written_with_names_and_the_time_it_was_first_said() {
        let (ada, bob) = (UserId::from_bytes([1; 16]), UserId::from_bytes([2; 16]));
        let event =
            |seq, user, body| Event { room: RoomId::default(), seq, ordinal: seq, at: 1_000 + seq, user, cmid: Cmid::default(), body };
        let message = |text: &str, origin| EventBody::Message(Message { text: text.into(), reply: None, origin });
        let edit = |target, text: &str| EventBody::Edit { target, text: text.into() };
        let origin = Some(Origin { at: 5, thread: Some("7".into()) });
        let page = rest::Page {
            room: RoomId::default(),
            from: 1,
            to: 4,
            head: 9,
            ordinal: 3,
            events: vec![
                event(1, ada, message("first", None)),
                event(2, bob, message(&format!("hi <@{ada}>, <@nobody> and <@{}>", UserId::default()), origin)),
                event(3, ada, edit(1, "second")),
                event(4, ada, EventBody::Erased),
            ],
            marks: vec![event(8, ada, edit(1, "third <@"))],
        };
        assert_eq!(people(&page), BTreeSet::from([UserId::default(), ada, bob]));
        let names = HashMap::from([(ada, "Ada".to_owned()), (bob, "bob".to_owned())]);
        let written = |ts: &str, user: &str, text: &str, thread: Option<&str>| Written {
            ts: ts.into(),
            user: user.into(),
            text: text.into(),
            thread: thread.map(str::to_owned),
        };
        let expected = [
            written("1970-01-01T00:00:01.001Z", "Ada", "third <@", None),
            written("1970-01-01T00:00:00.005Z", "bob", &format!("hi <@Ada>, <@nobody> and <@{}>", UserId::default()), Some("7")),
        ];
        assert_eq!(lines(&page, &names), expected);
    }
}
