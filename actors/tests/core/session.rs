//! Scripts of a session's core: one user over all their devices. A line is an input, `->` an effect. `c1`, `c2` are
//! connections, `r5` is a room.

use actors::session::core::{Attachment, Core, Effect, Input, Loaded};
use schema::client::Status;
use schema::{ConnectionId, LoginId, Role, RoomId, ServerEvent, UserId};

pub fn user(n: u8) -> UserId {
    UserId::from_bytes([n; 16])
}
pub fn room(n: u8) -> RoomId {
    RoomId::from_bytes([n; 16])
}
pub fn connection(index: u32) -> ConnectionId {
    ConnectionId { lot: 0, generation: 0, index }
}
pub fn attached(index: u32) -> Input {
    Input::Attached(Attachment { connection: connection(index), login: LoginId::default() })
}

fn input(line: &str) -> Input {
    let words: Vec<&str> = line.split_whitespace().collect();
    let number = |place: usize| words[place].trim_start_matches(['c', 'r']).parse::<u64>().unwrap();
    let at = |place: usize| connection(number(place) as u32);
    let of = |place: usize| room(number(place) as u8);
    match words[0] {
        "attach" => attached(number(1) as u32),
        "detach" => Input::Detached(at(1)),
        "join" => Input::Joined { room: of(1), role: Role::Member, seq: number(2) },
        "leave" => Input::Left { room: of(1), seq: number(2) },
        "mention" => Input::Mentioned { room: of(1), seq: number(2), by: user(number(3) as u8) },
        "read" => Input::Read { connection: Some(at(1)), id: 1, room: of(2), seq: number(3), ordinal: number(4) },
        "unread" => Input::Unread { connection: at(1), id: 1, room: of(2), from: words.get(3).map(|_| number(3)) },
        "delivered" => Input::Delivered { room: of(1), seq: number(2) },
        "draft" => Input::Draft { connection: at(1), id: 1, room: of(2), text: words.get(3).copied().unwrap_or("").into() },
        "status" => {
            let names =
                [("online", Status::Online), ("away", Status::Away), ("invisible", Status::Invisible), ("offline", Status::Offline)];
            let status = names.into_iter().find(|(name, _)| *name == words[2]).expect("a status").1;
            Input::Presence { connection: at(1), id: 1, status }
        }
        "tick" => Input::Tick,
        other => panic!("no such input: {other}"),
    }
}

fn print(effect: &Effect) -> String {
    let short = |room: &RoomId| format!("r{}", room.as_bytes()[0]);
    let connections = |all: &[ConnectionId]| all.iter().map(|c| format!(" c{}", c.index)).collect::<String>();
    match effect {
        Effect::Send { connection, event } => {
            let said = match event {
                ServerEvent::Ok(_) => "ok".into(),
                ServerEvent::Error(refusal) => refusal.code.text().to_owned(),
                ServerEvent::Read(read) => {
                    let mark = &read.marks[0];
                    let unread = mark.unread_from.map(|from| format!(" unread from {from}")).unwrap_or_default();
                    format!("{} read to {} ({}){unread}", short(&read.room), mark.seq, mark.ordinal)
                }
                ServerEvent::Draft(draft) => format!("{} draft {:?}", short(&draft.room), draft.text),
                ServerEvent::Notify(notify) => format!("{} mentions you at {}", short(&notify.room), notify.seq),
                other => format!("{other:?}"),
            };
            format!("-> c{}: {said}", connection.index)
        }
        Effect::Receipt { room, mark } => format!("-> receipt {} {} delivered {}", short(room), mark.seq, mark.delivered),
        Effect::SaveChosen(status) => format!("-> save {status:?}"),
        Effect::SaveMarks(marks) => format!("-> save {} marks", marks.len()),
        Effect::SaveLeft { room, left } => format!("-> save {} {:?} {:?}", short(room), left.text, left.unread_from),
        Effect::ForgetMentions { room, seqs } => format!("-> forget mentions {} {seqs:?}", short(room)),
        Effect::Enter { room, connections: all } => format!("-> enter {}:{}", short(room), connections(all)),
        Effect::Exit { room, connections: all } => format!("-> exit {}:{}", short(room), connections(all)),
        Effect::Seen { status, .. } => format!("-> seen {status:?}"),
    }
}

/// `@ms` before an input sets the clock. The user is 1, in room r5 from its first event, with connections c1 and c2.
fn check(script: &str) {
    let mut core = Core::new(user(1), 20_000, Loaded { rooms: [(room(5), (Role::Member, 1))].into(), ..Loaded::default() });
    [1, 2].into_iter().for_each(|n| core.handle(attached(n), 0, &mut Vec::new()));
    let (mut printed, mut now_ms) = (Vec::new(), 0);
    for line in script.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with("->")) {
        printed.push(line.to_owned());
        let rest = match line.strip_prefix('@').and_then(|rest| rest.split_once(' ')) {
            Some((at, rest)) => {
                now_ms = at.parse().unwrap();
                rest
            }
            None => line,
        };
        let mut effects = Vec::new();
        core.handle(input(rest), now_ms, &mut effects);
        printed.extend(effects.iter().map(print));
    }
    crate::same(&printed, script);
}

#[test]
fn a_marker_only_rises_and_all_other_devices_hear_of_it() {
    check(
        "read c1 r5 10 8
         -> c1: ok
         -> c2: r5 read to 10 (8)
         -> receipt r5 10 delivered 10
         read c2 r5 7 6
         -> c2: ok
         tick
         -> save 1 marks
         -> seen Online
         tick
         -> seen Online",
    );
}

#[test]
fn a_room_marked_unread_is_so_on_all_devices_until_it_is_read_again() {
    check(
        "read c1 r5 10 8
         -> c1: ok
         -> c2: r5 read to 10 (8)
         -> receipt r5 10 delivered 10
         unread c2 r5 9
         -> save r5 \"\" Some(9)
         -> c2: ok
         -> c1: r5 read to 10 (8) unread from 9
         -> c2: r5 read to 10 (8) unread from 9
         read c1 r5 10 8
         -> save r5 \"\" None
         -> c1: ok
         -> c2: r5 read to 10 (8)",
    );
}

#[test]
fn what_reached_one_device_is_delivered_once() {
    check("delivered r5 4\n-> receipt r5 0 delivered 4\ndelivered r5 3\ndelivered r6 9");
}

#[test]
fn somebody_elses_room_is_not_there() {
    check("read c1 r6 1 1\n-> c1: not_found\nunread c1 r6\n-> c1: not_found\ndraft c1 r6 hi\n-> c1: not_found\nmention r6 3 2");
}

#[test]
fn a_mention_is_told_once_and_forgotten_when_it_is_read() {
    check(
        "mention r5 6 2
         -> c1: r5 mentions you at 6
         -> c2: r5 mentions you at 6
         mention r5 6 2
         mention r5 7 1
         read c1 r5 6 5
         -> c1: ok
         -> c2: r5 read to 6 (5)
         -> receipt r5 6 delivered 6
         -> forget mentions r5 [6]
         mention r5 4 2",
    );
}

#[test]
fn a_draft_goes_to_the_other_devices_and_an_empty_one_is_none() {
    check(
        "draft c1 r5 hello
         -> save r5 \"hello\" None
         -> c1: ok
         -> c2: r5 draft \"hello\"
         draft c2 r5
         -> save r5 \"\" None
         -> c2: ok
         -> c1: r5 draft \"\"",
    );
}

#[test]
fn a_user_is_seen_as_long_as_one_device_is_there_and_a_little_longer() {
    check(
        "@1000 detach c1
         -> seen Online
         @2000 detach c2
         -> seen Online
         @21999 tick
         -> seen Online
         @22000 tick
         -> seen Offline
         @23000 attach c3
         -> seen Online",
    );
}

#[test]
fn nobody_can_say_that_they_are_offline_and_the_invisible_are_seen_as_such() {
    check(
        "status c1 away\n-> save Away\n-> c1: ok\n-> seen Away\nstatus c2 offline\n-> save Invisible\n-> c2: ok\n-> seen Offline\nattach c3\n-> seen Offline",
    );
}

#[test]
fn coming_and_going_count_by_the_seq_that_said_so() {
    check(
        "join r6 3
         -> enter r6: c1 c2
         join r6 2
         join r6 4
         leave r6 4
         leave r6 5
         -> exit r6: c1 c2
         read c1 r6 1 1
         -> c1: not_found",
    );
}
