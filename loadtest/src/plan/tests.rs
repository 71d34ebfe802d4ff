//! What a plan promises, on small scenarios.

use std::collections::HashMap;

use super::*;

fn scenario(more: &str) -> Scenario {
    let text = format!(
        "name = \"x\"\nseed = 5\n[people]\nusers = 100\n\
         [[rooms]]\ncount = 20\nmembers = 10\nzipf = 1.0\n[[rooms]]\ncount = 2\nmembers = 50\n\
         [persona.chatter]\nshare = 3\nper_minute = 60\nactions = {{ post = 3, react = 1 }}\n\
         [persona.lurker]\nshare = 1\nper_minute = 6\nactions = {{ read = 1 }}\n{more}\
         [[phase]]\nname = \"steady\"\nlasts = \"60s\"\n"
    );
    Scenario::read(&text).unwrap()
}

#[test]
fn the_same_seed_gives_the_same_plan_and_another_seed_another() {
    let mut scenario = scenario("");
    let first: Vec<_> = Plan::of(&scenario, 0, 1).collect();
    assert_eq!(first, Plan::of(&scenario, 0, 1).collect::<Vec<_>>());
    scenario.seed = 6;
    assert_ne!(first, Plan::of(&scenario, 0, 1).collect::<Vec<_>>());
}

#[test]
fn workers_together_carry_out_the_plan_of_one() {
    let scenario = scenario("flaps = { every = \"15s\", away = \"2s\" }\n");
    let key = |it: &Intended| (it.at_us, it.user);
    let mut one: Vec<_> = Plan::of(&scenario, 0, 1).collect();
    let mut three: Vec<_> = (0..3).flat_map(|worker| Plan::of(&scenario, worker, 3)).collect();
    one.sort_by_key(key);
    three.sort_by_key(key);
    assert_eq!(one, three);
}

#[test]
fn the_plan_is_in_order_of_time_and_ends_with_the_phases() {
    let plan: Vec<_> = Plan::of(&scenario(""), 0, 1).collect();
    assert!(plan.is_sorted_by_key(|it| it.at_us));
    assert!(plan.last().is_some_and(|it| it.at_us < 60_000_000));
}

#[test]
fn rates_and_weights_hold() {
    let plan: Vec<_> = Plan::of(&scenario(""), 0, 1).collect();
    let count = |wanted: Deed| plan.iter().filter(|it| matches!(it.what, Doing::Act { deed, .. } if deed == wanted)).count();
    // 75 chatters at one a second, three in four of them posts; 25 lurkers at one in ten.
    assert!((3_200..3_550).contains(&count(Deed::Post)), "{}", count(Deed::Post));
    assert!((1_000..1_250).contains(&count(Deed::React)), "{}", count(Deed::React));
    assert!((110..190).contains(&count(Deed::Read)), "{}", count(Deed::Read));
}

#[test]
fn shares_are_kept_to_the_one() {
    let crowd = Crowd::of(&scenario(""));
    assert_eq!(crowd.personas.iter().filter(|persona| **persona == 0).count(), 75);
}

#[test]
fn rooms_have_their_size_and_people_their_turn() {
    let crowd = Crowd::of(&scenario(""));
    for (number, room) in crowd.rooms.iter().enumerate() {
        let mut members = room.members.clone();
        members.sort_unstable();
        members.dedup();
        assert_eq!(members.len(), if number < 20 { 10 } else { 50 });
    }
    // 20 rooms of 10 and 2 of 50 over 100 people: two rooms of the first kind and one of the second for each.
    assert!(crowd.rooms_of.iter().all(|rooms| rooms.len() == 3));
}

#[test]
fn people_act_in_their_own_rooms_alone() {
    let plan = Plan::of(&scenario(""), 0, 1);
    let crowd = plan.crowd().clone();
    for it in plan {
        let Doing::Act { room, .. } = it.what else { continue };
        assert!(crowd.rooms_of(it.user).contains(&room));
    }
}

#[test]
fn popular_rooms_get_more_as_zipf_says() {
    let mut scenario = scenario("");
    scenario.rooms.truncate(1);
    scenario.rooms[0].members = 100;
    let mut counts: HashMap<u32, f64> = HashMap::new();
    for it in Plan::of(&scenario, 0, 1) {
        let Doing::Act { room, .. } = it.what else { continue };
        *counts.entry(room).or_default() += 1.0;
    }
    let ratio = |rank: u32| counts[&0] / counts[&(rank - 1)];
    assert!((1.7..2.3).contains(&ratio(2)) && (4.0..6.0).contains(&ratio(5)), "{} {}", ratio(2), ratio(5));
}

#[test]
fn a_flapping_phone_is_cut_at_its_own_rhythm() {
    let plan = Plan::of(&scenario("flaps = { every = \"15s\", away = \"2s\" }\n"), 0, 1);
    let mut cuts: HashMap<u32, Vec<u64>> = HashMap::new();
    for it in plan {
        if let Doing::Away { us } = it.what {
            assert_eq!(us, 2_000_000);
            cuts.entry(it.user).or_default().push(it.at_us);
        }
    }
    assert_eq!(cuts.len(), 25);
    assert!(cuts.values().all(|at| at.len() == 4 && at.windows(2).all(|pair| pair[1] - pair[0] == 15_000_000)));
}

#[test]
fn devices_of_one_account_share_its_rooms_and_its_worker() {
    let mut scenario = scenario("");
    scenario.people.accounts = Some(50);
    let crowd = Crowd::of(&scenario);
    assert_eq!(crowd.rooms_of(3), crowd.rooms_of(53));
    assert_eq!(crowd.worker(3, 4), crowd.worker(53, 4));
}
