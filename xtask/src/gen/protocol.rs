//! The parts of PROTOCOL that follow from the schema crate, between markers: tables of events, routes, errors, close codes
//! and limits, and the worked example of the state hash. The words around them are people's.

use std::collections::BTreeSet;
use std::fmt::Write;

use anyhow::{Context, Result, bail};
use schema::event::{Member, Message};
use schema::fold::RoomFold;
use schema::wire::{to_json, to_msgpack};
use schema::{CloseCode, Cmid, ErrorCode, Event, EventBody, Role, RoomId, RoomKind, RoomSettings, UserId};
use serde_json::Value;

use super::routes::ROUTES;
use super::tables::LIMITS;
use super::types::{Types, fields_in_order, referred};

/// Puts every generated part in its place. Errors: a marker without an end, or of a part that nobody makes.
pub fn fill(document: &str, types: &Types) -> Result<String> {
    let mut filled = String::new();
    let mut rest = document;
    while let Some((before, after)) = rest.split_once("<!-- generated: ") {
        let (name, after) = after.split_once(" -->").context("a marker in PROTOCOL does not end")?;
        let (_, after) = after.split_once("<!-- end -->").with_context(|| format!("the part {name} of PROTOCOL has no end"))?;
        write!(filled, "{before}<!-- generated: {name} -->\n{}<!-- end -->", part(name, types)?)?;
        rest = after;
    }
    Ok(filled + rest)
}

fn part(name: &str, types: &Types) -> Result<String> {
    Ok(match name {
        "client" => events(types, "ClientEvent"),
        "server" => events(types, "ServerEvent"),
        "body" => events(types, "EventBody"),
        "types" => parts(types),
        "routes" => routes(),
        "errors" => errors(),
        "closes" => closes(),
        "limits" => limits(),
        "hash" => hash(),
        other => bail!("PROTOCOL asks for the part {other:?}, which nobody makes"),
    })
}

/// A row per event: its name, its fields, what it is for.
fn events(types: &Types, union: &str) -> String {
    let mut out = "| event | fields | |\n|---|---|---|\n".to_owned();
    for variant in types.all[union]["oneOf"].as_array().expect("an event is a union") {
        let Some((tag, body)) = variant["properties"].as_object().and_then(|map| map.iter().next()) else {
            let word = variant["const"].as_str().unwrap_or_default();
            row(&mut out, &[&format!("`{word}`"), "none: the word alone, not an object", &described(variant)]);
            continue;
        };
        let (fields, about) = match body["$ref"].as_str() {
            Some(reference) => (fields(&types.all[referred(reference)]), described(&types.all[referred(reference)])),
            None => (fields(body), String::new()),
        };
        let about = if described(variant).is_empty() { about } else { described(variant) };
        row(&mut out, &[&format!("`{tag}`"), &fields, &about]);
    }
    out
}

/// What events carry, and the bodies of REST.
fn parts(types: &Types) -> String {
    let carried = ["Event", "RoomState", "RoomSettings", "Message", "Member", "Origin", "Resume", "ReadMark", "UserStatus", "ClientLimits"];
    let listed = ["Profile", "Device", "MemberEntry", "ChannelEntry", "ReceiptEntry", "Problem"];
    let bodies = ROUTES.iter().flat_map(|route| [route.asks, route.answers]).flatten();
    let mut out = "| type | fields | |\n|---|---|---|\n".to_owned();
    let mut seen = BTreeSet::new();
    for name in carried.into_iter().chain(bodies).chain(listed) {
        if let Some(schema) = types.all.get(name).filter(|_| seen.insert(name)) {
            row(&mut out, &[&format!("`{name}`"), &fields(schema), &described(schema)]);
        }
    }
    for name in ["Role", "RoomKind", "Status"] {
        let schema = &types.all[name];
        row(&mut out, &[&format!("`{name}`"), &format!("one of {}", words(schema)), &described(schema)]);
    }
    out
}

/// The words of a type that is one of a few.
fn words(schema: &Value) -> String {
    let plain = schema["enum"].as_array().into_iter().flatten();
    let described = schema["oneOf"]
        .as_array()
        .into_iter()
        .flatten()
        .flat_map(|variant| variant["enum"].as_array().into_iter().flatten().chain(variant.get("const")));
    plain.chain(described).map(|word| format!("`{}`", word.as_str().unwrap_or_default())).collect::<Vec<_>>().join(", ")
}

fn fields(schema: &Value) -> String {
    let fields = fields_in_order(schema);
    if fields.is_empty() {
        return "none".into();
    }
    let one = |(name, field, needed): &(&str, &Value, bool)| format!("`{name}`{} {}", if *needed { "" } else { "?" }, kind(field));
    fields.iter().map(one).collect::<Vec<_>>().join(", ")
}

fn kind(field: &Value) -> String {
    if let Some(reference) = field["$ref"].as_str() {
        return referred(reference).to_owned();
    }
    if let Some(items) = field.get("items") {
        return format!("list of {}", kind(items));
    }
    if let Some(choices) = field["anyOf"].as_array() {
        return choices.iter().map(kind).collect::<Vec<_>>().join(" or ");
    }
    match (field["format"].as_str(), field["type"].as_str()) {
        (Some("uint16"), _) => "u16".into(),
        (Some("uint32"), _) => "u32".into(),
        (Some("uint64"), _) => "u64".into(),
        (_, Some("boolean")) => "bool".into(),
        (_, Some("string")) => "text".into(),
        (_, other) => other.unwrap_or("anything").into(),
    }
}

fn described(schema: &Value) -> String {
    schema["description"].as_str().unwrap_or_default().replace('\n', " ")
}

fn row(out: &mut String, cells: &[&str]) {
    writeln!(out, "| {} |", cells.iter().map(|cell| cell.replace('|', "\\|")).collect::<Vec<_>>().join(" | ")).expect("a String takes all");
}

fn routes() -> String {
    let mut out = "| | path | body | answer | |\n|---|---|---|---|---|\n".to_owned();
    for route in ROUTES {
        let query: String = route.query.iter().map(|query| format!(" `?{}`", query.name)).collect();
        let mark = if route.ordered { " ¹" } else { "" };
        let (asks, answers) = (route.asks.unwrap_or("–"), route.answers.unwrap_or("204"));
        row(
            &mut out,
            &[&route.method.to_uppercase(), &format!("`{}`{query}", route.path), asks, &format!("{answers}{mark}"), route.summary],
        );
    }
    out
}

fn errors() -> String {
    let mut out = "| number | code | REST status | temporary | what it says |\n|---|---|---|---|---|\n".to_owned();
    for code in ErrorCode::ALL {
        let (number, status) = (code.number().to_string(), code.http_status().to_string());
        let temporary = if code.is_temporary() { "yes" } else { "" };
        row(&mut out, &[&number, &format!("`{}`", code.text()), &status, temporary, code.sentence()]);
    }
    out
}

fn closes() -> String {
    let mut out = "| code | connect again | why |\n|---|---|---|\n".to_owned();
    for code in CloseCode::ALL {
        row(&mut out, &[&code.number().to_string(), if code.may_reconnect() { "yes" } else { "no" }, code.sentence()]);
    }
    out
}

fn limits() -> String {
    let mut out = "| limit | | what it bounds |\n|---|---|---|\n".to_owned();
    for (name, value, sentence) in LIMITS {
        row(&mut out, &[&format!("`{}`", name.to_lowercase()), &value.to_string(), sentence]);
    }
    out
}

/// A small room, its canonical bytes and their hash.
fn hash() -> String {
    let events = example();
    let fold = RoomFold::of(events[0].room, &events);
    let mut out = "The events:\n```json\n".to_owned();
    for event in &events {
        writeln!(out, "{}", String::from_utf8_lossy(&to_json(event))).expect("a String takes all");
    }
    out.push_str("```\nfold to (shown as JSON):\n```json\n");
    writeln!(out, "{}", String::from_utf8_lossy(&to_json(&fold))).expect("a String takes all");
    out.push_str("```\nwhich as canonical MessagePack is, in hex:\n```\n");
    for line in to_msgpack(&fold).chunks(32) {
        let digits: String = line.iter().map(|byte| format!("{byte:02x}")).collect();
        writeln!(out, "{digits}").expect("a String takes all");
    }
    writeln!(out, "```\nand its SHA-256, which is the state hash:\n```\n{}\n```", fold.hash()).expect("a String takes all");
    out
}

fn example() -> Vec<Event> {
    let (room, ann, bob) = (RoomId::from_bytes([0x10; 16]), UserId::from_bytes([0x0a; 16]), UserId::from_bytes([0x0b; 16]));
    let members = vec![Member { user: ann, role: Role::Owner }, Member { user: bob, role: Role::Member }];
    let settings = RoomSettings { name: "tea".into(), ..RoomSettings::default() };
    let said = [
        (ann, 0, EventBody::Created { kind: RoomKind::Group, settings, members }),
        (ann, 1, EventBody::Message(Message { text: "hello".into(), reply: None, origin: None })),
        (bob, 2, EventBody::Message(Message { text: "oops".into(), reply: None, origin: None })),
        (ann, 2, EventBody::Edit { target: 2, text: "hello, Bob".into() }),
        (bob, 2, EventBody::React { target: 2, emoji: "👋".into(), on: true }),
        (bob, 2, EventBody::Delete { target: 3, reason: None }),
    ];
    let event = |((user, ordinal, body), seq): ((UserId, u64, EventBody), u64)| {
        let cmid = Cmid::from_bytes([seq as u8; 16]);
        Event { room, seq, ordinal, at: 1_732_181_400_000 + seq, user, cmid, body }
    };
    said.into_iter().zip(1..).map(event).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_is_put_between_its_markers_and_nothing_else_is_touched() {
        let types = Types::collect();
        let filled = fill("before\n<!-- generated: closes -->\nstale row\n<!-- end -->\nafter\n", &types).unwrap();
        assert!(filled.starts_with("before\n<!-- generated: closes -->\n| code |"));
        assert!(filled.ends_with("|\n<!-- end -->\nafter\n") && !filled.contains("stale"));
        assert_eq!(fill(&filled, &types).unwrap(), filled);
    }

    #[test]
    fn a_part_that_nobody_makes_is_refused() {
        let error = fill("<!-- generated: jokes -->\n<!-- end -->", &Types::collect()).unwrap_err();
        assert!(error.to_string().contains("jokes"));
        assert!(fill("<!-- generated: closes -->", &Types::collect()).is_err());
    }
}
