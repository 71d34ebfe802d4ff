//! The `hubbub` binary: thin on purpose, everything it does is in the library.

fn main() {}
