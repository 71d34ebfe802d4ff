//! Signing in at a socket, and being signed out of it.

use hubbub::auth::{self, SignedIn};
use loadtest::client::{Api, Socket};
use schema::CloseCode;

use super::{House, PASSWORD, by_ticket, by_token, close_code, is_greeted, origin};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_socket_opens_with_an_access_token_or_a_fresh_ticket_and_with_nothing_else() {
    let house = House::new().await;
    let ada = house.sign_up("ada").await;
    house.connect(&ada).await;
    let ticket = house.node.auth.ticket(ada.identity).unwrap();
    assert!(is_greeted(&mut house.hello(by_ticket(&ticket)).await).await);

    let unspent = house.node.auth.ticket(ada.identity).unwrap();
    for hello in [by_ticket(&ticket), by_token(&unspent), by_ticket(&ada.access), by_token(&ada.refresh), by_token(""), by_token("a.b.c")] {
        assert_eq!(close_code(house.hello(hello).await).await, CloseCode::Unauthenticated.number());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_ends_a_login_closes_its_sockets() {
    let house = House::new().await;
    house.sign_up("ada").await;
    let auth = &house.node.auth;
    for way in
        ["revoked", "logged out", "refresh token used twice", "logged out everywhere", "password set by an administrator", "disabled"]
    {
        let phone = house.log_in("ada").await;
        let socket = house.connect(&phone).await;
        let user = phone.identity.user;
        match way {
            "revoked" => auth.revoke(user, phone.identity.login).await.unwrap(),
            "logged out" => auth.log_out(phone.identity).await.unwrap(),
            "logged out everywhere" => auth.log_out_all(user, None).await.unwrap(),
            "password set by an administrator" => auth.set_password("ada", PASSWORD).await.unwrap(),
            "disabled" => auth.set_disabled("ada", true).await.unwrap(),
            _ => {
                auth.refresh(&phone.refresh, origin().address, None).await.unwrap();
                assert_eq!(auth.refresh(&phone.refresh, origin().address, None).await.err(), Some(auth::Error::LoginRevoked));
            }
        }
        assert_eq!(close_code(socket).await, CloseCode::Revoked.number(), "{way}");
        assert_ne!(close_code(house.hello(by_token(&phone.access)).await).await, CloseCode::Normal.number(), "{way}: and stays out");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_new_password_closes_the_sockets_of_the_other_devices_only() {
    let house = House::new().await;
    let (phone, laptop) = (house.sign_up("ada").await, house.log_in("ada").await);
    let bob = house.sign_up("bob").await;
    let (on_phone, mut on_laptop, mut bobs) = (house.connect(&phone).await, house.connect(&laptop).await, house.connect(&bob).await);
    house.node.auth.change_password(laptop.identity, PASSWORD, "another password").await.unwrap();
    assert_eq!(close_code(on_phone).await, CloseCode::Revoked.number());
    assert!(answers(&mut on_laptop).await && answers(&mut bobs).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_device_signed_out_over_rest_loses_its_socket() {
    let house = House::new().await;
    let (phone, laptop) = (house.sign_up("ada").await, house.log_in("ada").await);
    let socket = house.connect(&phone).await;
    sign_out(&house, &laptop, &phone).await;
    assert_eq!(close_code(socket).await, CloseCode::Revoked.number());
}

async fn sign_out(house: &House, by: &SignedIn, whom: &SignedIn) {
    let path = format!("/v1/devices/{}", whom.identity.login);
    let api = Api::signed_in(house.target(), &by.access);
    // 204 has no body to read as anything.
    let _ = api.call::<serde_json::Value>(hyper::Method::DELETE, &path, None).await;
}

async fn answers(socket: &mut Socket) -> bool {
    socket.push(&schema::ClientEvent::Ping(schema::client::Ping { id: 7 }));
    loop {
        match socket.turn().await.unwrap() {
            Some(loadtest::client::Heard::Event(event)) if matches!(*event, schema::ServerEvent::Pong(_)) => return true,
            Some(loadtest::client::Heard::Closed(_)) => return false,
            _ => {}
        }
    }
}
