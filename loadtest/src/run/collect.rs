//! Pure. From what the workers said, second by second, to phases, totals and a timeline.

use std::collections::BTreeMap;

use super::job::{Outcome, Second};
use super::slices::Slices;
use crate::measure::{Deed, Tally};
use crate::report::{self, Generator, Integrity, Moment, NodeMoment, Offending, Slice};
use crate::scenario::Scenario;

#[derive(Debug)]
pub struct Collected {
    scenario: Scenario,
    workers: u32,
    seconds: BTreeMap<u32, Open>,
    phases: Vec<Tally>,
    timeline: Vec<Moment>,
    slices: Slices,
    /// Where the phases ended, if that was before their time.
    stopped_s: Option<f64>,
    /// Of each phase: time of a processor, the busiest worker's, and over how many seconds.
    busy_us: Vec<(u64, u64)>,
}

/// A second that not all workers have told of yet.
#[derive(Debug, Default)]
struct Open {
    tally: Tally,
    connections: u64,
    cpu_us_max: u64,
    unanswered: u64,
    offences: u64,
    told: u32,
}

impl Collected {
    pub fn new(scenario: &Scenario, workers: u32) -> Self {
        let phases = vec![Tally::default(); scenario.phase.len()];
        let busy_us = vec![(0, 0); scenario.phase.len()];
        let measured_s = scenario.phase.iter().filter(|phase| phase.measured).map(|phase| phase.lasts.seconds()).sum();
        let (scenario, seconds, timeline, slices) = (scenario.clone(), BTreeMap::new(), Vec::new(), Slices::of(measured_s));
        Self { scenario, workers, seconds, phases, timeline, slices, stopped_s: None, busy_us }
    }

    /// A worker's second; the moment of it, and all that was counted in it, once all workers have told of it.
    pub fn second(&mut self, second: &Second, nodes: impl FnOnce() -> Vec<NodeMoment>) -> Option<(Moment, Tally)> {
        let open = self.seconds.entry(second.number).or_default();
        open.tally.merge(&second.tally);
        open.connections += second.connections;
        open.cpu_us_max = open.cpu_us_max.max(second.cpu_us);
        open.unanswered += second.unanswered;
        open.offences += second.offences;
        open.told += 1;
        if open.told < self.workers {
            return None;
        }
        let open = self.seconds.remove(&second.number)?;
        let phase = self.phase_of(second.number);
        self.phases[phase].merge(&open.tally);
        if !self.is_past(second.number) {
            self.busy_us[phase] = (self.busy_us[phase].0 + open.cpu_us_max, self.busy_us[phase].1 + 1);
        }
        match self.scenario.phase[phase].measured {
            true if self.is_past(second.number) => self.slices.late(&open.tally),
            true => self.slices.second(second.number, &open.tally),
            false => {}
        }
        let moment = Moment {
            at_s: f64::from(second.number) + 1.0,
            actions: open.tally.beats().collect(),
            connections: open.connections,
            unanswered: open.unanswered,
            offences: open.offences,
            lag_p99_us: open.tally.lag.at(0.99),
            generator_cpu_percent: open.cpu_us_max as f64 / 10_000.0,
            nodes: nodes(),
        };
        self.timeline.push(moment.clone());
        Some((moment, open.tally))
    }

    /// The phases end here, and not when the scenario says.
    pub fn stop(&mut self, at_s: f64) {
        self.stopped_s.get_or_insert(at_s);
    }

    fn lasts_s(&self) -> f64 {
        self.stopped_s.unwrap_or(self.scenario.lasts_us() as f64 / 1e6)
    }

    fn is_past(&self, second: u32) -> bool {
        f64::from(second) >= self.lasts_s()
    }

    /// By the middle of the second. What is answered after the last phase was asked for in it.
    fn phase_of(&self, second: u32) -> usize {
        let middle = (f64::from(second) + 0.5).min(self.lasts_s() - 1e-6);
        let mut until = 0.0;
        let place = self.scenario.phase.iter().position(|phase| {
            until += phase.lasts.seconds();
            middle < until
        });
        place.unwrap_or(self.scenario.phase.len() - 1)
    }

    /// Of the measured phases; connecting and coming back count wherever they happened.
    pub fn total(&self) -> Tally {
        let mut total = Tally::default();
        for (phase, tally) in self.scenario.phase.iter().zip(&self.phases) {
            if phase.measured {
                total.merge(tally);
            } else {
                [Deed::Connect, Deed::Resume].into_iter().for_each(|deed| total.of_mut(deed).merge(tally.of(deed)));
            }
        }
        total
    }

    pub fn measured_s(&self) -> f64 {
        self.phases().iter().filter(|phase| phase.measured).map(|phase| phase.to_s - phase.from_s).sum()
    }

    pub fn phases(&self) -> Vec<report::Phase> {
        let mut from_s = 0.0;
        let told = self.scenario.phase.iter().zip(&self.phases).zip(&self.busy_us).map(|((phase, tally), busy)| {
            let (name, measured, lasts_s) = (phase.name.clone(), phase.measured, phase.lasts.seconds());
            let to_s = (from_s + lasts_s).min(self.lasts_s());
            let (lag_p99_us, generator_cpu_percent) = (tally.lag.at(0.99), percent(*busy));
            let told = report::Phase { name, from_s, to_s, measured, actions: tally.actions(lasts_s), lag_p99_us, generator_cpu_percent };
            from_s = to_s;
            told
        });
        // Those that never began are none.
        told.filter(|phase| phase.to_s > phase.from_s).collect()
    }

    /// The phase that ended with this second, if one did.
    pub fn ended(&self, second: f64) -> Option<usize> {
        self.phases().iter().position(|phase| (phase.to_s - second).abs() < 0.5)
    }

    /// What a worker used of a processor over the measured seconds, the busiest one in each.
    pub fn cpu_percent(&self) -> f64 {
        let measured = self.scenario.phase.iter().zip(&self.busy_us).filter(|(phase, _)| phase.measured);
        percent(measured.fold((0, 0), |(busy, seconds), (_, more)| (busy + more.0, seconds + more.1)))
    }

    pub fn generator(&self, connections: u64) -> Generator {
        let (lag, cpu_percent) = (self.total().lag.told(), self.cpu_percent());
        Generator { workers: self.workers, connections, lag, cpu_percent, ..Generator::default() }
    }

    pub fn into_timeline(self) -> (Vec<Moment>, Vec<Slice>) {
        (self.timeline, self.slices.into_slices())
    }
}

fn percent((busy_us, seconds): (u64, u64)) -> f64 {
    busy_us as f64 / 10_000.0 / seconds.max(1) as f64
}

/// All workers' outcomes as one.
pub fn integrity(outcomes: Vec<Outcome>, rooms: u64) -> Integrity {
    let mut sum = Outcome::default();
    for outcome in outcomes {
        sum.counts.merge(outcome.counts);
        sum.offences.merge(outcome.offences);
        sum.unknown += outcome.unknown;
        sum.due += outcome.due;
        sum.delivered += outcome.delivered;
        sum.receivers += outcome.receivers;
        sum.uncompared += outcome.uncompared;
        sum.rooms_audited.extend(outcome.rooms_audited);
    }
    let offences = &sum.offences;
    Integrity {
        rooms,
        receivers: sum.receivers,
        asked: sum.counts.asked,
        acked: sum.counts.acked,
        refused: sum.counts.refused,
        unknown: sum.unknown,
        due: sum.due,
        delivered: sum.delivered,
        paged: sum.counts.paged,
        lost: offences.count(Offending::Lost),
        doubled: offences.count(Offending::Doubled),
        reordered: offences.count(Offending::Reordered),
        unauthorised: offences.count(Offending::Unauthorised),
        wrong: offences.count(Offending::Wrong),
        uncompared: sum.uncompared,
        rooms_audited: sum.rooms_audited.len() as u64,
        offences: sum.offences.kept,
        history: None,
        checker: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scenario() -> Scenario {
        let text = "name = \"x\"\n[people]\nusers = 1\n[[rooms]]\ncount = 1\nmembers = 1\n[persona.a]\nper_minute = 1\n\
                    actions = { post = 1 }\n[[phase]]\nname = \"warm\"\nlasts = \"2s\"\nmeasured = false\n\
                    [[phase]]\nname = \"steady\"\nlasts = \"3s\"\n";
        Scenario::read(text).unwrap()
    }

    fn second(number: u32, us: u64) -> Second {
        let mut tally = Tally::default();
        tally.done(Deed::Post, us, us);
        tally.done(Deed::Connect, us, us);
        tally.lag.record(us);
        Second { number, tally, connections: 5, cpu_us: us, unanswered: 1, offences: 0 }
    }

    #[test]
    fn a_second_is_told_when_all_workers_have_and_by_the_busiest() {
        let mut collected = Collected::new(&scenario(), 2);
        assert!(collected.second(&second(2, 100), Vec::new).is_none());
        assert!(collected.second(&second(3, 700), Vec::new).is_none());
        let (moment, tally) = collected.second(&second(2, 300), Vec::new).unwrap();
        assert_eq!((moment.at_s, moment.connections, moment.actions["post"].count), (3.0, 10, 2));
        assert_eq!((moment.unanswered, tally.of(Deed::Post).done), (2, 2));
        assert_eq!(collected.cpu_percent(), 0.03);
    }

    #[test]
    fn a_run_that_was_stopped_has_the_phases_that_it_had() {
        let mut collected = Collected::new(&scenario(), 1);
        for number in 0..4 {
            collected.second(&second(number, 100), Vec::new);
        }
        collected.stop(4.0);
        collected.second(&second(4, 900), Vec::new);
        assert_eq!((collected.phases()[1].to_s, collected.measured_s(), collected.phases()[1].actions[0].done), (4.0, 2.0, 3));
        collected.stop(1.0);
        let mut early = Collected::new(&scenario(), 1);
        early.stop(2.0);
        assert_eq!((early.phases().len(), early.measured_s(), collected.measured_s()), (1, 0.0, 2.0));
    }

    #[test]
    fn only_measured_phases_count_and_late_answers_count_for_the_last() {
        let mut collected = Collected::new(&scenario(), 1);
        for (number, us) in [(0, 9_000), (1, 9_000), (2, 100), (4, 100), (7, 50_000)] {
            collected.second(&second(number, us), Vec::new);
        }
        let total = collected.total();
        assert_eq!((total.of(Deed::Post).done, total.of(Deed::Connect).done), (3, 5));
        assert!(total.of(Deed::Post).from_intended.max() >= 50_000);
        let phases = collected.phases();
        assert_eq!((phases[0].actions[0].done, phases[1].actions[0].done), (2, 3));
        assert_eq!((phases[1].from_s, phases[1].to_s, collected.measured_s()), (2.0, 5.0, 3.0));
    }
}
