//! What goes over the socket as AsyncAPI 3: one channel, a message per event, an operation per direction.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::types::{Direction, Types, with_parts};

const ABOUT: &str = "A WebSocket at `/v1/ws` with the subprotocol `hubbub.v1.json` (text messages) or `hubbub.v1.msgpack` (binary messages; \
field names as in JSON, ids as 16 bytes). Each message is an object with one key, the event's name. The first message is `hello`, \
its answer `ready`. Add `?level=2` to the address to be sent `events`. PROTOCOL says how the events follow from each other.\n\n\
Ignore events and fields that you do not know: they come with a higher level.";

pub fn render(types: &Types) -> Value {
    let mut messages = BTreeMap::new();
    let mut operations = Map::new();
    for (direction, union, action, summary) in
        [(Direction::Up, "ClientEvent", "receive", "What a client says"), (Direction::Down, "ServerEvent", "send", "What a node says")]
    {
        let found = events(types, direction, union);
        let references: Vec<Value> = found.keys().map(|name| json!({ "$ref": format!("#/channels/socket/messages/{name}") })).collect();
        let operation = json!({ "action": action, "channel": { "$ref": "#/channels/socket" }, "summary": summary, "messages": references });
        operations.insert(if direction == Direction::Up { "clientSays".into() } else { "nodeSays".into() }, operation);
        messages.extend(found);
    }
    let listed: BTreeMap<&String, Value> =
        messages.keys().map(|name| (name, json!({ "$ref": format!("#/components/messages/{name}") }))).collect();
    let schemas = with_parts(&types.all, ["ClientEvent".to_owned(), "ServerEvent".to_owned()].into());
    json!({
        "asyncapi": "3.1.0",
        "info": {
            "title": "Hubbub",
            "version": schema::limits::LEVEL.to_string(),
            "description": ABOUT,
            "license": { "name": "Apache-2.0" },
        },
        "defaultContentType": "application/json",
        "servers": { "node": { "host": "localhost:8080", "protocol": "ws", "description": "Any node of the cluster; `wss` outside of one's own machine." } },
        "channels": {
            "socket": {
                "address": "/v1/ws",
                "description": "One connection of one device.",
                "messages": listed,
                "bindings": { "ws": { "method": "GET", "bindingVersion": "0.1.0" } },
            },
        },
        "operations": operations,
        "components": { "messages": messages, "schemas": schemas },
    })
}

/// The messages of one direction, each the variant of the union that it is on the wire.
fn events(types: &Types, direction: Direction, union: &str) -> BTreeMap<String, Value> {
    let side = if direction == Direction::Up { "client" } else { "node" };
    let variants = types.all[union]["oneOf"].as_array().expect("an event is a union");
    variants
        .iter()
        .map(|variant| {
            let (tag, body) = variant["properties"].as_object().and_then(|map| map.iter().next()).expect("one field");
            let described = body["$ref"].as_str().map(|reference| &types.all[super::types::referred(reference)]["description"]);
            let summary = [Some(&variant["description"]), described].into_iter().flatten().find_map(Value::as_str);
            let mut message = json!({ "name": tag, "title": tag, "payload": variant });
            if let Some(summary) = summary {
                message["summary"] = summary.into();
            }
            (format!("{side}.{tag}"), message)
        })
        .collect()
}
