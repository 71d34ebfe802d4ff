//! `hubbub user add-all`: a file of people to orders of a few hundred, the answers to JSON lines. Bounded memory: one order.
//!
//! Running it again makes nobody twice, so a file that was stopped half-way is simply given again.

use std::fs::File;
use std::io::{BufRead, BufReader, IsTerminal, Read, Write};
use std::path::Path;

use anyhow::{Context, bail, ensure};
use indicatif::{ProgressBar, ProgressStyle};

use super::reach::Way;
use crate::admin::order::{NewPerson, PEOPLE_MAX};
use crate::admin::{Answer, Order};
use crate::auth::check_username;

const LINE_BYTES_MAX: u64 = 1024;

pub async fn add_all(way: &Way, file: &Path, sign_in_as: Option<String>) -> anyhow::Result<()> {
    let mut lines = Lines { reader: open(file)?, number: 0 };
    let mut out = std::io::BufWriter::new(std::io::stdout().lock());
    let bar = if std::io::stderr().is_terminal() { ProgressBar::new_spinner() } else { ProgressBar::hidden() };
    bar.set_style(ProgressStyle::with_template("{pos} people in {elapsed}, {per_sec}")?);
    loop {
        let (people, bad) = lines.take();
        if people.is_empty() && bad.is_none() {
            bar.finish_and_clear();
            return Ok(());
        }
        let sent = people.len();
        match way.ask(Order::EnsureUsers { people, sign_in_as: sign_in_as.clone() }).await? {
            Answer::People { people } => {
                for person in people {
                    serde_json::to_writer(&mut out, &person)?;
                    out.write_all(b"\n")?;
                }
            }
            _ => bail!("the node answered something else: it may be of another version"),
        }
        out.flush()?;
        bar.inc(sent as u64);
        if let Some(bad) = bad {
            return Err(bad.context("everybody before that line is there: mend it and run this again"));
        }
    }
}

fn open(file: &Path) -> anyhow::Result<Box<dyn BufRead + Send>> {
    if file == Path::new("-") {
        return Ok(Box::new(BufReader::new(std::io::stdin())));
    }
    let opened = File::open(file).with_context(|| format!("{} cannot be read", file.display()))?;
    Ok(Box::new(BufReader::new(opened)))
}

struct Lines {
    reader: Box<dyn BufRead + Send>,
    number: u64,
}

impl Lines {
    /// People for one order, and what is wrong with the line behind them. Nobody and nothing: the file is over.
    fn take(&mut self) -> (Vec<NewPerson>, Option<anyhow::Error>) {
        let mut people = Vec::new();
        while people.len() < PEOPLE_MAX {
            self.number += 1;
            match self.next().with_context(|| format!("line {}", self.number)) {
                Ok(Some(person)) => people.extend(person),
                Ok(None) => break,
                Err(error) => return (people, Some(error)),
            }
        }
        (people, None)
    }

    /// `Some(None)`: an empty line.
    fn next(&mut self) -> anyhow::Result<Option<Option<NewPerson>>> {
        let mut line = String::new();
        let read = (&mut self.reader).take(LINE_BYTES_MAX + 1).read_line(&mut line).context("it cannot be read as text")?;
        if read == 0 {
            return Ok(None);
        }
        ensure!(read as u64 <= LINE_BYTES_MAX, "it has more than {LINE_BYTES_MAX} bytes");
        let line = line.trim();
        if line.is_empty() {
            return Ok(Some(None));
        }
        let person = match line.starts_with('{') {
            true => serde_json::from_str(line).context("it is not like {\"name\": \"ada\", \"display\": \"Ada\"}")?,
            false => NewPerson { name: line.to_owned(), display: String::new() },
        };
        check_username(&person.name)?;
        Ok(Some(Some(person)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(text: &'static str) -> Lines {
        Lines { reader: Box::new(text.as_bytes()), number: 0 }
    }

    #[test]
    fn names_and_objects_may_stand_in_one_file() {
        let (people, bad) = lines("ada\n\n{\"name\": \"bob\", \"display\": \"Bob B.\"}\n").take();
        let person = |name: &str, display: &str| NewPerson { name: name.into(), display: display.into() };
        assert_eq!(people, [person("ada", ""), person("bob", "Bob B.")]);
        assert!(bad.is_none());
    }

    #[test]
    fn a_bad_line_is_named_and_those_before_it_are_kept() {
        for bad in ["not a name", "{\"nam\": 1}", "\u{feff}ada"] {
            let (people, error) = Lines { reader: Box::new(std::io::Cursor::new(format!("ada\n{bad}\nbob\n"))), number: 0 }.take();
            assert_eq!(people.len(), 1);
            assert!(format!("{:#}", error.unwrap()).starts_with("line 2: "), "{bad}");
        }
    }

    #[test]
    fn a_line_without_an_end_is_not_read_to_it() {
        let endless = std::io::BufReader::new(std::io::repeat(b'x'));
        let (people, error) = Lines { reader: Box::new(endless), number: 0 }.take();
        assert!(people.is_empty() && error.is_some());
    }
}
