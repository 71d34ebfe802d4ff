//! Each bug that is planted among several nodes is caught, within the seeds that every build runs, by an invariant that is named here.

use super::SEEDS;
use crate::invariants::{agreement, fences, healed, listeners, owners, phantoms};
use crate::plant::Plant;
use crate::planted::caught;

caught! {
    within SEEDS of super::run:
    an_epoch_that_is_not_checked_on_hand_over_is_caught: EpochUnchecked by fences::NAME, owners::NAME;
    a_subscriber_that_is_lost_in_a_move_is_caught: SubscriberLost by healed::NAME;
    following_again_without_filling_the_gap_is_caught: NoGapFill by listeners::NAME, healed::NAME;
    a_follower_that_shows_whatever_it_is_shown_is_caught: HoleShown by listeners::NAME, healed::NAME;
    two_owners_after_a_partition_heals_are_caught: TwoOwners by owners::NAME, agreement::NAME;
    a_request_that_is_forwarded_again_by_another_name_is_caught: NewCmid by phantoms::NAME;
    a_begin_that_is_forgotten_is_caught: BeginForgotten by healed::NAME;
    a_room_that_stays_behind_for_good_is_caught: BehindForGood by healed::NAME;
    an_owner_that_is_not_asked_again_is_caught: NotAskedAgain by healed::NAME;
}
