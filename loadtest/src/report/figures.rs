//! Pure. The numbers that a mode is about, drawn from a report.

use super::{Figure, Latency, Moment, RunReport};

fn figure(name: &str, value: f64, unit: &str, less_is_better: bool, detail: String) -> Figure {
    Figure { name: name.to_owned(), value, unit: unit.to_owned(), less_is_better, detail }
}

fn from_intended<'a>(report: &'a RunReport, action: &str) -> Option<&'a Latency> {
    report.action(action)?.from_intended.as_ref()
}

/// How long until everybody was back, and what one of them cost the node beyond what it did anyway.
pub fn storm(report: &RunReport) -> Vec<Figure> {
    let Some(resume) = from_intended(report, "resume") else { return Vec::new() };
    let back = resume.count;
    let detail = format!("{back} connections, with token and resume; half of them within {:.2} s", resume.p50_us as f64 / 1e6);
    let mut figures = vec![figure("until the last was back", resume.max_us as f64 / 1e6, "s", true, detail)];
    let Some(at_s) = report.faults.first().map(|fault| fault.at_s) else { return figures };
    if let Some(cpu_us) = extra_cpu_us(&report.timeline, at_s, at_s + resume.max_us as f64 / 1e6 + 1.0) {
        let detail = "of the node, beyond its mean before".to_owned();
        figures.push(figure("each reconnect", cpu_us / back.max(1) as f64, "CPU µs", true, detail));
    }
    figures
}

/// The nodes' time between two moments, less what they used before at the same length.
fn extra_cpu_us(timeline: &[Moment], from_s: f64, to_s: f64) -> Option<f64> {
    let used = |moment: &Moment| moment.nodes.iter().map(|node| node.cpu_percent * 10_000.0).sum::<f64>();
    // A moment tells of the second that ends with it.
    let before: Vec<_> = timeline.iter().filter(|it| it.at_s > 1.0 && it.at_s <= from_s).map(used).collect();
    let during: Vec<_> = timeline.iter().filter(|it| it.at_s > from_s && it.at_s - 1.0 < to_s).map(used).collect();
    if before.is_empty() || during.is_empty() || timeline.iter().all(|it| it.nodes.is_empty()) {
        return None;
    }
    let mean = before.iter().sum::<f64>() / before.len() as f64;
    Some((during.iter().sum::<f64>() - mean * during.len() as f64).max(0.0))
}

/// What an idle user costs the nodes of their own memory: at the end of the first phase, over what they had before anybody
/// was connected.
pub fn crowd(report: &RunReport) -> Vec<Figure> {
    let before: u64 = report.server.nodes.iter().map(|node| node.memory_bytes_before).sum();
    let idle_until_s = report.phases.first().map_or(0.0, |phase| phase.to_s);
    let Some(idle) = report.timeline.iter().rfind(|moment| moment.at_s <= idle_until_s && !moment.nodes.is_empty()) else {
        return Vec::new();
    };
    let (with, users) = (idle.nodes.iter().map(|node| node.memory_bytes).sum::<u64>(), idle.connections.max(1));
    let mebibytes = |bytes: u64| bytes as f64 / 1_048_576.0;
    let nodes = report.server.nodes.len();
    let detail = format!(
        "of user space, for {users} connections: {nodes} nodes had {:.1} MiB before and {:.1} MiB with them, all asleep",
        mebibytes(before),
        mebibytes(with)
    );
    vec![figure("idle user", with.saturating_sub(before) as f64 / users as f64, "bytes", true, detail)]
}

/// Everything delivered, and how long the replay after a cut took.
pub fn jitter(report: &RunReport) -> Vec<Figure> {
    let it = &report.integrity;
    let share = it.delivered as f64 * 100.0 / it.due.max(1) as f64;
    let mut figures = vec![figure("delivered", share, "%", false, format!("{} of {}", it.delivered, it.due))];
    if let (Some(replay), Some(resume)) = (from_intended(report, "replay"), from_intended(report, "resume")) {
        let detail = format!(
            "since they were intended, of {} messages that were missed in {} cuts; from the end of a cut until all was there: p99 {:.2} s",
            replay.count,
            resume.count,
            resume.p99_us as f64 / 1e6
        );
        figures.push(figure("replay p99", replay.p99_us as f64 / 1e6, "s", true, detail));
    }
    figures
}

/// How long the node was away for each kind of fault.
pub fn chaos(report: &RunReport) -> Vec<Figure> {
    let mut names: Vec<_> = report.faults.iter().map(|fault| fault.name.as_str()).collect();
    names.sort_unstable();
    names.dedup();
    let away = names.into_iter().filter_map(|name| {
        let times = report.faults.iter().filter(|fault| fault.name == name);
        let times: Vec<_> = times.filter_map(|fault| Some(fault.until_s? - fault.at_s)).collect();
        let longest = times.iter().copied().reduce(f64::max)?;
        Some(figure(&format!("{name}, until ready again"), longest, "s", true, format!("the longest of {}", times.len())))
    });
    away.collect()
}

/// What grew: memory an hour, and the last tenth's p99 over the first's.
pub fn soak(report: &RunReport) -> Vec<Figure> {
    let timeline = &report.timeline;
    let tenth = timeline.len() / 10;
    if tenth == 0 {
        return Vec::new();
    }
    let mean = |moments: &[Moment], of: &dyn Fn(&Moment) -> f64| moments.iter().map(of).sum::<f64>() / moments.len() as f64;
    // The first tenth is still warming up.
    let (early, late) = (&timeline[tenth..2 * tenth], &timeline[timeline.len() - tenth..]);
    let hours = (late[0].at_s - early[0].at_s) / 3600.0;
    let mut figures = Vec::new();
    if hours > 0.0 && timeline.iter().any(|it| !it.nodes.is_empty()) {
        let memory = |moment: &Moment| moment.nodes.iter().map(|node| node.memory_bytes as f64).sum::<f64>() / 1_048_576.0;
        let (first, last) = (mean(early, &memory), mean(late, &memory));
        let detail = format!("{first:.1} MiB in the second tenth of the run, {last:.1} MiB in the last");
        figures.push(figure("memory of the nodes", (last - first) / hours, "MiB/hour", true, detail));
    }
    let p99 = |moment: &Moment| moment.actions.get("deliver").map_or(0.0, |beat| beat.p99_us as f64 / 1000.0);
    let (first, last) = (mean(early, &p99), mean(late, &p99));
    if first > 0.0 {
        let detail = format!("{first:.2} ms then, {last:.2} ms at the end");
        figures.push(figure("delivery p99, last tenth over second", last / first, "×", true, detail));
    }
    figures
}

/// The highest step that kept every threshold.
pub fn capacity(report: &RunReport, loads: &[f64], kept: Option<usize>, why: &str) -> Vec<Figure> {
    let Some(place) = kept else {
        return vec![figure("capacity", 0.0, "deliveries/s", false, format!("not even the first step was kept: {why}"))];
    };
    let phase = &report.phases[place];
    let per_second = |name: &str| phase.actions.iter().find(|action| action.name == name).map_or(0.0, |action| action.per_second);
    let users = report.integrity.receivers;
    let detail = format!("{:.0} posts/s by {users} users at load {}; then {why}", per_second("post"), loads[place]);
    vec![figure("capacity", per_second("deliver"), "deliveries/s", false, detail)]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::{Node, NodeMoment, Phase};

    fn moments(cpu: &[f64]) -> Vec<Moment> {
        let of = |(place, cpu): (usize, &f64)| Moment {
            at_s: place as f64 + 1.0,
            nodes: vec![NodeMoment { cpu_percent: *cpu, memory_bytes: 0 }],
            ..Moment::default()
        };
        cpu.iter().enumerate().map(of).collect()
    }

    #[test]
    fn what_a_storm_cost_is_what_was_used_beyond_the_mean_before() {
        // Seconds 2 to 4 at 10 %; the storm at 4.0 s takes the fifth second whole and half of the sixth.
        let timeline = moments(&[90.0, 10.0, 10.0, 10.0, 100.0, 60.0, 10.0]);
        let extra = extra_cpu_us(&timeline, 4.0, 5.5).unwrap();
        assert!((extra - 1_400_000.0).abs() < 1.0, "{extra}");
    }

    #[test]
    fn an_idle_user_costs_what_the_nodes_have_more_at_the_end_of_the_idle_phase() {
        let moment = |at_s: f64, memory_bytes| Moment {
            at_s,
            connections: 1000,
            nodes: vec![NodeMoment { cpu_percent: 0.0, memory_bytes }; 2],
            ..Moment::default()
        };
        let node = Node { memory_bytes_before: 1_000_000, ..Node::default() };
        let mut report =
            RunReport { timeline: vec![moment(1.0, 9_000_000), moment(2.0, 1_250_000), moment(3.0, 7_000_000)], ..RunReport::default() };
        report.server.nodes = vec![node.clone(), node];
        report.phases = vec![Phase { to_s: 2.0, ..Phase::default() }];
        assert_eq!(crowd(&report)[0].value, 500.0);
    }

    #[test]
    fn a_node_that_was_not_watched_has_no_cost() {
        let timeline = vec![Moment { at_s: 2.0, ..Moment::default() }, Moment { at_s: 5.0, ..Moment::default() }];
        assert_eq!(extra_cpu_us(&timeline, 3.0, 5.0), None);
    }
}
