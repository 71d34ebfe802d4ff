//! What says who somebody is: access tokens, tickets, refresh tokens. Nothing but what was given out opens anything.

use std::cell::OnceCell;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use hubbub::auth::{Auth, Config, Origin, SignedIn};
use schema::DeviceId;
use schema::rest::SignUp;
use store::{Records, SimStore};
use tokio::runtime::Runtime;

use super::{Target, is_a_sentence};
use crate::mutate::Form;

pub const TOKEN: Target = Target { name: "token", form: Form::Text(WORDS), seeds, feed };

const WORDS: &[&str] = &["hr_", "ht_", ".", "0", "7", "eyJ", "bm9uZQ", "eyJhbGciOiJub25lIn0", "=", "00000000000000000000000000000000"];

struct Door {
    runtime: Runtime,
    auth: Auth,
    given: SignedIn,
}

impl Door {
    fn build() -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        let (auth, given) = runtime.block_on(async {
            let records: Arc<dyn Records> = Arc::new(SimStore::default());
            let config = Config { address_burst: u32::MAX, ..Config::default() };
            let auth = Auth::open(records, config).await.expect("a sign-in");
            let (device, label) = (DeviceId::default(), String::new());
            let request = SignUp {
                name: "somebody".into(),
                display: String::new(),
                password: "correct horse".into(),
                device,
                label: label.clone(),
                invite: None,
            };
            let origin = Origin { address: IpAddr::V4(Ipv4Addr::LOCALHOST), device, label };
            let given = auth.sign_up(request, origin).await.expect("somebody signs up");
            (auth, given)
        });
        Self { runtime, auth, given }
    }
}

thread_local! {
    static DOOR: OnceCell<Door> = const { OnceCell::new() };
}

/// Of a door that is another one by the time they are fed, so that they look right and are not.
fn seeds() -> Vec<Vec<u8>> {
    let door = Door::build();
    let ticket = door.auth.ticket(door.given.identity).expect("a ticket");
    let none = format!("eyJhbGciOiJub25lIiwidHlwIjoiYXQrand0In0.{}.", door.given.access.split('.').nth(1).unwrap_or_default());
    [door.given.access.clone(), door.given.refresh.clone(), ticket, none].map(String::into_bytes).to_vec()
}

fn feed(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else { return };
    DOOR.with(|door| {
        let door = door.get_or_init(Door::build);
        assert!(door.auth.check(text).is_err(), "a token that nobody gave out");
        assert!(door.auth.check_ticket(text).is_err(), "a ticket that nobody gave out");
        let refreshed = door.runtime.block_on(door.auth.refresh(text, IpAddr::V4(Ipv4Addr::LOCALHOST), Some(DeviceId::default())));
        match refreshed {
            Ok(_) => panic!("a refresh token that nobody gave out"),
            Err(error) => is_a_sentence(&error.to_string()),
        }
        // The same, one letter off what was given out: what is known to be looked at.
        let mut near = door.given.access.clone().into_bytes();
        let (at, flip) = (input.len() * 31 % near.len(), 1 + input.first().copied().unwrap_or(0) % 3);
        near[at] ^= flip;
        let near = String::from_utf8_lossy(&near);
        assert!(door.auth.check(&near).is_err() || same_bytes(&near, &door.given.access), "a token with another letter at {at}");
    });
}

/// The last letter of base64 has bits that mean nothing.
fn same_bytes(one: &str, two: &str) -> bool {
    one.len() == two.len() && one[..one.len() - 1] == two[..two.len() - 1]
}
