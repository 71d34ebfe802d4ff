//! Pure. The way to serving: the watermark is read, the journal fenced, and what lies above the watermark read in order.

use std::sync::Arc;

use schema::block::Block;
use store::{Error, Fenced};

use super::{Core, Effect, Mode, Stop};
use crate::slot::block::weight;

impl Core {
    pub(super) fn watermark_read(&mut self, answer: Result<u64, Error>, effects: &mut Vec<Effect>) {
        match answer {
            Ok(block) => {
                self.watermark = block;
                self.mode = Mode::Fencing;
                effects.push(Effect::Fence { epoch: self.epoch });
            }
            Err(error) => self.take_over_failed(error, Effect::ReadWatermark, effects),
        }
    }

    pub(super) fn fenced(&mut self, answer: Result<Fenced, Error>, effects: &mut Vec<Effect>) {
        match answer {
            Ok(Fenced::Ok { head }) => {
                assert!(head >= self.watermark, "the watermark {} of {:?} is above its journal's head {head}", self.watermark, self.slot);
                self.head = self.watermark;
                self.mode = Mode::Replaying { upto: head };
                self.replay_on(effects);
            }
            Ok(Fenced::Stale { epoch }) => self.stop(Stop::Superseded { epoch }, effects),
            Err(error) => self.take_over_failed(error, Effect::Fence { epoch: self.epoch }, effects),
        }
    }

    pub(super) fn tail_read(&mut self, answer: Result<Vec<(u64, Block)>, Error>, effects: &mut Vec<Effect>) {
        let Mode::Replaying { upto } = self.mode else { return };
        match answer {
            Ok(blocks) if blocks.is_empty() => self.missing(effects),
            Ok(blocks) => {
                for (number, block) in blocks {
                    if number > upto {
                        break;
                    }
                    if number != self.head + 1 {
                        return self.missing(effects);
                    }
                    let bytes = block.events.iter().map(weight).sum();
                    self.grow_tail(number, block.events.len(), bytes);
                    self.head = number;
                    self.replayed.push((number, block.events.into_iter().map(Arc::new).collect()));
                }
                self.replay_on(effects);
            }
            Err(error) => self.take_over_failed(error, Effect::ReadTail { from: self.head + 1 }, effects),
        }
    }

    /// A block above the watermark that was read is not there. Another owner may have carried and trimmed it since: then the
    /// watermark is higher by now. Otherwise it is lost.
    fn missing(&mut self, effects: &mut Vec<Effect>) {
        if std::mem::replace(&mut self.looked_again, true) {
            return self.stop(Stop::Broken(Error::MissingBlock { slot: self.slot.0, block: self.head + 1 }), effects);
        }
        self.replayed.clear();
        self.tail.clear();
        (self.tail_events, self.tail_bytes) = (0, 0);
        self.mode = Mode::ReadingWatermark;
        effects.push(Effect::ReadWatermark);
    }

    fn replay_on(&mut self, effects: &mut Vec<Effect>) {
        let Mode::Replaying { upto } = self.mode else { return };
        if self.head < upto {
            return effects.push(Effect::ReadTail { from: self.head + 1 });
        }
        self.mode = Mode::Serving;
        effects.push(Effect::Serving { watermark: self.watermark, tail: std::mem::take(&mut self.replayed) });
        self.append_next(effects);
    }

    fn take_over_failed(&mut self, error: Error, step: Effect, effects: &mut Vec<Effect>) {
        match error {
            Error::Unknown(_) | Error::ReadOnly(_) => effects.push(Effect::Again(Box::new(step))),
            other => self.stop(Stop::Broken(other), effects),
        }
    }
}
