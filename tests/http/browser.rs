//! A browser: cookies, origins, headers; and pages of others that try to use them (attacks 3 and 4).

use serde_json::json;
use uuid::Uuid;

use super::{House, PASSWORD};

/// Signs up as a page of ours does; the cookie.
async fn page_login(house: &House, name: &str) -> (String, String) {
    let body = json!({ "name": name, "password": PASSWORD, "device": Uuid::now_v7() });
    let answer = house.ask("POST", "/v1/auth/signup", &[("origin", &house.origin())], Some(&body)).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    assert!(answer.json().get("refresh").is_none(), "a script must not see it");
    let cookie = answer.header("set-cookie").unwrap();
    assert!(cookie.contains("; httponly; samesite=strict") && cookie.contains("path=/") && !cookie.contains("secure"), "{cookie}");
    (answer.cookie.clone().unwrap(), answer.json()["access"].as_str().unwrap().to_owned())
}

#[tokio::test]
async fn a_browser_keeps_its_login_in_a_cookie_that_no_script_and_no_other_site_can_use() {
    let house = House::new().await;
    let (cookie, _) = page_login(&house, "ada").await;
    for origin in [None, Some("null"), Some("https://evil.example"), Some("http://127.0.0.1"), Some("https://pages.example")] {
        let mut headers = vec![("cookie", cookie.as_str())];
        headers.extend(origin.map(|origin| ("origin", origin)));
        for path in ["/v1/auth/refresh", "/v1/auth/logout"] {
            let answer = house.ask("POST", path, &headers, None).await;
            // The configured origin may use the API, and its browser does not send it this cookie.
            match origin {
                Some("https://pages.example") => assert!(answer.json().get("refresh").is_none()),
                _ => assert_eq!(answer.code(), "forbidden", "{origin:?}"),
            }
        }
    }
}

#[tokio::test]
async fn a_cookie_is_refreshed_as_a_cookie_whatever_the_client_says_it_is() {
    let house = House::new().await;
    let (cookie, _) = page_login(&house, "ada").await;
    let origin = house.origin();
    let headers = [("cookie", cookie.as_str()), ("origin", origin.as_str()), ("hubbub-client", "native")];
    let answer = house.ask("POST", "/v1/auth/refresh", &headers, Some(&json!({}))).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    assert!(answer.json().get("refresh").is_none());
    assert_ne!(answer.cookie, Some(cookie.clone()));

    let again = house.ask("POST", "/v1/auth/refresh", &headers, Some(&json!({}))).await;
    assert_eq!(again.code(), "login_revoked");
    assert!(again.header("set-cookie").unwrap().contains("max-age=0"));
}

#[tokio::test]
async fn behind_tls_the_cookie_is_bound_to_the_host() {
    let house = House::with(|_, http| http.trusted_proxies = vec!["127.0.0.1".parse().unwrap()]).await;
    let body = json!({ "name": "ada", "password": PASSWORD, "device": Uuid::now_v7() });
    let headers = [("x-forwarded-proto", "https"), ("x-forwarded-for", "203.0.113.9")];
    let answer = house.ask("POST", "/v1/auth/signup", &headers, Some(&body)).await;
    let cookie = answer.header("set-cookie").unwrap();
    assert!(cookie.starts_with("__host-hubbub_refresh=hr_") && cookie.ends_with("; secure"), "{cookie}");
    assert!(answer.header("strict-transport-security").is_some());

    let access = answer.json()["access"].as_str().unwrap().to_owned();
    let devices = house.ask("GET", "/v1/devices", &[("authorization", &format!("Bearer {access}"))], None).await;
    assert_eq!(devices.json()["devices"][0]["address"], "203.0.113.9");
}

#[tokio::test]
async fn a_page_of_another_node_may_use_the_api_and_pages_may_talk_to_the_nodes_that_are_named_and_to_nobody_else() {
    let nodes = ["https://a.example", "http://127.0.0.1:8081"].map(String::from);
    let house = House::with(|_, http| http.nodes = nodes.to_vec()).await;
    let answer = house.ask("GET", "/", &[], None).await;
    let policy = answer.header("content-security-policy").unwrap();
    let talks = policy.split(';').find_map(|part| part.trim().strip_prefix("connect-src ")).unwrap();
    assert_eq!(talks, "'self' https://a.example wss://a.example http://127.0.0.1:8081 ws://127.0.0.1:8081");
    for (origin, status) in [("https://a.example", 204), ("http://127.0.0.1:8081", 204), ("https://evil.example", 403)] {
        let answer = house.ask("OPTIONS", "/v1/me", &[("origin", origin), ("access-control-request-method", "GET")], None).await;
        assert_eq!(answer.status, status, "{origin}");
    }
    let alone = House::with(|_, _| ()).await.ask("GET", "/", &[], None).await;
    assert!(alone.header("content-security-policy").unwrap().contains("connect-src 'self';"));
}

#[tokio::test]
async fn a_page_of_another_origin_cannot_use_the_api() {
    let house = House::new().await;
    let ada = house.sign_up("ada").await;
    let token = format!("Bearer {}", ada.access);
    let own = house.origin();
    for origin in [
        "null",
        "https://evil.example",
        "http://127.0.0.1",
        "https://xpages.example",
        "https://pages.example.evil.com",
        &format!("{own}.evil.com"),
    ] {
        let answer = house.ask("GET", "/v1/me", &[("authorization", &token), ("origin", origin)], None).await;
        assert_eq!(answer.code(), "forbidden", "{origin}");
        assert!(answer.header("access-control-allow-origin").is_none());
    }
    for origin in [own.as_str(), "https://pages.example"] {
        let answer = house.ask("GET", "/v1/me", &[("authorization", &token), ("origin", origin)], None).await;
        assert_eq!(answer.status, 200, "{origin}");
    }
    let preflight =
        house.ask("OPTIONS", "/v1/me", &[("origin", "https://pages.example"), ("access-control-request-method", "PATCH")], None).await;
    assert_eq!((preflight.status, preflight.header("access-control-allow-origin")), (204, Some("https://pages.example")));
    assert!(preflight.header("access-control-allow-credentials").is_none());
}

#[tokio::test]
async fn every_answer_carries_the_headers_that_keep_a_browser_safe() {
    let house = House::new().await;
    for path in ["/", "/v1/me", "/docs", "/assets/app-1a2b.js", "/missing.png"] {
        let answer = house.ask("GET", path, &[], None).await;
        let policy = answer.header("content-security-policy").unwrap();
        assert!(
            policy.contains("default-src 'self'") && policy.contains("frame-ancestors 'none'") && !policy.contains("script-src"),
            "{policy}"
        );
        assert_eq!(answer.header("x-content-type-options"), Some("nosniff"));
        assert!(answer.header("x-request-id").is_some(), "{path}");
    }
    assert_eq!(house.ask("GET", "/v1/me", &[], None).await.header("cache-control"), Some("no-store"));
}

#[tokio::test]
async fn a_token_counts_in_its_header_and_nowhere_else() {
    let house = House::new().await;
    let ada = house.sign_up("ada").await;
    assert_eq!(house.ask("GET", &format!("/v1/me?access_token={}", ada.access), &[], None).await.code(), "unauthenticated");
    for (header, value) in [
        ("authorization", ada.access.clone()),
        ("authorization", format!("Basic {}", ada.access)),
        ("authorization", format!("Bearer {}", ada.refresh)),
        ("cookie", format!("hubbub_refresh={}", ada.refresh)),
    ] {
        let answer = house.ask("GET", "/v1/me", &[(header, &value)], None).await;
        assert_eq!(answer.code(), "unauthenticated", "{header}: {value}");
        assert_eq!(answer.header("www-authenticate"), Some("bearer"));
    }
}
