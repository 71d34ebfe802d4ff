//! A look at fjall's log files before fjall opens them. fjall drops whatever follows the first thing it cannot read, as if a
//! crash had left it, and refuses some torn ends that a power cut does leave. Here the two are told apart by the group
//! numbers in the log: a torn end above the mark was never acknowledged and is cut off; anything else is damage, and named
//! before a byte is changed.
//!
//! Knows the log format of the one fjall version that is pinned (`fjall::journal::entry`).

use std::fs::{File, OpenOptions};
use std::io::{BufReader, ErrorKind, Read};
use std::path::{Path, PathBuf};

use xxhash_rust::xxh3::Xxh3;

use super::layout;
use super::open::unusable;
use crate::Error;

const MAGIC: [u8; 4] = [b'F', b'J', b'L', 3];

/// What a log file holds up to the end of its last whole batch.
#[derive(Debug, Default, PartialEq, Eq)]
struct Scan {
    end: u64,
    first_group: Option<u64>,
    last_group: Option<u64>,
    /// After `end` comes something other than the zeros of a file made longer ahead of time.
    is_torn: bool,
}

/// `marked`: the last group that was acknowledged. Nothing is there on a first start.
pub fn check(database: &Path, marked: u64) -> Result<(), Error> {
    let mut files = log_files(database)?;
    let Some((_, active)) = files.pop() else { return Ok(()) };
    let mut last_group = None;
    let mut follows = |path: &Path, scan: &Scan| {
        let expected = last_group.map(|group| group + 1);
        let is_next = scan.first_group.is_none() || expected.is_none() || scan.first_group == expected;
        last_group = scan.last_group.or(last_group);
        if is_next { Ok(()) } else { Err(damaged(path, format!("write {} is missing", expected.unwrap_or_default()))) }
    };
    for (_, path) in &files {
        let scan = scan_file(path)?;
        if scan.is_torn {
            return Err(damaged(path, format!("it cannot be read from byte {} on", scan.end)));
        }
        follows(path, &scan)?;
    }
    let scan = scan_file(&active)?;
    follows(&active, &scan)?;
    if !scan.is_torn {
        return Ok(());
    }
    if last_group.is_some_and(|group| group < marked) {
        return Err(damaged(&active, format!("it cannot be read from byte {} on, and {marked} writes were acknowledged", scan.end)));
    }
    if last_group.is_none() && marked > 0 {
        // All that was acknowledged may lie in the tables, or here: whoever opens the tables next compares. Lose nothing until then.
        let kept = active.with_extension("cut");
        std::fs::copy(&active, &kept).map_err(|error| unusable(format!("{} cannot be written: {error}", kept.display())))?;
    }
    tracing::warn!(file = %active.display(), end = scan.end, "the log ends in an unfinished write, which nobody was told of; cut off");
    let cut = OpenOptions::new().write(true).open(&active).and_then(|file| file.set_len(scan.end).and_then(|()| file.sync_all()));
    cut.map_err(|error| unusable(format!("{} cannot be written: {error}", active.display())))
}

fn damaged(path: &Path, why: String) -> Error {
    Error::Corrupt(format!("the log file {} is damaged: {why}; restore the last backup", path.display()))
}

fn log_files(database: &Path) -> Result<Vec<(u64, PathBuf)>, Error> {
    let entries = match std::fs::read_dir(database) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries.and_then(Iterator::collect::<Result<Vec<_>, _>>),
    };
    let entries = entries.map_err(|error| unusable(format!("{} cannot be read: {error}", database.display())))?;
    let numbered = |path: PathBuf| Some((path.file_name()?.to_str()?.strip_suffix(".jnl")?.parse().ok()?, path));
    let mut files: Vec<(u64, PathBuf)> = entries.into_iter().filter_map(|entry| numbered(entry.path())).collect();
    files.sort_unstable();
    Ok(files)
}

fn scan_file(path: &Path) -> Result<Scan, Error> {
    let unreadable = |error: std::io::Error| unusable(format!("{} cannot be read: {error}", path.display()));
    let file = File::open(path).map_err(unreadable)?;
    let length = file.metadata().map_err(unreadable)?.len();
    let mut log = Log { bytes: BufReader::with_capacity(1 << 20, file), at: 0, length };
    let mut scan = Scan::default();
    loop {
        match log.batch(&mut scan).map_err(unreadable)? {
            Found::Batch => scan.end = log.at,
            Found::End => return Ok(scan),
            Found::Torn => {
                scan.is_torn = true;
                return Ok(scan);
            }
        }
    }
}

enum Found {
    Batch,
    /// Only zeros, or nothing, are left.
    End,
    Torn,
}

struct Log {
    bytes: BufReader<File>,
    at: u64,
    length: u64,
}

impl Log {
    fn batch(&mut self, scan: &mut Scan) -> std::io::Result<Found> {
        let (mut tag, mut start) = ([0], [0; 12]);
        if !self.fill(&mut tag)? {
            return Ok(Found::End);
        }
        if tag == [0] {
            return self.only_zeros_left();
        }
        if tag != [1] || !self.fill(&mut start)? {
            return Ok(Found::Torn);
        }
        let items = u32::from_le_bytes(start[..4].try_into().expect("four bytes"));
        let (mut hash, mut group) = (Xxh3::new(), None);
        for _ in 0..items {
            match self.item(&mut hash)? {
                Some(found) => group = found.or(group),
                None => return Ok(Found::Torn),
            }
        }
        let mut end = [0; 13];
        let whole = self.fill(&mut end)? && end[0] == 3 && end[1..9] == hash.digest().to_le_bytes() && end[9..] == MAGIC;
        if !whole {
            return Ok(Found::Torn);
        }
        scan.first_group = scan.first_group.or(group);
        scan.last_group = group.or(scan.last_group);
        Ok(Found::Batch)
    }

    /// `None`: torn. `Some(Some(group))`: the row that counts groups.
    fn item(&mut self, hash: &mut Xxh3) -> std::io::Result<Option<Option<u64>>> {
        const HEAD: usize = 3 + 8 + 2 + 4 + 4;
        let mut head = [0; HEAD];
        if !self.fill(&mut head[..1])? {
            return Ok(None);
        }
        if head[0] == 4 {
            return Ok(self.fill(&mut head[1..9])?.then(|| {
                hash.update(&head[..9]);
                None
            }));
        }
        if head[0] != 2 || !self.fill(&mut head[1..])? {
            return Ok(None);
        }
        let key_length = usize::from(u16::from_le_bytes([head[11], head[12]]));
        let value_length = u32::from_le_bytes(head[17..21].try_into().expect("four bytes")) as usize;
        if (key_length + value_length) as u64 > self.length - self.at {
            return Ok(None);
        }
        let mut row = vec![0; key_length + value_length];
        if !self.fill(&mut row)? {
            return Ok(None);
        }
        hash.update(&head);
        hash.update(&row);
        let (key, value) = row.split_at(key_length);
        let is_group = key == layout::counter_key("group") && head[1..3] == [0, 0];
        Ok(Some(if is_group { layout::decode_number(key, value).ok() } else { None }))
    }

    fn only_zeros_left(&mut self) -> std::io::Result<Found> {
        let mut page = [0; 4096];
        loop {
            match self.bytes.read(&mut page)? {
                0 => return Ok(Found::End),
                read if page[..read].iter().any(|byte| *byte != 0) => return Ok(Found::Torn),
                _ => {}
            }
        }
    }

    /// `false`: the file ends before.
    fn fill(&mut self, buffer: &mut [u8]) -> std::io::Result<bool> {
        if buffer.len() as u64 > self.length - self.at {
            return Ok(false);
        }
        self.bytes.read_exact(buffer)?;
        self.at += buffer.len() as u64;
        Ok(true)
    }
}
