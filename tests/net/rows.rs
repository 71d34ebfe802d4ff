//! What goes wrong, one row a fault.

use loadtest::scenario::Scenario;

pub struct Row {
    pub name: &'static str,
    /// As a sentence.
    pub promises: &'static str,
    /// Among those that CI runs each time.
    pub small: bool,
    pub nodes: usize,
    pub clocks: bool,
    /// `[[fault]]` of a scenario.
    pub fault: &'static str,
    /// How long people talk.
    pub lasts_s: u32,
}

const fn row(name: &'static str, promises: &'static str, lasts_s: u32, fault: &'static str) -> Row {
    Row { name, promises, small: false, nodes: 3, clocks: false, fault, lasts_s }
}

const fn small(row: Row) -> Row {
    Row { small: true, ..row }
}

pub const ALL: &[Row] = &[
    row("split", "a node that the others do not reach, with store and clients at hand", 12, "do = 'split'\nat = '3s'\naway = '6s'"),
    row("kill", "kill -9 of each node in its turn", 24, "do = 'kill'\nat = '3s'\ntimes = 3\nevery = '6s'"),
    small(row("kill_leader", "kill -9 of the one that leads", 10, "do = 'kill'\nnode = 'leader'\nat = '3s'\naway = '2s'")),
    row("kill_two", "kill -9 of the leader and then of the next one", 14, "do = 'kill_two'\nnode = 'leader'\nat = '3s'\naway = '3s'"),
    row("pause", "a node that is stopped for 8 s and goes on", 16, "do = 'pause'\nat = '3s'\naway = '8s'"),
    row("pause_leader", "a leader that is stopped for 8 s and goes on", 16, "do = 'pause'\nnode = 'leader'\nat = '3s'\naway = '8s'"),
    row("split_leader", "a leader that the others do not reach", 14, "do = 'split'\nnode = 'leader'\nat = '3s'\naway = '8s'"),
    row("alone", "a node that reaches neither the others nor the store", 14, "do = 'alone'\nat = '3s'\naway = '8s'"),
    row("deaf", "a node that does not hear the others", 14, "do = 'deaf'\nat = '3s'\naway = '8s'"),
    row("mute", "a node that the others do not hear", 14, "do = 'mute'\nat = '3s'\naway = '8s'"),
    row("mute_leader", "a leader that the others do not hear", 14, "do = 'mute'\nnode = 'leader'\nat = '3s'\naway = '8s'"),
    row("between", "two nodes that do not reach each other, while a third reaches both", 14, "do = 'between'\nat = '3s'\naway = '8s'"),
    Row { nodes: 5, ..row("ring", "five nodes that reach their two neighbours each", 16, "do = 'ring'\nat = '3s'\naway = '8s'") },
    small(row("loss", "a fifth of all packets between nodes is lost", 14, "do = 'loss'\nshare = 0.2\nat = '3s'\naway = '8s'")),
    Row {
        clocks: true,
        ..row("clock", "one node's clock jumps an hour ahead, and then behind", 14, "do = 'clock'\nat = '3s'\naway = '8s'")
    },
    row("drain", "all slots are moved away from a node, and come back", 14, "do = 'drain'\nat = '3s'"),
    small(row("replace", "a node joins, and another leaves for good", 14, "do = 'replace'\nat = '3s'")),
    row("roll", "all nodes are restarted, one after the other", 24, "do = 'roll'\nat = '3s'"),
    row("store_cut", "no node reaches the store for 30 s", 38, "do = 'store_cut'\nat = '3s'\naway = '30s'"),
    small(row("store_kill", "kill -9 of the store process", 10, "do = 'store_kill'\nat = '3s'\naway = '2s'")),
];

impl Row {
    /// By its name, or as one of many.
    pub fn is_meant(&self, word: &str) -> bool {
        word == self.name || word == "all" || word == "small" && self.small
    }

    pub fn scenario(&self) -> Scenario {
        let text = format!(
            r#"
name = "{name}"
about = "{promises}"
codec = "mixed"
[people]
users = 36
[[rooms]]
count = 12
members = 8
[[rooms]]
count = 12
members = 2
[persona.chatter]
share = 3
per_minute = 60
actions = {{ post = 6, edit = 1, react = 1, read = 1, page = 1 }}
[persona.phone]
per_minute = 60
actions = {{ post = 4, typing = 1, read = 1 }}
flaps = {{ every = "5s", away = "500ms" }}
[[phase]]
name = "{name}"
lasts = "{lasts}s"
[[fault]]
{fault}
"#,
            name = self.name,
            promises = self.promises,
            lasts = self.lasts_s,
            fault = self.fault
        );
        Scenario::read(&text).unwrap()
    }
}
