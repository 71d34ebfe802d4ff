//! What one person asked of a room, one behind the other, is in it in that order, however often it was said again.

use schema::client::Order;

use super::{Check, broken};
use crate::witness::Witness;

pub const NAME: &str = "order";

/// Of one that is answered.
pub fn check(witness: &Witness, order: &Order) -> Check {
    let seq = |cmid| witness.cmids.get(&(order.room, cmid));
    match (order.prev.and_then(seq), seq(order.cmid)) {
        (Some(before), Some(seq)) if before >= seq => broken(NAME, format!("{:?} is at {seq} and what it follows at {before}", order.cmid)),
        _ => Ok(()),
    }
}
