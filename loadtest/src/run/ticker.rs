//! Waits for each intended moment on a thread of its own, and hands over what is due. It never skips: what could not be
//! handed over in time is handed over late, and counts from when it was intended.
//!
//! A thread, because a runtime's timer is good to a millisecond and this is to be better.

use std::thread;
use std::time::{Duration, Instant};

use tokio::sync::mpsc;

use crate::plan::{Intended, Plan};

/// Batches that wait for a worker that is late.
const BATCHES_MAX: usize = 1_024;
const BATCH_MAX: usize = 256;

pub struct Ticker {
    batches: mpsc::Receiver<Vec<Intended>>,
}

impl Ticker {
    pub fn start(plan: Plan, begin: Instant) -> Self {
        let (sender, batches) = mpsc::channel(BATCHES_MAX);
        thread::spawn(move || tick(plan, begin, &sender));
        Self { batches }
    }

    pub fn stop(&mut self) {
        self.batches.close();
    }

    /// What is due now; `None`: the plan is over.
    pub async fn due(&mut self) -> Option<Vec<Intended>> {
        self.batches.recv().await
    }
}

fn tick(plan: Plan, begin: Instant, sender: &mpsc::Sender<Vec<Intended>>) {
    let mut plan = plan.peekable();
    while let Some(first) = plan.next() {
        let due = begin + Duration::from_micros(first.at_us);
        thread::sleep(due.saturating_duration_since(Instant::now()));
        let now_us = begin.elapsed().as_micros() as u64;
        let mut batch = vec![first];
        while batch.len() < BATCH_MAX
            && let Some(next) = plan.next_if(|next| next.at_us <= now_us)
        {
            batch.push(next);
        }
        if sender.blocking_send(batch).is_err() {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::Scenario;

    #[tokio::test]
    async fn a_worker_that_was_late_still_gets_everything_with_its_intended_time() {
        let text = "name = \"x\"\n[people]\nusers = 20\n[[rooms]]\ncount = 2\nmembers = 10\n[persona.a]\nper_minute = 6000\n\
                    actions = { post = 1 }\n[[phase]]\nname = \"p\"\nlasts = \"300ms\"\n";
        let plan = || Plan::of(&Scenario::read(text).unwrap(), 0, 1);
        // It should have begun a second ago: all of it is overdue.
        let begun = Instant::now().checked_sub(Duration::from_secs(1)).unwrap();
        let mut ticker = Ticker::start(plan(), begun);
        let mut got = Vec::new();
        while let Some(batch) = ticker.due().await {
            got.extend(batch);
        }
        assert_eq!(got, plan().collect::<Vec<_>>());
        assert!(got.len() > 400);
    }
}
