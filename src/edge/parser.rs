//! Pure. Whole WebSocket messages out of a client's bytes (RFC 6455, 5.4), however they are cut; no IO, no clock.
//!
//! A message that lies whole in the read buffer is unmasked and handed out in place. Only what is unfinished when the
//! bytes end is kept, boxed; a connection with nothing unfinished costs one pointer. Each byte is looked at once, so
//! that a message sent byte by byte costs no more than its length.

use fastwebsockets::unmask;

use super::frame::{HEAD_BYTES_MAX, Head, Opcode, Violation, read_close, read_head};
use super::heartbeat::Tick;

#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    pub message_bytes_max: usize,
    pub fragments_max: u32,
}

#[derive(Debug, PartialEq, Eq)]
pub enum Item<'a> {
    Message {
        text: bool,
        bytes: &'a [u8],
    },
    Ping(&'a [u8]),
    Pong,
    /// Nothing after it counts.
    Close(Option<u16>),
}

#[derive(Debug, Default)]
pub struct Parser {
    tail: Option<Box<Tail>>,
}

/// What is unfinished.
#[derive(Debug, Default)]
struct Tail {
    /// The first bytes of a frame's head.
    head: [u8; HEAD_BYTES_MAX],
    head_bytes: u8,
    /// The frame whose payload is not whole, and how much of that was taken.
    frame: Option<(Head, usize)>,
    control: Vec<u8>,
    /// The data message under way: is it text, its unmasked bytes, its frames, and how far it is known to be UTF-8.
    text: Option<bool>,
    message: Vec<u8>,
    fragments: u32,
    valid: usize,
    /// The message in `message` was handed out.
    spent: bool,
    since: Option<Tick>,
    /// Bytes that were read but may not be looked at yet.
    stash: Vec<u8>,
}

impl Parser {
    /// The next message or control frame out of `input`, which loses what was consumed; `None`: the rest is kept, read more.
    /// After a violation the parser is of no more use.
    pub fn step<'a, 'b: 'a>(&'a mut self, input: &mut &'b mut [u8], bounds: &Bounds, now: Tick) -> Result<Option<Item<'a>>, Violation> {
        self.forget_spent();
        loop {
            let (head, taken, is_new) = match self.tail.as_mut().and_then(|tail| tail.frame.take()) {
                Some((head, taken)) => (head, taken, false),
                None => match self.next_head(input, now)? {
                    Some(head) => (self.admit(head, bounds)?, 0, true),
                    None => return Ok(None),
                },
            };
            let wanted = head.payload_bytes as usize - taken;
            let piece = take(input, wanted);
            unmask(piece, turned(head.mask, taken));
            let whole = piece.len() == wanted;
            let in_place = whole && is_new;
            match head.opcode {
                control if control.is_control() && in_place => return whole_control(control, piece).map(Some),
                control if control.is_control() => {
                    let tail = self.tail_since(now);
                    tail.control.extend_from_slice(piece);
                    if whole {
                        tail.since = tail.since.filter(|_| tail.text.is_some());
                        return whole_control(control, &self.tail.get_or_insert_default().control).map(Some);
                    }
                }
                opcode if in_place && head.fin && opcode != Opcode::Continuation => {
                    let text = opcode == Opcode::Text;
                    if text && std::str::from_utf8(piece).is_err() {
                        return Err(Violation::BadText);
                    }
                    self.forget_empty();
                    return Ok(Some(Item::Message { text, bytes: piece }));
                }
                opcode => {
                    let tail = self.tail_since(now);
                    if is_new {
                        tail.fragments += 1;
                        if opcode != Opcode::Continuation {
                            tail.text = Some(opcode == Opcode::Text);
                        }
                    }
                    tail.message.extend_from_slice(piece);
                    tail.check_text(whole && head.fin)?;
                    if whole && head.fin {
                        return Ok(Some(self.tail_since(now).finish()));
                    }
                }
            }
            if !whole {
                self.tail_since(now).frame = Some((head, taken + piece.len()));
                return Ok(None);
            }
        }
    }

    /// When the oldest unfinished thing began.
    pub fn since(&self) -> Option<Tick> {
        self.tail.as_ref().and_then(|tail| tail.since)
    }
    /// Reading stood still by our own doing: what is unfinished begins anew.
    pub fn restart_clock(&mut self, now: Tick) {
        if let Some(since) = self.tail.as_mut().and_then(|tail| tail.since.as_mut()) {
            *since = now;
        }
    }
    /// Keeps bytes for later, unlooked at.
    pub fn stash(&mut self, rest: &[u8]) {
        if !rest.is_empty() {
            self.tail.get_or_insert_default().stash.extend_from_slice(rest);
        }
    }
    pub fn take_stash(&mut self) -> Vec<u8> {
        let stash = self.tail.as_mut().map(|tail| std::mem::take(&mut tail.stash)).unwrap_or_default();
        self.forget_empty();
        stash
    }
    pub fn has_stash(&self) -> bool {
        self.tail.as_ref().is_some_and(|tail| !tail.stash.is_empty())
    }
    pub fn has_tail(&self) -> bool {
        self.tail.is_some()
    }

    fn tail_since(&mut self, now: Tick) -> &mut Tail {
        let tail = self.tail.get_or_insert_default();
        tail.since.get_or_insert(now);
        tail
    }

    fn next_head(&mut self, input: &mut &mut [u8], now: Tick) -> Result<Option<Head>, Violation> {
        let kept = self.tail.as_ref().map_or(0, |tail| usize::from(tail.head_bytes));
        if kept == 0 {
            if let Some((head, length)) = read_head(input)? {
                take(input, length);
                return Ok(Some(head));
            }
            if input.is_empty() {
                self.forget_empty();
                return Ok(None);
            }
        }
        let tail = self.tail_since(now);
        let room = (HEAD_BYTES_MAX - kept).min(input.len());
        tail.head[kept..kept + room].copy_from_slice(&input[..room]);
        let found = read_head(&tail.head[..kept + room])?;
        let length = found.map_or(kept + room, |(_, length)| length);
        take(input, length - kept);
        tail.head_bytes = if found.is_some() { 0 } else { length as u8 };
        Ok(found.map(|(head, _)| head))
    }

    /// May this frame come now?
    fn admit(&self, head: Head, bounds: &Bounds) -> Result<Head, Violation> {
        if head.opcode.is_control() {
            return Ok(head);
        }
        let (under_way, bytes, fragments) =
            self.tail.as_ref().map_or((false, 0, 0), |tail| (tail.text.is_some(), tail.message.len(), tail.fragments));
        match (head.opcode == Opcode::Continuation, under_way) {
            (true, false) => Err(Violation::Protocol("a continuation, but no message is under way")),
            (false, true) => Err(Violation::Protocol("a new message inside of another")),
            _ if head.payload_bytes > (bounds.message_bytes_max - bytes) as u64 => Err(Violation::TooBig),
            _ if fragments >= bounds.fragments_max => Err(Violation::TooManyFragments),
            _ => Ok(head),
        }
    }

    fn forget_spent(&mut self) {
        let Some(tail) = self.tail.as_mut() else { return };
        if tail.spent {
            (tail.spent, tail.valid, tail.message) = (false, 0, Vec::new());
        }
        if tail.frame.is_none_or(|(head, _)| !head.opcode.is_control()) {
            tail.control = Vec::new();
        }
        self.forget_empty();
    }

    fn forget_empty(&mut self) {
        if self.tail.as_ref().is_some_and(|tail| tail.is_empty()) {
            self.tail = None;
        }
    }
}

impl Tail {
    fn is_empty(&self) -> bool {
        self.head_bytes == 0 && self.frame.is_none() && self.text.is_none() && !self.spent && self.stash.is_empty()
    }

    /// Refuses text at its first wrong byte, not at the message's end.
    fn check_text(&mut self, last: bool) -> Result<(), Violation> {
        if self.text != Some(true) {
            return Ok(());
        }
        match std::str::from_utf8(&self.message[self.valid..]) {
            Ok(_) => self.valid = self.message.len(),
            Err(error) if error.error_len().is_some() || last => return Err(Violation::BadText),
            Err(error) => self.valid += error.valid_up_to(),
        }
        Ok(())
    }

    fn finish(&mut self) -> Item<'_> {
        let text = self.text.take() == Some(true);
        (self.fragments, self.since, self.spent) = (0, None, true);
        Item::Message { text, bytes: &self.message }
    }
}

fn whole_control(opcode: Opcode, body: &[u8]) -> Result<Item<'_>, Violation> {
    Ok(match opcode {
        Opcode::Ping => Item::Ping(body),
        Opcode::Close => Item::Close(read_close(body)?),
        _ => Item::Pong,
    })
}

/// Up to `wanted` bytes off the front.
fn take<'b>(input: &mut &'b mut [u8], wanted: usize) -> &'b mut [u8] {
    let all = std::mem::take(input);
    let (piece, rest) = all.split_at_mut(wanted.min(all.len()));
    *input = rest;
    piece
}

/// The mask as it stands `offset` bytes into the payload.
fn turned(mut mask: [u8; 4], offset: usize) -> [u8; 4] {
    mask.rotate_left(offset & 3);
    mask
}
