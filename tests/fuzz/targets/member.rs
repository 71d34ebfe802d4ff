//! What somebody says who wants to join the group and is nobody yet, and the token that a person pastes.

use cluster::Spec;
use cluster::member::{Token, Wish};

use super::Target;
use crate::mutate::Form;

pub const WISH: Target = Target { name: "wish", form: Form::MessagePack, seeds, feed };

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
