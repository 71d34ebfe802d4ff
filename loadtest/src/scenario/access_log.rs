//! Pure. From the lines of a proxy's access log to a persona: which requests, in which proportion, how often a person makes
//! one. What goes over a WebSocket is in no access log: those who post by REST are taken as a sample of all.

use std::collections::{BTreeMap, HashSet};
use std::fmt::Write;

use serde_json::Value;

use crate::measure::Deed;

/// What was found so far.
#[derive(Debug, Default)]
pub struct Habit {
    pub lines: u64,
    pub known: u64,
    counts: BTreeMap<&'static str, u64>,
    people: HashSet<String>,
    /// Seconds since 1970, of the first and the last line that had a time.
    from_to_s: Option<(i64, i64)>,
}

/// An address is forgotten beyond so many: the rate is then said too high, never too low.
const PEOPLE_MAX: usize = 1_000_000;

struct Request<'a> {
    person: &'a str,
    at_s: Option<i64>,
    method: &'a str,
    path: &'a str,
    status: u16,
}

impl Habit {
    pub fn take(&mut self, line: &str) {
        self.lines += 1;
        let json: Option<Value> = if line.starts_with('{') { serde_json::from_str(line).ok() } else { None };
        let request = match &json {
            Some(json) => of_json(json),
            None => of_text(line),
        };
        let Some(request) = request.filter(|request| request.status < 400) else { return };
        if let Some(at_s) = request.at_s {
            let (from, to) = self.from_to_s.unwrap_or((at_s, at_s));
            self.from_to_s = Some((from.min(at_s), to.max(at_s)));
        }
        let Some(deed) = deed(request.method, request.path) else { return };
        self.known += 1;
        *self.counts.entry(deed.text()).or_default() += 1;
        if self.people.len() < PEOPLE_MAX && !self.people.contains(request.person) {
            self.people.insert(request.person.to_owned());
        }
    }

    pub fn people(&self) -> usize {
        self.people.len().max(1)
    }
    pub fn minutes(&self) -> f64 {
        self.from_to_s.map_or(1.0, |(from, to)| ((to - from).max(1)) as f64 / 60.0)
    }

    pub fn to_toml(&self, name: &str) -> String {
        let per_minute = self.known as f64 / self.people() as f64 / self.minutes();
        let mut text = format!("[persona.{name}]\nper_minute = {per_minute:.3}\n\n[persona.{name}.actions]\n");
        for (deed, count) in &self.counts {
            writeln!(text, "{deed} = {count}").ok();
        }
        text
    }
}

fn deed(method: &str, path: &str) -> Option<Deed> {
    let path = path.split('?').next()?.strip_prefix("/v1/rooms/")?;
    let parts: Vec<_> = path.split('/').collect();
    match (method, parts.as_slice()) {
        ("POST", [_, "messages"]) => Some(Deed::Post),
        ("GET", [_, "messages"]) => Some(Deed::Page),
        ("PATCH", [_, "messages", _]) => Some(Deed::Edit),
        ("PUT" | "DELETE", [_, "messages", _, "reactions", ..]) => Some(Deed::React),
        ("PUT" | "POST", [_, "read"]) => Some(Deed::Read),
        _ => None,
    }
}

fn of_json(json: &Value) -> Option<Request<'_>> {
    let text = |names: &[&str]| names.iter().find_map(|name| json.get(name)?.as_str());
    // nginx is often told to write `request` whole.
    let (method, path) = match text(&["request"]) {
        Some(request) => request.split_once(' ')?,
        None => (text(&["method", "request_method"])?, text(&["path", "uri", "request_uri"])?),
    };
    let path = path.split(' ').next()?;
    let status = json.get("status").and_then(|status| status.as_u64().or_else(|| status.as_str()?.parse().ok())).unwrap_or(200);
    let at_s = ["time", "ts", "msec"].iter().find_map(|name| json.get(name)?.as_f64()).map(|at| at as i64);
    Some(Request { person: text(&["user", "remote_addr", "client", "ip"]).unwrap_or(""), at_s, method, path, status: status as u16 })
}

/// `address identity user [time] "METHOD path HTTP/1.1" status bytes …`
fn of_text(line: &str) -> Option<Request<'_>> {
    let person = line.split(' ').next()?;
    let (_, rest) = line.split_once('[')?;
    let (time, rest) = rest.split_once(']')?;
    let (request, rest) = rest.split_once('"')?.1.split_once('"')?;
    let mut words = request.split(' ');
    let status = rest.split_whitespace().next()?.parse().ok()?;
    Some(Request { person, at_s: seconds(time), method: words.next()?, path: words.next()?, status })
}

/// `21/Nov/2026:11:40:25 +0000`, as seconds; the zone does not matter within one log.
fn seconds(time: &str) -> Option<i64> {
    let (date, clock) = time.split_once(':')?;
    let mut date = date.split('/');
    let (day, month, year) = (date.next()?.parse::<i64>().ok()?, date.next()?, date.next()?.parse::<i64>().ok()?);
    const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let month = MONTHS.iter().position(|name| *name == month)? as i64 + 1;
    let mut clock = clock.split(' ').next()?.split(':').map(|part| part.parse::<i64>().ok());
    let (hour, minute, second) = (clock.next()??, clock.next()??, clock.next()??);
    // Days since 1970 (Howard Hinnant, "chrono-compatible low-level date algorithms").
    let shifted = if month <= 2 { year - 1 } else { year };
    let era = shifted.div_euclid(400);
    let of_era = shifted.rem_euclid(400);
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let days = era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468;
    Some(((days * 24 + hour) * 60 + minute) * 60 + second)
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOG: &str = r#"10.0.0.1 - - [21/Nov/2026:11:40:00 +0000] "POST /v1/rooms/0193/messages HTTP/1.1" 200 120 "-" "x"
10.0.0.1 - - [21/Nov/2026:11:40:30 +0000] "GET /v1/rooms/0193/messages?before=9 HTTP/1.1" 200 9000
10.0.0.2 - ann [21/Nov/2026:11:41:00 +0000] "POST /v1/rooms/0193/messages HTTP/1.1" 200 120
10.0.0.2 - ann [21/Nov/2026:11:41:10 +0000] "POST /v1/rooms/0193/messages HTTP/1.1" 429 120
10.0.0.3 - - [21/Nov/2026:11:42:00 +0000] "GET /healthz HTTP/1.1" 200 2
{"remote_addr":"10.0.0.2","method":"PATCH","uri":"/v1/rooms/0193/messages/7","status":200}
{"remote_addr":"10.0.0.2","request":"GET /v1/rooms/0193/messages HTTP/1.1","status":"200"}
nonsense"#;

    fn habit() -> Habit {
        let mut habit = Habit::default();
        LOG.lines().for_each(|line| habit.take(line));
        habit
    }

    #[test]
    fn requests_become_weights_and_refused_ones_do_not() {
        let habit = habit();
        assert_eq!((habit.lines, habit.known, habit.people(), habit.minutes()), (8, 5, 2, 2.0));
        assert_eq!(habit.to_toml("ours"), "[persona.ours]\nper_minute = 1.250\n\n[persona.ours.actions]\nedit = 1\npage = 2\npost = 2\n");
    }

    #[test]
    fn what_comes_out_fits_into_a_scenario() {
        let text = format!(
            "name = \"x\"\n[people]\nusers = 4\n[[rooms]]\ncount = 1\nmembers = 4\n[[phase]]\nname = \"p\"\nlasts = \"1s\"\n{}",
            habit().to_toml("ours")
        );
        assert_eq!(super::super::Scenario::read(&text).unwrap().persona["ours"].actions["post"], 2.0);
    }

    #[test]
    fn a_time_of_a_log_is_seconds_since_1970() {
        assert_eq!(seconds("01/Jan/1970:00:00:07 +0000"), Some(7));
        assert_eq!(seconds("21/Nov/2026:11:40:25 +0000"), Some(1_795_261_225));
    }
}
