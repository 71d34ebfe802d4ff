//! Whoever acts on a table of some version acts on the same one; in it every slot has an owner who is somebody; and in the end all
//! act on the newest.

use cluster::{NodeId, State, Table};

use super::{Check, broken};
use crate::witness::Witness;

pub const NAME: &str = "agreement";

pub fn check(witness: &mut Witness, node: NodeId, state: &State) -> Check {
    if let Some(slot) = state.slots.iter().position(|slot| !state.nodes.contains_key(&slot.owner)) {
        return broken(NAME, format!("slot {slot} has no owner at version {}", state.version));
    }
    let table = state.table();
    match witness.tables.get(&table.version) {
        Some(known) if *known != table => broken(NAME, format!("node {} acts on {table:?}, and another on {known:?}", node.0)),
        Some(_) => Ok(()),
        None => {
            witness.tables.insert(table.version, table);
            Ok(())
        }
    }
}

/// In the end.
pub fn all<'a>(newest: &Table, tables: impl Iterator<Item = (NodeId, &'a Table)>) -> Check {
    for (node, table) in tables {
        if table != newest {
            return broken(NAME, format!("node {} has {table:?} and the newest is {newest:?}", node.0));
        }
    }
    Ok(())
}
