//! Elements of a part, one after the other: no entities of its own, no document type, and not endlessly deep or wide.

use quick_xml::{
    Reader, XmlVersion,
    events::{BytesStart, Event},
};

use super::{ImportError, malformed, too_many};

/// How deep elements may be in elements.
const MAX_DEPTH: usize = 16;
/// The most attributes of an element.
const MAX_ATTRIBUTES: usize = 32;

/// An element's attributes: names with their prefixes, and values.
pub(super) type Attributes = Vec<(String, String)>;

/// What comes next.
pub(super) enum Next<'a> {
    /// An element begins; `empty` where it ends as well.
    Begins { element: BytesStart<'a>, empty: bool },
    /// The innermost one ends.
    Ends,
    /// A text, without what markup stands for in it.
    Text(String),
    /// Nothing more.
    Nothing,
}

pub(super) struct Elements<'a> {
    reader: Reader<&'a [u8]>,
    part: &'a str,
    depth: usize,
}

impl<'a> Elements<'a> {
    pub fn of(part: &'a str, text: &'a str) -> Self {
        // Some begin with a mark that says how the text is written.
        Self { reader: Reader::from_str(text.strip_prefix('\u{feff}').unwrap_or(text)), part, depth: 0 }
    }

    pub fn offset(&self) -> usize {
        usize::try_from(self.reader.buffer_position()).unwrap_or(usize::MAX)
    }

    pub fn error(&self, why: impl Into<String>) -> ImportError {
        malformed(self.part, self.offset(), why)
    }

    pub fn next(&mut self) -> Result<Next<'a>, ImportError> {
        loop {
            let event = self.reader.read_event();
            return Ok(match event.map_err(|error| self.error(error.to_string()))? {
                Event::Start(element) => {
                    self.depth += 1;
                    if self.depth > MAX_DEPTH {
                        return Err(too_many(self.part, "elements in elements", MAX_DEPTH));
                    }
                    Next::Begins { element, empty: false }
                }
                Event::Empty(element) => Next::Begins { element, empty: true },
                Event::End(_) => {
                    self.depth = self.depth.saturating_sub(1);
                    Next::Ends
                }
                Event::Text(text) => Next::Text(text.xml10_content().into_owned()),
                Event::CData(text) => Next::Text(text.xml10_content().into_owned()),
                Event::GeneralRef(entity) => {
                    let known = match entity.xml10_content().as_ref() {
                        "lt" => Some('<'),
                        "gt" => Some('>'),
                        "amp" => Some('&'),
                        "apos" => Some('\''),
                        "quot" => Some('"'),
                        _ => entity.resolve_char_ref().ok().flatten(),
                    };
                    Next::Text(known.ok_or_else(|| self.error("an entity that nobody knows"))?.into())
                }
                Event::DocType(_) => return Err(self.error("a document type is not allowed")),
                Event::Eof if self.depth > 0 => return Err(self.error("it ends too early")),
                Event::Eof => Next::Nothing,
                Event::Comment(_) | Event::Decl(_) | Event::PI(_) => continue,
            });
        }
    }

    /// Everything up to the end of the element that just began.
    pub fn skip(&mut self, empty: bool) -> Result<(), ImportError> {
        let mut open = usize::from(!empty);
        while open > 0 {
            match self.next()? {
                Next::Begins { empty, .. } => open += usize::from(!empty),
                Next::Ends => open -= 1,
                Next::Text(_) => {}
                Next::Nothing => return Err(self.error("it ends too early")),
            }
        }
        Ok(())
    }

    /// The text in the element that just began, whose elements are passed over.
    pub fn text(&mut self, empty: bool, most: usize) -> Result<String, ImportError> {
        let (mut text, mut open) = (String::new(), usize::from(!empty));
        while open > 0 {
            match self.next()? {
                Next::Begins { empty, .. } => open += usize::from(!empty),
                Next::Ends => open -= 1,
                Next::Text(more) if text.len() + more.len() > most => {
                    return Err(too_many(self.part, "bytes of text", most));
                }
                Next::Text(more) => text.push_str(&more),
                Next::Nothing => return Err(self.error("it ends too early")),
            }
        }
        Ok(text)
    }

    /// What is done with each attribute: its name and its value.
    pub fn each(
        &self,
        element: &BytesStart<'_>,
        mut with: impl FnMut(&str, &str) -> Result<(), ImportError>,
    ) -> Result<(), ImportError> {
        for (count, attribute) in element.attributes().enumerate() {
            if count >= MAX_ATTRIBUTES {
                return Err(too_many(self.part, "attributes", MAX_ATTRIBUTES));
            }
            let attribute = attribute.map_err(|error| self.error(error.to_string()))?;
            let value = attribute.normalized_value(XmlVersion::Implicit1_0);
            with(attribute.key.as_ref(), &value.map_err(|error| self.error(error.to_string()))?)?;
        }
        Ok(())
    }

    pub fn attributes(&self, element: &BytesStart<'_>) -> Result<Attributes, ImportError> {
        let mut all = Vec::new();
        self.each(element, |name, value| {
            all.push((name.to_owned(), value.to_owned()));
            Ok(())
        })?;
        Ok(all)
    }
}

/// The value of an attribute.
pub(super) fn get<'a>(attributes: &'a Attributes, name: &str) -> Option<&'a str> {
    attributes.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
}
