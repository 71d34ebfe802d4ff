//! Names and accounts: who gets one, who finds out about them.

use hubbub::auth::{Config, Error, SignUpPolicy};
use schema::record::{Credential, User, Username};
use schema::{ErrorCode, UserId};
use store::{Expect, RecordsExt};
use uuid::{NoContext, Timestamp, Uuid};

use super::{Door, PASSWORD, code, now_ms, origin};

#[tokio::test]
async fn the_first_user_is_admin_and_the_second_is_not() {
    let door = Door::new().await;
    let (ada, bob) = (door.sign_up("ada").await.unwrap(), door.sign_up("bob").await.unwrap());
    assert!(door.auth.profile(ada.identity.user).await.unwrap().admin);
    assert!(!door.auth.profile(bob.identity.user).await.unwrap().admin);
}

#[tokio::test]
async fn a_name_is_taken_whatever_its_case() {
    let door = Door::new().await;
    door.sign_up("Ada").await.unwrap();
    assert_eq!(code(door.sign_up("aDA").await), Some(ErrorCode::NameTaken));
    assert_eq!(door.auth.user_named("ADA").await.unwrap().unwrap().name, "Ada");
    assert!(door.log_in("ada", PASSWORD).await.is_ok());
}

#[tokio::test]
async fn of_many_who_want_one_name_at_once_exactly_one_gets_it() {
    let door = Door::new().await;
    let tries = (0..8).map(|_| door.sign_up("ada"));
    let won = futures_util::future::join_all(tries).await.into_iter().filter(Result::is_ok).count();
    assert_eq!(won, 1);
    assert!(door.log_in("ada", PASSWORD).await.is_ok());
}

#[tokio::test]
async fn the_claim_of_a_crashed_sign_up_blocks_its_name_for_a_minute_only() {
    let door = Door::new().await;
    let made = |at_ms: u64| UserId(Uuid::new_v7(Timestamp::from_unix(NoContext, at_ms / 1000, 0)));
    for (name, age_ms) in [("fresh", 10_000), ("stale", 120_000)] {
        let claim = Username { name: name.into(), user: made(now_ms() - age_ms) };
        door.records.store(&claim, Expect::Absent).await.unwrap();
    }
    assert_eq!(code(door.sign_up("fresh").await), Some(ErrorCode::NameTaken));
    assert!(door.sign_up("stale").await.is_ok());
    assert!(door.log_in("stale", PASSWORD).await.is_ok());
    door.advance_ms(60_000);
    assert!(door.sign_up("fresh").await.is_ok());
}

#[tokio::test]
async fn names_and_passwords_that_break_a_rule_are_refused_in_a_sentence() {
    let door = Door::new().await;
    let long = "x".repeat(257);
    for (name, display, password) in [
        ("a", "", PASSWORD),
        ("!first", "", PASSWORD),
        ("../../x", "", PASSWORD),
        ("a\u{202e}b", "", PASSWORD),
        ("ada", "Ada\u{202e}adA", PASSWORD),
        ("ada", "Ada\0", PASSWORD),
        ("ada", "", "short"),
        ("ada", "", long.as_str()),
        ("adalovelace", "", "AdaLovelace"),
    ] {
        let request = schema::rest::SignUp {
            name: name.into(),
            display: display.into(),
            password: password.into(),
            device: super::device(),
            label: String::new(),
            invite: None,
        };
        let error = door.auth.sign_up(request, origin()).await.err();
        assert!(matches!(error, Some(Error::Rule(_))), "{name:?} {display:?}: {error:?}");
    }
}

#[tokio::test]
async fn closed_sign_up_says_so_and_an_administrator_still_can() {
    let door = Door::with(Config { signup: SignUpPolicy::Closed, ..Config::default() }).await;
    assert_eq!(code(door.sign_up("ada").await), Some(ErrorCode::Forbidden));
    let new = hubbub::auth::NewUser { name: "ada".into(), display: String::new(), password: PASSWORD.into(), admin: false };
    assert!(door.auth.add_user(new).await.unwrap().admin, "the first one is");
    assert!(door.log_in("ada", PASSWORD).await.is_ok());
}

#[tokio::test]
async fn an_unknown_name_and_a_wrong_password_get_the_same_answer() {
    let door = Door::new().await;
    door.sign_up("ada").await.unwrap();
    let (known, unknown) = (door.log_in("ada", "not the one").await.err(), door.log_in("bob", "not the one").await.err());
    assert_eq!(known, Some(Error::WrongPassword));
    assert_eq!(known, unknown);
    for odd in ["", "!first", "a\0b", &"n".repeat(100_000)] {
        assert_eq!(door.log_in(odd, PASSWORD).await.err(), Some(Error::WrongPassword));
    }
    assert_eq!(door.log_in("ada", &"p".repeat(100_000)).await.err(), Some(Error::WrongPassword));
}

#[tokio::test]
async fn an_unknown_name_costs_a_hash_as_a_known_one_does() {
    let door = Door::with(Config { passwords_parallel: 1, passwords_waiting_max: 0, ..Config::default() }).await;
    door.sign_up("ada").await.unwrap();
    for name in ["ada", "bob"] {
        let both = [door.log_in(name, "not the one"), door.log_in(name, "not the one")];
        let both = futures_util::future::join_all(both).await.into_iter().map(code).collect::<Vec<_>>();
        assert_eq!(both, [Some(ErrorCode::WrongPassword), Some(ErrorCode::Busy)], "{name}: one hash takes the only place");
    }
}

#[tokio::test]
async fn guessing_is_slowed_down_for_names_that_exist_and_names_that_do_not() {
    let door = Door::with(Config { account_burst: 2, ..Config::default() }).await;
    door.sign_up("ada").await.unwrap();
    for name in ["ada", "bob"] {
        for _ in 0..2 {
            assert_eq!(code(door.log_in(name, "not the one").await), Some(ErrorCode::WrongPassword));
        }
        let error = door.log_in(name, PASSWORD).await.err().unwrap();
        assert_eq!(error.code(), ErrorCode::RateLimited);
        assert!(error.retry_after_ms().unwrap() <= 20_000);
    }
    door.advance_ms(20_000);
    assert!(door.log_in("ada", PASSWORD).await.is_ok());
}

#[tokio::test]
async fn an_address_that_guesses_over_many_names_is_slowed_down() {
    let door = Door::with(Config { address_burst: 3, ..Config::default() }).await;
    for name in ["ann", "bea", "cleo"] {
        assert_eq!(code(door.log_in(name, PASSWORD).await), Some(ErrorCode::WrongPassword));
    }
    assert_eq!(code(door.log_in("dora", PASSWORD).await), Some(ErrorCode::RateLimited));
    let mut elsewhere = origin();
    elsewhere.address = "127.0.0.9".parse().unwrap();
    assert_eq!(code(door.auth.log_in("dora", PASSWORD, elsewhere).await), Some(ErrorCode::WrongPassword));
}

#[tokio::test]
async fn people_are_found_by_the_beginning_of_their_name_and_listed_in_order() {
    let door = Door::new().await;
    let mut names = ["Ada", "adam", "al", "ad-hoc", "bob", "ad.min"];
    for name in names {
        door.sign_up(name).await.unwrap();
    }
    let found = |prefix: &'static str, limit| {
        let auth = door.auth.clone();
        async move { auth.find(prefix, limit).await.unwrap().into_iter().map(|p| p.name).collect::<Vec<_>>() }
    };
    assert_eq!(found("AD", 10).await, ["ad-hoc", "ad.min", "Ada", "adam"]);
    assert_eq!(found("ad", 2).await, ["ad-hoc", "ad.min"]);
    assert_eq!(found("a", 10).await, ["ad-hoc", "ad.min", "Ada", "adam", "al"]);
    assert_eq!(found("adam", 10).await, ["adam"]);
    assert!(found("!f", 10).await.is_empty() && found("", 10).await.is_empty() && found("zz", 10).await.is_empty());

    names.sort_by_key(|name| name.to_lowercase());
    let mut listed: Vec<String> = Vec::new();
    while let [page @ .., last] = &door.auth.users(listed.last().map_or("", |n| n), 2).await.unwrap()[..] {
        listed.extend(page.iter().chain([last]).map(|user| user.name.clone()));
    }
    assert_eq!(listed, names);
}

#[tokio::test]
async fn a_display_name_changes_and_an_unclean_one_does_not() {
    let door = Door::new().await;
    let ada = door.sign_up("ada").await.unwrap().identity.user;
    assert_eq!(door.auth.change_display(ada, " Ada Lovelace ").await.unwrap().display, "Ada Lovelace");
    assert_eq!(code(door.auth.change_display(ada, "x\u{2067}y").await), Some(ErrorCode::BadRequest));
    assert_eq!(door.auth.profiles(&[ada, UserId::default(), ada]).await.unwrap().len(), 1);
    assert_eq!(door.auth.profile(ada).await.unwrap().display, "Ada Lovelace");
}

#[tokio::test]
async fn no_password_is_stored_or_printed() {
    let door = Door::new().await;
    let ada = door.sign_up("ada").await.unwrap();
    for key in [User::key_of(ada.identity.user), Credential::key_of(ada.identity.user), Username::key_of("ada")] {
        let row = door.records.get(key).await.unwrap().unwrap();
        assert!(!row.value.windows(PASSWORD.len()).any(|window| window == PASSWORD.as_bytes()));
    }
    let login = schema::record::Login::key_of(ada.identity.user, ada.identity.login);
    let row = door.records.get(login).await.unwrap().unwrap();
    let secret = ada.refresh.rsplit('.').next().unwrap();
    assert!(!row.value.windows(secret.len()).any(|window| window == secret.as_bytes()));
}
