//! Connections: from `accept` through the handshake to a lot, where a socket lives without a task of its own.
//!
//! Knows frames, formats and bounds. Knows nothing of rooms' rules, of who may do what, or of storage: whole requests
//! go up through one closure, and what to send comes down through `actors::outlet`.
