//! News as plain lines, a few a minute: for logs, pipes and CI. Decides which news is worth a line, and when.

use std::time::{Duration, Instant};

use crate::report::screen::ms;
use crate::report::{Fault, Moment};
use crate::run::News;

/// Between two lines about the same.
const EVERY: Duration = Duration::from_secs(5);

#[derive(Debug, Default)]
pub struct Lines {
    /// What was told last of preparing, and when.
    told: Option<(&'static str, Instant)>,
    second: Option<Instant>,
}

impl Lines {
    pub fn line(&mut self, news: &News) -> Option<String> {
        self.line_at(news, Instant::now())
    }

    fn line_at(&mut self, news: &News, now: Instant) -> Option<String> {
        Some(match news {
            News::Preparing { what, done, all } => {
                let is_new = self.told.is_none_or(|(told, _)| told != *what);
                let is_due = self.told.is_some_and(|(_, at)| now.duration_since(at) >= EVERY);
                if !is_new && !is_due && done < all {
                    return None;
                }
                // What is whole is told once.
                if done == all && self.told.is_some_and(|(told, at)| told == *what && at > now) {
                    return None;
                }
                self.told = Some((what, if done == all { now + Duration::from_secs(86_400) } else { now }));
                format!("{what}: {done} of {all}")
            }
            News::Wanted(what) => what.clone(),
            News::Begun { lasts_s } => format!("the run begins, {lasts_s:.0} s"),
            News::Fault(fault) => fault_line(fault),
            News::Converging => "waiting until everything has arrived".to_owned(),
            News::Auditing => "judging the history".to_owned(),
            News::Second(second) => {
                if self.second.is_some_and(|at| now.duration_since(at) < EVERY) {
                    return None;
                }
                self.second = Some(now);
                second_line(&second.0)
            }
        })
    }
}

pub fn fault_line(fault: &Fault) -> String {
    let until = fault.until_s.map_or_else(String::new, |until| format!(", over at {until:.2} s"));
    format!("fault at {:.2} s: {} {}{until}", fault.at_s, fault.name, fault.detail)
}

fn second_line(moment: &Moment) -> String {
    let beat = |name: &str| moment.actions.get(name).cloned().unwrap_or_default();
    let (post, deliver) = (beat("post"), beat("deliver"));
    let broken = if moment.offences > 0 { format!(", {} BROKEN PROMISES", moment.offences) } else { String::new() };
    format!(
        "{:>5.0} s  {} connections, {} posts/s p99 {} ms, {} deliveries/s p99 {} ms, {} unanswered, own lag p99 {} ms, own cpu {:.0} %{broken}",
        moment.at_s,
        moment.connections,
        post.count,
        ms(post.p99_us),
        deliver.count,
        ms(deliver.p99_us),
        moment.unanswered,
        ms(moment.lag_p99_us),
        moment.generator_cpu_percent,
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_sign_up_is_told_from_time_to_time_and_its_end_once() {
        let (mut lines, begun) = (Lines::default(), Instant::now());
        let mut told = Vec::new();
        for done in 1..=1_000 {
            let news = News::Preparing { what: "signing up", done, all: 1_000 };
            told.extend(lines.line_at(&news, begun + Duration::from_millis(20) * done));
        }
        // The loop over connections tells the same twice.
        told.extend(lines.line_at(&News::Preparing { what: "signing up", done: 1_000, all: 1_000 }, begun + Duration::from_secs(21)));
        assert_eq!(told.first().map(String::as_str), Some("signing up: 1 of 1000"));
        assert_eq!(told.last().map(String::as_str), Some("signing up: 1000 of 1000"));
        assert_eq!(told.len(), 5, "{told:?}");
        let next = News::Preparing { what: "making rooms", done: 1, all: 9 };
        assert_eq!(lines.line_at(&next, begun).as_deref(), Some("making rooms: 1 of 9"));
    }

    #[test]
    fn a_broken_promise_is_in_the_next_line() {
        assert!(second_line(&Moment { offences: 2, ..Moment::default() }).contains("2 BROKEN PROMISES"));
    }
}
