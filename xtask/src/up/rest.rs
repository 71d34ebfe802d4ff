//! The REST API as the demo uses it: JSON over one connection a request, to the loopback address alone. A node that asks
//! for patience (429, 503) gets it. No TLS, no redirects: it talks to the node that was just started.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use serde::Serialize;
use serde::de::DeserializeOwned;

const PATIENCE: usize = 100;
const ANSWER_BYTES_MAX: u64 = 4 * 1024 * 1024;

pub struct Api {
    host: String,
}

/// What a request is, besides its body.
pub struct Ask<'a> {
    pub method: &'a str,
    pub path: String,
    /// An access token.
    pub token: &'a str,
    /// Makes the request exactly-once.
    pub key: Option<uuid::Uuid>,
}

struct Answer {
    status: u16,
    retry_after: Option<Duration>,
    body: String,
}

impl Api {
    pub fn new(address: String) -> Self {
        Self { host: address.trim_start_matches("http://").to_owned() }
    }

    /// Asks until the answer is not "later", and reads it; a refusal is an error with the node's own sentence.
    pub fn ask<T: DeserializeOwned>(&self, ask: &Ask, body: &impl Serialize) -> Result<T> {
        let body = Some(serde_json::to_string(body)?).filter(|body| body != "null").unwrap_or_default();
        for _ in 0..PATIENCE {
            let answer = self.once(ask, &body).with_context(|| format!("{} {}", ask.method, ask.path))?;
            match answer.status {
                200..=299 => {
                    let text = if answer.body.is_empty() { "null" } else { &answer.body };
                    return serde_json::from_str(text).with_context(|| format!("{} {} answered: {text}", ask.method, ask.path));
                }
                429 | 503 => std::thread::sleep(answer.retry_after.unwrap_or(Duration::from_secs(1))),
                status => bail!("{} {} was refused ({status}): {}", ask.method, ask.path, answer.body),
            }
        }
        bail!("{} {}: the node asks for patience without end", ask.method, ask.path)
    }

    fn once(&self, ask: &Ask, body: &str) -> Result<Answer> {
        let mut stream = TcpStream::connect(&self.host)?;
        stream.set_read_timeout(Some(Duration::from_secs(30)))?;
        let mut head = format!("{} {} HTTP/1.1\r\nhost: {}\r\nconnection: close\r\n", ask.method, ask.path, self.host);
        head += &format!("content-type: application/json\r\ncontent-length: {}\r\n", body.len());
        if !ask.token.is_empty() {
            head += &format!("authorization: Bearer {}\r\n", ask.token);
        }
        if let Some(key) = ask.key {
            head += &format!("idempotency-key: {key}\r\n");
        }
        stream.write_all(format!("{head}\r\n{body}").as_bytes())?;
        read_answer(BufReader::new(stream.take(ANSWER_BYTES_MAX)))
    }
}

/// The body ends with the connection or its stated length; the node never chunks an answer as small as these.
fn read_answer(mut stream: impl BufRead) -> Result<Answer> {
    let mut line = String::new();
    stream.read_line(&mut line)?;
    let status = line.split(' ').nth(1).and_then(|status| status.parse().ok()).context("not an HTTP answer")?;
    let (mut length, mut retry_after) = (None, None);
    loop {
        line.clear();
        stream.read_line(&mut line)?;
        let Some((name, value)) = line.trim().split_once(':') else { break };
        match name.to_ascii_lowercase().as_str() {
            "content-length" => length = value.trim().parse::<u64>().ok(),
            "retry-after" => retry_after = value.trim().parse().ok().map(Duration::from_secs),
            "transfer-encoding" => bail!("a chunked answer"),
            _ => {}
        }
    }
    let mut body = String::new();
    stream.take(length.unwrap_or(u64::MAX)).read_to_string(&mut body)?;
    Ok(Answer { status, retry_after, body })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_read_to_its_stated_length() {
        let answer = read_answer(&b"HTTP/1.1 429 Too Many\r\nRetry-After: 2\r\nContent-Length: 2\r\n\r\n{}rest"[..]).unwrap();
        assert_eq!((answer.status, answer.retry_after, answer.body.as_str()), (429, Some(Duration::from_secs(2)), "{}"));
        assert!(read_answer(&b"garbage"[..]).is_err());
    }
}
