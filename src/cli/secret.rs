//! Passwords on the command line: from stdin, from a file, or made here and shown once.

use std::io::BufRead;

use anyhow::Context;

use super::args::PasswordFrom;
use crate::admin::Order;

/// Without confusable letters: it will be typed.
const LETTERS: &[u8] = b"abcdefghijkmnpqrstuvwxyz23456789";
const LENGTH: usize = 20;

/// Empty: make one.
pub fn read(from: &PasswordFrom) -> anyhow::Result<String> {
    let mut line = String::new();
    if let Some(path) = from.file() {
        let text = std::fs::read_to_string(path).with_context(|| format!("the password file {} cannot be read", path.display()))?;
        line = text.lines().next().unwrap_or_default().to_owned();
    } else if from.is_stdin() {
        std::io::stdin().lock().read_line(&mut line).context("no password came from stdin")?;
    } else {
        return Ok(line);
    }
    let line = line.trim_end_matches(['\r', '\n']).to_owned();
    anyhow::ensure!(!line.is_empty(), "the password is empty");
    Ok(line)
}

/// Puts a made password where none was given; and says it, to be shown.
pub fn fill_in(mut order: Order) -> anyhow::Result<(Order, Option<String>)> {
    let (Order::AddUser { password, .. } | Order::SetPassword { password, .. }) = &mut order else { return Ok((order, None)) };
    if !password.is_empty() {
        return Ok((order, None));
    }
    let mut random = [0; LENGTH];
    aws_lc_rs::rand::fill(&mut random).map_err(|_| anyhow::anyhow!("the machine has no randomness"))?;
    // 32 letters: every byte gives each with the same chance.
    let made: String = random.iter().map(|byte| char::from(LETTERS[usize::from(*byte) % LETTERS.len()])).collect();
    password.clone_from(&made);
    Ok((order, Some(made)))
}
