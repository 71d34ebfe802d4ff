//! Who is let in by an invitation, and whose certificate is believed.

use cluster::state::INVITES_MAX;
use cluster::{Command, NodeId, Outcome, Refusal, Spec, State};

#[test]
fn an_invitation_lets_one_node_in_and_the_same_one_again_until_it_has_begun() {
    let mut state = State::default();
    let spec = |address: &str| Spec { address: address.into(), zone: String::new(), weight: 1, fingerprint: [0; 32] };
    state.apply(2, &Command::Found { cluster: 1, node: NodeId(1), spec: spec("a"), slots: 4, above: 0 });
    let admit = |invite, address| Command::Admit { invite: [invite; 32], spec: spec(address) };
    let refused = Outcome::Refused(Refusal::NotInvited);
    assert_eq!(state.apply(3, &admit(7, "b")), refused);
    state.apply(4, &Command::Invite { invite: [7; 32] });
    assert_eq!(state.apply(5, &admit(8, "b")), refused);
    assert_eq!(state.apply(6, &admit(7, "b")), Outcome::Joined { node: NodeId(6), cluster: 1 });
    assert_eq!(state.apply(7, &admit(7, "c")), refused, "it is used up");
    // Its answer was lost: it asks again, and is another node.
    assert_eq!(state.apply(8, &admit(7, "b")), Outcome::Joined { node: NodeId(8), cluster: 1 });
    assert!(!state.nodes.contains_key(&NodeId(6)));
    state.apply(9, &Command::Activate { node: NodeId(8), spec: spec("b"), above: 0 });
    assert_eq!(state.apply(10, &admit(7, "b")), refused, "it has begun");
}

#[test]
fn of_too_many_invitations_the_oldest_are_forgotten() {
    let mut state = State::default();
    let spec = Spec { address: "a".into(), zone: String::new(), weight: 1, fingerprint: [0; 32] };
    state.apply(2, &Command::Found { cluster: 1, node: NodeId(1), spec: spec.clone(), slots: 4, above: 0 });
    for n in 0..=INVITES_MAX as u8 {
        state.apply(3 + u64::from(n), &Command::Invite { invite: [n; 32] });
    }
    assert_eq!(state.invites.len(), INVITES_MAX);
    assert_eq!(state.apply(500, &Command::Admit { invite: [0; 32], spec: spec.clone() }), Outcome::Refused(Refusal::NotInvited));
    assert!(matches!(state.apply(501, &Command::Admit { invite: [1; 32], spec }), Outcome::Joined { .. }));
}

#[test]
fn a_certificate_is_believed_of_whom_it_is_and_of_who_is_too_new_to_be_known() {
    let mut state = State::default();
    let spec = |print| Spec { address: "a".into(), zone: String::new(), weight: 1, fingerprint: [print; 32] };
    assert!(state.trusts(NodeId(1), [9; 32]), "nothing is known yet but the authority");
    state.apply(2, &Command::Found { cluster: 1, node: NodeId(1), spec: spec(1), slots: 4, above: 0 });
    state.apply(5, &Command::Join { spec: spec(0) });
    assert!(state.trusts(NodeId(1), [1; 32]) && !state.trusts(NodeId(1), [2; 32]));
    assert!(state.trusts(NodeId(5), [3; 32]), "it has not begun");
    state.apply(6, &Command::Activate { node: NodeId(5), spec: spec(3), above: 0 });
    assert!(state.trusts(NodeId(5), [3; 32]) && !state.trusts(NodeId(5), [4; 32]));
    assert!(!state.trusts(NodeId(4), [4; 32]), "there is no such node, and nothing newer is known");
    assert!(state.trusts(NodeId(7), [4; 32]), "it may have joined since");
}
