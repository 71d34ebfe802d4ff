//! *Pure.* The side that was dialled: the greeting, what the other may have under way, and the answers on their way back.

use std::collections::VecDeque;

use super::codec::{BODY_BYTES_MAX, FrameError};
use super::frame::{Answered, Frame, Hello, Refusal, Speaks, Welcome};
use crate::NodeId;

/// What a frame that came means to whoever is above.
#[derive(Debug, PartialEq, Eq)]
pub enum Heard {
    Nothing,
    /// The greeting is over.
    Arrived(Hello),
    Said {
        table: u64,
        body: bytes::Bytes,
    },
    Asked {
        id: u64,
        table: u64,
        within_ms: u32,
        body: bytes::Bytes,
    },
}

pub struct Inbound {
    us: NodeId,
    /// Whom the transport vouches for.
    them: NodeId,
    greeted: bool,
    window_bytes: u32,
    /// What came and is not consumed, and what is consumed and not told yet.
    held_bytes: usize,
    owed_bytes: usize,
    answers: VecDeque<Frame>,
    answer_bytes: usize,
    answer_bytes_max: usize,
    overflowed: bool,
    /// The newest slot table that is known here.
    pub table: u64,
}

impl Inbound {
    pub fn new(us: NodeId, them: NodeId, window_bytes: u32, answer_bytes_max: usize) -> Self {
        Self {
            us,
            them,
            greeted: false,
            window_bytes,
            held_bytes: 0,
            owed_bytes: 0,
            answers: VecDeque::new(),
            answer_bytes: 0,
            answer_bytes_max,
            overflowed: false,
            table: 0,
        }
    }

    pub fn hear(&mut self, frame: Frame) -> Result<Heard, FrameError> {
        match frame {
            Frame::Hello(hello) if !self.greeted => Ok(self.greet(hello)),
            Frame::Say { table, body } if self.greeted => {
                self.hold(body.len())?;
                Ok(Heard::Said { table, body })
            }
            Frame::Ask { id, table, within_ms, body } if self.greeted => {
                self.hold(body.len())?;
                Ok(Heard::Asked { id, table, within_ms, body })
            }
            Frame::Ping {} if self.greeted => {
                self.answers.push_back(Frame::Pong {});
                Ok(Heard::Nothing)
            }
            _ => Err(FrameError::OutOfPlace("what the other side said")),
        }
    }

    fn greet(&mut self, hello: Hello) -> Heard {
        let refusal = match Speaks::OURS.agree(hello.speaks) {
            _ if hello.node != self.them => Some(Refusal::Stranger),
            None => Some(Refusal::Version),
            Some(version) => {
                self.greeted = true;
                self.answers.push_back(Frame::Welcome(Welcome { version, node: self.us, window_bytes: self.window_bytes }));
                None
            }
        };
        match refusal {
            Some(why) => {
                self.answers.push_back(Frame::Refused { why });
                self.overflowed = true;
                Heard::Nothing
            }
            None => Heard::Arrived(hello),
        }
    }

    /// One frame may go over what was allowed: who sends cannot know how long the next one is.
    fn hold(&mut self, bytes: usize) -> Result<(), FrameError> {
        let allowed = self.window_bytes as usize;
        let before = self.held_bytes + self.owed_bytes;
        if bytes > 0 && before >= allowed {
            return Err(FrameError::OverCredit { over: before + bytes - allowed });
        }
        self.held_bytes += bytes;
        Ok(())
    }

    /// What was held of a body is free again; told to the other side when it is worth a frame.
    pub fn consumed(&mut self, bytes: usize) {
        self.held_bytes -= bytes;
        self.owed_bytes += bytes;
        if self.owed_bytes * 4 >= self.window_bytes as usize {
            self.answers.push_back(Frame::Credit { bytes: self.owed_bytes as u32 });
            self.owed_bytes = 0;
        }
    }

    pub fn answer(&mut self, id: u64, answered: Answered) {
        let answered = match answered {
            Answered::Done(body) if body.len() > BODY_BYTES_MAX => Answered::Refused(Refusal::Busy),
            fits => fits,
        };
        if let Answered::Done(body) = &answered {
            self.answer_bytes += body.len();
            self.overflowed |= self.answer_bytes > self.answer_bytes_max;
        }
        self.answers.push_back(Frame::Answer { id, table: self.table, answered });
    }

    /// Frames to send; `false`: these are the last.
    pub fn take(&mut self, bytes_max: usize, frames: &mut Vec<Frame>) -> bool {
        let mut bytes = 0;
        while bytes < bytes_max
            && let Some(frame) = self.answers.pop_front()
        {
            let body_bytes = if let Frame::Answer { answered: Answered::Done(body), .. } = &frame { body.len() } else { 0 };
            self.answer_bytes -= body_bytes;
            bytes += body_bytes + 64;
            frames.push(frame);
        }
        !self.overflowed
    }

    pub fn is_waiting(&self) -> bool {
        !self.answers.is_empty()
    }
}
