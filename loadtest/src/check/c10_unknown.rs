//! Pure. C10: a request has one outcome. All its answers say the same; one without an answer is in the room once, or
//! never, and everybody who saw it saw it there.

use std::collections::{BTreeSet, HashMap};

use super::Bounds;
use super::index::{Index, Is, request};
use crate::history::Claim;

pub fn check(index: &Index<'_>, _: Bounds, found: &mut Vec<String>) {
    let mut seen_at: HashMap<Claim, BTreeSet<u64>> = HashMap::new();
    for sighting in index.sightings() {
        let claim = Claim { room: sighting.room, cmid: sighting.seen.cmid };
        seen_at.entry(claim).or_default().insert(sighting.seen.seq);
    }
    for (claim, asked) in &index.asked {
        let answers: Vec<_> = asked.answers.iter().map(|answer| answer.is).collect();
        if answers.windows(2).any(|pair| pair[0] != pair[1]) {
            found.push(format!("{} was answered in more than one way: {answers:?}", request(claim.cmid)));
        }
        let landed = index.landed.get(claim).map_or(&[][..], Vec::as_slice);
        let seen = seen_at.remove(claim).unwrap_or_default();
        if seen.iter().any(|seq| !landed.contains(seq)) {
            found.push(format!("{} was seen at {seen:?} and is in the final log at {landed:?}", request(claim.cmid)));
        }
        let unanswered = !answers.iter().any(|is| matches!(is, Is::Acked(_)));
        if unanswered && landed.len() > 1 {
            found.push(format!("{} has no ack and ended {} times: {landed:?}", request(claim.cmid), landed.len()));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::Rule;
    use super::super::script::{Script, post, said};
    use schema::ErrorCode;

    fn unknown() -> Script {
        let mut script = Script::good();
        script.sent(1, 9, post("x"));
        script
    }

    #[test]
    fn an_unknown_that_ends_once_or_never_is_fine() {
        let mut script = unknown();
        script.end_unknown(1, 9, 4);
        script.keeps(Rule::C10);
        script.logged(1, 9, said("x"));
        script.delivered(2, 5);
        script.keeps(Rule::C10);
    }

    #[test]
    fn an_unknown_that_ends_twice_is_found() {
        let mut script = unknown();
        script.logged(1, 9, said("x"));
        script.logged(1, 9, said("x"));
        script.breaks(Rule::C10);
    }

    #[test]
    fn an_unknown_that_was_seen_and_is_not_in_the_log_is_found() {
        let mut script = unknown();
        script.logged(1, 9, said("x"));
        script.delivered(2, 5);
        script.log.pop();
        script.breaks(Rule::C10);
    }

    #[test]
    fn two_answers_that_differ_are_found() {
        let mut script = unknown();
        script.logged(1, 9, said("x"));
        script.acked(1, 9, 5);
        script.acked(1, 9, 5);
        script.keeps(Rule::C10);
        script.refused(1, 9, ErrorCode::NotMember);
        script.breaks(Rule::C10);
    }
}
