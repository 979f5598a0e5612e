//! Server-sent events, as WHATWG's HTML says what they look like.

/// Bytes of one event: a twin with everything that it may have.
const MOST_BYTES: usize = 4 * 1024 * 1024;

/// An event.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Sent {
    /// Its name; `message` where none was given.
    pub(crate) name: String,
    /// Its data.
    pub(crate) data: String,
    /// The newest id.
    pub(crate) id: String,
}

/// Reads bytes as they come.
#[derive(Debug, Default)]
pub(super) struct Reader {
    line: Vec<u8>,
    name: String,
    data: Option<String>,
    id: String,
    bytes: usize,
}

impl Reader {
    /// Events that are complete with these bytes.
    ///
    /// # Errors
    /// In words, where it is no stream of events.
    pub(super) fn take(&mut self, bytes: &[u8]) -> Result<Vec<Sent>, String> {
        let mut events = Vec::new();
        for byte in bytes {
            self.bytes += 1;
            if self.bytes > MOST_BYTES {
                return Err("an event that does not end".to_owned());
            }
            if *byte != b'\n' {
                self.line.push(*byte);
                continue;
            }
            let line = std::mem::take(&mut self.line);
            let text = String::from_utf8(line).map_err(|_| "an event that is no text".to_owned())?;
            events.extend(self.line(text.strip_suffix('\r').unwrap_or(&text)));
        }
        Ok(events)
    }

    fn line(&mut self, line: &str) -> Option<Sent> {
        if line.is_empty() {
            self.bytes = 0;
            let name = std::mem::take(&mut self.name);
            let name = if name.is_empty() { "message".to_owned() } else { name };
            return self.data.take().map(|data| Sent { name, data, id: self.id.clone() });
        }
        let (field, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match field {
            "event" => value.clone_into(&mut self.name),
            "id" => value.clone_into(&mut self.id),
            "data" => match &mut self.data {
                Some(data) => {
                    data.push('\n');
                    data.push_str(value);
                }
                None => self.data = Some(value.to_owned()),
            },
            // Comments keep a connection open; others are for browsers.
            _ => {}
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_are_read_however_they_are_cut() {
        let text = ": hello\n\nevent: twin\r\nid: 7\r\ndata: {\"a\":\ndata: 1}\n\ndata: x\n\nevent: y\n\n";
        let due = [
            Sent { name: "twin".to_owned(), data: "{\"a\":\n1}".to_owned(), id: "7".to_owned() },
            Sent { name: "message".to_owned(), data: "x".to_owned(), id: "7".to_owned() },
        ];
        for size in 1..text.len() {
            let mut reader = Reader::default();
            let parts = text.as_bytes().chunks(size).flat_map(|part| reader.take(part).unwrap());
            assert_eq!(parts.collect::<Vec<_>>(), due, "{size}");
        }
    }

    #[test]
    fn what_does_not_end_or_is_no_text_is_refused() {
        assert!(Reader::default().take(&vec![b'x'; MOST_BYTES + 1]).is_err());
        assert!(Reader::default().take(b"\xff\n").is_err());
    }
}
