//! Noise that knows what it grows from: values are changed as trees and written again, text by its words, bytes by what
//! decoders look at twice. Everything follows from the dice.

use crate::tree::{Tree, Writing};

/// splitmix64: a run is the same on every machine.
#[derive(Debug)]
pub struct Dice(pub u64);

impl Dice {
    pub fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }
    pub fn below(&mut self, bound: usize) -> usize {
        (self.roll() % bound.max(1) as u64) as usize
    }
    pub fn one<'a, T>(&mut self, of: &'a [T]) -> &'a T {
        &of[self.below(of.len())]
    }
}

/// How a target's input is built.
#[derive(Clone, Copy, Debug)]
pub enum Form {
    Json,
    MessagePack,
    /// With the words that mean something in it.
    Text(&'static [&'static str]),
    Bytes,
}

/// Twice what a message may have.
const BYTES_MAX: usize = 128 << 10;

pub fn mutate(dice: &mut Dice, form: Form, seeds: &[Vec<u8>]) -> Vec<u8> {
    let mut bytes = dice.one::<Vec<u8>>(seeds).clone();
    let by_bytes = dice.below(4) == 0;
    let changed = match form {
        _ if by_bytes => None,
        Form::Json => value(dice, Writing::Json, &bytes, seeds),
        Form::MessagePack => value(dice, Writing::MessagePack, &bytes, seeds),
        Form::Text(words) => Some(text(dice, words, &bytes, seeds)),
        Form::Bytes => None,
    };
    let also_bytes = changed.is_none() || dice.below(8) == 0;
    if let Some(changed) = changed {
        bytes = changed;
    }
    for _ in 0..if also_bytes { 1 + dice.below(4) } else { 0 } {
        noise(dice, &mut bytes, seeds);
    }
    bytes.truncate(BYTES_MAX);
    bytes
}

/// `None`: the seed is no value, or what became of it cannot be written.
fn value(dice: &mut Dice, writing: Writing, bytes: &[u8], seeds: &[Vec<u8>]) -> Option<Vec<u8>> {
    let mut tree = writing.read(bytes)?;
    for _ in 0..=dice.below(4) {
        let other = writing.read(dice.one::<Vec<u8>>(seeds)).unwrap_or(Tree::Nil);
        tree.change(dice, &other);
    }
    writing.write(&tree)
}

const STOPS: &[char] = &[' ', '\n', '.', ',', ';', ':', '=', '/', '"', '[', ']', '?', '&', '-'];

fn text(dice: &mut Dice, words: &[&str], bytes: &[u8], seeds: &[Vec<u8>]) -> Vec<u8> {
    let whole = String::from_utf8_lossy(bytes).into_owned();
    let mut pieces: Vec<String> = whole.split_inclusive(STOPS).map(str::to_owned).collect();
    for _ in 0..=dice.below(4) {
        let at = dice.below(pieces.len() + 1);
        let from = dice.below(pieces.len());
        match dice.below(7) {
            0 => pieces.insert(at, dice.one::<&str>(words).to_string()),
            1 if at < pieces.len() => pieces[at] = dice.one::<&str>(words).to_string(),
            2 if at < pieces.len() => drop(pieces.remove(at)),
            3 if from < pieces.len() => pieces.insert(at, pieces[from].clone()),
            4 if from < pieces.len() && at < pieces.len() => pieces.swap(at, from),
            5 => pieces.insert(at, dice.one::<&str>(TELLING_TEXT).repeat(1 + dice.below(300))),
            _ => {
                let other = String::from_utf8_lossy(dice.one::<Vec<u8>>(seeds)).into_owned();
                let line = other.lines().nth(dice.below(other.lines().count())).unwrap_or_default();
                pieces.insert(at, format!("{line}\n"));
            }
        }
    }
    pieces.concat().into_bytes()
}

pub const TELLING_TEXT: &[&str] = &["", "\0", "é", "\u{202e}", "\u{feff}", "👩‍👩‍👧", "%00", "..", "\\", "'", "\t", "\r\n", "a", "9", "-1", "_"];

/// Bytes that decoders look at twice.
const TELLING: &[u8] = b"\x00\x7f\x80\x90\xa0\xbf\xc0\xc1\xc4\xc6\xc9\xca\xcf\xd4\xd9\xdb\xdc\xdd\xde\xdf\xe0\xff{}[]\",:\\0-.eE\n";

fn noise(dice: &mut Dice, bytes: &mut Vec<u8>, seeds: &[Vec<u8>]) {
    let at = dice.below(bytes.len() + 1);
    match dice.below(9) {
        0 => bytes.truncate(at),
        1 => bytes.insert(at, *dice.one(TELLING)),
        2 if at < bytes.len() => bytes[at] ^= 1 << dice.below(8),
        3 if at < bytes.len() => bytes[at] = *dice.one(TELLING),
        4 if at < bytes.len() => drop(bytes.remove(at)),
        5 => {
            let other = dice.one::<Vec<u8>>(seeds);
            let from = dice.below(other.len() + 1);
            bytes.truncate(at);
            bytes.extend_from_slice(&other[from..]);
        }
        6 => {
            let until = at + dice.below(bytes.len() - at + 1).min(64);
            let piece = bytes[at..until].to_vec();
            (0..dice.below(40)).for_each(|_| bytes.splice(at..at, piece.iter().copied()).for_each(drop));
        }
        7 => length(dice, bytes, at),
        _ => (0..dice.below(9)).for_each(|_| bytes.insert(at, dice.roll() as u8)),
    }
}

/// A number over some bytes: what a length, a count or an epoch may be made to say.
fn length(dice: &mut Dice, bytes: &mut [u8], at: usize) {
    let number = *dice.one(&[0, 1, 125, 126, 127, 128, 0xff, 0xffff, 0x1_0000, u64::from(u32::MAX), 1 << 31, 1 << 53, 1 << 63, u64::MAX]);
    let width = *dice.one(&[1, 2, 4, 8]);
    let Some(place) = bytes.get_mut(at..at + width) else { return };
    let (big, little) = (number.to_be_bytes(), number.to_le_bytes());
    place.copy_from_slice(if dice.below(2) == 0 { &big[8 - width..] } else { &little[..width] });
}
