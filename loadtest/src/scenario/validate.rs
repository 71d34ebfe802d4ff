//! Pure. What is wrong with a scenario that could be read: one sentence a mistake, with its line and its key.

use std::fmt;

use super::position::line_of;
use super::{DOINGS, Fault, Persona, Phase, Rooms, Scenario, Threshold};
use crate::measure::Deed;
use crate::report::judge;
use crate::run::text::MARK_BYTES_MAX;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mistake {
    pub line: usize,
    pub key: String,
    pub what: String,
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.key.as_str() {
            "" => write!(f, "line {}: {}", self.line, self.what),
            key => write!(f, "line {}, `{key}`: {}", self.line, self.what),
        }
    }
}

impl Mistake {
    pub(super) fn unreadable(error: &toml::de::Error, text: &str) -> Self {
        let line = error.span().map_or(1, |span| text[..span.start.min(text.len())].matches('\n').count() + 1);
        Self { line, key: String::new(), what: error.message().trim().replace('\n', " ") }
    }
}

/// Users of one process's connections would not fit into any memory beyond this.
const USERS_MAX: u32 = 1_000_000;
const TEXT_BYTES_MAX: u32 = 16 * 1024;

/// Collects (key, sentence).
type Found = Vec<(String, String)>;

impl Scenario {
    pub(super) fn mistakes(&self, text: &str) -> Vec<Mistake> {
        let mut found = Found::new();
        let mut wrong = |is_wrong: bool, key: &str, what: String| {
            if is_wrong {
                found.push((key.to_owned(), what));
            }
        };
        let users = self.people.users;
        wrong(users == 0, "people.users", "a run needs at least one user".into());
        wrong(users > USERS_MAX, "people.users", format!("{users} is more than {USERS_MAX}"));
        wrong(self.people.accounts == Some(0), "people.accounts", "somebody has to be signed up".into());
        wrong(self.rooms.is_empty(), "rooms", "there is no room to talk in: add [[rooms]] with `count` and `members`".into());
        wrong(self.persona.is_empty(), "persona", "nobody is there: add [persona.<name>] with `per_minute` and `actions`".into());
        wrong(self.persona.values().map(|it| it.share).sum::<f64>() <= 0.0, "persona", "all shares are 0".into());
        wrong(self.phase.is_empty(), "phase", "nothing happens: add [[phase]] with `name` and `lasts`".into());
        self.rooms.iter().enumerate().for_each(|(n, rooms)| rooms.mistakes(&format!("rooms.{n}"), &self.people, &mut found));
        self.persona.iter().for_each(|(name, persona)| persona.mistakes(&format!("persona.{name}"), &mut found));
        self.phase.iter().enumerate().for_each(|(n, phase)| phase.mistakes(&format!("phase.{n}"), &mut found));
        self.fault.iter().enumerate().for_each(|(n, fault)| fault.mistakes(&format!("fault.{n}"), self.lasts_us(), &mut found));
        self.threshold.iter().enumerate().for_each(|(n, threshold)| threshold.mistakes(&format!("threshold.{n}"), &mut found));
        found.into_iter().map(|(key, what)| Mistake { line: line_of(text, &key), key, what }).collect()
    }
}

fn is_weight(weight: f64) -> bool {
    weight.is_finite() && weight >= 0.0
}

impl Rooms {
    fn mistakes(&self, at: &str, people: &super::People, found: &mut Found) {
        let (accounts, nodes) = (people.accounts() / people.nodes(), people.nodes());
        if self.members == 0 || self.members > accounts {
            let each = if nodes > 1 { format!(" on each of {nodes} nodes") } else { String::new() };
            found.push((format!("{at}.members"), format!("{} members cannot be had from {accounts} accounts{each}", self.members)));
        }
        if !is_weight(self.weight) || !is_weight(self.zipf) || self.zipf > 5.0 {
            found.push((at.to_owned(), "`weight` is a number from 0 on, `zipf` one from 0 to 5".into()));
        }
    }
}

impl Persona {
    fn mistakes(&self, at: &str, found: &mut Found) {
        if !is_weight(self.share) {
            found.push((format!("{at}.share"), "a share is a number from 0 on".into()));
        }
        if !is_weight(self.per_minute) || self.per_minute > 600_000.0 {
            found.push((format!("{at}.per_minute"), "a rate is a number from 0 to 600000 a minute".into()));
        }
        for (name, weight) in &self.actions {
            let known = Deed::of(name).is_some_and(|deed| DOINGS.contains(&deed));
            if !known {
                let names: Vec<_> = DOINGS.iter().map(|deed| deed.text()).collect();
                found.push((format!("{at}.actions.{name}"), format!("nobody can do `{name}`: there are {}", names.join(", "))));
            } else if !is_weight(*weight) {
                found.push((format!("{at}.actions.{name}"), "a weight is a number from 0 on".into()));
            }
        }
        if self.per_minute > 0.0 && self.actions.values().sum::<f64>() <= 0.0 {
            found.push((at.to_owned(), "they act, but `actions` says nothing to do: `actions = { post = 1 }`".into()));
        }
        let (least, most) = self.text_bytes.bounds();
        if least < MARK_BYTES_MAX as u32 || most > TEXT_BYTES_MAX || least > most {
            found.push((format!("{at}.text_bytes"), format!("a text has {MARK_BYTES_MAX} to {TEXT_BYTES_MAX} bytes, its mark included")));
        }
        if let Some(flaps) = self.flaps
            && (flaps.away >= flaps.every || flaps.away.us() == 0)
        {
            found.push((format!("{at}.flaps.away"), "`away` has to be above 0 and shorter than `every`".into()));
        }
    }
}

impl Phase {
    fn mistakes(&self, at: &str, found: &mut Found) {
        if self.lasts.us() == 0 {
            found.push((format!("{at}.lasts"), "a phase has to last some time".into()));
        }
        if !is_weight(self.load) || !self.load_to.is_none_or(is_weight) {
            found.push((format!("{at}.load"), "a load is a number from 0 on".into()));
        }
    }
}

impl Fault {
    fn mistakes(&self, at: &str, lasts_us: u64, found: &mut Found) {
        if self.times == 0 {
            found.push((format!("{at}.times"), "a fault that never happens proves nothing".into()));
        }
        let every = self.every.map_or(0, super::Span::us);
        if self.times > 1 && every == 0 {
            found.push((format!("{at}.every"), "a fault that happens several times needs `every`".into()));
        }
        if self.at.us() + every * u64::from(self.times.saturating_sub(1)) > lasts_us {
            found.push((format!("{at}.at"), "it would happen after the last phase".into()));
        }
        if !(self.share > 0.0 && self.share <= 1.0) {
            found.push((format!("{at}.share"), "a share is above 0 and at most 1".into()));
        }
    }
}

impl Threshold {
    fn mistakes(&self, at: &str, found: &mut Found) {
        if let Err(what) = judge::Figure::read(&self.of) {
            found.push((format!("{at}.of"), what));
        }
        if self.at_most.is_some() == self.at_least.is_some() {
            found.push((at.to_owned(), "give one of `at_most` and `at_least`".into()));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "name = \"x\"\n[people]\nusers = 4\n[[rooms]]\ncount = 1\nmembers = 4\n[persona.a]\nper_minute = 1\nactions = { post = 1 }\n[[phase]]\nname = \"p\"\nlasts = \"1s\"\n";

    /// The mistakes of the good scenario after a change, one a line.
    fn said(from: &str, to: &str) -> String {
        assert!(GOOD.contains(from));
        let mistakes = Scenario::read(&GOOD.replace(from, to)).unwrap_err();
        mistakes.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
    }

    #[test]
    fn the_good_one_is_good() {
        Scenario::read(GOOD).unwrap();
    }

    #[test]
    fn a_mistake_names_its_line_and_its_key() {
        assert_eq!(said("users = 4", "users = 0").lines().next(), Some("line 3, `people.users`: a run needs at least one user"));
        assert_eq!(said("members = 4", "members = 5"), "line 6, `rooms.0.members`: 5 members cannot be had from 4 accounts");
        assert!(
            said("{ post = 1 }", "{ pots = 1 }")
                .starts_with("line 9, `persona.a.actions.pots`: nobody can do `pots`: there are post, edit")
        );
        assert!(said("per_minute = 1\n", "per_minute = 1\ntext_bytes = 3\n").starts_with("line 9, `persona.a.text_bytes`: a text has"));
        assert_eq!(said("\"1s\"", "\"0s\""), "line 12, `phase.0.lasts`: a phase has to last some time");
    }

    #[test]
    fn what_cannot_be_read_names_its_line_too() {
        assert!(said("users", "userz").starts_with("line 3: unknown field `userz`, expected"), "{}", said("users", "userz"));
        assert!(said("\"1s\"", "\"1 year\"").starts_with("line 12: `1 year` is not a length of time"), "{}", said("\"1s\"", "\"1 year\""));
        assert!(said("lasts = ", "lasts ").starts_with("line 12: "));
    }

    #[test]
    fn a_fault_after_the_end_or_without_a_rhythm_is_found() {
        let fault = |more: &str| said("lasts = \"1s\"\n", &format!("lasts = \"1s\"\n[[fault]]\ndo = \"cut\"\n{more}\n"));
        assert_eq!(fault("at = \"2s\""), "line 15, `fault.0.at`: it would happen after the last phase");
        assert!(fault("at = \"0s\"\ntimes = 3").starts_with("line 13, `fault.0.every`: a fault that happens several times"));
    }

    #[test]
    fn a_threshold_on_nothing_is_found() {
        let said = said("lasts = \"1s\"\n", "lasts = \"1s\"\n[[threshold]]\nof = \"deliver.intended.p98_ms\"\nat_most = 1.0\n");
        assert!(said.starts_with("line 14, `threshold.0.of`: "), "{said}");
    }
}
