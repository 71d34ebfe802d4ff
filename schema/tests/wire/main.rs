//! Bytes from outside: every decoder reads what it wrote, refuses what is wrong in a sentence, and survives noise.

mod decoders;
mod made;
mod round_trip;
