//! What somebody says at a node's door whom nobody knows: who wants to join the group, or asks where they stand in it. And
//! the token that a person pastes.

use cluster::member::{Question, Token, Wish};
use cluster::{NodeId, Spec};

use super::Target;
use crate::mutate::Form;

pub const WISH: Target = Target { name: "wish", form: Form::MessagePack, seeds, feed };
pub const QUESTION: Target = Target { name: "question", form: Form::MessagePack, seeds: questions, feed: question };

fn seeds() -> Vec<Vec<u8>> {
    let spec = Spec { address: "10.0.0.2:7000".into(), zone: "b".into(), weight: 100, fingerprint: [0; 32] };
    let request = "-----BEGIN CERTIFICATE REQUEST-----\nMIHp\n-----END CERTIFICATE REQUEST-----\n".into();
    vec![Wish { secret: [200; 32], spec, request }.to_bytes()]
}

fn feed(bytes: &[u8]) {
    if let Ok(wish) = Wish::from_bytes(bytes) {
        assert!(Wish::from_bytes(&wish.to_bytes()).is_ok_and(|again| again == wish), "it reads back as something else");
    }
    if let Ok(token) = String::from_utf8_lossy(bytes).parse::<Token>() {
        assert_eq!(token.to_string().parse(), Ok(token));
    }
}

fn questions() -> Vec<Vec<u8>> {
    [(u128::MAX, 1), (0, u64::MAX), (0x0193 << 112, 300)].map(|(cluster, node)| Question { cluster, node: NodeId(node) }.to_bytes()).into()
}

/// The door takes it for the one or for the other, never for both.
fn question(bytes: &[u8]) {
    if let Ok(question) = Question::from_bytes(bytes) {
        assert!(Question::from_bytes(&question.to_bytes()).is_ok_and(|again| again == question), "it reads back as something else");
        assert!(Wish::from_bytes(bytes).is_err(), "it is a wish as well");
    }
}
