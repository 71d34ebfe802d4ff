//! What every backend promises, one named test per promise. `store::conformance!(name, subject)` makes a module of them,
//! each on a fresh subject. Asks only through the two traits; what a backend alone can do is tested where it lives.

pub mod journal;
pub mod records;

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use crate::{Journal, Records};

/// A store under test, with the data under it.
pub trait Subject: Send + 'static {
    type Store: Journal + Records;
    fn store(&self) -> Arc<Self::Store>;
    /// The process ends in good order and another one starts on the same data. Nobody holds the old store any more.
    fn reopen(&mut self);
}

/// Each promise runs on two workers of its own.
pub fn run(promise: impl Future<Output = ()>) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime starts");
    runtime.block_on(promise);
}

/// Sends a call off and never hears the answer, as a time-out looks from outside.
pub fn lose_answer<T>(call: impl Future<Output = T>) -> Poll<T> {
    pin!(call).poll(&mut Context::from_waker(Waker::noop()))
}

#[macro_export]
macro_rules! conformance {
    ($name:ident, $subject:expr) => {
        mod $name {
            #[allow(unused_imports)]
            use super::*;
            $crate::conformance!(@each $subject; journal:
                a_virgin_slot_is_fenced_at_head_zero,
                a_fence_below_the_current_epoch_is_stale,
                the_current_epoch_may_be_fenced_again,
                an_append_before_any_fence_is_refused,
                an_append_writes_the_block_after_its_head,
                a_stale_epoch_append_is_refused,
                an_epoch_that_was_not_fenced_is_refused,
                an_append_below_the_head_is_refused,
                an_append_beyond_the_head_is_refused,
                an_identical_repeat_is_told_that_it_landed,
                an_identical_repeat_after_a_takeover_is_told_that_it_landed,
                a_batch_is_not_taken_twice_in_a_row,
                an_unknown_append_repeated_identically_lands_once,
                a_refused_append_leaves_nothing,
                two_owners_in_a_duel_lose_and_double_nothing,
                slots_are_apart,
                all_slots_append_at_once,
                the_largest_block_is_taken_whole,
                blocks_are_read_in_order_up_to_the_limit,
                trim_drops_whole_sealed_segments_only,
                a_slot_trimmed_to_its_head_goes_on_from_there,
                a_trim_makes_the_watermark_before_it_durable,
                reopening_keeps_every_acknowledged_block,
                a_zombie_of_before_a_restart_stays_out,
                every_start_has_a_higher_grant
            );
            $crate::conformance!(@each $subject; records:
                an_absent_row_is_none,
                the_higher_stamp_wins_in_both_orders,
                a_late_lower_stamp_changes_nothing,
                a_delete_wins_a_tie_in_both_orders,
                a_deleted_row_comes_back_only_above_its_stamp,
                repeating_a_batch_changes_nothing,
                a_batch_that_names_a_row_twice_keeps_the_higher_stamp,
                a_maximum_only_rises,
                absent_is_put_once,
                a_version_must_match,
                any_is_put_over_everything,
                a_deleted_conditional_row_is_absent,
                one_of_many_at_once_wins_a_name,
                a_scan_is_in_the_order_of_sort_keys,
                a_scan_keeps_to_its_bounds,
                a_scan_from_the_newest_end_keeps_to_its_bounds,
                deleted_rows_do_not_count_in_a_scan,
                several_scans_at_once_are_answered_in_their_order,
                partitions_do_not_leak_into_each_other,
                tables_do_not_leak_into_each_other,
                a_row_without_a_sort_key_is_found,
                a_row_that_is_too_large_is_refused_whole,
                reopening_keeps_what_was_synced,
                reopening_keeps_conditional_rows_without_a_sync
            );
        }
    };
    (@each $subject:expr; $kind:ident: $($promise:ident),+) => {
        $(#[test]
        fn $promise() {
            $crate::conformance::run($crate::conformance::$kind::$promise($subject));
        })+
    };
}
