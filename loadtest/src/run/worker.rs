//! One worker: connects its part of the users, does what the plan intends at the time it is intended, waits until everything
//! has arrived, and audits. It is one thread; its coordinator is at the other end of two channels, in this process or not.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::rc::Rc;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use schema::wire::Format;
use tokio::sync::{Semaphore, mpsc};
use tokio::time::{Instant, MissedTickBehavior, interval, timeout};

use super::account::Accounts;
use super::audit;
use super::books::Books;
use super::clock::RunClock;
use super::job::{Job, Order, Outcome, Said, Second};
use super::ticker::Ticker;
use super::user::{Core, Moments, Shared, User};
use crate::history::Recorder;
use crate::measure::own;
use crate::plan::{Doing, Intended, Plan};
use crate::report::Offending;
use crate::scenario::{Codec, Scenario};

/// Events of all rooms together whose contents are kept for comparing.
const ENTRIES_MAX: usize = 400_000;

struct Worker {
    job: Job,
    plan: Option<Plan>,
    users: HashMap<u32, Rc<User>>,
    shared: Rc<Shared>,
    said: mpsc::Sender<Said>,
    /// When the first phase begins, on the run's clock.
    go_us: u64,
    seconds: u32,
    cpu_us: u64,
}

/// Carries out a job; what goes wrong is said to the coordinator as well.
pub async fn work(job: Job, mut orders: mpsc::Receiver<Order>, said: mpsc::Sender<Said>) {
    let worked = match Worker::new(job, said.clone()) {
        Ok(worker) => worker.run(&mut orders).await,
        Err(error) => Err(error),
    };
    if let Err(error) = worked {
        said.send(Said::Failed(format!("{error:#}"))).await.ok();
    }
}

fn format(scenario: &Scenario, user: u32) -> Format {
    match scenario.codec {
        Codec::Mixed if user % 2 == 1 => Format::MessagePack,
        Codec::Json | Codec::Mixed => Format::Json,
        Codec::Msgpack => Format::MessagePack,
    }
}

impl Worker {
    fn new(job: Job, said: mpsc::Sender<Said>) -> Result<Self> {
        let plan = Plan::of(&job.scenario, job.worker, job.workers);
        let recorder = match &job.history {
            Some(folder) => Recorder::worker(folder, job.worker).context("the history cannot be written")?,
            None => Recorder::nowhere(),
        };
        let shared = Rc::new(Shared {
            places: job.places.open()?,
            books: RefCell::new(Books::of(&job.rooms, ENTRIES_MAX)),
            clock: RunClock::since(job.epoch_us),
            accounts: Accounts::new(job.accounts.clone()),
            recorder: RefCell::new(recorder),
            opening: Semaphore::new(job.connecting_max as usize),
            connections: Cell::new(0),
            trouble: RefCell::new(None),
        });
        let crowd = plan.crowd();
        let places = &shared.places;
        let own: HashMap<_, _> = job.accounts.iter().map(|(number, account)| (*number, account)).collect();
        let users = plan.users().map(|number| {
            let account = crowd.account(number);
            let known = own[&account];
            let rooms: Vec<_> = crowd.rooms_of(number).iter().map(|room| (*room, job.rooms[*room as usize].0)).collect();
            let recording = job.history.is_some();
            let (user, device) = (known.tokens.user, known.device);
            let core = Core::new(number, user, device, format(&job.scenario, number), &rooms, recording);
            (number, User::new(core, places.of(crowd, number), account))
        });
        let users = users.collect();
        Ok(Self { job, plan: Some(plan), users, shared, said, go_us: 0, seconds: 0, cpu_us: own::cpu_us() })
    }

    async fn say(&self, said: Said) -> Result<()> {
        self.said.send(said).await.context("the coordinator is gone")
    }

    async fn run(mut self, orders: &mut mpsc::Receiver<Order>) -> Result<()> {
        self.connect().await?;
        let more = self.job.reconnecting_max.saturating_sub(self.job.connecting_max);
        self.shared.opening.add_permits(more as usize);
        self.say(Said::Connected).await?;
        let order = orders.recv().await.context("the coordinator is gone")?;
        let Order::Go { at_us } = order else { bail!("a run has to begin first") };
        self.go_us = at_us;
        let plan = self.plan.take().context("the run has begun already")?;
        let mut ticker = Ticker::start(plan, self.shared.clock.at(at_us));
        self.carry_out(&mut ticker, orders).await?;
        let heads = loop {
            match orders.recv().await.context("the coordinator is gone")? {
                Order::Heads => self.say(Said::Heads(audit::heads(&self.job, &self.shared).await?)).await?,
                Order::Converge { heads } => break heads,
                Order::Go { .. } | Order::Cut { .. } | Order::Stop => {}
            }
        };
        self.converge(&heads).await?;
        self.finish(&heads).await
    }

    /// All connections, a stated number at a time; every post is then due to everybody.
    async fn connect(&self) -> Result<()> {
        for user in self.users.values() {
            tokio::task::spawn_local(Rc::clone(user).live(Rc::clone(&self.shared)));
        }
        let (begun, all) = (Instant::now(), self.users.len());
        let patience = Duration::from_secs(60) + Duration::from_millis(10) * all as u32;
        loop {
            let done = self.users.values().filter(|user| user.core().is_ready()).count();
            if done == all {
                return Ok(());
            }
            if begun.elapsed() > patience {
                let trouble = self.shared.trouble.borrow().clone().unwrap_or_else(|| "no reason was given".to_owned());
                bail!("{done} of {all} connections were made within {} s; the last trouble: {trouble}", patience.as_secs());
            }
            self.say(Said::Connecting { done: done as u32 }).await?;
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    /// The phases, a second at a time, and after them until all is answered.
    async fn carry_out(&mut self, ticker: &mut Ticker, orders: &mut mpsc::Receiver<Order>) -> Result<()> {
        let start = Instant::from_std(self.shared.clock.at(self.go_us));
        let mut second = tokio::time::interval_at(start + Duration::from_secs(1), Duration::from_secs(1));
        second.set_missed_tick_behavior(MissedTickBehavior::Burst);
        let mut over = start + Duration::from_micros(self.job.scenario.lasts_us());
        let (patience, mut is_over) = (Duration::from_micros(self.job.converge_us), false);
        let mut look = interval(Duration::from_millis(50));
        loop {
            tokio::select! {
                batch = ticker.due(), if !is_over => match batch {
                    Some(batch) => batch.iter().for_each(|intended| self.dispatch(intended)),
                    None => is_over = true,
                },
                order = orders.recv() => match order.context("the coordinator is gone")? {
                    Order::Cut { share, away_us } => self.cut(share, Duration::from_micros(away_us)),
                    Order::Stop => {
                        (is_over, over) = (true, Instant::now().min(over));
                        ticker.stop();
                    }
                    Order::Go { .. } | Order::Heads | Order::Converge { .. } => bail!("the run is under way"),
                },
                _ = second.tick() => self.second().await?,
                _ = look.tick(), if is_over => {
                    let unanswered = self.unanswered();
                    let now = Instant::now();
                    if now >= over && (unanswered == 0 || now >= over + patience) {
                        self.second().await?;
                        return self.say(Said::Quiet { unanswered }).await;
                    }
                }
            }
        }
    }

    fn dispatch(&self, intended: &Intended) {
        let Some(user) = self.users.get(&intended.user) else { return };
        match intended.what {
            Doing::Away { us } => user.cut(Duration::from_micros(us)),
            Doing::Act { deed, room, bytes } => {
                let (intended_us, actual_us) = (self.go_us + intended.at_us, self.shared.clock.now_us());
                // Never before its time: a clock that is read twice may differ by a microsecond.
                let moments = Moments { intended_us, actual_us: actual_us.max(intended_us) };
                self.shared.books.borrow_mut().tally.lag.record(moments.actual_us - intended_us);
                user.act(deed, room, bytes, moments, &self.shared);
            }
        }
    }

    /// The first users by number: the same ones each time.
    fn cut(&self, share: f64, away: Duration) {
        let mut numbers: Vec<_> = self.users.keys().copied().collect();
        numbers.sort_unstable();
        numbers.truncate((numbers.len() as f64 * share).ceil() as usize);
        numbers.iter().filter_map(|number| self.users.get(number)).for_each(|user| user.cut(away));
    }

    fn unanswered(&self) -> u64 {
        self.users.values().map(|user| user.core().unanswered() as u64).sum()
    }

    async fn second(&mut self) -> Result<()> {
        let cpu = own::cpu_us();
        let tally = self.shared.books.borrow_mut().tally.take();
        let (number, connections, cpu_us) = (self.seconds, self.shared.connections.get(), cpu - self.cpu_us);
        (self.seconds, self.cpu_us) = (self.seconds + 1, cpu);
        let (unanswered, offences) = (self.unanswered(), self.shared.books.borrow().ledger.offences.total());
        self.say(Said::Second(Box::new(Second { number, tally, connections, cpu_us, unanswered, offences }))).await
    }

    /// Until every device is as far as the rooms are, or the time for that is over: then who is not is named.
    async fn converge(&mut self, heads: &[u64]) -> Result<()> {
        let settled = async {
            while !self.users.values().all(|user| user.core().is_settled(heads)) {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        if timeout(Duration::from_micros(self.job.converge_us), settled).await.is_err() {
            let mut books = self.shared.books.borrow_mut();
            for user in self.users.values() {
                let core = user.core();
                for (room, _, have) in core.ways().filter(|(room, _, have)| *have < heads[*room as usize]) {
                    let (id, head) = (books.ledger.id(room), heads[room as usize]);
                    let what = format!("user {} never got seq {} to {head}", core.number, have + 1);
                    books.ledger.offences.add(Offending::Lost, id, Some(have + 1), what);
                }
            }
        }
        self.second().await
    }

    async fn finish(self, heads: &[u64]) -> Result<()> {
        let unknown = self.users.values().map(|user| user.end(&self.shared)).sum();
        let rooms_audited = audit::audit(&self.job, &self.users.keys().copied().collect::<Vec<_>>(), &self.shared).await?;
        let recorder = std::mem::take(&mut *self.shared.recorder.borrow_mut());
        recorder.finish().context("the history could not be written whole")?;
        let (mut due, mut delivered) = (0, 0);
        for user in self.users.values() {
            for (room, base, have) in user.core().ways() {
                due += heads[room as usize].saturating_sub(base);
                delivered += have.saturating_sub(base);
            }
        }
        let (offences, counts, uncompared) = {
            let mut books = self.shared.books.borrow_mut();
            (std::mem::take(&mut books.ledger.offences), books.counts, books.ledger.uncompared)
        };
        let receivers = self.users.len() as u64;
        ensure!(receivers > 0, "a worker without users: ask for fewer workers");
        let outcome = Outcome { counts, unknown, due, delivered, receivers, uncompared, rooms_audited, offences };
        self.say(Said::Done(Box::new(outcome))).await
    }
}
