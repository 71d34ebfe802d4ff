//! What the node link promises, over each of its transports, and what is TLS's own.

mod conforms;
mod core;
mod golden;
mod mesh;
mod nets;
mod partition;
mod rogue;
mod tls;

mod sim {
    use crate::nets::Sim;
    crate::conforms::suite!(Sim);
}

mod tcp {
    use crate::nets::Tcp;
    crate::conforms::suite!(Tcp);
}
