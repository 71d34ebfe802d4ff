//! `/openapi.json`, `/asyncapi.json`, and `/docs`: both documents as one page a person can read, made here once, without a
//! script and without anybody else's server.

use std::fmt::Write;

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderValue, header};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::get;
use serde_json::Value;

use super::Http;

const OPENAPI: &str = include_str!("../../docs/api/openapi.json");
const ASYNCAPI: &str = include_str!("../../docs/api/asyncapi.json");
const STYLE: &str = "body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:0 auto;padding:1rem;color-scheme:light dark}\
    code,h3{font-family:ui-monospace,monospace}h3{font-size:1rem;margin:2rem 0 .25rem}table{border-collapse:collapse;width:100%}\
    td{border-top:1px solid #8884;padding:.25rem .5rem;vertical-align:top}p{margin:.25rem 0;white-space:pre-line}\
    nav a{margin-right:1rem}.verb{text-transform:uppercase;font-weight:700}";

pub struct Docs {
    page: String,
}

pub fn routes() -> Router<Http> {
    Router::new()
        .route("/openapi.json", get(|| json(OPENAPI)))
        .route("/asyncapi.json", get(|| json(ASYNCAPI)))
        .route("/docs", get(|State(http): State<Http>| async move { Html(http.0.docs.page.clone()) }))
}

async fn json(text: &'static str) -> Response {
    ([(header::CONTENT_TYPE, HeaderValue::from_static("application/json"))], text).into_response()
}

impl Docs {
    pub fn new() -> Self {
        let (rest, socket) = (parse(OPENAPI), parse(ASYNCAPI));
        let mut page = Page(String::new());
        page.raw("<!doctype html><html lang=en><meta charset=utf-8><meta name=viewport content=\"width=device-width\">");
        page.raw(&format!("<title>Hubbub API</title><style>{STYLE}</style><h1>Hubbub API</h1><nav>"));
        page.raw("<a href=\"#rest\">REST</a><a href=\"#socket\">WebSocket</a><a href=\"#types\">Types</a>");
        page.raw("<a href=\"/openapi.json\">openapi.json</a><a href=\"/asyncapi.json\">asyncapi.json</a></nav>");
        page.rest(&rest);
        page.socket(&socket);
        page.raw("<h2 id=types>Types</h2>");
        // The socket's messages name types that REST does not, and the reverse.
        let (rest, socket) = (&rest["components"]["schemas"], &socket["components"]["schemas"]);
        page.types(rest, |_| true);
        page.types(socket, |name| rest.get(name).is_none());
        Self { page: page.0 }
    }
}

fn parse(text: &str) -> Value {
    serde_json::from_str(text).expect("the generated documents are JSON, as their test says")
}

struct Page(String);

impl Page {
    fn raw(&mut self, html: &str) {
        self.0.push_str(html);
    }
    fn text(&mut self, text: &Value) {
        for c in text.as_str().unwrap_or_default().chars() {
            match c {
                '<' => self.raw("&lt;"),
                '>' => self.raw("&gt;"),
                '&' => self.raw("&amp;"),
                '"' => self.raw("&quot;"),
                c => self.0.push(c),
            }
        }
    }
    fn paragraph(&mut self, text: &Value) {
        if text.is_string() {
            self.raw("<p>");
            self.text(text);
            self.raw("</p>");
        }
    }

    fn rest(&mut self, document: &Value) {
        self.raw("<h2 id=rest>REST</h2>");
        self.paragraph(&document["info"]["description"]);
        for (path, methods) in document["paths"].as_object().into_iter().flatten() {
            for (method, route) in methods.as_object().into_iter().flatten().filter(|(_, route)| route.get("responses").is_some()) {
                let _ = write!(self.0, "<h3><span class=verb>{method}</span> {path}</h3>");
                self.paragraph(&route["summary"]);
                self.paragraph(&route["description"]);
                self.raw("<table>");
                let parameters = [&methods["parameters"], &route["parameters"]];
                for parameter in parameters.into_iter().filter_map(Value::as_array).flatten().filter(|p| p.get("name").is_some()) {
                    self.row(&parameter["name"], &parameter["schema"], &parameter["description"]);
                }
                let body = &route["requestBody"]["content"]["application/json"]["schema"];
                if body.is_object() {
                    self.row(&"body".into(), body, &Value::Null);
                }
                for (status, answer) in route["responses"].as_object().into_iter().flatten() {
                    let schema = &answer["content"]["application/json"]["schema"];
                    if schema.is_object() {
                        self.row(&format!("→ {status}").into(), schema, &answer["description"]);
                    }
                }
                self.raw("</table>");
            }
        }
    }

    fn socket(&mut self, document: &Value) {
        self.raw("<h2 id=socket>WebSocket</h2>");
        self.paragraph(&document["info"]["description"]);
        for (name, message) in document["components"]["messages"].as_object().into_iter().flatten() {
            let _ = write!(self.0, "<h3>{name}</h3>");
            self.paragraph(&message["summary"]);
            self.paragraph(&message["description"]);
            self.raw("<table>");
            self.fields(&message["payload"]);
            self.raw("</table>");
        }
    }

    fn types(&mut self, schemas: &Value, shown: impl Fn(&str) -> bool) {
        for (name, schema) in schemas.as_object().into_iter().flatten().filter(|(name, _)| shown(name)) {
            let _ = write!(self.0, "<h3 id=\"type-{name}\">{name}</h3>");
            self.paragraph(&schema["description"]);
            self.raw("<table>");
            self.fields(schema);
            self.raw("</table>");
        }
    }

    fn fields(&mut self, schema: &Value) {
        for (name, field) in schema["properties"].as_object().into_iter().flatten() {
            self.row(&name.as_str().into(), field, &field["description"]);
        }
        for variant in ["oneOf", "anyOf"].into_iter().filter_map(|of| schema[of].as_array()).flatten() {
            if variant.get("properties").is_some() {
                self.fields(variant);
            } else {
                self.row(variant.get("const").unwrap_or(&Value::Null), variant, &variant["description"]);
            }
        }
    }

    fn row(&mut self, name: &Value, schema: &Value, description: &Value) {
        self.raw("<tr><td><code>");
        self.text(name);
        self.raw("</code><td>");
        self.kind(schema);
        self.raw("<td>");
        self.text(description);
    }

    /// A type in a few letters, with a link to where it is described.
    fn kind(&mut self, schema: &Value) {
        let name = schema["$ref"].as_str().and_then(|path| path.rsplit('/').next());
        if let Some(name) = name {
            let _ = write!(self.0, "<a href=\"#type-{name}\">{name}</a>");
        } else if schema["type"] == "array" {
            self.raw("list of ");
            self.kind(&schema["items"]);
        } else if let Some(variants) = schema["anyOf"].as_array() {
            for variant in variants.iter().filter(|variant| variant["type"] != "null") {
                self.kind(variant);
            }
        } else if let Some(kinds) = schema["type"].as_array() {
            kinds.iter().filter(|kind| *kind != "null").for_each(|kind| self.text(kind));
        } else {
            self.text(&schema["type"]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_shows_every_route_and_every_event_and_links_to_types_that_are_there() {
        let page = Docs::new().page;
        for shown in ["/v1/auth/signup", "/v1/rooms/{room}/messages", "<h3>client.hello</h3>", "<h3 id=\"type-Tokens\">"] {
            assert!(page.contains(shown), "{shown}");
        }
        for (_, rest) in page.match_indices("href=\"#type-").map(|(at, found)| page.split_at(at + found.len())) {
            let name = rest.split('"').next().unwrap();
            assert!(page.contains(&format!("id=\"type-{name}\"")), "{name} is linked to and not there");
        }
        assert!(!page.contains("<script") && !page.contains("src="));
    }
}
