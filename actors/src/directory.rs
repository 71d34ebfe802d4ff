//! Where the virtual actors of one kind are on this node: awake, waking, falling asleep, or only a few bytes.
//!
//! Everything for an actor goes through here under one lock per shard, so that nothing overtakes and nothing is lost
//! between two lives of it: what comes while it wakes or falls asleep waits here and is handed on in order.

use std::collections::HashMap;
use std::hash::Hash;

use parking_lot::Mutex;
use ractor::{ActorId, ActorRef, Message};

const SHARDS: usize = 64;

/// After a rush a table does not keep its size.
pub fn let_go<K: Eq + Hash, V>(table: &mut HashMap<K, V>) {
    if table.capacity() > 64 && table.len() * 4 < table.capacity() {
        table.shrink_to(table.len() * 2);
    }
}

pub struct Directory<K, M, P> {
    shards: Vec<Mutex<HashMap<K, Place<M, P>>>>,
}

enum Place<M, P> {
    Awake(ActorRef<M>),
    /// Somebody was asked to wake it; what it will be told first.
    Waking(Vec<M>, Option<P>),
    /// It was told to fall asleep, as its last message so far.
    Parking(ActorRef<M>, Vec<M>),
    /// Asleep, with something to remember.
    Parked(P),
}

/// What the caller of `tell` has to do.
#[derive(Debug, PartialEq, Eq)]
pub enum Told {
    Done,
    /// The first word to a sleeping actor: have it woken, then call `woken`.
    Wake,
}

impl<K: Eq + Hash + Copy + AsRef<[u8]>, M: Message, P> Directory<K, M, P> {
    pub fn new() -> Self {
        Self { shards: (0..SHARDS).map(|_| Mutex::default()).collect() }
    }
    fn shard(&self, key: K) -> &Mutex<HashMap<K, Place<M, P>>> {
        let id = key.as_ref();
        &self.shards[(usize::from(id[15]) ^ usize::from(id[7])) % SHARDS]
    }

    pub fn tell(&self, key: K, message: M) -> Told {
        let mut shard = self.shard(key).lock();
        match shard.get_mut(&key) {
            // A dead one is told too: its end is on the way to its supervisor, and what it is told is answered by being dropped.
            Some(Place::Awake(actor)) => drop(actor.cast(message)),
            Some(Place::Waking(queue, _) | Place::Parking(_, queue)) => queue.push(message),
            Some(Place::Parked(_)) | None => {
                let kept = match shard.remove(&key) {
                    Some(Place::Parked(kept)) => Some(kept),
                    _ => None,
                };
                shard.insert(key, Place::Waking(vec![message], kept));
                return Told::Wake;
            }
        }
        Told::Done
    }

    /// Like `tell`, but only if that wakes nobody: a sleeping actor learns it from the store when it wakes.
    pub fn tell_awake(&self, key: K, message: M) -> bool {
        let mut shard = self.shard(key).lock();
        match shard.get_mut(&key) {
            Some(Place::Awake(actor)) => drop(actor.cast(message)),
            Some(Place::Waking(queue, _) | Place::Parking(_, queue)) => queue.push(message),
            Some(Place::Parked(_)) | None => return false,
        }
        true
    }

    /// Nobody is awake, waking, or on the way to sleep.
    pub fn is_asleep(&self, key: K) -> bool {
        matches!(self.shard(key).lock().get(&key), None | Some(Place::Parked(_)))
    }

    /// What a parked one left to remember, for the new one.
    pub fn take_parked(&self, key: K) -> Option<P> {
        match self.shard(key).lock().get_mut(&key) {
            Some(Place::Waking(_, kept)) => kept.take(),
            _ => None,
        }
    }

    pub fn peek<T>(&self, key: K, look: impl FnOnce(&P) -> T) -> Option<T> {
        match self.shard(key).lock().get(&key) {
            Some(Place::Parked(kept) | Place::Waking(_, Some(kept))) => Some(look(kept)),
            _ => None,
        }
    }

    pub fn woken(&self, key: K, actor: ActorRef<M>) {
        let mut shard = self.shard(key).lock();
        if let Some(Place::Waking(queue, _)) = shard.get_mut(&key) {
            for message in std::mem::take(queue) {
                let _ = actor.cast(message);
            }
            shard.insert(key, Place::Awake(actor));
        }
    }

    /// The actor wants to sleep: `last` is the last it is told before it does.
    pub fn park(&self, key: K, last: M) {
        let mut shard = self.shard(key).lock();
        if let Some(Place::Awake(actor)) = shard.get(&key) {
            let actor = actor.clone();
            let _ = actor.cast(last);
            shard.insert(key, Place::Parking(actor, Vec::new()));
        }
    }

    /// The actor was told its last word. `kept` is `None` when it has work again. True: it may stop now.
    pub fn parked(&self, key: K, kept: Option<Option<P>>) -> bool {
        let mut shard = self.shard(key).lock();
        let Some(Place::Parking(actor, queue)) = shard.get_mut(&key) else { return false };
        match kept {
            Some(kept) if queue.is_empty() => {
                match kept {
                    Some(kept) => drop(shard.insert(key, Place::Parked(kept))),
                    None => drop(shard.remove(&key)),
                }
                let_go(&mut shard);
                true
            }
            _ => {
                let actor = actor.clone();
                for message in std::mem::take(queue) {
                    let _ = actor.cast(message);
                }
                shard.insert(key, Place::Awake(actor));
                false
            }
        }
    }

    /// The actor is gone: whatever waits for it is handed back, to be answered or dropped.
    pub fn lost(&self, key: K) -> Vec<M> {
        match self.shard(key).lock().remove(&key) {
            Some(Place::Waking(queue, _) | Place::Parking(_, queue)) => queue,
            _ => Vec::new(),
        }
    }

    /// Whether the place is still that of this actor, and not of one that followed it.
    pub fn is_place_of(&self, key: K, actor: ActorId) -> bool {
        match self.shard(key).lock().get(&key) {
            Some(Place::Awake(known) | Place::Parking(known, _)) => known.get_id() == actor,
            _ => false,
        }
    }

    /// All actors of these keys are gone, and what waited for them is dropped. What was parked stays.
    pub fn forget(&self, is_gone: impl Fn(&K) -> bool) {
        for shard in &self.shards {
            let gone = shard.lock().extract_if(|key, place| is_gone(key) && !matches!(place, Place::Parked(_))).collect::<Vec<_>>();
            drop(gone);
        }
    }

    /// They are somebody else's from now on, and what was parked of them is too: what it said may be wrong when they come back.
    pub fn leave(&self, is_left: impl Fn(&K) -> bool) {
        for shard in &self.shards {
            let mut shard = shard.lock();
            let left = shard.extract_if(|key, _| is_left(key)).collect::<Vec<_>>();
            let_go(&mut shard);
            drop(shard);
            drop(left);
        }
    }

    pub fn for_each_awake(&self, mut tell: impl FnMut(K, &ActorRef<M>)) {
        for shard in &self.shards {
            for (key, place) in shard.lock().iter() {
                if let Place::Awake(actor) = place {
                    tell(*key, actor);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_parked_stays_with_actors_that_are_gone_and_goes_with_those_that_are_somebody_elses() {
        let directory: Directory<[u8; 16], (), &str> = Directory::new();
        for key in [[1; 16], [2; 16]] {
            directory.shard(key).lock().insert(key, Place::Parked("busy"));
        }
        directory.forget(|_| true);
        assert_eq!(directory.peek([1; 16], |parked| *parked), Some("busy"));
        directory.leave(|key| *key == [1; 16]);
        assert_eq!((directory.peek([1; 16], |parked| *parked), directory.peek([2; 16], |parked| *parked)), (None, Some("busy")));
    }

    #[test]
    fn a_table_that_emptied_is_small_again_and_one_in_use_is_left_alone() {
        let mut table: HashMap<u32, u32> = (0..10_000).map(|n| (n, n)).collect();
        table.retain(|n, _| *n < 5_000);
        let_go(&mut table);
        assert!(table.capacity() >= 10_000);
        table.retain(|n, _| *n < 100);
        let_go(&mut table);
        assert!(table.capacity() < 500 && table.len() == 100);
    }
}
