//! Any value of JSON or MessagePack, so that noise can change what a value says and not only how it is spelt.

use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde::ser::{Serialize, SerializeMap, Serializer};

use crate::mutate::{Dice, TELLING_TEXT};

#[derive(Clone, Debug, PartialEq)]
pub enum Tree {
    Nil,
    Bool(bool),
    Unsigned(u64),
    Signed(i64),
    Float(f64),
    Text(String),
    Bytes(Vec<u8>),
    List(Vec<Tree>),
    Map(Vec<(Tree, Tree)>),
}

#[derive(Clone, Copy, Debug)]
pub enum Writing {
    Json,
    MessagePack,
}

impl Writing {
    pub fn read(self, bytes: &[u8]) -> Option<Tree> {
        match self {
            Self::Json => serde_json::from_slice(bytes).ok(),
            Self::MessagePack => schema::wire::from_msgpack(bytes).ok(),
        }
    }
    pub fn write(self, tree: &Tree) -> Option<Vec<u8>> {
        match self {
            Self::Json => serde_json::to_vec(tree).ok(),
            Self::MessagePack => Some(schema::wire::to_msgpack(tree).to_vec()),
        }
    }
}

impl Tree {
    /// One change somewhere in it; `other` is where grafts come from.
    pub fn change(&mut self, dice: &mut Dice, other: &Tree) {
        let graft = other.nodes();
        let graft = (*dice.one(&graft)).clone();
        let count = self.nodes().len();
        let Some(node) = self.nth(&mut dice.below(count)) else { return };
        match dice.below(8) {
            0 => *node = telling(dice),
            1 => *node = graft,
            2 => node.drop_child(dice),
            3 => node.double_child(dice),
            4 => node.rename_child(dice, &graft),
            5 => {
                for _ in 0..dice.below(40) {
                    let inner = std::mem::replace(node, Tree::Nil);
                    *node = if dice.below(2) == 0 { Tree::List(vec![inner]) } else { Tree::Map(vec![(Tree::Text("a".into()), inner)]) };
                }
            }
            _ => node.nudge(dice),
        }
    }

    fn nodes(&self) -> Vec<&Tree> {
        let mut found = vec![self];
        match self {
            Tree::List(items) => items.iter().for_each(|item| found.extend(item.nodes())),
            Tree::Map(pairs) => pairs.iter().for_each(|(_, value)| found.extend(value.nodes())),
            _ => {}
        }
        found
    }

    /// In the order of `nodes`; counts `n` down on the way.
    fn nth(&mut self, n: &mut usize) -> Option<&mut Tree> {
        if *n == 0 {
            return Some(self);
        }
        *n -= 1;
        match self {
            Tree::List(items) => items.iter_mut().find_map(|item| item.nth(n)),
            Tree::Map(pairs) => pairs.iter_mut().find_map(|(_, value)| value.nth(n)),
            _ => None,
        }
    }

    fn drop_child(&mut self, dice: &mut Dice) {
        match self {
            Tree::List(items) if !items.is_empty() => drop(items.remove(dice.below(items.len()))),
            Tree::Map(pairs) if !pairs.is_empty() => drop(pairs.remove(dice.below(pairs.len()))),
            _ => *self = Tree::Nil,
        }
    }

    fn double_child(&mut self, dice: &mut Dice) {
        match self {
            Tree::List(items) if !items.is_empty() => {
                let item = dice.one(items).clone();
                let times = 1 + dice.below(80);
                items.extend(std::iter::repeat_n(item, times));
            }
            Tree::Map(pairs) if !pairs.is_empty() => {
                let pair = dice.one(pairs).clone();
                pairs.push(pair);
            }
            _ => {}
        }
    }

    fn rename_child(&mut self, dice: &mut Dice, graft: &Tree) {
        let Tree::Map(pairs) = self else { return };
        let names = match graft {
            Tree::Map(others) if !others.is_empty() => others.iter().map(|(name, _)| name.clone()).collect(),
            _ => vec![Tree::Text("nobody_knows".into()), Tree::Text(String::new()), Tree::Unsigned(0)],
        };
        let name = dice.one(&names).clone();
        match pairs.len() {
            0 => pairs.push((name, Tree::Nil)),
            count => pairs[dice.below(count)].0 = name,
        }
    }

    fn nudge(&mut self, dice: &mut Dice) {
        let by = dice.below(3);
        match self {
            Tree::Unsigned(number) => *number = [number.wrapping_add(1), number.wrapping_sub(1), number.wrapping_mul(1 << 31)][by],
            Tree::Signed(number) => *number = [number.wrapping_add(1), number.wrapping_neg(), number.wrapping_mul(1 << 31)][by],
            Tree::Bool(is) => *is = !*is,
            Tree::Bytes(bytes) => bytes.resize([0, 15, 17][by], 7),
            Tree::Text(text) if by == 0 => *text = text.repeat(2 + dice.below(200)),
            Tree::Text(text) => {
                let at = text.char_indices().map(|(at, _)| at).nth(dice.below(text.chars().count())).unwrap_or(0);
                text.insert_str(at, dice.one::<&str>(TELLING_TEXT));
            }
            other => *other = telling(dice),
        }
    }
}

fn telling(dice: &mut Dice) -> Tree {
    let number = *dice.one(&[0, 1, 127, 128, 255, 256, 0xffff, 0x1_0000, u64::from(u32::MAX), 1 << 32, 1 << 53, 1 << 63, u64::MAX]);
    match dice.below(10) {
        0 => Tree::Nil,
        1 => Tree::Bool(dice.below(2) == 0),
        2 => Tree::Signed(*dice.one(&[-1, -128, -32_769, i64::MIN])),
        3 => Tree::Float(*dice.one(&[0.5, -0.0, 1e300, f64::NAN, f64::INFINITY])),
        4 => Tree::Text(dice.one::<&str>(TELLING_TEXT).to_string()),
        5 => Tree::Text("x".repeat(*dice.one(&[32, 33, 80, 81, 4096, 40_000, 70_000]))),
        6 => Tree::Bytes(vec![7; *dice.one(&[0, 15, 16, 17, 300])]),
        7 => Tree::List(Vec::new()),
        8 => Tree::Map(Vec::new()),
        _ => Tree::Unsigned(number),
    }
}

impl Serialize for Tree {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        match self {
            Tree::Nil => s.serialize_unit(),
            Tree::Bool(is) => s.serialize_bool(*is),
            Tree::Unsigned(number) => s.serialize_u64(*number),
            Tree::Signed(number) => s.serialize_i64(*number),
            Tree::Float(number) => s.serialize_f64(*number),
            Tree::Text(text) => s.serialize_str(text),
            Tree::Bytes(bytes) => s.serialize_bytes(bytes),
            Tree::List(items) => s.collect_seq(items),
            Tree::Map(pairs) => {
                let mut map = s.serialize_map(Some(pairs.len()))?;
                for (name, value) in pairs {
                    map.serialize_entry(name, value)?;
                }
                map.end()
            }
        }
    }
}

impl<'de> Deserialize<'de> for Tree {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        d.deserialize_any(Any)
    }
}

struct Any;

impl<'de> Visitor<'de> for Any {
    type Value = Tree;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any value")
    }
    fn visit_unit<E>(self) -> Result<Tree, E> {
        Ok(Tree::Nil)
    }
    fn visit_bool<E>(self, is: bool) -> Result<Tree, E> {
        Ok(Tree::Bool(is))
    }
    fn visit_u64<E>(self, number: u64) -> Result<Tree, E> {
        Ok(Tree::Unsigned(number))
    }
    fn visit_i64<E>(self, number: i64) -> Result<Tree, E> {
        Ok(Tree::Signed(number))
    }
    fn visit_f64<E>(self, number: f64) -> Result<Tree, E> {
        Ok(Tree::Float(number))
    }
    fn visit_str<E>(self, text: &str) -> Result<Tree, E> {
        Ok(Tree::Text(text.to_owned()))
    }
    fn visit_bytes<E>(self, bytes: &[u8]) -> Result<Tree, E> {
        Ok(Tree::Bytes(bytes.to_owned()))
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Tree, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element()? {
            list.push(item);
        }
        Ok(Tree::List(list))
    }
    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Tree, A::Error> {
        let mut pairs = Vec::new();
        while let Some(pair) = entries.next_entry()? {
            pairs.push(pair);
        }
        Ok(Tree::Map(pairs))
    }
}
