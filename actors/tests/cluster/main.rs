//! Several nodes without sockets, over a net in memory and one store: who has what, the test says. Membership is not part of it.

mod moves;
mod rooms;
mod sessions;
mod words;
mod world;
mod zombie;
