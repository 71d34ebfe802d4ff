//! Pure. C3: a cmid is in a room at most once.

use super::Bounds;
use super::index::{Index, request};

pub fn check(index: &Index<'_>, _: Bounds, found: &mut Vec<String>) {
    for (claim, seqs) in index.landed.iter().filter(|(_, seqs)| seqs.len() > 1) {
        found.push(format!("{} is in room {} at the seqs {seqs:?}", request(claim.cmid), claim.room));
    }
}

#[cfg(test)]
mod tests {
    use super::super::Rule;
    use super::super::script::{Script, said};

    #[test]
    fn a_doubled_request_is_found() {
        let mut script = Script::good();
        script.logged(1, 4, said("hi"));
        script.breaks(Rule::C3);
    }

    #[test]
    fn a_request_that_was_sent_twice_and_landed_once_is_no_double() {
        let mut script = Script::good();
        script.sent(1, 4, super::super::script::post("hi"));
        script.acked(1, 4, 4);
        assert!(script.verdict().is_clean(), "{}", script.verdict());
    }
}
