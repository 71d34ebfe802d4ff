//! Signed-in devices: rotation, reuse, revocation.

use std::sync::Arc;

use hubbub::auth::Config;
use parking_lot::Mutex;
use schema::{DeviceId, ErrorCode, LoginId};

use store::sim::Fault;

use super::{Door, PASSWORD, code, now_ms, origin};

/// Collects the logins whose sockets would be closed.
fn watch(door: &Door) -> Arc<Mutex<Vec<LoginId>>> {
    let ended = Arc::new(Mutex::new(Vec::new()));
    let told = ended.clone();
    door.auth.on_revoked(move |_, login| told.lock().push(login));
    ended
}

#[tokio::test]
async fn a_refresh_token_works_once_and_gives_the_next() {
    let door = Door::new().await;
    let first = door.sign_up("ada").await.unwrap();
    let second = door.refresh(&first.refresh).await.unwrap();
    assert_eq!(second.identity, first.identity);
    assert_ne!(second.refresh, first.refresh);
    assert_eq!(door.auth.check(&second.access), Ok(first.identity));
    assert!(door.refresh(&second.refresh).await.is_ok());
}

#[tokio::test]
async fn an_old_refresh_token_signs_its_whole_family_out() {
    let door = Door::new().await;
    let ended = watch(&door);
    let (first, other) = (door.sign_up("ada").await.unwrap(), door.log_in("ada", PASSWORD).await.unwrap());
    let second = door.refresh(&first.refresh).await.unwrap();
    assert_eq!(door.refresh(&first.refresh).await.err(), Some(ErrorCode::LoginRevoked));
    assert_eq!(door.refresh(&second.refresh).await.err(), Some(ErrorCode::LoginRevoked));
    for access in [&first.access, &second.access] {
        assert_eq!(door.auth.check(access), Err(ErrorCode::LoginRevoked));
    }
    assert_eq!(*ended.lock(), [first.identity.login]);
    assert_eq!(door.auth.check(&other.access), Ok(other.identity), "another device stays");
}

#[tokio::test]
async fn one_refresh_token_used_at_the_same_instant_gives_at_most_one_successor() {
    let door = Door::new().await;
    let first = door.sign_up("ada").await.unwrap();
    let tries = (0..16).map(|_| door.refresh(&first.refresh));
    let results = futures_util::future::join_all(tries).await;
    let winners: Vec<_> = results.iter().filter_map(|result| result.as_ref().ok()).collect();
    assert!(winners.len() <= 1, "{} got in", winners.len());
    assert!(results.iter().filter_map(|r| r.as_ref().err()).all(|code| *code == ErrorCode::LoginRevoked));
    for winner in winners {
        assert_eq!(door.auth.check(&winner.access), Err(ErrorCode::LoginRevoked), "two held that token");
    }
}

#[tokio::test]
async fn a_refresh_whose_answer_was_lost_gives_the_same_successor_to_the_same_device() {
    let door = Door::new().await;
    let first = door.sign_up("ada").await.unwrap();
    let device = Some(first.identity.device);
    let lost = door.refresh_from(&first.refresh, device).await.unwrap();
    // Access tokens are read by the wall's clock, so not too far ahead of it.
    door.advance_ms(4_000);
    let again = door.refresh_from(&first.refresh, device).await.unwrap();
    assert_eq!((again.identity, &again.refresh), (first.identity, &lost.refresh), "no second family");
    assert_eq!(door.auth.check(&again.access), Ok(first.identity));
    door.advance_ms(25_000);
    assert_eq!(door.refresh_from(&first.refresh, device).await.unwrap().refresh, lost.refresh, "for nearly thirty seconds");
    let third = door.refresh_from(&again.refresh, device).await.unwrap();
    assert_eq!(door.refresh_from(&first.refresh, device).await.err(), Some(ErrorCode::LoginRevoked), "its successor was used");
    assert_eq!(door.refresh_from(&third.refresh, device).await.err(), Some(ErrorCode::LoginRevoked));
}

#[tokio::test]
async fn a_rotated_token_is_reused_for_another_device_and_after_the_grace() {
    let door = Door::new().await;
    for (device, after_ms) in [(None, 0), (Some(super::device()), 0), (Some(DeviceId::default()), 31_000)] {
        let first = match door.log_in("ada", PASSWORD).await {
            Ok(signed_in) => signed_in,
            Err(_) => door.sign_up("ada").await.unwrap(),
        };
        // The default stands for the right one.
        let device = device.map(|device| if device == DeviceId::default() { first.identity.device } else { device });
        let second = door.refresh_from(&first.refresh, Some(first.identity.device)).await.unwrap();
        door.advance_ms(after_ms);
        assert_eq!(door.refresh_from(&first.refresh, device).await.err(), Some(ErrorCode::LoginRevoked), "{device:?} {after_ms}");
        assert_eq!(door.auth.check(&second.access), Err(ErrorCode::LoginRevoked));
    }
    let strict = Door::with(Config { refresh_grace_ms: 0, ..Config::default() }).await;
    let first = strict.sign_up("ada").await.unwrap();
    let device = Some(first.identity.device);
    strict.refresh_from(&first.refresh, device).await.unwrap();
    strict.advance_ms(1);
    assert_eq!(strict.refresh_from(&first.refresh, device).await.err(), Some(ErrorCode::LoginRevoked));
}

#[tokio::test]
async fn one_refresh_token_used_at_the_same_instant_by_its_device_has_one_successor() {
    let door = Door::new().await;
    let first = door.sign_up("ada").await.unwrap();
    let device = Some(first.identity.device);
    let results = futures_util::future::join_all((0..16).map(|_| door.refresh_from(&first.refresh, device))).await;
    let successors: std::collections::HashSet<String> = results.into_iter().map(|result| result.unwrap().refresh).collect();
    assert_eq!(successors.len(), 1);
    for successor in successors {
        assert!(door.refresh_from(&successor, device).await.is_ok());
    }
}

#[tokio::test]
async fn a_made_up_or_altered_refresh_token_is_refused_and_harms_nobody() {
    let door = Door::new().await;
    let ada = door.sign_up("ada").await.unwrap();
    let altered = ada.refresh[..ada.refresh.len() - 1].to_owned() + "!";
    let ahead = ada.refresh.replace(".0.", ".1.");
    for token in ["", "hr_", "x", altered.as_str(), ahead.as_str(), ada.access.as_str(), &"hr_x".repeat(10_000)] {
        assert_eq!(door.refresh(token).await.err(), Some(ErrorCode::Unauthenticated), "{token}");
    }
    assert!(door.refresh(&ada.refresh).await.is_ok());
}

#[tokio::test]
async fn a_device_that_was_away_for_longer_than_its_login_lasts_signs_in_again() {
    let door = Door::new().await;
    let ada = door.sign_up("ada").await.unwrap();
    door.advance_ms(29 * 24 * 3600 * 1000);
    let ada = door.refresh(&ada.refresh).await.unwrap();
    door.advance_ms(31 * 24 * 3600 * 1000);
    assert_eq!(door.refresh(&ada.refresh).await.err(), Some(ErrorCode::Unauthenticated));
}

#[tokio::test]
async fn a_revoked_device_is_out_at_once_and_after_a_restart() {
    let door = Door::new().await;
    let ended = watch(&door);
    let (phone, laptop) = (door.sign_up("ada").await.unwrap(), door.log_in("ada", PASSWORD).await.unwrap());
    let ticket = door.auth.ticket(phone.identity).unwrap();
    door.auth.revoke(laptop.identity.user, phone.identity.login).await.unwrap();

    assert_eq!(door.auth.check(&phone.access), Err(ErrorCode::LoginRevoked));
    assert_eq!(door.auth.check_ticket(&ticket), Err(ErrorCode::LoginRevoked));
    assert_eq!(door.refresh(&phone.refresh).await.err(), Some(ErrorCode::LoginRevoked));
    assert_eq!(*ended.lock(), [phone.identity.login]);
    let restarted = door.restarted().await;
    assert_eq!(restarted.check(&phone.access), Err(ErrorCode::LoginRevoked));
    assert_eq!(restarted.check(&laptop.access), Ok(laptop.identity));

    door.advance_ms(3600 * 1000);
    door.auth.tidy().await.unwrap();
    let left = door.records.scan(store::Range::all(schema::record::Revocation::partition(), 10)).await.unwrap();
    assert!(left.is_empty(), "what no token can outlive is forgotten");
}

#[tokio::test]
async fn a_device_that_one_node_revoked_is_out_on_the_others_that_are_told() {
    let door = Door::new().await;
    let phone = door.sign_up("ada").await.unwrap();
    let other = door.restarted().await;
    door.auth.revoke(phone.identity.user, phone.identity.login).await.unwrap();
    other.revoked_elsewhere(phone.identity.login);
    assert_eq!(other.check(&phone.access), Err(ErrorCode::LoginRevoked));
}

#[tokio::test]
async fn a_node_that_was_told_nothing_finds_out_what_others_revoked_and_says_so_once() {
    let door = Door::new().await;
    let phone = door.sign_up("ada").await.unwrap();
    let other = door.restarted().await;
    let ended = Arc::new(Mutex::new(Vec::new()));
    let told = ended.clone();
    other.on_revoked(move |user, login| told.lock().push((user, login)));
    door.auth.revoke(phone.identity.user, phone.identity.login).await.unwrap();
    other.tidy().await.unwrap();
    other.tidy().await.unwrap();
    assert_eq!(other.check(&phone.access), Err(ErrorCode::LoginRevoked));
    assert_eq!(*ended.lock(), [(phone.identity.user, phone.identity.login)]);
}

#[tokio::test]
async fn nobody_revokes_the_device_of_another() {
    let door = Door::new().await;
    let (ada, bob) = (door.sign_up("ada").await.unwrap(), door.sign_up("bob").await.unwrap());
    let swapped = door.auth.revoke(bob.identity.user, ada.identity.login).await;
    assert_eq!(code(swapped), Some(ErrorCode::NotFound));
    assert_eq!(door.auth.check(&ada.access), Ok(ada.identity));
}

#[tokio::test]
async fn devices_are_listed_with_the_one_that_asks_and_without_those_signed_out() {
    let door = Door::new().await;
    let (phone, laptop) = (door.sign_up("ada").await.unwrap(), door.log_in("ada", PASSWORD).await.unwrap());
    let gone = door.log_in("ada", PASSWORD).await.unwrap();
    door.auth.log_out(gone.identity).await.unwrap();
    let devices = door.auth.devices(laptop.identity).await.unwrap().devices;
    assert_eq!(devices.len(), 2);
    for device in devices {
        assert_eq!(device.current, device.login == laptop.identity.login);
        assert!(device.login == laptop.identity.login || device.login == phone.identity.login);
        assert_eq!((device.label.as_str(), device.address.as_str()), ("a test", "127.0.0.1"));
        assert!(device.last_used.abs_diff(now_ms()) < 60_000);
    }
}

#[tokio::test]
async fn a_new_password_signs_out_every_other_device() {
    let door = Door::new().await;
    let (phone, laptop) = (door.sign_up("ada").await.unwrap(), door.log_in("ada", PASSWORD).await.unwrap());
    let wrong = door.auth.change_password(laptop.identity, "not the one", "another password").await;
    assert_eq!(code(wrong), Some(ErrorCode::WrongPassword));
    assert_eq!(door.auth.check(&phone.access), Ok(phone.identity));

    door.auth.change_password(laptop.identity, PASSWORD, "another password").await.unwrap();
    assert_eq!(door.auth.check(&phone.access), Err(ErrorCode::LoginRevoked));
    assert_eq!(door.auth.check(&laptop.access), Ok(laptop.identity));
    assert_eq!(code(door.log_in("ada", PASSWORD).await), Some(ErrorCode::WrongPassword));
    assert!(door.log_in("ada", "another password").await.is_ok());
}

#[tokio::test]
async fn an_administrator_sets_a_password_and_all_devices_are_out() {
    let door = Door::new().await;
    let ada = door.sign_up("ada").await.unwrap();
    door.auth.set_password("ADA", "another password").await.unwrap();
    assert_eq!(door.auth.check(&ada.access), Err(ErrorCode::LoginRevoked));
    assert!(door.log_in("ada", "another password").await.is_ok());
    assert_eq!(code(door.auth.set_password("nobody", "another password").await), Some(ErrorCode::NotFound));
}

#[tokio::test]
async fn over_the_bound_the_longest_unused_device_is_signed_out() {
    let door = Door::with(Config { logins_max: 2, ..Config::default() }).await;
    let mut logins = vec![door.sign_up("ada").await.unwrap()];
    for _ in 0..2 {
        door.advance_ms(10);
        logins.push(door.log_in("ada", PASSWORD).await.unwrap());
    }
    assert_eq!(door.auth.check(&logins[0].access), Err(ErrorCode::LoginRevoked));
    assert!(logins[1..].iter().all(|login| door.auth.check(&login.access).is_ok()));
}

#[tokio::test]
async fn logging_out_by_a_refresh_token_needs_the_valid_one() {
    let door = Door::new().await;
    let first = door.sign_up("ada").await.unwrap();
    let second = door.refresh(&first.refresh).await.unwrap();
    for other in ["", "hr_x", first.refresh.as_str()] {
        door.auth.log_out_by_refresh(other).await.unwrap();
    }
    assert_eq!(door.auth.check(&second.access), Ok(first.identity));
    door.auth.log_out_by_refresh(&second.refresh).await.unwrap();
    assert_eq!(door.auth.check(&second.access), Err(ErrorCode::LoginRevoked));
}

#[tokio::test]
async fn a_device_label_cannot_fake_a_line_or_an_order() {
    let door = Door::new().await;
    door.sign_up("ada").await.unwrap();
    let mut from = origin();
    from.label = "phone\u{202e}\r\nadmin".into();
    let ada = door.auth.log_in("ada", PASSWORD, from).await.unwrap();
    let devices = door.auth.devices(ada.identity).await.unwrap().devices;
    assert!(devices.iter().any(|device| device.label == "phoneadmin"));
}

#[tokio::test]
async fn a_rotation_whose_answer_was_lost_in_the_store_is_not_taken_for_reuse() {
    let door = Door::new().await;
    let first = door.sign_up("ada").await.unwrap();
    let mut faults = vec![Fault::AnswerLost, Fault::Never].into_iter();
    door.store.set_faults(move |_| faults.next().unwrap_or(Fault::None));
    let second = door.refresh(&first.refresh).await.unwrap();
    assert!(door.refresh(&second.refresh).await.is_ok());
}
