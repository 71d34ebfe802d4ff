//! What an operator asks of the group, and how a member carries it out.

use cluster::plan::{MOVES_IN_FLIGHT_MAX, plan, under_way};
use cluster::{Member, NodeId};
use schema::ErrorCode;
use serde::{Deserialize, Serialize};

use super::{Alone, Overview, overview};
use crate::admin::Refused;

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Order {
    Status {},
    Token {},
    Drain {
        node: u64,
    },
    Remove {
        node: u64,
    },
    /// `at_once`: moves on their way; `None`: as many as by itself.
    Rebalance {
        at_once: Option<u16>,
    },
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Answer {
    /// How many slots are to move until every node has its share, and how many at a time.
    Rebalances {
        moves: usize,
        at_once: u16,
    },
    Status(Overview),
    Token {
        token: String,
    },
    Drains {
        node: u64,
    },
    Removed {
        node: u64,
    },
}

/// Each that moves is held by somebody's requests for a moment: more at once is an outage.
const AT_ONCE_MAX: u16 = 256;

pub async fn carry_out(member: &Member, alone: Alone, order: Order) -> Result<Answer, Refused> {
    let membership = member.membership();
    let node = |id| NodeId(id);
    match order {
        Order::Status {} => Ok(Answer::Status(overview::of(&membership.status()))),
        Order::Token {} => {
            if let Some(why) = alone {
                return Err(Refused::new(ErrorCode::BadRequest, why));
            }
            let token = member.token().await.map_err(refused)?;
            Ok(Answer::Token { token: token.to_string() })
        }
        Order::Drain { node: id } => {
            if membership.state().nodes.len() < 2 {
                return Err(Refused::new(ErrorCode::BadRequest, "there is no other node to take its slots: let one join first"));
            }
            membership.drain(node(id)).await.map_err(|error| refused(error.into()))?;
            Ok(Answer::Drains { node: id })
        }
        Order::Rebalance { at_once } => {
            let at_once = at_once.unwrap_or(MOVES_IN_FLIGHT_MAX as u16);
            if at_once > AT_ONCE_MAX {
                return Err(Refused::new(ErrorCode::BadRequest, format!("at most {AT_ONCE_MAX} slots move at once")));
            }
            membership.pace(at_once).await.map_err(|error| refused(error.into()))?;
            let state = membership.state();
            let moves = plan(&state, usize::MAX).begin.len() + under_way(&state).count();
            Ok(Answer::Rebalances { moves, at_once })
        }
        Order::Remove { node: id } => {
            membership.remove(node(id)).await.map_err(|error| refused(error.into()))?;
            Ok(Answer::Removed { node: id })
        }
    }
}

fn refused(error: cluster::member::Error) -> Refused {
    use cluster::{member, membership};
    let code = match &error {
        member::Error::Group(membership::Error::Refused(cluster::Refusal::NoNode(_))) => ErrorCode::NotFound,
        member::Error::Group(membership::Error::Refused(_)) | member::Error::NotListening => ErrorCode::BadRequest,
        _ => ErrorCode::Unavailable,
    };
    Refused::new(code, error.to_string())
}
