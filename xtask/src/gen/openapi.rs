//! The REST API as OpenAPI 3.1: the route table with the bodies of the schema crate.

use std::collections::{BTreeMap, BTreeSet};

use schema::ErrorCode;
use serde_json::{Map, Value, json};

use super::routes::{ALWAYS, ORDERED, Query, ROUTES, Route, SIGNED_IN, TAGS};
use super::types::{PLACE, Types};

const ABOUT: &str = "Everything that can be done over a socket can be done here with the same types, one request at a time. \
What happens by itself (new messages, typing, presence) comes over the socket: see the AsyncAPI document and PROTOCOL.\n\n\
Errors are `application/problem+json` with a code of one table. `temporary: true` means: send the same request again, \
with the same `Idempotency-Key`, after `Retry-After`.\n\nFields are only ever added: ignore those that you do not know.";

pub fn render(types: &Types) -> Value {
    let mut paths: BTreeMap<&str, Map<String, Value>> = BTreeMap::new();
    for route in ROUTES {
        paths.entry(route.path).or_default().insert(route.method.to_owned(), operation(types, route));
    }
    for (path, item) in &mut paths {
        let parameters: Vec<Value> = path.split('/').filter_map(path_parameter).collect();
        if !parameters.is_empty() {
            item.insert("parameters".into(), parameters.into());
        }
    }
    let tags: Vec<Value> = TAGS.iter().map(|(name, description)| json!({ "name": name, "description": description })).collect();
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Hubbub",
            "version": schema::limits::LEVEL.to_string(),
            "summary": "Chat over REST",
            "description": ABOUT,
            "license": { "name": "Apache-2.0", "identifier": "Apache-2.0" },
        },
        "servers": [{ "url": "/", "description": "The node that serves this document" }],
        "tags": tags,
        "security": [{ "access": [] }],
        "paths": paths,
        "components": {
            "schemas": schemas(types),
            "responses": refusals(),
            "parameters": {
                "HubbubClient": {
                    "name": "Hubbub-Client",
                    "in": "header",
                    "description": "`native`: the refresh token is answered in the body, not as a cookie.",
                    "schema": { "type": "string", "enum": ["native"] },
                },
                "IdempotencyKey": {
                    "name": "Idempotency-Key",
                    "in": "header",
                    "description": "The cmid of this request: a UUIDv7 made once, sent again verbatim until it is answered. \
                        The same key with another body is `id_conflict`. Without a key, a request that is sent twice is done twice.",
                    "schema": { "type": "string", "minLength": 1, "maxLength": 128 },
                },
            },
            "headers": {
                "RetryAfter": { "description": "Seconds to wait before the same request is sent again.", "schema": { "type": "integer", "minimum": 0 } },
            },
            "securitySchemes": {
                "access": {
                    "type": "http",
                    "scheme": "bearer",
                    "bearerFormat": "JWT",
                    "description": "The `access` token of sign-up, log-in or refresh.",
                },
            },
        },
    })
}

/// The REST bodies, and what they are made of.
fn schemas(types: &Types) -> BTreeMap<String, Value> {
    let mut all = types.all.clone();
    all.insert("StateHash".into(), state_hash(types));
    let mut wanted: BTreeSet<String> = ["Problem", "ErrorCode"].map(str::to_owned).into();
    wanted.extend(ROUTES.iter().flat_map(|route| [route.asks, route.answers]).flatten().map(str::to_owned));
    super::types::with_parts(&all, wanted)
}

/// As on the socket, without the request's number.
fn state_hash(types: &Types) -> Value {
    let mut schema = types.all["ServerStateHash"].clone();
    if let Some(properties) = schema["properties"].as_object_mut() {
        properties.remove("id");
    }
    if let Some(required) = schema["required"].as_array_mut() {
        required.retain(|name| name != "id");
    }
    schema
}

fn operation(types: &Types, route: &Route) -> Value {
    let mut operation = json!({ "operationId": route.name, "tags": [route.tag], "summary": route.summary, "responses": responses(route) });
    if !route.detail.is_empty() {
        operation["description"] = route.detail.into();
    }
    if !route.signed_in {
        operation["security"] = json!([]);
    }
    if let Some(body) = route.asks {
        let needed = types.all[body].get("required").is_some();
        operation["requestBody"] = json!({ "required": needed, "content": { "application/json": { "schema": reference(body) } } });
    }
    let mut parameters: Vec<Value> = route.query.iter().map(query_parameter).collect();
    let key = route.ordered.then_some("IdempotencyKey");
    let headers = route.headers.iter().copied().chain(key);
    parameters.extend(headers.map(|name| json!({ "$ref": format!("#/components/parameters/{name}") })));
    if !parameters.is_empty() {
        operation["parameters"] = parameters.into();
    }
    operation
}

fn responses(route: &Route) -> Value {
    let mut responses = Map::new();
    match route.answers {
        Some(body) => {
            let description = if route.ordered { "It is in the room, for good." } else { "Done." };
            let content = json!({ "application/json": { "schema": reference(body) } });
            responses.insert("200".into(), json!({ "description": description, "content": content }));
        }
        None => {
            responses.insert("204".into(), json!({ "description": "Done." }));
        }
    }
    let mut codes: Vec<ErrorCode> = [ALWAYS, route.refuses].concat();
    if route.signed_in {
        codes.extend(SIGNED_IN);
    }
    if route.ordered {
        codes.extend(ORDERED);
    }
    for code in codes {
        let status = code.http_status().to_string();
        let refusal = json!({ "$ref": format!("#/components/responses/Refused{status}") });
        responses.insert(status, refusal);
    }
    responses.into()
}

/// One response per status, naming the codes that come with it.
fn refusals() -> BTreeMap<String, Value> {
    let mut by_status: BTreeMap<u16, Vec<ErrorCode>> = BTreeMap::new();
    for code in ErrorCode::ALL {
        by_status.entry(code.http_status()).or_default().push(*code);
    }
    let response = |codes: Vec<ErrorCode>| {
        let lines: Vec<String> = codes.iter().map(|code| format!("- `{}`: {}", code.text(), code.sentence())).collect();
        let mut response = json!({
            "description": lines.join("\n"),
            "content": { "application/problem+json": { "schema": reference("Problem") } },
        });
        if codes.iter().any(|code| code.is_temporary()) {
            response["headers"] = json!({ "Retry-After": { "$ref": "#/components/headers/RetryAfter" } });
        }
        response
    };
    by_status.into_iter().map(|(status, codes)| (format!("Refused{status}"), response(codes))).collect()
}

fn path_parameter(part: &str) -> Option<Value> {
    let name = part.strip_prefix('{')?.strip_suffix('}')?;
    let (schema, description) = match name {
        "room" => (reference("RoomId"), "A room."),
        "user" => (reference("UserId"), "A person."),
        "login" => (reference("LoginId"), "A signed-in device: `login` of the list."),
        "invite" => (reference("InviteId"), "An invitation: `id` of the list."),
        "seq" => (json!({ "type": "integer", "minimum": 1 }), "The seq of the message."),
        "emoji" => (json!({ "type": "string", "minLength": 1 }), "The emoji, percent-encoded UTF-8."),
        other => panic!("say what {{{other}}} is"),
    };
    Some(json!({ "name": name, "in": "path", "required": true, "description": description, "schema": schema }))
}

fn query_parameter(query: &Query) -> Value {
    let schema = match query.kind {
        "integer" => json!({ "type": "integer", "minimum": 0 }),
        kind => json!({ "type": kind }),
    };
    json!({ "name": query.name, "in": "query", "required": query.needed, "description": query.text, "schema": schema })
}

fn reference(name: &str) -> Value {
    json!({ "$ref": format!("{PLACE}{name}") })
}
