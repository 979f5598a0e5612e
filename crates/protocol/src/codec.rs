use serde::{Serialize, de::DeserializeOwned};
use thiserror::Error;

/// The longest frame in bytes: a description of a twin with everything that it may have.
pub const MAX_FRAME: usize = 4 * 1024 * 1024;

/// Why bytes are no message, or a message fits no frame.
#[derive(Debug, Error)]
pub enum CodecError {
    /// Longer than [`MAX_FRAME`].
    #[error("a frame has at most {MAX_FRAME} bytes, this one has {0}")]
    TooLong(usize),
    /// Not what was expected.
    #[error("not a message of this protocol: {0}")]
    Malformed(#[from] postcard::Error),
    /// More bytes than the message has.
    #[error("{0} bytes too many after the message")]
    Trailing(usize),
}

/// A message as bytes.
///
/// # Errors
/// [`CodecError::TooLong`].
pub fn encode<T: Serialize>(message: &T) -> Result<Vec<u8>, CodecError> {
    let bytes = postcard::to_stdvec(message)?;
    if bytes.len() > MAX_FRAME { Err(CodecError::TooLong(bytes.len())) } else { Ok(bytes) }
}

/// How many bytes a message is; `usize::MAX` where it cannot be written. Allocates nothing.
pub fn encoded_length<T: Serialize>(message: &T) -> usize {
    postcard::experimental::serialized_size(message).unwrap_or(usize::MAX)
}

/// Bytes as a message. Allocates no more than the bytes justify.
///
/// # Errors
/// [`CodecError`] where they are too long, malformed or too many.
pub fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, CodecError> {
    if bytes.len() > MAX_FRAME {
        return Err(CodecError::TooLong(bytes.len()));
    }
    let (message, rest) = postcard::take_from_bytes(bytes)?;
    if rest.is_empty() { Ok(message) } else { Err(CodecError::Trailing(rest.len())) }
}

/// Names the exact shape of all messages: two builds that could misread each other have different ones.
///
/// It is the hash of the definitions themselves without comments and spaces, so nobody has to remember to change it.
#[must_use]
pub fn protocol_hash() -> [u8; 16] {
    let sources = [
        include_str!("message.rs"),
        include_str!("view.rs"),
        include_str!("dii.rs"),
        include_str!("execution.rs"),
        include_str!("hot.rs"),
        include_str!("people.rs"),
        include_str!("procedure.rs"),
        include_str!("sii.rs"),
        include_str!("../../model/src/collaboration.rs"),
        include_str!("../../model/src/transform.rs"),
        include_str!("../../model/src/unit.rs"),
        include_str!("../../model/src/cell.rs"),
        include_str!("past.rs"),
        include_str!("disclosure.rs"),
        include_str!("../../model/src/command.rs"),
        include_str!("../../model/src/identity.rs"),
        include_str!("../../model/src/ids.rs"),
        include_str!("../../model/src/json.rs"),
        include_str!("../../model/src/lease.rs"),
        include_str!("../../model/src/past.rs"),
        include_str!("../../model/src/permission.rs"),
        include_str!("../../model/src/service.rs"),
        include_str!("../../model/src/state.rs"),
        include_str!("../../model/src/system.rs"),
        include_str!("../../model/src/twin.rs"),
        include_str!("../../model/src/value.rs"),
        include_str!("../../model/src/content.rs"),
        include_str!("../../model/src/design.rs"),
        include_str!("../../model/src/money.rs"),
        include_str!("../../model/src/order.rs"),
        include_str!("../../model/src/purchase.rs"),
    ];
    let mut hasher = blake3::Hasher::new();
    for line in sources.iter().flat_map(|source| source.lines()) {
        let code: String = line.split("//").next().unwrap_or_default().split_whitespace().collect();
        hasher.update(code.as_bytes());
    }
    let mut hash = [0; 16];
    hash.copy_from_slice(&hasher.finalize().as_bytes()[..16]);
    hash
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{Event, HotDatagram, Request, Response};

    proptest! {
        #[test]
        fn garbage_is_refused_without_panic(bytes in proptest::collection::vec(any::<u8>(), 0..600)) {
            let _ = decode::<Request>(&bytes);
            let _ = decode::<Response>(&bytes);
            let _ = decode::<Event>(&bytes);
            let _ = decode::<HotDatagram>(&bytes);
        }
    }

    #[test]
    fn a_claimed_length_reserves_nothing() {
        // Response::Systems with 2^60 elements and no bytes behind it.
        let mut bytes = vec![2];
        bytes.extend([0xff; 8]);
        bytes.push(0x0f);
        assert!(decode::<Response>(&bytes).is_err());
        assert!(matches!(decode::<Request>(&vec![0; MAX_FRAME + 1]), Err(CodecError::TooLong(_))));
    }

    #[test]
    fn a_frame_is_one_message() {
        let mut frame = encode(&Request::Rules).unwrap();
        frame.push(0);
        assert!(matches!(decode::<Request>(&frame), Err(CodecError::Trailing(1))));
    }
}
