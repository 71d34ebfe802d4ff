//! A group of nodes in one process: the real code and real files, a network that can be cut, and a clock that runs ahead whenever all wait.

mod alone;
mod contact;
mod detector;
mod failure;
mod growth;
mod member;
mod world;
