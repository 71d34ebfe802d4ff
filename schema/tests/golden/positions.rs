//! Structs travel by the names of their fields: each object of each sample, written as an array of its values or with
//! numbers for names, must be refused. A decoder that took those would make the order of fields part of the protocol.

use std::fmt;

use schema::wire::{Format, from_msgpack};
use serde::de::{Deserialize, DeserializeOwned, Deserializer, MapAccess, SeqAccess, Visitor};
use serde::ser::{Serialize, SerializeMap, Serializer};

/// Any value, with the order of fields kept.
#[derive(Clone, Debug)]
enum Tree {
    Null,
    Bool(bool),
    Number(u64),
    Text(String),
    Bytes(Vec<u8>),
    List(Vec<Tree>),
    Object(Vec<(String, Tree)>),
    /// As an object, with the places of fields for their names.
    Numbered(Vec<Tree>),
}

/// What each object of the sample becomes.
const WAYS: [fn(Vec<Tree>) -> Tree; 2] = [Tree::List, |values| if values.is_empty() { Tree::List(values) } else { Tree::Numbered(values) }];

pub fn are_refused<T: DeserializeOwned>(what: &str, format: Format, sample: &impl Serialize) {
    let tree: Tree = from_msgpack(&schema::wire::to_msgpack(sample)).expect("a sample is a value");
    for way in 0..objects(&tree) * WAYS.len() {
        let mut countdown = way / WAYS.len();
        let bent = bend(tree.clone(), &mut countdown, WAYS[way % WAYS.len()]);
        // JSON has no numbers for names.
        if format == Format::MessagePack || way % WAYS.len() == 0 {
            assert!(format.decode::<T>(&format.encode(&bent)).is_err(), "{what}: {bent:?} was taken in {format:?}");
        }
    }
}

fn objects(tree: &Tree) -> usize {
    match tree {
        Tree::List(values) => values.iter().map(objects).sum(),
        Tree::Object(fields) => 1 + fields.iter().map(|(_, value)| objects(value)).sum::<usize>(),
        _ => 0,
    }
}

/// The tree with its `countdown`th object written the other way.
fn bend(tree: Tree, countdown: &mut usize, way: fn(Vec<Tree>) -> Tree) -> Tree {
    match tree {
        Tree::Object(fields) if *countdown == 0 => {
            *countdown = usize::MAX;
            way(fields.into_iter().map(|(_, value)| value).collect())
        }
        Tree::Object(fields) => {
            *countdown -= 1;
            Tree::Object(fields.into_iter().map(|(name, value)| (name, bend(value, countdown, way))).collect())
        }
        Tree::List(values) => Tree::List(values.into_iter().map(|value| bend(value, countdown, way)).collect()),
        other => other,
    }
}

impl Serialize for Tree {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        match self {
            Tree::Null => s.serialize_unit(),
            Tree::Bool(value) => s.serialize_bool(*value),
            Tree::Number(value) => s.serialize_u64(*value),
            Tree::Text(value) => s.serialize_str(value),
            // In JSON an id is text.
            Tree::Bytes(value) if s.is_human_readable() => match value.as_slice().try_into() {
                Ok(id) => schema::Cmid::from_bytes(id).serialize(s),
                Err(_) => s.serialize_bytes(value),
            },
            Tree::Bytes(value) => s.serialize_bytes(value),
            Tree::List(values) => values.serialize(s),
            Tree::Object(fields) => {
                let mut map = s.serialize_map(Some(fields.len()))?;
                fields.iter().try_for_each(|(name, value)| map.serialize_entry(name, value))?;
                map.end()
            }
            Tree::Numbered(values) => {
                let mut map = s.serialize_map(Some(values.len()))?;
                values.iter().enumerate().try_for_each(|(place, value)| map.serialize_entry(&place, value))?;
                map.end()
            }
        }
    }
}

impl<'de> Deserialize<'de> for Tree {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        d.deserialize_any(TreeVisitor)
    }
}

struct TreeVisitor;

impl<'de> Visitor<'de> for TreeVisitor {
    type Value = Tree;
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any value")
    }
    fn visit_unit<E>(self) -> Result<Tree, E> {
        Ok(Tree::Null)
    }
    fn visit_bool<E>(self, value: bool) -> Result<Tree, E> {
        Ok(Tree::Bool(value))
    }
    fn visit_u64<E>(self, value: u64) -> Result<Tree, E> {
        Ok(Tree::Number(value))
    }
    fn visit_str<E>(self, value: &str) -> Result<Tree, E> {
        Ok(Tree::Text(value.to_owned()))
    }
    fn visit_bytes<E>(self, value: &[u8]) -> Result<Tree, E> {
        Ok(Tree::Bytes(value.to_owned()))
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Tree, A::Error> {
        let mut values = Vec::new();
        while let Some(value) = access.next_element()? {
            values.push(value);
        }
        Ok(Tree::List(values))
    }
    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Tree, A::Error> {
        let mut fields = Vec::new();
        while let Some(field) = access.next_entry()? {
            fields.push(field);
        }
        Ok(Tree::Object(fields))
    }
}
