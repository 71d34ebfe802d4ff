//! `hubbub import` and `hubbub export`: files to batches of lines, pages of events to lines. Bounded memory: one batch.

use std::fs::File;
use std::io::{BufRead, BufReader, IsTerminal, Read, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use flate2::bufread::MultiGzDecoder;
use indicatif::{ProgressBar, ProgressStyle};
use schema::RoomId;

use super::reach::Way;
use crate::admin::{Answer, Order};
use crate::import::line::{Line, import_name};
use crate::import::{Batch, Progress};

/// Of one order: lines, and bytes of them.
const BATCH_LINES_MAX: usize = 500;
const BATCH_BYTES_MAX: usize = 1 << 20;
/// A line of a file; a text of the longest kind, escaped throughout, fits.
const LINE_BYTES_MAX: usize = 256 * 1024;

/// What an import is asked for.
pub struct Wanted {
    pub file: PathBuf,
    pub workspace: String,
    pub room: String,
    /// Name bad lines and go on, instead of stopping at the first.
    pub skip_bad: bool,
}

/// What came of it.
#[derive(serde::Serialize)]
pub struct Imported {
    pub room: RoomId,
    pub lines: u64,
    pub bad: u64,
    /// There was nothing to import, so no room was made.
    #[serde(skip)]
    pub is_nothing: bool,
}

pub async fn import(way: &Way, wanted: Wanted) -> anyhow::Result<Imported> {
    let (mut lines, name, bar) = open(&wanted)?;
    let batch = |lines| Batch { import: name.clone(), room: wanted.room.clone(), workspace: wanted.workspace.clone(), lines };
    let mut done = send(way, batch(Vec::new())).await?;
    let mut bad = 0;
    loop {
        let (taken, ended) = lines.batch(wanted.skip_bad, done.lines, &mut bad, &bar)?;
        if !taken.is_empty() {
            done = send(way, batch(taken)).await?;
        }
        bar.set_message(format!("{} lines", done.lines));
        if let Some(why) = &lines.stopped {
            let before = match done.lines {
                0 => "nothing is imported".to_owned(),
                _ => format!("everything before it is in room {}", done.room),
            };
            bail!("{why}; {before}. Mend the line, or add --skip-bad, and run this again");
        }
        if ended {
            bar.finish_and_clear();
            return Ok(Imported { room: done.room, lines: lines.number, bad, is_nothing: done.lines == 0 });
        }
    }
}

async fn send(way: &Way, batch: Batch) -> anyhow::Result<Progress> {
    match way.ask(Order::Import(batch)).await? {
        Answer::Imported(progress) => Ok(progress),
        _ => bail!("the node answered something else: it may be of another version"),
    }
}

struct Lines {
    reader: Box<dyn BufRead + Send>,
    number: u64,
    /// The bad line that the import stops at.
    stopped: Option<String>,
}

fn open(wanted: &Wanted) -> anyhow::Result<(Lines, String, ProgressBar)> {
    let mut beginning = Vec::new();
    unpacked(&wanted.file, &ProgressBar::hidden())?
        .take(64 * 1024)
        .read_to_end(&mut beginning)
        .with_context(|| unreadable(&wanted.file))?;
    let bytes = std::fs::metadata(&wanted.file).map_or(0, |meta| meta.len());
    let bar = if std::io::stderr().is_terminal() { ProgressBar::new(bytes) } else { ProgressBar::hidden() };
    bar.set_style(ProgressStyle::with_template("{bar:40} {percent:>3} %  {msg}  {eta} left")?);
    let reader = unpacked(&wanted.file, &bar)?;
    Ok((Lines { reader, number: 0, stopped: None }, import_name(&wanted.workspace, &wanted.room, &beginning), bar))
}

/// The file as text, unpacked if it is a gzip; `bar` counts the file's own bytes.
fn unpacked(path: &Path, bar: &ProgressBar) -> anyhow::Result<Box<dyn BufRead + Send>> {
    let file = File::open(path).with_context(|| unreadable(path))?;
    let mut raw = BufReader::new(bar.wrap_read(file));
    let is_gzip = raw.fill_buf().with_context(|| unreadable(path))?.starts_with(&[0x1f, 0x8b]);
    Ok(if is_gzip { Box::new(BufReader::new(MultiGzDecoder::new(raw))) } else { Box::new(raw) })
}

fn unreadable(path: &Path) -> String {
    format!("{} cannot be read", path.display())
}

impl Lines {
    /// The next lines that the room does not have yet; and whether the file ends with them.
    fn batch(&mut self, skip_bad: bool, done: u64, bad: &mut u64, bar: &ProgressBar) -> anyhow::Result<(Vec<Line>, bool)> {
        let (mut lines, mut bytes, mut raw) = (Vec::new(), 0, Vec::new());
        while lines.len() < BATCH_LINES_MAX && bytes < BATCH_BYTES_MAX {
            raw.clear();
            let read = (&mut self.reader).take(LINE_BYTES_MAX as u64 + 1).read_until(b'\n', &mut raw)?;
            if read == 0 {
                return Ok((lines, true));
            }
            self.number += 1;
            if self.number <= done {
                continue;
            }
            let line = if read > LINE_BYTES_MAX {
                self.skip_line()?;
                Err(format!("line {}: it has more than {LINE_BYTES_MAX} bytes", self.number))
            } else {
                Line::read(self.number, &raw).map_err(|error| error.to_string())
            };
            match line {
                Ok(line) => lines.extend(line),
                Err(why) if skip_bad => {
                    *bad += 1;
                    bar.suspend(|| eprintln!("hubbub: {why}; left out"));
                }
                Err(why) => {
                    self.stopped = Some(why);
                    return Ok((lines, true));
                }
            }
            bytes += read;
        }
        Ok((lines, false))
    }

    fn skip_line(&mut self) -> std::io::Result<()> {
        loop {
            let buffer = self.reader.fill_buf()?;
            let end = buffer.iter().position(|byte| *byte == b'\n');
            let used = end.map_or(buffer.len(), |place| place + 1);
            let is_over = end.is_some() || used == 0;
            self.reader.consume(used);
            if is_over {
                return Ok(());
            }
        }
    }
}

/// What was said in a room as JSON lines on stdout that `import` takes, as everybody may read it: what was deleted is not
/// in it. `as_events`: all that happened, as the API has it.
pub async fn export(way: &Way, room: RoomId, as_events: bool) -> anyhow::Result<()> {
    let mut out = std::io::BufWriter::new(std::io::stdout().lock());
    let mut after = 0;
    loop {
        let order = if as_events { Order::Export { room, after } } else { Order::ExportSaid { room, after } };
        let (to, head) = match way.ask(order).await? {
            Answer::Exported(page) => {
                page.events.iter().try_for_each(|event| write_line(&mut out, event))?;
                (page.to, page.head)
            }
            Answer::Said { lines, to, head } => {
                lines.iter().try_for_each(|line| write_line(&mut out, line))?;
                (to, head)
            }
            _ => bail!("the node answered something else: it may be of another version"),
        };
        if to <= after || to >= head {
            out.flush()?;
            return Ok(());
        }
        after = to;
    }
}

fn write_line(out: &mut impl Write, line: &impl serde::Serialize) -> anyhow::Result<()> {
    serde_json::to_writer(&mut *out, line)?;
    Ok(out.write_all(b"\n")?)
}
