//! Pure. What is known of a run under way, from its news alone.

use std::collections::{BTreeMap, VecDeque};

use crate::measure::{Deed, Tally};
use crate::plan::intended_per_second;
use crate::report::{Fault, Moment};
use crate::run::News;
use crate::scenario::{DOINGS, Scenario};

/// Seconds that are looked back upon.
pub const SECONDS_MAX: usize = 240;

#[derive(Debug)]
pub struct Board {
    scenario: Scenario,
    pub stage: Stage,
    pub moments: VecDeque<Moment>,
    /// In the last second: begun by this program, and what was to be begun.
    pub begun: u64,
    pub intended: f64,
    /// So far, by action: refused for good, put off.
    pub refusals: BTreeMap<&'static str, (u64, u64)>,
    pub faults: Vec<Fault>,
    /// What somebody has to do before the run can go on.
    pub wanted: Option<String>,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Stage {
    Preparing { what: &'static str, done: u32, all: u32 },
    Running,
    Converging,
    Auditing,
}

impl Board {
    pub fn of(scenario: &Scenario) -> Self {
        Self {
            scenario: scenario.clone(),
            stage: Stage::Preparing { what: "preparing", done: 0, all: 0 },
            moments: VecDeque::new(),
            begun: 0,
            intended: 0.0,
            refusals: BTreeMap::new(),
            faults: Vec::new(),
            wanted: None,
        }
    }

    pub fn hear(&mut self, news: News) {
        match news {
            News::Preparing { what, done, all } => self.stage = Stage::Preparing { what, done, all },
            News::Wanted(what) => self.wanted = Some(what),
            News::Begun { .. } => self.stage = Stage::Running,
            News::Converging => self.stage = Stage::Converging,
            News::Auditing => self.stage = Stage::Auditing,
            News::Fault(fault) => match self.faults.iter_mut().find(|known| known.name == fault.name && known.at_s == fault.at_s) {
                Some(known) => *known = fault,
                None => self.faults.push(fault),
            },
            News::Second(second) => self.second(second.0, &second.1),
        }
    }

    fn second(&mut self, moment: Moment, tally: &Tally) {
        self.begun = DOINGS.iter().map(|deed| tally.of(*deed).begun).sum();
        self.intended = intended_per_second(&self.scenario, moment.at_s - 0.5);
        for deed in Deed::ALL {
            let timed = tally.of(*deed);
            if timed.refused + timed.put_off > 0 {
                let (refused, put_off) = self.refusals.entry(deed.text()).or_default();
                *refused += timed.refused;
                *put_off += timed.put_off;
            }
        }
        self.moments.push_back(moment);
        if self.moments.len() > SECONDS_MAX {
            self.moments.pop_front();
        }
    }

    pub fn name(&self) -> &str {
        &self.scenario.name
    }
    pub fn now(&self) -> Option<&Moment> {
        self.moments.back()
    }
    pub fn lasts_s(&self) -> f64 {
        self.scenario.lasts_us() as f64 / 1e6
    }

    /// Its name, and which of how many.
    pub fn phase(&self) -> (String, usize, usize) {
        let (at_s, mut until_s) = (self.now().map_or(0.0, |moment| moment.at_s), 0.0);
        let place = self.scenario.phase.iter().position(|phase| {
            until_s += phase.lasts.seconds();
            at_s < until_s
        });
        let all = self.scenario.phase.len();
        let place = place.unwrap_or(all - 1);
        (self.scenario.phase[place].name.clone(), place + 1, all)
    }

    /// How far all of it is, from 0 to 1.
    pub fn progress(&self) -> f64 {
        match &self.stage {
            Stage::Preparing { done, all, .. } => f64::from(*done) / f64::from((*all).max(1)),
            Stage::Running => self.now().map_or(0.0, |moment| moment.at_s / self.lasts_s()),
            Stage::Converging | Stage::Auditing => 1.0,
        }
        .clamp(0.0, 1.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::built_in;

    #[test]
    fn a_fault_that_is_over_takes_the_place_of_its_beginning() {
        let mut board = Board::of(&built_in("quick").unwrap());
        let fault = Fault { name: "kill".into(), at_s: 3.0, ..Fault::default() };
        board.hear(News::Fault(fault.clone()));
        board.hear(News::Fault(Fault { until_s: Some(4.0), ..fault }));
        assert_eq!(board.faults.iter().map(|fault| fault.until_s).collect::<Vec<_>>(), [Some(4.0)]);
    }

    #[test]
    fn a_long_run_is_remembered_no_longer_than_it_is_shown() {
        let mut board = Board::of(&built_in("quick").unwrap());
        board.hear(News::Begun { lasts_s: 1.0 });
        for n in 0..1_000 {
            let mut tally = Tally::default();
            tally.begun(Deed::Post);
            tally.of_mut(Deed::Post).put_off = 1;
            board.hear(News::Second(Box::new((Moment { at_s: f64::from(n), ..Moment::default() }, tally))));
        }
        assert_eq!((board.moments.len(), board.begun, board.refusals["post"]), (SECONDS_MAX, 1, (0, 1_000)));
        assert_eq!((board.progress(), board.intended), (1.0, 0.0));
    }

    #[test]
    fn what_is_intended_follows_the_plan() {
        let scenario = built_in("quick").unwrap();
        let (last, steady) = (scenario.phase.last().unwrap(), &scenario.phase[1]);
        let at_s = scenario.phase[0].lasts.seconds() + 1.0;
        let planned = crate::plan::Plan::of(&scenario, 0, 1);
        let (from, to) = (scenario.phase[0].lasts.us(), scenario.phase[0].lasts.us() + steady.lasts.us());
        let acts = planned.filter(|it| it.at_us >= from && it.at_us < to && matches!(it.what, crate::plan::Doing::Act { .. })).count();
        let (found, due) = (intended_per_second(&scenario, at_s), acts as f64 / steady.lasts.seconds());
        assert!((found / due - 1.0).abs() < 0.1, "{found} where the plan has {due}");
        assert_eq!(intended_per_second(&scenario, scenario.lasts_us() as f64 / 1e6 + last.load), 0.0);
    }
}
