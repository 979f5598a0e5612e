use super::{Limits, ModelRefusal};

/// The two parts of a glTF binary.
#[derive(Clone, Copy, Debug)]
pub(super) struct Chunks<'a> {
    pub json: &'a [u8],
    pub bin: &'a [u8],
}

const JSON: u32 = 0x4E4F_534A;
const BIN: u32 = 0x004E_4942;

fn word(bytes: &[u8], at: usize) -> Option<u32> {
    let four = bytes.get(at..at.checked_add(4)?)?;
    Some(u32::from_le_bytes(four.try_into().ok()?))
}

fn chunk(bytes: &[u8], at: usize) -> Option<(u32, &[u8], usize)> {
    let length = usize::try_from(word(bytes, at)?).ok()?;
    let kind = word(bytes, at.checked_add(4)?)?;
    let start = at.checked_add(8)?;
    let end = start.checked_add(length)?;
    Some((kind, bytes.get(start..end)?, end))
}

pub(super) fn split<'a>(bytes: &'a [u8], limits: &Limits) -> Result<Chunks<'a>, ModelRefusal> {
    use ModelRefusal::Container;
    if bytes.len() > limits.bytes {
        return Err(ModelRefusal::TooLarge { bytes: bytes.len(), limit: limits.bytes });
    }
    if bytes.get(..4) != Some(b"glTF") {
        return Err(Container("it does not begin with \"glTF\""));
    }
    if word(bytes, 4) != Some(2) {
        return Err(Container("its version is not 2"));
    }
    let total = word(bytes, 8).ok_or(Container("its header is cut short"))?;
    if usize::try_from(total).ok() != Some(bytes.len()) {
        return Err(Container("it is not as long as it says"));
    }
    let (kind, json, end) = chunk(bytes, 12).ok_or(Container("its first chunk is cut short"))?;
    if kind != JSON {
        return Err(Container("its first chunk is not JSON"));
    }
    if json.len() > limits.json_bytes {
        return Err(ModelRefusal::Description { what: "long", count: json.len(), limit: limits.json_bytes });
    }
    if end == bytes.len() {
        return Ok(Chunks { json, bin: &[] });
    }
    let (kind, bin, end) = chunk(bytes, end).ok_or(Container("its second chunk is cut short"))?;
    if kind != BIN {
        return Err(Container("its second chunk is not binary data"));
    }
    if end != bytes.len() {
        return Err(Container("something follows its binary data"));
    }
    Ok(Chunks { json, bin })
}

/// Before any parser has to recurse into a file that nests without end.
pub(super) fn check_json_depth(json: &[u8], limit: usize) -> Result<(), ModelRefusal> {
    let deepest = vestibule_model::json_depth(json);
    if deepest > limit { Err(ModelRefusal::Description { what: "deep", count: deepest, limit }) } else { Ok(()) }
}
