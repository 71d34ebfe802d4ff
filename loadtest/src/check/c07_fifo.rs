//! Pure. C7: what a device asked for in a room is in the room in the order in which the device first sent it, through
//! refusals, resends and new connections.

use std::collections::HashMap;

use schema::{Cmid, RoomId};

use super::Bounds;
use super::index::{Index, name, request};

/// As which of its device's requests it was sent, where it landed, which it is.
type Landed = (usize, u64, Cmid);

pub fn check(index: &Index<'_>, _: Bounds, found: &mut Vec<String>) {
    let mut asked: HashMap<(usize, RoomId), Vec<Landed>> = HashMap::new();
    for (claim, seqs) in &index.landed {
        if let Some(it) = index.asked.get(claim) {
            asked.entry((it.device, claim.room)).or_default().push((it.place, seqs[0], claim.cmid));
        }
    }
    for ((_, room), mut requests) in asked {
        requests.sort_unstable();
        for pair in requests.windows(2) {
            let [(_, earlier, first), (_, later, second)] = pair else { continue };
            if earlier >= later {
                found.push(format!(
                    "{} was sent after {} and landed at {}, before seq {earlier}",
                    request(*second),
                    request(*first),
                    name(room, *later)
                ));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::Rule;
    use super::super::script::{Script, post, said};

    fn pipelined(landed: [u8; 2]) -> Script {
        let mut script = Script::made();
        script.sent(1, 2, post("x"));
        script.sent(1, 3, post("x"));
        landed.into_iter().for_each(|id| script.logged(1, id, said("x")));
        script
    }

    #[test]
    fn a_device_whose_second_request_overtook_its_first_is_found() {
        pipelined([3, 2]).breaks(Rule::C7);
    }

    #[test]
    fn the_order_of_sending_is_the_order_of_landing() {
        pipelined([2, 3]).keeps(Rule::C7);
    }
}
