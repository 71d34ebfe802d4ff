//! libFuzzer's entry: one program for all targets, chosen by `FUZZ_TARGET`. What a target is fed and what must hold of it is
//! in `tests/fuzz`, which runs it without coverage; here coverage says which noise is worth keeping.

#![no_main]

#[path = "../../tests/fuzz/mutate.rs"]
mod mutate;
#[path = "../../tests/fuzz/targets/mod.rs"]
mod targets;
#[path = "../../tests/fuzz/tree.rs"]
mod tree;

use std::sync::LazyLock;

use libfuzzer_sys::{fuzz_mutator, fuzz_target, fuzzer_mutate};
use mutate::{Dice, mutate};
use targets::Target;

static CHOSEN: LazyLock<&'static Target> = LazyLock::new(|| {
    let name = std::env::var("FUZZ_TARGET").unwrap_or_default();
    targets::ALL.iter().find(|target| target.name == name).unwrap_or_else(|| {
        // Asked by name, it is the list of all.
        targets::ALL.iter().for_each(|target| println!("{}", target.name));
        std::process::exit(if name == "list" { 0 } else { 2 })
    })
});
static SEEDS: LazyLock<Vec<Vec<u8>>> = LazyLock::new(|| (CHOSEN.seeds)());

/// Puts the seeds where libFuzzer looks for what it begins with.
fn plant() {
    // What a target makes once (a store, keys) is not the time of the first input, which has ten seconds.
    SEEDS.first().into_iter().for_each(|seed| (CHOSEN.feed)(seed));
    let Some(folder) = std::env::var_os("FUZZ_CORPUS") else { return };
    for (number, seed) in SEEDS.iter().enumerate() {
        let file = std::path::Path::new(&folder).join(format!("seed-{number}"));
        std::fs::write(file, seed).expect("a seed is written");
    }
}

fuzz_target!(init: plant(), |input: &[u8]| (CHOSEN.feed)(input));

// Half of the noise is libFuzzer's own, half knows what the input means.
fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, seed: u32| {
    let mut dice = Dice(seed.into());
    if dice.below(2) == 0 {
        return fuzzer_mutate(data, size, max_size);
    }
    let mut parents = vec![data[..size].to_vec()];
    parents.extend((0..3).map(|_| dice.one::<Vec<u8>>(&SEEDS).clone()));
    let mut noise = mutate(&mut dice, CHOSEN.form, &parents);
    noise.truncate(max_size);
    data[..noise.len()].copy_from_slice(&noise);
    noise.len()
});
