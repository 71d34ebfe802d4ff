//! Signing in by the API, oneself, devices, and what strangers find out (attack 16).

use serde_json::json;
use uuid::Uuid;

use super::{House, PASSWORD};

#[tokio::test]
async fn a_person_signs_up_signs_in_elsewhere_and_signs_that_device_out() {
    let house = House::new().await;
    let ada = house.sign_up("ada").await;
    let body = json!({ "name": "ADA", "password": PASSWORD, "device": Uuid::now_v7(), "label": "phone" });
    let phone = house.ask("POST", "/v1/auth/login", &[("hubbub-client", "native")], Some(&body)).await.json();
    let devices = house.by(&ada, "GET", "/v1/devices", None).await.json();
    assert_eq!(devices["devices"].as_array().unwrap().len(), 2);

    let login = phone["login"].as_str().unwrap();
    assert_eq!(house.by(&ada, "DELETE", &format!("/v1/devices/{login}"), None).await.status, 204);
    let token = format!("Bearer {}", phone["access"].as_str().unwrap());
    assert_eq!(house.ask("GET", "/v1/me", &[("authorization", &token)], None).await.code(), "login_revoked");
    assert_eq!(house.by(&ada, "GET", "/v1/me", None).await.json()["name"], "ada");
}

#[tokio::test]
async fn a_native_client_refreshes_by_the_body_and_reuse_signs_it_out() {
    let house = House::new().await;
    let ada = house.sign_up("ada").await;
    let body = json!({ "refresh": ada.refresh });
    let next = house.ask("POST", "/v1/auth/refresh", &[], Some(&body)).await;
    assert_eq!(next.status, 200);
    assert!(next.json()["refresh"].is_string() && next.header("set-cookie").is_none());
    assert_eq!(house.ask("POST", "/v1/auth/refresh", &[], Some(&body)).await.code(), "login_revoked");
    assert_eq!(house.by(&ada, "GET", "/v1/me", None).await.code(), "login_revoked");
}

#[tokio::test]
async fn logging_out_ends_the_login_with_either_token() {
    let house = House::new().await;
    let (ada, bob) = (house.sign_up("ada").await, house.sign_up("bob").await);
    assert_eq!(house.by(&ada, "POST", "/v1/auth/logout", Some(&json!({}))).await.status, 204);
    let by_refresh = json!({ "refresh": bob.refresh });
    assert_eq!(house.ask("POST", "/v1/auth/logout", &[], Some(&by_refresh)).await.status, 204);
    for person in [&ada, &bob] {
        assert_eq!(house.by(person, "GET", "/v1/me", None).await.code(), "login_revoked");
    }
    assert_eq!(house.ask("POST", "/v1/auth/logout", &[], None).await.code(), "unauthenticated");
}

#[tokio::test]
async fn an_unknown_name_and_a_wrong_password_are_answered_alike() {
    let house = House::new().await;
    house.sign_up("ada").await;
    let mut answers = Vec::new();
    for name in ["ada", "nobody"] {
        let body = json!({ "name": name, "password": "not the one", "device": Uuid::now_v7() });
        let answer = house.ask("POST", "/v1/auth/login", &[], Some(&body)).await;
        let mut problem = answer.json();
        problem["request"] = json!(null);
        let mut headers: Vec<_> =
            answer.head.lines().filter(|line| !line.starts_with("x-request-id") && !line.starts_with("date")).map(str::to_owned).collect();
        headers.sort();
        answers.push((answer.status, problem, headers));
    }
    assert_eq!(answers[0], answers[1]);
}

#[tokio::test]
async fn guessing_is_told_when_to_come_again() {
    let house = House::with(|auth, _| auth.account_burst = 1).await;
    let body = json!({ "name": "ada", "password": "not the one", "device": Uuid::now_v7() });
    assert_eq!(house.ask("POST", "/v1/auth/login", &[], Some(&body)).await.code(), "wrong_password");
    let answer = house.ask("POST", "/v1/auth/login", &[], Some(&body)).await;
    assert_eq!((answer.status, answer.code().as_str()), (429, "rate_limited"));
    let seconds: u32 = answer.header("retry-after").unwrap().parse().unwrap();
    assert!((1..=20).contains(&seconds));
    assert!(answer.header("ratelimit").unwrap().contains("r=0"));
}

#[tokio::test]
async fn people_are_shown_without_anything_secret() {
    let house = House::new().await;
    let (ada, bob) = (house.sign_up("ada").await, house.sign_up("bob").await);
    let found = house.by(&ada, "GET", "/v1/users?q=bo", None).await;
    assert_eq!(found.json()["users"][0]["id"], bob.id.to_string());
    for word in ["password", "hash", "token", "address", "argon"] {
        assert!(!found.body.contains(word), "{}", found.body);
    }
    let by_id = house.by(&ada, "GET", &format!("/v1/users?ids={},{}", bob.id, Uuid::nil()), None).await;
    assert_eq!(by_id.json()["users"].as_array().unwrap().len(), 1);
    for query in ["", "?q=a&ids=b", "?ids=x", "?who=a", "?q=a&q=b"] {
        assert_eq!(house.by(&ada, "GET", &format!("/v1/users{query}"), None).await.code(), "bad_request", "{query}");
    }
    assert_eq!(house.ask("GET", "/v1/users?q=bo", &[], None).await.code(), "unauthenticated");
}

#[tokio::test]
async fn a_ticket_is_given_to_who_is_signed_in() {
    let house = House::new().await;
    let ada = house.sign_up("ada").await;
    let ticket = house.by(&ada, "POST", "/v1/auth/ticket", None).await.json();
    assert_eq!(house.auth.check_ticket(ticket["ticket"].as_str().unwrap()).unwrap().user, ada.id);
    assert_eq!(ticket["expires_in_s"], 30);
}

#[tokio::test]
async fn a_new_password_needs_the_old_one() {
    let house = House::new().await;
    let ada = house.sign_up("ada").await;
    let change = |old: &str| json!({ "old": old, "new": "another password" });
    assert_eq!(house.by(&ada, "PUT", "/v1/auth/password", Some(&change("not the one"))).await.code(), "wrong_password");
    assert_eq!(house.by(&ada, "PUT", "/v1/auth/password", Some(&change(PASSWORD))).await.status, 204);
    assert_eq!(house.by(&ada, "GET", "/v1/me", None).await.status, 200);
}

#[tokio::test]
async fn a_refresh_that_was_answered_into_the_void_is_repeated_by_its_device() {
    let house = House::new().await;
    let (ada, device) = (house.sign_up("ada").await, Uuid::now_v7());
    let body = json!({ "name": "ada", "password": PASSWORD, "device": device });
    let first = house.ask("POST", "/v1/auth/login", &[("hubbub-client", "native")], Some(&body)).await.json();
    let refresh = |token: &serde_json::Value| json!({ "refresh": token, "device": device });
    let lost = house.ask("POST", "/v1/auth/refresh", &[], Some(&refresh(&first["refresh"]))).await.json();
    let again = house.ask("POST", "/v1/auth/refresh", &[], Some(&refresh(&first["refresh"]))).await.json();
    assert!(lost["refresh"].is_string() && lost["refresh"] == again["refresh"], "{lost} {again}");
    let next = house.ask("POST", "/v1/auth/refresh", &[], Some(&refresh(&again["refresh"]))).await;
    assert_eq!(next.status, 200);
    for token in [&first["refresh"], &next.json()["refresh"]] {
        let reused = house.ask("POST", "/v1/auth/refresh", &[], Some(&refresh(token))).await;
        assert_eq!(reused.code(), "login_revoked", "its successor was used");
    }
    assert_eq!(house.by(&ada, "GET", "/v1/me", None).await.status, 200, "another device stays");
}

#[tokio::test]
async fn administrators_invite_and_nobody_else() {
    let house = House::with(|auth, _| auth.signup = hubbub::auth::SignUpPolicy::Invite).await;
    let add = |name: &str| hubbub::auth::NewUser { name: name.into(), display: String::new(), password: PASSWORD.into(), admin: false };
    for name in ["ada", "bob"] {
        house.auth.add_user(add(name)).await.unwrap();
    }
    let mut people = Vec::new();
    for name in ["ada", "bob"] {
        let body = json!({ "name": name, "password": PASSWORD, "device": Uuid::now_v7() });
        let tokens = house.ask("POST", "/v1/auth/login", &[("hubbub-client", "native")], Some(&body)).await;
        let tokens: schema::rest::Tokens = serde_json::from_str(&tokens.body).unwrap();
        people.push(super::Person { id: tokens.user, access: tokens.access, refresh: tokens.refresh.unwrap() });
    }
    let (ada, bob) = (&people[0], &people[1]);
    for (method, path) in [("GET", "/v1/invites"), ("POST", "/v1/invites"), ("DELETE", "/v1/invites/0192f0c1-0000-7000-8000-000000000000")]
    {
        assert_eq!(house.by(bob, method, path, None).await.code(), "forbidden", "{method}");
    }
    let made = house.by(ada, "POST", "/v1/invites", Some(&json!({ "uses": 1, "note": "Cyd" }))).await.json();
    let listed = house.by(ada, "GET", "/v1/invites", None).await;
    assert!(listed.json()["invites"][0] == made["invite"] && !listed.body.contains(made["code"].as_str().unwrap()));
    let sign_up = |invite: &str| json!({ "name": "cyd", "password": PASSWORD, "device": Uuid::now_v7(), "invite": invite });
    assert_eq!(house.ask("POST", "/v1/auth/signup", &[], Some(&sign_up("hi_guessed"))).await.code(), "forbidden");
    assert_eq!(house.ask("POST", "/v1/auth/signup", &[], Some(&sign_up(made["code"].as_str().unwrap()))).await.status, 200);
    let other = house.by(ada, "POST", "/v1/invites", None).await.json();
    let path = format!("/v1/invites/{}", other["invite"]["id"].as_str().unwrap());
    assert_eq!(house.by(ada, "DELETE", &path, None).await.status, 204);
    assert_eq!(house.by(ada, "DELETE", &path, None).await.code(), "not_found");
}
