//! Pure. C1: every ack is in the final log, at the seq that was said, by its author, with the body that was asked for.

use schema::EventBody;

use super::Bounds;
use super::index::{Index, name, request};
use crate::client::request::became;

pub fn check(index: &Index<'_>, _: Bounds, found: &mut Vec<String>) {
    for (claim, _, _, seq) in index.acks() {
        let asked = &index.asked[&claim];
        let what = format!("{} acknowledged at {}", request(claim.cmid), name(claim.room, seq));
        match index.event(claim.room, seq) {
            None if !index.run.rooms.contains_key(&claim.room) => found.push(format!("{what}: the room's final log is not there")),
            None => found.push(format!("{what}: the final log has nothing there")),
            Some(event) if event.cmid != claim.cmid => found.push(format!("{what}: the final log has {} there", request(event.cmid))),
            Some(event) if event.user != asked.user => found.push(format!("{what}: the final log says that {} did it", event.user)),
            Some(event) if event.body != EventBody::Erased && !became(&asked.act, asked.user, &event.body) => {
                found.push(format!("{what}: asked for {:?}, became {:?}", asked.act, event.body));
            }
            Some(_) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::Rule;
    use super::super::script::{Script, said};
    use super::*;

    #[test]
    fn an_ack_that_is_not_in_the_log_is_found() {
        let mut script = Script::good();
        script.log.pop();
        script.breaks(Rule::C1);
    }

    #[test]
    fn an_ack_at_another_seq_is_found() {
        let mut script = Script::good();
        script.sent(1, 9, super::super::script::post("x"));
        script.logged(1, 9, said("x"));
        script.acked(1, 9, 4);
        script.breaks(Rule::C1);
    }

    #[test]
    fn an_ack_whose_body_changed_is_found() {
        let mut script = Script::good();
        script.log[3].body = said("something else");
        script.breaks(Rule::C1);
    }

    #[test]
    fn an_erased_body_is_still_the_ack() {
        let mut script = Script::good();
        script.log[3].body = EventBody::Erased;
        script.keeps(Rule::C1);
    }
}
