//! Pure. A run that asked for nothing, was answered too little, was seen by nobody, or whose faults did not happen proves
//! nothing, and fails.

use super::Bounds;
use super::index::Index;

pub fn check(index: &Index<'_>, bounds: Bounds, found: &mut Vec<String>) {
    let asked = index.asked.len();
    let acked = index.asked.values().filter(|asked| asked.is_acked()).count();
    if asked == 0 {
        found.push("nothing was asked for".to_owned());
    }
    if acked * 100 < asked * bounds.acks_min_percent as usize {
        found.push(format!("{acked} of {asked} requests were acknowledged, less than {} %", bounds.acks_min_percent));
    }
    if index.sightings().next().is_none() {
        found.push("nobody saw anything".to_owned());
    }
    for (fault, (planned, happened)) in &index.run.faults {
        if happened < planned || *happened == 0 {
            found.push(format!("the fault `{fault}` was planned {planned} times and happened {happened} times"));
        }
    }
    let ended = |device: &&crate::history::Device| !device.lines.iter().any(|line| matches!(line.1, crate::history::Entry::End { .. }));
    for device in index.run.devices.iter().filter(ended) {
        found.push(format!("the history of device {} has no end", device.device));
    }
}

#[cfg(test)]
mod tests {
    use super::super::Rule;
    use super::super::script::{Script, post};
    use crate::history::{Entry, Line};

    #[test]
    fn a_run_without_enough_acks_is_vacuous() {
        let mut script = Script::good();
        script.sent(1, 9, post("never answered"));
        script.breaks(Rule::Vacuity);
    }

    #[test]
    fn a_planned_fault_that_did_not_happen_is_vacuous() {
        let mut script = Script::good();
        script.lines.push(Line(0, Entry::Plan { fault: "kill".into(), times: 2 }));
        script.lines.push(Line(0, Entry::Fault { fault: "kill".into() }));
        script.breaks(Rule::Vacuity);
        script.lines.push(Line(0, Entry::Fault { fault: "kill".into() }));
        script.keeps(Rule::Vacuity);
    }

    #[test]
    fn a_device_whose_history_breaks_off_is_vacuous() {
        let mut script = Script::good();
        script.lines.retain(|line| !matches!(line.1, Entry::End { .. }));
        script.breaks(Rule::Vacuity);
    }
}
