//! As much of HTTP/1.1 as a proxy needs that spoils it: whole messages.

use std::io;

use tokio::{
    io::{AsyncRead, AsyncReadExt as _},
    time::{Duration, timeout},
};

/// A long poll ends before.
const PATIENCE: Duration = Duration::from_secs(60);
/// A design, and some.
const MOST: usize = 80 << 20;

/// A request or an answer, as it came.
pub struct Message {
    pub bytes: Vec<u8>,
    head: usize,
}

impl Message {
    /// Its first line.
    pub fn line(&self) -> &str {
        std::str::from_utf8(&self.bytes[..self.head]).unwrap_or_default().lines().next().unwrap_or_default()
    }

    pub fn path(&self) -> &str {
        self.line().split(' ').nth(1).unwrap_or_default()
    }

    pub fn body(&mut self) -> &mut [u8] {
        &mut self.bytes[self.head..]
    }
}

fn header<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    let lines = head.lines().filter_map(|line| line.split_once(':'));
    lines.filter(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value.trim()).next()
}

/// Reads one message; `None`: whoever was to say something said nothing.
pub async fn read(from: &mut (impl AsyncRead + Unpin)) -> io::Result<Option<Message>> {
    timeout(PATIENCE, whole(from)).await.unwrap_or(Ok(None))
}

async fn whole(from: &mut (impl AsyncRead + Unpin)) -> io::Result<Option<Message>> {
    let mut bytes = Vec::new();
    let head = loop {
        if let Some(at) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
            break at + 4;
        }
        if !more(from, &mut bytes).await? {
            return Ok(None);
        }
    };
    let text = String::from_utf8_lossy(&bytes[..head]).into_owned();
    let is_answer = text.starts_with("HTTP/");
    if let Some(length) = header(&text, "content-length").and_then(|length| length.parse::<usize>().ok()) {
        while bytes.len() < head + length {
            if !more(from, &mut bytes).await? {
                return Ok(None);
            }
        }
    } else if header(&text, "transfer-encoding").is_some() {
        while !bytes.ends_with(b"0\r\n\r\n") {
            if !more(from, &mut bytes).await? {
                return Ok(None);
            }
        }
    } else if is_answer && !text.starts_with("HTTP/1.1 204") {
        while more(from, &mut bytes).await? {}
    }
    Ok(Some(Message { bytes, head }))
}

async fn more(from: &mut (impl AsyncRead + Unpin), bytes: &mut Vec<u8>) -> io::Result<bool> {
    if bytes.len() > MOST {
        return Err(io::Error::other("too long"));
    }
    Ok(from.read_buf(bytes).await? > 0)
}
