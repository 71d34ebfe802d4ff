//! Pure. C6: what was acknowledged before something else of the room was sent is before it in the room.

use super::Bounds;
use super::index::{Index, highest_before, name, request};

pub fn check(index: &Index<'_>, _: Bounds, found: &mut Vec<String>) {
    let acked = index.acked_until(None);
    for (claim, _, _, seq) in index.acks() {
        let before = highest_before(acked.get(&claim.room), index.asked[&claim].sent_us);
        if before >= seq {
            let what = name(claim.room, seq);
            found.push(format!("{} landed at {what}, sent after seq {before} had been acknowledged", request(claim.cmid)));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::Rule;
    use super::super::script::{Script, post, said};

    #[test]
    fn a_later_send_that_landed_before_an_earlier_ack_is_found() {
        let mut script = Script::made();
        script.logged(2, 3, said("late"));
        script.logged(1, 2, said("early"));
        script.sent(1, 2, post("early"));
        script.acked(1, 2, 3);
        script.sent(2, 3, post("late"));
        script.acked(2, 3, 2);
        script.breaks(Rule::C6);
    }

    #[test]
    fn two_that_were_under_way_at_once_may_land_either_way() {
        let mut script = Script::made();
        script.logged(2, 3, said("b"));
        script.logged(1, 2, said("a"));
        script.sent(1, 2, post("a"));
        script.sent(2, 3, post("b"));
        script.acked(1, 2, 3);
        script.acked(2, 3, 2);
        script.keeps(Rule::C6);
    }
}
