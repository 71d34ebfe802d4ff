//! Pure. One append at a time: what goes into it, and what its outcome means; and how much of what was appended is above
//! the watermark.

use schema::block::Block;
use schema::limits;
use store::{Append, Appended, Error};
use uuid::Uuid;

use super::{Core, Effect, InFlight, Mode, Stop};

impl Core {
    pub(super) fn append_next(&mut self, effects: &mut Vec<Effect>) {
        let full = self.tail_events >= self.bounds.tail_events_max || self.tail_bytes >= self.bounds.tail_bytes_max;
        if self.mode != Mode::Serving || self.in_flight.is_some() || self.open.is_empty() || full {
            return;
        }
        let (events, bytes) = self.open.take(limits::BLOCK_EVENTS_MAX, limits::BLOCK_BYTES_MAX);
        let block = Block { events: events.iter().map(|e| (**e).clone()).collect() };
        let append =
            Append { slot: self.slot, epoch: self.epoch, head: self.head, batch: batch_id(self.epoch, self.head), block: block.encode() };
        effects.push(Effect::Append { append: append.clone(), again: false });
        self.in_flight = Some(InFlight { append, events, bytes });
    }

    pub(super) fn appended(&mut self, answer: Result<Appended, Error>, effects: &mut Vec<Effect>) {
        let InFlight { append, events, bytes } = self.in_flight.take().expect("an answer belongs to the one append in flight");
        let mine = Some(append.batch);
        match answer {
            // An earlier try of ours landed: look at the batch before the epoch, both may have changed.
            Ok(Appended::Applied) | Ok(Appended::Moved { .. }) if landed(&answer, mine) => {
                self.head += 1;
                self.grow_tail(self.head, events.len(), bytes);
                effects.push(Effect::Applied { block: self.head, events });
                if let Ok(Appended::Moved { epoch, .. }) = answer
                    && epoch > self.epoch
                {
                    return self.stop(Stop::Superseded { epoch }, effects);
                }
                self.append_next(effects);
            }
            Ok(Appended::Moved { epoch, .. }) if epoch > self.epoch => self.stop(Stop::Superseded { epoch }, effects),
            Ok(_) => self.stop(Stop::Moved, effects),
            Err(Error::Unknown(_)) => {
                effects.push(Effect::Append { append: append.clone(), again: true });
                self.in_flight = Some(InFlight { append, events, bytes });
            }
            Err(Error::ReadOnly(_)) => self.stop(Stop::ReadOnly, effects),
            Err(error) => self.stop(Stop::Broken(error), effects),
        }
    }

    pub(super) fn grow_tail(&mut self, block: u64, events: usize, bytes: usize) {
        self.tail.push_back((block, events, bytes));
        self.tail_events += events;
        self.tail_bytes += bytes;
    }

    pub(super) fn projected(&mut self, upto: u64) {
        while let Some((block, events, bytes)) = self.tail.front().copied()
            && block <= upto
        {
            self.tail.pop_front();
            self.tail_events -= events;
            self.tail_bytes -= bytes;
        }
        self.watermark = self.watermark.max(upto);
    }
}

fn landed(answer: &Result<Appended, Error>, mine: Option<Uuid>) -> bool {
    match answer {
        Ok(Appended::Applied) => true,
        Ok(Appended::Moved { last_batch, .. }) => *last_batch == mine,
        Err(_) => false,
    }
}

/// An epoch is never used twice and a head is filled once in it, so the pair names the batch.
fn batch_id(epoch: u64, head: u64) -> Uuid {
    Uuid::new_v8((u128::from(epoch) << 64 | u128::from(head)).to_be_bytes())
}
