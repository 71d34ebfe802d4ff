//! Signing up by invitation, and accounts that are closed.

use hubbub::auth::{Config, Error, SignUpPolicy, SignedIn};
use schema::rest::{MakeInvite, SignUp};
use schema::{ErrorCode, InviteId};

use super::{Door, PASSWORD, code, device, origin};

async fn by_invitation() -> Door {
    Door::with(Config { signup: SignUpPolicy::Invite, passwords_waiting_max: 1000, signup_burst: 1000, ..Config::default() }).await
}

async fn sign_up(door: &Door, name: &str, invite: Option<&str>) -> Result<SignedIn, Error> {
    let (name, password, invite) = (name.to_owned(), PASSWORD.to_owned(), invite.map(str::to_owned));
    door.auth.sign_up(SignUp { name, display: String::new(), password, device: device(), label: String::new(), invite }, origin()).await
}

fn asked(uses: u32, days: u32) -> MakeInvite {
    MakeInvite { uses, days, note: "the team".into() }
}

#[tokio::test]
async fn an_invitation_lets_as_many_in_as_it_says_even_at_once() {
    let door = by_invitation().await;
    let made = door.auth.make_invite(None, asked(2, 7)).await.unwrap();
    let names = ["ann", "bob", "cyd", "dan", "eve"];
    let tries = names.map(|name| sign_up(&door, name, Some(&made.code)));
    let results = futures_util::future::join_all(tries).await;
    assert_eq!(results.iter().filter(|result| result.is_ok()).count(), 2);
    assert!(results.into_iter().filter_map(code).all(|code| code == ErrorCode::Forbidden));
    assert!(door.auth.invites().await.unwrap().invites.is_empty(), "it is used up");
}

#[tokio::test]
async fn no_code_a_wrong_one_and_one_that_is_over_are_refused_alike_and_before_the_name_is_looked_at() {
    let door = by_invitation().await;
    let good = door.auth.make_invite(None, asked(5, 30)).await.unwrap();
    sign_up(&door, "ann", Some(&good.code)).await.unwrap();
    let used = door.auth.make_invite(None, asked(1, 30)).await.unwrap();
    sign_up(&door, "bob", Some(&used.code)).await.unwrap();
    let gone = door.auth.make_invite(None, asked(1, 30)).await.unwrap();
    door.auth.take_back_invite(gone.invite.id).await.unwrap();
    let over = door.auth.make_invite(None, asked(1, 1)).await.unwrap();
    door.advance_ms(25 * 3600 * 1000);
    let cut = &good.code[..good.code.len() - 1];
    for invite in [None, Some(""), Some("hi_"), Some(cut), Some(&used.code), Some(&gone.code), Some(&over.code)] {
        for name in ["ann", "zoe"] {
            let refused = sign_up(&door, name, invite).await.err().unwrap();
            assert_eq!(refused, Error::Forbidden("sign-up needs an invitation, and this is none that is good: ask for another"));
        }
    }
    assert_eq!(code(sign_up(&door, "ann", Some(&good.code)).await), Some(ErrorCode::NameTaken));
    assert_eq!(door.auth.invites().await.unwrap().invites[0].uses, 1, "a sign-up that did not come about costs no use");
    assert_eq!(code(door.auth.take_back_invite(InviteId::default()).await), Some(ErrorCode::NotFound));
}

#[tokio::test]
async fn a_code_is_kept_nowhere_and_invitations_are_bounded() {
    let door = by_invitation().await;
    let made = door.auth.make_invite(None, asked(1, 7)).await.unwrap();
    let rows = door.records.scan(store::Range::all(schema::record::Invite::partition(), 10)).await.unwrap();
    assert!(rows.iter().all(|row| !row.value.windows(20).any(|bytes| made.code.as_bytes().windows(20).any(|code| code == bytes))));
    for (uses, days) in [(0, 7), (1001, 7), (1, 0), (1, 366)] {
        assert_eq!(code(door.auth.make_invite(None, asked(uses, days)).await), Some(ErrorCode::BadRequest));
    }
    for _ in 1..1000 {
        door.auth.make_invite(None, asked(1, 7)).await.unwrap();
    }
    assert_eq!(code(door.auth.make_invite(None, asked(1, 7)).await), Some(ErrorCode::BadRequest));
    door.advance_ms(8 * 24 * 3600 * 1000);
    assert!(door.auth.make_invite(None, asked(1, 7)).await.is_ok(), "those that are over make room");
}

#[tokio::test]
async fn nobody_signs_in_to_a_disabled_account_until_it_is_enabled() {
    let door = Door::new().await;
    let (ada, bob) = (door.sign_up("ada").await.unwrap(), door.sign_up("bob").await.unwrap());
    door.auth.set_disabled("Ada", true).await.unwrap();
    assert_eq!(door.auth.check(&ada.access), Err(ErrorCode::LoginRevoked));
    assert_eq!(door.refresh(&ada.refresh).await.err(), Some(ErrorCode::LoginRevoked));
    assert_eq!(code(door.log_in("ada", PASSWORD).await), Some(ErrorCode::Forbidden));
    assert_eq!(code(door.log_in("ada", "not the one").await), Some(ErrorCode::WrongPassword), "a stranger does not learn of it");
    assert_eq!(code(door.auth.start_login(ada.identity.user, origin()).await), Some(ErrorCode::Forbidden));
    door.auth.set_password("ada", PASSWORD).await.unwrap();
    assert_eq!(code(door.log_in("ada", PASSWORD).await), Some(ErrorCode::Forbidden), "a new password opens nothing");
    assert_eq!(door.auth.check(&bob.access), Ok(bob.identity));
    door.auth.set_disabled("ada", false).await.unwrap();
    assert!(door.log_in("ada", PASSWORD).await.is_ok());
    assert_eq!(code(door.auth.set_disabled("nobody", true).await), Some(ErrorCode::NotFound));
}
