//! What slots, rooms and sessions do: pure cores, thin ractor shells, the node's directory and subscribers.
//! Knows nothing of sockets, of HTTP, of database drivers or of how nodes find each other.

pub mod outlet;
