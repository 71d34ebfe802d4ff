//! The edge over real sockets on the loopback: a door, lots, and a test in the place of the actors.

mod certificate;
mod client;
mod door;
mod frames;
mod hello;
mod limits;
mod properties;
mod rooms;
mod secure;
mod slow;
mod tls;
mod world;
