//! The client's files and the documents.

use super::House;

#[tokio::test]
async fn the_client_is_served_with_hashed_files_kept_and_the_rest_asked_for_again() {
    let house = House::new().await;
    let index = house.ask("GET", "/", &[], None).await;
    assert_eq!((index.status, index.header("cache-control")), (200, Some("no-cache")));
    let tag = index.head.lines().find_map(|line| line.strip_prefix("etag: ")).unwrap().to_owned();
    assert_eq!(house.ask("GET", "/", &[("if-none-match", &tag)], None).await.status, 304);
    let script = house.ask("GET", "/assets/app-1a2b.js", &[], None).await;
    assert_eq!(script.header("content-type"), Some("text/javascript; charset=utf-8"));
    assert!(script.header("cache-control").unwrap().contains("immutable"));
}

#[tokio::test]
async fn a_place_in_the_client_gets_the_first_page_and_a_missing_file_does_not() {
    let house = House::new().await;
    assert!(house.ask("GET", "/room/42", &[], None).await.body.contains("<title>Hubbub</title>"));
    assert_eq!(house.ask("GET", "/assets/gone.js", &[], None).await.code(), "not_found");
    assert_eq!(house.ask("POST", "/room/42", &[], None).await.code(), "not_found");
}

#[tokio::test]
async fn no_path_leads_out_of_the_clients_directory() {
    let house = House::new().await;
    for path in
        ["/../Cargo.toml", "/..%2f..%2fetc%2fpasswd", "/%2e%2e/%2e%2e/etc/passwd", "/.env", "/assets/..%5c..%5cx", "//etc/passwd", "/%00"]
    {
        let answer = house.ask("GET", path, &[], None).await;
        assert_eq!(answer.code(), "not_found", "{path}: {answer:?}");
    }
}

#[tokio::test]
async fn the_node_serves_the_documents_of_its_api() {
    let house = House::new().await;
    assert_eq!(house.ask("GET", "/openapi.json", &[], None).await.json()["openapi"].as_str().map(|v| &v[..3]), Some("3.1"));
    assert_eq!(house.ask("GET", "/asyncapi.json", &[], None).await.json()["asyncapi"].as_str().map(|v| &v[..1]), Some("3"));
    let page = house.ask("GET", "/docs", &[], None).await;
    let links: Vec<&str> = page.body.split(['"', '\'']).filter(|link| link.ends_with(".js") || link.ends_with(".css")).collect();
    assert!(links.len() >= 2, "{page:?}");
    for link in links {
        let answer = house.ask("GET", link, &[], None).await;
        assert_eq!(answer.status, 200, "{link}");
    }
}

/// The document and the routes are written apart; this keeps them together.
#[tokio::test]
async fn every_route_of_the_document_is_there() {
    let house = House::new().await;
    let document = house.ask("GET", "/openapi.json", &[], None).await.json();
    let id = uuid::Uuid::now_v7().to_string();
    for (path, methods) in document["paths"].as_object().unwrap() {
        let asked =
            path.replace("{room}", &id).replace("{user}", &id).replace("{login}", &id).replace("{seq}", "1").replace("{emoji}", "x");
        for (method, _) in methods.as_object().unwrap().iter().filter(|(_, route)| route.get("responses").is_some()) {
            let answer = house.ask(&method.to_uppercase(), &asked, &[], None).await;
            assert!(!matches!(answer.status, 404 | 405), "{method} {path}: {answer:?}");
        }
    }
}
