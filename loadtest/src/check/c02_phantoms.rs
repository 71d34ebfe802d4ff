//! Pure. C2: nothing is in the final log that nobody asked for, and nothing that was refused for good. Events up to a
//! room's base were there before the run.

use schema::{ErrorCode, EventBody};

use super::Bounds;
use super::index::{Index, Is, name, request};
use crate::client::request::became;
use crate::history::Claim;

pub fn check(index: &Index<'_>, _: Bounds, found: &mut Vec<String>) {
    for (room, end) in &index.run.rooms {
        for event in end.events.iter().filter(|event| event.seq > end.base) {
            let what = format!("{} ({})", name(*room, event.seq), request(event.cmid));
            let Some(asked) = index.asked.get(&Claim { room: *room, cmid: event.cmid }) else {
                found.push(format!("{what} is in the final log and nobody asked for it"));
                continue;
            };
            let refused = asked.answers.iter().find_map(|answer| match answer.is {
                // These two say nothing of whether an earlier send is there.
                Is::Refused(ErrorCode::IdConflict | ErrorCode::ExpiredId) | Is::Acked(_) => None,
                Is::Refused(code) => Some(code),
            });
            if let Some(code) = refused {
                found.push(format!("{what} is in the final log and was refused: {}", code.text()));
            } else if event.body != EventBody::Erased && (event.user != asked.user || !became(&asked.act, asked.user, &event.body)) {
                found.push(format!(
                    "{what}: {} asked for {:?}, the final log has {:?} by {}",
                    asked.user, asked.act, event.body, event.user
                ));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::Rule;
    use super::super::script::{Script, post, said};
    use super::*;

    #[test]
    fn an_event_that_nobody_asked_for_is_found() {
        let mut script = Script::good();
        script.logged(1, 9, said("ghost"));
        script.breaks(Rule::C2);
    }

    #[test]
    fn a_refused_request_in_the_log_is_found() {
        let mut script = Script::good();
        script.sent(1, 9, post("x"));
        script.refused(1, 9, ErrorCode::Forbidden);
        script.keeps(Rule::C2);
        script.logged(1, 9, said("x"));
        script.breaks(Rule::C2);
    }

    #[test]
    fn an_unanswered_request_in_the_log_is_no_phantom() {
        let mut script = Script::good();
        script.sent(1, 9, post("x"));
        script.logged(1, 9, said("x"));
        script.keeps(Rule::C2);
    }
}
