//! Noise against every decoder of bytes that come from outside or from disk: none may panic, and what is accepted has to
//! hold what its target says of it. The targets and the noise are the same that `cargo xtask fuzz` drives by coverage;
//! here a run is repeated by its seed, and takes no tools: `FUZZ_SEED=1 FUZZ_CASES=100000`, or `FUZZ_SECONDS=60`.
//!
//! What once broke a decoder lies in `found/TARGET/`, and is fed first for ever.

mod mutate;
mod targets;
mod tree;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::time::{Duration, Instant};

use mutate::{Dice, mutate};
use targets::Target;

const CASES: u64 = 4_000;
const SEED: u64 = 0x6875_6262_7562;

fn from_environment(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|text| text.parse().unwrap_or_else(|_| panic!("{name} is a number")))
}

fn target(name: &str) -> &'static Target {
    targets::ALL.iter().find(|target| target.name == name).unwrap_or_else(|| panic!("there is no target {name}"))
}

fn survives(target: &Target, input: &[u8], whence: impl FnOnce() -> String) {
    if catch_unwind(AssertUnwindSafe(|| (target.feed)(input))).is_err() {
        let kept = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("fuzz-{}", target.name));
        std::fs::write(&kept, input).expect("the input is kept");
        panic!("{}: {} broke on {} (kept as {})", target.name, whence(), input.escape_ascii(), kept.display());
    }
}

/// What was found once, the seeds as they are, and noise grown from them until the budget is spent.
fn noise(name: &str) {
    let target = target(name);
    for entry in std::fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fuzz/found").join(name)).into_iter().flatten() {
        let file = entry.expect("a folder that can be read").path();
        survives(target, &std::fs::read(&file).expect("a file that can be read"), || file.display().to_string());
    }
    let seeds = (target.seeds)();
    assert!(!seeds.is_empty(), "noise is grown from something");
    for (number, seed) in seeds.iter().enumerate() {
        survives(target, seed, || format!("seed {number}"));
    }
    let seed = from_environment("FUZZ_SEED").unwrap_or(SEED);
    let seconds = from_environment("FUZZ_SECONDS").map(Duration::from_secs);
    let cases = from_environment("FUZZ_CASES").unwrap_or(if seconds.is_some() { u64::MAX } else { CASES });
    let (begun, mut dice) = (Instant::now(), Dice(seed));
    for case in 0..cases {
        if case % 64 == 0 && seconds.is_some_and(|seconds| begun.elapsed() >= seconds) {
            break;
        }
        let input = mutate(&mut dice, target.form, &seeds[..]);
        survives(target, &input, || format!("case {case} of FUZZ_SEED={seed}"));
    }
}

macro_rules! tests {
    ($($name:ident)*) => {
        $(#[test] fn $name() { noise(stringify!($name)); })*
        #[test]
        fn every_target_has_its_test() {
            let tested = [$(stringify!($name)),*];
            assert_eq!(targets::ALL.iter().map(|target| target.name).collect::<Vec<_>>(), tested);
        }
    };
}

tests! {
    client_json client_msgpack server_json server_msgpack
    block event record peer rest
    frames handshake http_request token
    import_line config order
    store_row store_log backup history
    link remote wish question
}
