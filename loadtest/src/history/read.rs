//! From files to a `Run`. Judges nothing but whether the lines can be read.

use std::collections::{BTreeMap, HashMap};
use std::fs::{self, File};
use std::io::{self, BufRead, BufReader};
use std::path::{Path, PathBuf};

use schema::{DeviceId, Event, RoomId, UserId};

use super::{Entry, Line, recorder};

/// Everything that is known about a run.
#[derive(Clone, Debug, Default)]
pub struct Run {
    pub devices: Vec<Device>,
    pub rooms: HashMap<RoomId, Room>,
    /// By name: how often it was planned, how often it happened.
    pub faults: BTreeMap<String, (u32, u32)>,
    /// Where each device is in `devices`.
    places: HashMap<(UserId, DeviceId), usize>,
}

/// One device's lines, in the order in which they happened to it.
#[derive(Clone, Debug)]
pub struct Device {
    pub user: UserId,
    pub device: DeviceId,
    pub lines: Vec<Line>,
}

/// A room at the end of the run.
#[derive(Clone, Debug, Default)]
pub struct Room {
    pub base: u64,
    pub head: u64,
    pub events: Vec<Event>,
}

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("{path}: {error}")]
    File { path: PathBuf, error: io::Error },
    #[error("{path}, line {line}: {error}")]
    Line { path: PathBuf, line: usize, error: serde_json::Error },
    #[error("{path}, line {line}: a line of a device before any `client` line")]
    Nobody { path: PathBuf, line: usize },
}

impl Run {
    /// A history's file, or its folder with all files in it.
    pub fn read(path: &Path) -> Result<Self, Error> {
        let file_error = |error| Error::File { path: path.to_owned(), error };
        let mut files = vec![path.to_owned()];
        if path.is_dir() {
            let entries = fs::read_dir(path).map_err(file_error)?.collect::<Result<Vec<_>, _>>().map_err(file_error)?;
            files = entries.into_iter().map(|entry| entry.path()).filter(|file| file.extension().is_some_and(|e| e == "jsonl")).collect();
            files.sort();
        }
        let mut run = Self::default();
        for file in files {
            run.read_file(&file)?;
        }
        Ok(run)
    }

    fn read_file(&mut self, path: &Path) -> Result<(), Error> {
        let file_error = |error| Error::File { path: path.to_owned(), error };
        let mut current = None;
        for (index, text) in BufReader::new(File::open(path).map_err(file_error)?).lines().enumerate() {
            let text = text.map_err(file_error)?;
            let line = recorder::line(&text).map_err(|error| Error::Line { path: path.to_owned(), line: index + 1, error })?;
            if !self.take(line, &mut current) {
                return Err(Error::Nobody { path: path.to_owned(), line: index + 1 });
            }
        }
        Ok(())
    }

    /// A run from lines at hand, as `check`'s own tests make them. Panics on a device's line before any `client` line.
    pub fn of(lines: impl IntoIterator<Item = Line>) -> Self {
        let mut run = Self::default();
        let mut current = None;
        for line in lines {
            assert!(run.take(line, &mut current), "a device's line before any `client` line");
        }
        run
    }

    fn take(&mut self, line: Line, current: &mut Option<usize>) -> bool {
        match line.1 {
            Entry::Client { user, device } => {
                let devices = &mut self.devices;
                let place = self.places.entry((user, device)).or_insert_with(|| {
                    devices.push(Device { user, device, lines: Vec::new() });
                    devices.len() - 1
                });
                *current = Some(*place);
            }
            Entry::Plan { fault, times } => self.faults.entry(fault).or_default().0 += times,
            Entry::Fault { fault } => self.faults.entry(fault).or_default().1 += 1,
            Entry::Final { room, base, head, events } => {
                self.rooms.insert(room, Room { base, head, events });
            }
            _ => match current {
                Some(device) => self.devices[*device].lines.push(line),
                None => return false,
            },
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::Recorder;

    #[test]
    fn what_was_written_is_read_back() {
        let folder = tempfile::tempdir().unwrap();
        let (user, device) = (UserId::from_bytes([1; 16]), DeviceId::from_bytes([2; 16]));
        let mut recorder = Recorder::device(folder.path(), user, device).unwrap();
        recorder.write(5, &Entry::Lost {});
        recorder.finish().unwrap();
        let mut harness = Recorder::harness(folder.path()).unwrap();
        harness.write(1, &Entry::Plan { fault: "kill".into(), times: 2 });
        harness.write(2, &Entry::Fault { fault: "kill".into() });
        harness.finish().unwrap();
        let run = Run::read(folder.path()).unwrap();
        assert_eq!(run.devices[0].lines, [Line(5, Entry::Lost {})]);
        assert_eq!(run.faults["kill"], (2, 1));
    }

    #[test]
    fn a_broken_line_is_named_by_its_number() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("cut.jsonl");
        fs::write(&path, "[1,{\"plan\":{\"fault\":\"kill\",\"times\":1}}]\n[2,{\"fau").unwrap();
        let error = Run::read(&path).unwrap_err().to_string();
        assert!(error.contains("cut.jsonl, line 2"), "{error}");
    }
}
