//! People who post into many rooms all the time, through several nodes of a group, while something is done to it: an open loop on a thread of
//! its own, so that nobody else's work is in its times. A connection is bare and sends nothing a second time: what it hears is what the nodes said.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use anyhow::{Context, anyhow, ensure};
use bytes::BytesMut;
use hdrhistogram::Histogram;
use parking_lot::Mutex;
use schema::RoomId;
use tokio::sync::{mpsc, oneshot};
use tokio::time::sleep_until;

use crate::client::Target;
use crate::load::flock::Open;
use crate::load::raw::{self, Counts, Glimpse};
use crate::load::{Error, TEXT};
use crate::people::{Person, source};

/// What is not answered after this never will be.
const ANSWER_MAX: Duration = Duration::from_secs(15);

pub struct Plan {
    pub people: Vec<Person>,
    pub doors: Vec<SocketAddr>,
    /// Everybody is at each door; else at one, in turn.
    pub everywhere: bool,
    /// Room `n` has person `n % people` as its author.
    pub rooms: Vec<RoomId>,
    /// Four of five posts go to the first so many, in turn; the others to the rest.
    pub busy: usize,
    pub per_second: f64,
}

/// Between two looks.
pub struct Phase {
    pub acked: u64,
    pub refused: u64,
    /// From when it was intended.
    pub wait_us: Histogram<u64>,
    /// The longest of each busy room that had any, in order.
    pub longest_us: Vec<u64>,
}

enum Command {
    Look(oneshot::Sender<Phase>),
    /// Nothing goes through that door any more; answered when nothing is under way there.
    Close(usize, oneshot::Sender<()>),
    Open(usize, oneshot::Sender<Result<(), Error>>),
    /// A post into each room now; answered with how long each took, or why one has no answer.
    Burst(oneshot::Sender<Result<Vec<u64>, Error>>),
    End(oneshot::Sender<Result<(), Error>>),
}

/// Ends when it is dropped.
pub struct Traffic {
    commands: mpsc::UnboundedSender<Command>,
    _thread: JoinHandle<()>,
}

impl Traffic {
    pub async fn start(plan: Plan) -> Result<Self, Error> {
        let (commands, heard) = mpsc::unbounded_channel();
        let (begun, begins) = oneshot::channel();
        let thread = std::thread::spawn(move || {
            let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
                Ok(runtime) => runtime,
                Err(error) => return drop(begun.send(Err(error.into()))),
            };
            runtime.block_on(async {
                match Stream::open(plan).await {
                    Ok(stream) => {
                        begun.send(Ok(())).ok();
                        stream.run(heard).await;
                    }
                    Err(error) => drop(begun.send(Err(error))),
                }
            });
        });
        begins.await.context("the thread of the traffic ended")??;
        Ok(Self { commands, _thread: thread })
    }

    async fn order<T>(&self, make: impl FnOnce(oneshot::Sender<T>) -> Command) -> Result<T, Error> {
        let (told, tells) = oneshot::channel();
        self.commands.send(make(told)).map_err(|_| anyhow!("the traffic has ended"))?;
        tells.await.context("the traffic has ended")
    }

    /// What was since the last look.
    pub async fn look(&self) -> Result<Phase, Error> {
        self.order(Command::Look).await
    }
    pub async fn close(&self, door: usize) -> Result<(), Error> {
        self.order(|told| Command::Close(door, told)).await
    }
    pub async fn open(&self, door: usize) -> Result<(), Error> {
        self.order(|told| Command::Open(door, told)).await?
    }
    pub async fn burst(&self) -> Result<Vec<u64>, Error> {
        self.order(Command::Burst).await?
    }
    /// When everything was answered; errors if something was not, or was shown twice or out of order.
    pub async fn end(self) -> Result<(), Error> {
        self.order(Command::End).await?
    }
}

struct Sent {
    room: usize,
    door: usize,
    intended: Instant,
    in_burst: bool,
}

struct Book {
    heads: HashMap<RoomId, u64>,
    sent: HashMap<u32, Sent>,
    next: u32,
    acked: u64,
    refused: u64,
    wait_us: Histogram<u64>,
    longest_us: Vec<u64>,
    burst_us: Vec<u64>,
    /// Why connections ended.
    ends: Vec<String>,
}

impl Book {
    fn hear(&mut self, glimpse: Glimpse) {
        let (id, good) = match glimpse {
            Glimpse::Acked { id } => (id, true),
            Glimpse::Refused { id } => (id, false),
            Glimpse::Delivered { room, seq } => {
                let head = self.heads.entry(room).or_default();
                *head = seq.max(*head);
                return;
            }
            _ => return,
        };
        let Some(sent) = self.sent.remove(&id) else { return };
        let us = sent.intended.elapsed().as_micros() as u64;
        if sent.in_burst {
            self.burst_us.push(us);
        }
        if !good {
            self.refused += 1;
            return;
        }
        self.acked += 1;
        self.wait_us.saturating_record(us);
        if let Some(longest) = self.longest_us.get_mut(sent.room) {
            *longest = us.max(*longest);
        }
    }

    fn look(&mut self) -> Phase {
        let (acked, refused) = (std::mem::take(&mut self.acked), std::mem::take(&mut self.refused));
        let wait_us = self.wait_us.clone();
        self.wait_us.reset();
        let longest_us = self.longest_us.iter_mut().map(std::mem::take).filter(|us| *us > 0).collect();
        Phase { acked, refused, wait_us, longest_us }
    }
}

struct Stream {
    plan: Plan,
    /// The connections of people who are there, by number, while it is open.
    doors: Vec<Option<HashMap<usize, Open>>>,
    counts: Arc<Counts>,
    book: Arc<Mutex<Book>>,
    posted: u64,
}

impl Stream {
    async fn open(plan: Plan) -> Result<Self, Error> {
        ensure!(plan.busy > 0 && plan.busy < plan.rooms.len(), "some rooms are busy, and some are not");
        let book = Book {
            heads: HashMap::new(),
            sent: HashMap::new(),
            next: 1,
            acked: 0,
            refused: 0,
            wait_us: Histogram::new_with_bounds(1, 60_000_000, 3)?,
            longest_us: vec![0; plan.busy],
            burst_us: Vec::new(),
            ends: Vec::new(),
        };
        let doors = plan.doors.iter().map(|_| None).collect();
        let mut stream = Self { plan, doors, counts: Arc::default(), book: Arc::new(Mutex::new(book)), posted: 0 };
        for door in 0..stream.doors.len() {
            stream.open_door(door).await?;
        }
        Ok(stream)
    }

    async fn open_door(&mut self, door: usize) -> Result<(), Error> {
        let mut open = HashMap::new();
        for (n, person) in self.plan.people.iter().enumerate() {
            if !self.plan.everywhere && n % self.doors.len() != door {
                continue;
            }
            let target = Target { source: Some(source(door as u32 * 1_000, n as u32)), ..Target::new(self.plan.doors[door]) };
            let (reader, writer) = raw::open(target, person, Arc::clone(&self.counts)).await?;
            let book = Arc::clone(&self.book);
            let reader = tokio::spawn(async move {
                let why = reader.run(|glimpse| book.lock().hear(glimpse)).await;
                book.lock().ends.push(format!("of person {n} at node {}: {why}", door + 1));
                why
            });
            open.insert(n, Open { reader, writer });
        }
        self.doors[door] = Some(open);
        Ok(())
    }

    async fn run(mut self, mut commands: mpsc::UnboundedReceiver<Command>) {
        let mut due = Instant::now();
        let between = Duration::from_secs_f64(1.0 / self.plan.per_second);
        let mut broken = None;
        loop {
            tokio::select! {
                () = sleep_until(due.into()), if broken.is_none() => {
                    while due <= Instant::now() && broken.is_none() {
                        broken = self.post_next(due).err();
                        due += between;
                    }
                }
                command = commands.recv() => match command {
                    None => return,
                    Some(Command::Look(told)) => drop(told.send(self.book.lock().look())),
                    Some(Command::Close(door, told)) => {
                        let connections = self.doors[door].take();
                        self.rest(|sent| sent.door == door).await.ok();
                        drop(connections);
                        told.send(()).ok();
                    }
                    Some(Command::Open(door, told)) => drop(told.send(self.open_door(door).await)),
                    Some(Command::Burst(told)) => drop(told.send(self.burst().await)),
                    Some(Command::End(told)) => {
                        let rested = match broken.take() {
                            Some(error) => Err(error),
                            None => self.rest(|_| true).await.and_then(|()| self.sound()),
                        };
                        told.send(rested).ok();
                        return;
                    }
                },
            }
        }
    }

    fn post_next(&mut self, intended: Instant) -> Result<(), Error> {
        let (n, busy, all) = (self.posted as usize, self.plan.busy, self.plan.rooms.len());
        self.posted += 1;
        let room = if n.is_multiple_of(5) { busy + (n / 5) % (all - busy) } else { (n - n / 5) % busy };
        self.post(room, intended, false)
    }

    /// Through the doors that are open and where the author is, in turn.
    fn post(&mut self, room: usize, intended: Instant, in_burst: bool) -> Result<(), Error> {
        let mut book = self.book.lock();
        let author = room % self.plan.people.len();
        let at = |door: &usize| Some((*door, self.doors[*door].as_ref()?.get(&author)?));
        let open: Vec<(usize, &Open)> = (0..self.doors.len()).filter_map(|door| at(&door)).collect();
        ensure!(!open.is_empty(), "the author of room {room} is at no door that is open");
        let (door, connection) = open[book.next as usize % open.len()];
        let (id, of) = (book.next, self.plan.rooms[room]);
        let head = book.heads.get(&of).copied().unwrap_or(1);
        let mut out = BytesMut::new();
        raw::write_post(&mut out, id, of, head, TEXT);
        let why = || format!("the connection of person {author} to node {} was lost: {:?}", door + 1, book.ends);
        let taken = connection.writer.try_write(&out).with_context(why)?;
        ensure!(taken == out.len(), "the kernel took only a part of a post");
        book.next += 1;
        book.sent.insert(id, Sent { room, door, intended, in_burst });
        Ok(())
    }

    async fn burst(&mut self) -> Result<Vec<u64>, Error> {
        let now = Instant::now();
        self.book.lock().burst_us.clear();
        for room in 0..self.plan.rooms.len() {
            self.post(room, now, true)?;
        }
        self.rest(|sent| sent.in_burst).await?;
        Ok(std::mem::take(&mut self.book.lock().burst_us))
    }

    /// Until none of these is under way.
    async fn rest(&self, which: impl Fn(&Sent) -> bool) -> Result<(), Error> {
        let begun = Instant::now();
        loop {
            let left = self.book.lock().sent.values().filter(|sent| which(sent)).count();
            if left == 0 {
                return Ok(());
            }
            ensure!(begun.elapsed() < ANSWER_MAX, "{left} posts have no answer after {} s", ANSWER_MAX.as_secs());
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }

    fn sound(&self) -> Result<(), Error> {
        let [breaks, behinds] = [&self.counts.breaks, &self.counts.behinds].map(|count| count.load(std::sync::atomic::Ordering::Relaxed));
        ensure!(breaks == 0 && behinds == 0, "{breaks} deliveries were out of sequence, {behinds} times something was left out");
        let lost = self.doors.iter().flatten().flat_map(HashMap::values).filter(|open| open.reader.is_finished()).count();
        ensure!(lost == 0, "{lost} connections were lost: {:?}", self.book.lock().ends);
        Ok(())
    }
}
