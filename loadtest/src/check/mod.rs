//! Pure. Whether a run kept the promises: one file a rule, every rule proven by a history that breaks it and one that
//! comes close and does not. Looks at histories alone, so that it can be used on anybody's cluster.

mod c01_acks;
mod c02_phantoms;
mod c03_once;
mod c04_agreement;
mod c05_contiguous;
mod c06_order;
mod c07_fifo;
mod c08_reads;
mod c09_heads;
mod c10_unknown;
mod c11_removal;
mod c12_erasure;
mod index;
#[cfg(test)]
mod random;
#[cfg(test)]
mod script;
mod vacuity;

use std::fmt;

pub use index::Index;

use crate::history::Run;

macro_rules! rules {
    ($($name:ident = $file:ident, $promise:literal;)*) => {
        /// What a run has to keep.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Rule { $(#[doc = $promise] $name,)* Vacuity }

        impl Rule {
            pub const ALL: &[Rule] = &[$(Rule::$name,)* Rule::Vacuity];
            pub fn promise(self) -> &'static str {
                match self { $(Self::$name => $promise,)* Self::Vacuity => "the run asked for enough, and its faults happened" }
            }
            fn apply(self, index: &Index<'_>, bounds: Bounds) -> Vec<String> {
                let mut found = Vec::new();
                match self { $(Self::$name => $file::check(index, bounds, &mut found),)* Self::Vacuity => vacuity::check(index, bounds, &mut found) }
                found
            }
        }
    };
}

rules! {
    C1 = c01_acks, "every ack is in the final log: same seq, same body";
    C2 = c02_phantoms, "nothing is in the final log that nobody asked for, or that was refused";
    C3 = c03_once, "a cmid is in a room once";
    C4 = c04_agreement, "all who saw a seq of a room saw the same";
    C5 = c05_contiguous, "delivery is contiguous unless a gap was said and filled";
    C6 = c06_order, "an ack before a send orders the two";
    C7 = c07_fifo, "what a device asked for in a room lands in the order in which it asked";
    C8 = c08_reads, "a read after an ack contains it";
    C9 = c09_heads, "a room's head never falls for a device";
    C10 = c10_unknown, "an outcome is one: an unknown ends once or never";
    C11 = c11_removal, "nothing is delivered after the seq of a removal";
    C12 = c12_erasure, "nothing is readable after its erasure was acknowledged";
}

/// What the run was promised, besides the rules.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// How much later another device may read what one was acknowledged: 0 on one node, 4 s where a node may be cut off.
    pub lag_us: u64,
    /// Of all requests, in per cent.
    pub acks_min_percent: u32,
}

impl Bounds {
    /// Of nodes any of which may be cut off from the others and not know it yet.
    pub fn of_a_group() -> Self {
        Self { lag_us: 4_000_000, ..Self::default() }
    }
}

impl Default for Bounds {
    fn default() -> Self {
        Self { lag_us: 0, acks_min_percent: 95 }
    }
}

/// What was looked at and what was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    pub found: Vec<(Rule, Vec<String>)>,
    pub devices: usize,
    pub asked: usize,
    pub acked: usize,
    pub sightings: usize,
    pub events: usize,
}

/// Findings of a rule that are printed.
const SHOWN_MAX: usize = 5;

pub fn check(run: &Run, bounds: Bounds) -> Verdict {
    let index = Index::of(run);
    let found = Rule::ALL.iter().map(|rule| (*rule, rule.apply(&index, bounds))).filter(|(_, texts)| !texts.is_empty()).collect();
    Verdict {
        found,
        devices: run.devices.len(),
        asked: index.asked.len(),
        acked: index.asked.values().filter(|asked| asked.is_acked()).count(),
        sightings: index.sightings().count(),
        events: run.rooms.values().map(|room| room.events.len()).sum(),
    }
}

impl Verdict {
    pub fn is_clean(&self) -> bool {
        self.found.is_empty()
    }
    pub fn broke(&self, rule: Rule) -> bool {
        self.found.iter().any(|(broken, _)| *broken == rule)
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { devices, asked, acked, sightings, events, .. } = self;
        writeln!(f, "{devices} devices · {asked} requests, {acked} acknowledged · {sightings} sightings of {events} events")?;
        for (rule, texts) in &self.found {
            writeln!(f, "{rule:?} broken {} times: {}", texts.len(), rule.promise())?;
            texts.iter().take(SHOWN_MAX).try_for_each(|text| writeln!(f, "  {text}"))?;
        }
        if self.is_clean() { writeln!(f, "every rule holds") } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::script::Script;

    #[test]
    fn a_good_run_of_two_devices_breaks_no_rule() {
        let verdict = Script::good().verdict();
        assert!(verdict.is_clean(), "{verdict}");
        assert_eq!((verdict.devices, verdict.asked, verdict.acked), (2, 4, 4));
    }
}
