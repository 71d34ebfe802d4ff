//! What whoever waits for a run gets to see: a live screen on a terminal, plain lines off one, figures for Prometheus. It
//! watches and decides nothing, except that it may ask the run to end.

mod board;
mod draw;
mod endpoint;
mod exposition;
mod interrupt;
mod lines;
mod terminal;

use std::io::IsTerminal;
use std::net::SocketAddr;
use std::sync::Mutex;

use anyhow::Result;

use crate::run::{News, Stop};
use crate::scenario::Scenario;
use board::Board;
use endpoint::Endpoint;
use lines::Lines;
use terminal::Live;

/// Gone from the terminal when it is dropped.
pub struct View {
    shown: Shown,
    endpoint: Option<Endpoint>,
}

enum Shown {
    Live(Live),
    Plain(Mutex<Lines>),
}

impl View {
    /// Errors: the address for `metrics` is not to be had.
    pub async fn open(scenario: &Scenario, stop: &Stop, metrics: Option<SocketAddr>) -> Result<Self> {
        let endpoint = match metrics {
            Some(address) => Some(Endpoint::open(address).await?),
            None => None,
        };
        let is_terminal = std::io::stderr().is_terminal() && std::env::var_os("TERM").is_some_and(|term| term != "dumb");
        // A terminal that cannot do it gets lines.
        let live = is_terminal.then(|| Live::open(Board::of(scenario), stop.clone()).ok()).flatten();
        interrupt::watch(stop.clone(), live.is_none());
        let shown = live.map_or_else(|| Shown::Plain(Mutex::new(Lines::default())), Shown::Live);
        Ok(Self { shown, endpoint })
    }

    pub fn tell(&self, news: News) {
        if let Some(endpoint) = &self.endpoint {
            endpoint.tell(&news);
        }
        match &self.shown {
            Shown::Live(live) => live.tell(news),
            Shown::Plain(lines) => {
                let line = lines.lock().ok().and_then(|mut lines| lines.line(&news));
                line.iter().for_each(|line| eprintln!("{line}"));
            }
        }
    }
}
