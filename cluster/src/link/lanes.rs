//! One door for both lanes: what comes is for the one above that lane.

use std::sync::Arc;

use super::frame::Lane;
use super::knock::Knock;
use super::listener::{Asked, Receive, Said, Whence};

pub struct Lanes {
    pub group: Arc<dyn Receive>,
    pub chat: Arc<dyn Receive>,
}

impl Lanes {
    fn above(&self, from: Whence) -> &dyn Receive {
        match from.lane {
            Lane::Group => &*self.group,
            Lane::Chat => &*self.chat,
        }
    }
}

impl Receive for Lanes {
    fn arrived(&self, from: Whence) {
        self.above(from).arrived(from);
    }
    fn said(&self, said: Said) {
        self.above(said.from).said(said);
    }
    fn asked(&self, asked: Asked) {
        self.above(asked.from).asked(asked);
    }
    fn gone(&self, from: Whence) {
        self.above(from).gone(from);
    }
    fn knocked(&self, knock: Knock) {
        self.group.knocked(knock);
    }
}
