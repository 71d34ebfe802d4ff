//! A whole node without sockets: real actors on a store in memory, with a test in the place of a lot.

mod bounds;
mod calls;
mod confirmed;
mod erasure;
mod exactly_once;
mod full_disk;
mod greeting;
mod kept;
mod presence;
mod reactions;
mod restart;
mod rooms;
mod subscribers;
mod together;
mod world;
