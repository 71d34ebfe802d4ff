//! The schemas of everything that clients say and are told, by their names, as the API documents and the TypeScript use them.
//!
//! What goes up is described as it is read (defaults may be left out), what comes down as it is written. A name that
//! means something else in each direction gets the direction before it: `ClientRead`, `ServerRead`.

use std::collections::{BTreeMap, BTreeSet};

use schema::{client::ClientEvent, rest, server::ServerEvent};
use schemars::generate::{SchemaGenerator, SchemaSettings};
use serde_json::Value;

/// Where all documents keep them.
pub const PLACE: &str = "#/components/schemas/";

pub struct Types {
    pub all: BTreeMap<String, Value>,
    /// Names that were split, with the direction's prefix for each.
    split: BTreeSet<String>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    Up,
    Down,
}

impl Direction {
    fn prefix(self) -> &'static str {
        match self {
            Self::Up => "Client",
            Self::Down => "Server",
        }
    }
}

impl Types {
    pub fn collect() -> Self {
        let up = definitions(SchemaSettings::draft2020_12().for_deserialize(), |g| {
            g.subschema_for::<ClientEvent>();
            g.subschema_for::<rest::SignUp>();
            g.subschema_for::<rest::LogIn>();
            g.subschema_for::<rest::Refresh>();
            g.subschema_for::<rest::MakeInvite>();
            g.subschema_for::<rest::ChangePassword>();
            g.subschema_for::<rest::ChangeProfile>();
            g.subschema_for::<rest::CreateRoom>();
            g.subschema_for::<rest::PostMessage>();
            g.subschema_for::<rest::EditMessage>();
            g.subschema_for::<rest::PutMember>();
            g.subschema_for::<rest::PutRead>();
        });
        let down = definitions(SchemaSettings::draft2020_12().for_serialize(), |g| {
            g.subschema_for::<ServerEvent>();
            g.subschema_for::<rest::Tokens>();
            g.subschema_for::<rest::Ticket>();
            g.subschema_for::<rest::Profile>();
            g.subschema_for::<rest::Devices>();
            g.subschema_for::<rest::MadeInvite>();
            g.subschema_for::<rest::Invites>();
            g.subschema_for::<rest::Profiles>();
            g.subschema_for::<rest::Rooms>();
            g.subschema_for::<rest::Members>();
            g.subschema_for::<rest::Channels>();
            g.subschema_for::<rest::Page>();
            g.subschema_for::<rest::Landed>();
            g.subschema_for::<rest::Receipts>();
            g.subschema_for::<rest::Pins>();
            g.subschema_for::<rest::Problem>();
        });
        let split = split_names(&up, &down);
        let mut types = Self { all: BTreeMap::new(), split };
        for (direction, definitions) in [(Direction::Up, up), (Direction::Down, down)] {
            for (name, mut schema) in definitions {
                types.rename_references(direction, &mut schema);
                leave_out_instead_of_null(&mut schema);
                schema.sort_all_objects();
                types.all.insert(types.name(direction, &name), schema);
            }
        }
        // A string in the crate, so that it can carry a newer node's code; one of the table all the same.
        types.all.get_mut("Problem").expect("it was collected")["properties"]["code"] =
            serde_json::json!({ "$ref": format!("{PLACE}ErrorCode") });
        types
    }

    /// What a type of the schema crate is called in the documents.
    pub fn name(&self, direction: Direction, name: &str) -> String {
        if self.split.contains(name) { format!("{}{name}", direction.prefix()) } else { name.to_owned() }
    }

    fn rename_references(&self, direction: Direction, schema: &mut Value) {
        match schema {
            Value::Object(map) => {
                for (key, value) in map {
                    match value {
                        Value::String(text) if key == "$ref" => {
                            *text = format!("{PLACE}{}", self.name(direction, referred(text)));
                        }
                        other => self.rename_references(direction, other),
                    }
                }
            }
            Value::Array(items) => items.iter_mut().for_each(|item| self.rename_references(direction, item)),
            _ => {}
        }
    }
}

/// What may be left out is left out, never `null`: that is how it is written, and how clients should write it.
fn leave_out_instead_of_null(schema: &mut Value) {
    let required: Vec<Value> = schema["required"].as_array().cloned().unwrap_or_default();
    if let Some(properties) = schema.get_mut("properties").and_then(Value::as_object_mut) {
        for (name, property) in properties {
            if !required.contains(&Value::from(name.as_str())) {
                without_null(property);
            }
            leave_out_instead_of_null(property);
        }
    }
    if let Some(variants) = schema.get_mut("oneOf").and_then(Value::as_array_mut) {
        variants.iter_mut().for_each(leave_out_instead_of_null);
    }
}

fn without_null(property: &mut Value) {
    let Some(property) = property.as_object_mut() else { return };
    if let Some(types) = property.get_mut("type").filter(|types| types.is_array()) {
        *types = types[0].take();
    }
    if let Some(choices) = property.remove("anyOf") {
        let reference = choices[0].as_object().cloned().unwrap_or_default();
        property.extend(reference);
    }
}

/// The fields of an object: those that are always there in the order in which the crate has them, then the others.
pub fn fields_in_order(schema: &Value) -> Vec<(&str, &Value, bool)> {
    let Some(properties) = schema["properties"].as_object() else { return Vec::new() };
    let required: Vec<&str> = schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    let needed = required.iter().map(|name| (*name, &properties[*name], true));
    let others =
        properties.iter().filter(|(name, _)| !required.contains(&name.as_str())).map(|(name, field)| (name.as_str(), field, false));
    needed.chain(others).collect()
}

/// The name at the end of a reference.
pub fn referred(reference: &str) -> &str {
    reference.rsplit('/').next().unwrap_or(reference)
}

/// Panics: when two types of one direction have one name; rename one of them.
fn definitions(settings: SchemaSettings, collect: impl FnOnce(&mut SchemaGenerator)) -> BTreeMap<String, Value> {
    let settings = settings.with(|settings| settings.definitions_path = "/components/schemas".into());
    let mut generator = settings.into_generator();
    collect(&mut generator);
    let found: BTreeMap<String, Value> = generator.take_definitions(true).into_iter().collect();
    for name in found.keys() {
        assert!(!name.ends_with(|last: char| last.is_ascii_digit()), "two types of one direction are called {name}");
    }
    found
}

/// Names whose meaning differs by direction, and names that refer to such a one.
fn split_names(up: &BTreeMap<String, Value>, down: &BTreeMap<String, Value>) -> BTreeSet<String> {
    let shared: Vec<&String> = up.keys().filter(|name| down.contains_key(*name)).collect();
    let mut split: BTreeSet<String> = shared.iter().filter(|name| up[**name] != down[**name]).map(|name| (*name).clone()).collect();
    loop {
        let more: Vec<String> = shared
            .iter()
            .filter(|name| !split.contains(**name) && references(&up[**name]).iter().any(|used| split.contains(used)))
            .map(|name| (*name).clone())
            .collect();
        if more.is_empty() {
            return split;
        }
        split.extend(more);
    }
}

fn references(schema: &Value) -> BTreeSet<String> {
    match schema {
        Value::Object(map) => map
            .iter()
            .flat_map(|(key, value)| match value {
                Value::String(text) if key == "$ref" => BTreeSet::from([referred(text).to_owned()]),
                other => references(other),
            })
            .collect(),
        Value::Array(items) => items.iter().flat_map(references).collect(),
        _ => BTreeSet::new(),
    }
}

/// Those schemas and every one they refer to.
pub fn with_parts(all: &BTreeMap<String, Value>, wanted: BTreeSet<String>) -> BTreeMap<String, Value> {
    let mut found = BTreeMap::new();
    let mut open: Vec<String> = wanted.into_iter().collect();
    while let Some(name) = open.pop() {
        if found.contains_key(&name) {
            continue;
        }
        let schema = all.get(&name).unwrap_or_else(|| panic!("no type is called {name}"));
        open.extend(references(schema));
        found.insert(name, schema.clone());
    }
    found
}
