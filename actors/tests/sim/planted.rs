//! Each planted bug is caught, within few seeds, by an invariant that is named here. A check that never failed proves nothing.

use crate::invariants::{
    Broken, acked, agreement, cmid_once, erased, fences, healed, listeners, lists, order, owners, pages, phantoms, seqs, trimmed, watermark,
};
use crate::plant::Plant;

/// Seeds within which a planted bug has to be caught.
const SEEDS: u64 = 200;

/// `run` is that of the world in which it is planted.
pub fn is_caught<S>(plant: Plant, seeds: u64, run: impl Fn(u64, Option<Plant>) -> Result<S, Broken>, by: &[&str]) {
    let caught = (0..seeds).find_map(|seed| run(seed, Some(plant)).err().map(|broken| (seed, broken)));
    let Some((seed, broken)) = caught else { panic!("{plant:?} was not caught within {seeds} seeds") };
    println!("{plant:?} at seed {seed}: {broken}");
    assert!(by.contains(&broken.invariant), "{plant:?} was caught at seed {seed}, but not by one of {by:?}: {broken}");
}

macro_rules! caught {
    (within $seeds:ident of $run:path: $($name:ident: $plant:ident by $($invariant:expr),*;)*) => {
        $(#[test] fn $name() { $crate::planted::is_caught(Plant::$plant, $seeds, $run, &[$($invariant),*]); })*
    };
}
pub(crate) use caught;

caught! {
    within SEEDS of crate::run:
    a_store_that_checks_only_the_epoch_is_caught: EpochOnly by cmid_once::NAME, seqs::NAME;
    a_fence_that_ends_with_the_first_segment_is_caught: NoFenceOnRoll by fences::NAME;
    an_owner_that_forgets_its_predecessors_requests_is_caught: NoDedup by cmid_once::NAME;
    an_ack_of_an_unknown_outcome_is_caught: AckUnknown by acked::NAME, listeners::NAME;
    a_store_that_writes_over_blocks_is_caught: PlainWrite by acked::NAME, listeners::NAME, cmid_once::NAME, seqs::NAME, fences::NAME;
    a_batch_made_anew_is_caught: RebuildBatch by acked::NAME, listeners::NAME, seqs::NAME, cmid_once::NAME;
    two_owners_with_one_epoch_are_caught: SameEpoch by acked::NAME, listeners::NAME, seqs::NAME, cmid_once::NAME;
    an_answer_before_the_journal_has_it_is_caught: AnswerAdmitted by acked::NAME;
    serving_before_the_tail_is_read_is_caught: ServeBeforeReplay by seqs::NAME, cmid_once::NAME, watermark::NAME;
    a_watermark_that_is_early_is_caught: WatermarkEarly by watermark::NAME;
    a_trim_that_is_early_is_caught: TrimEarly by trimmed::NAME;
    looking_for_requests_in_recent_events_alone_is_caught: RingOnly by cmid_once::NAME;
    rows_without_stamps_are_caught: NoTimestamps by erased::NAME;
    a_resend_with_a_newer_head_is_caught: ResendNewAfter by cmid_once::NAME;
    an_erasure_that_forgets_the_cmid_is_caught: ErasureForgets by cmid_once::NAME, listeners::NAME, healed::NAME;
    a_room_that_looks_at_history_first_is_caught: WakeHistoryFirst by seqs::NAME, cmid_once::NAME;
    an_erasure_with_a_low_stamp_is_caught: LowStamp by erased::NAME;
    requests_of_a_room_that_failed_are_caught: SubmitOfTheDead by acked::NAME, seqs::NAME, cmid_once::NAME;
    a_restart_that_shows_nothing_is_caught: SilentRestart by listeners::NAME, healed::NAME;
}

/// Names that no planted bug needs first; they are in force all the same.
#[test]
fn every_invariant_has_its_own_name() {
    let mut names = [
        acked::NAME,
        agreement::NAME,
        cmid_once::NAME,
        erased::NAME,
        fences::NAME,
        healed::NAME,
        listeners::NAME,
        lists::NAME,
        order::NAME,
        owners::NAME,
        pages::NAME,
        phantoms::NAME,
        seqs::NAME,
        trimmed::NAME,
        watermark::NAME,
    ];
    names.sort_unstable();
    assert!(names.windows(2).all(|pair| pair[0] != pair[1]));
}
