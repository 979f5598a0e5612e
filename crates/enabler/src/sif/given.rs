//! FGMV-29 8.2.4, system & data collaboration (SDC): what users give for services to refer to, part by part. Limits
//! first: nothing of a part is kept before it fits them.

use std::collections::BTreeSet;

use vestibule_model::{ContentHash, Refusal, RefusalCode, UserId};
use vestibule_protocol::Request;

use crate::{Decision, Effect, State, Viewer};

/// Bytes of a part: four of them fit a frame.
pub const PART_BYTES: usize = 1024 * 1024;
/// Bytes of everything: a design with a million triangles has a quarter of them.
pub const GIVEN_BYTES: u64 = 64 * 1024 * 1024;
/// Bytes of a document about a person: names and addresses.
pub const PERSON_BYTES: u64 = 8 * 1024;
/// The media type of documents about people, which are kept apart and given to nobody else.
pub const PERSON_MEDIA: &str = "application/vnd.vestibule.person+json";
/// What else can be given.
const MEDIA: [&str; 2] = ["model/3mf", super::keep::MODEL_MEDIA];

/// Whether a part may be taken.
pub(crate) fn give(viewer: &Viewer, request: &Request) -> Result<Decision, Refusal> {
    let Request::Give { size, media, offset, bytes, .. } = request else {
        return Err(invalid("that gives nothing"));
    };
    let most = match media.as_str() {
        PERSON_MEDIA => PERSON_BYTES,
        media if MEDIA.contains(&media) => GIVEN_BYTES,
        _ => return Err(invalid(format!("of what is given, {} and {PERSON_MEDIA} are taken", MEDIA.join(", ")))),
    };
    if *size == 0 || *size > most {
        return Err(invalid(format!("{media} has 1 to {most} bytes here")));
    }
    if bytes.len() > PART_BYTES {
        return Err(invalid(format!("a part has at most {PART_BYTES} bytes")));
    }
    if offset.saturating_add(bytes.len() as u64) > *size {
        return Err(invalid("this part goes beyond the end of what is given"));
    }
    Ok(Decision::default().with(Effect::TakePart(viewer.user.clone())))
}

impl State {
    /// What orders under way and kept products refer to, and whose those are.
    #[must_use]
    pub fn referred(&self) -> BTreeSet<(UserId, ContentHash)> {
        let open = self.open_purchases.keys().filter_map(|id| self.purchases.get(id));
        let theirs = open.filter(|record| !record.orphan);
        let ordered = theirs.flat_map(|record| record.contents.iter().map(|hash| (record.user.clone(), *hash)));
        let looks = self.kept_products().filter_map(|known| {
            let look = known.kept.as_ref()?.standing.visual.as_ref()?;
            Some((known.user.clone(), look.hash))
        });
        ordered.chain(looks).collect()
    }
}

fn invalid(message: impl Into<String>) -> Refusal {
    Refusal::new(RefusalCode::Invalid, message)
}

#[cfg(test)]
mod tests {
    use vestibule_model::Timestamp;

    use super::*;

    fn part(media: &str, size: u64, offset: u64, bytes: usize) -> Result<Decision, Refusal> {
        let (user, at) = (UserId::slug("ada"), Timestamp(1));
        let viewer = Viewer { user, roles: Vec::new(), at, is_user: true, tokens: Vec::new() };
        let (hash, media) = (ContentHash([1; 32]), media.to_owned());
        give(&viewer, &Request::Give { hash, size, media, offset, bytes: vec![0; bytes] })
    }

    #[test]
    fn limits_come_first() {
        let taken = part("model/3mf", 2_000_000, 1_000_000, 1_000_000).unwrap();
        assert_eq!(taken.effects, [Effect::TakePart(UserId::slug("ada"))]);
        assert!(part("model/3mf", 5, 0, 0).is_ok(), "how far is it?");
        assert!(part("model/gltf-binary", 5, 0, 5).is_ok(), "how a thing looks");
        assert!(part(PERSON_MEDIA, PERSON_BYTES, 0, 8).is_ok());
        for (media, size, offset, bytes) in [
            ("text/html", 5, 0, 5),
            ("model/3mf", 0, 0, 0),
            ("model/3mf", GIVEN_BYTES + 1, 0, 1),
            ("model/3mf", 2 * PART_BYTES as u64, 0, PART_BYTES + 1),
            ("model/3mf", 5, 1, 5),
            ("model/3mf", 5, u64::MAX, 5),
            (PERSON_MEDIA, PERSON_BYTES + 1, 0, 1),
        ] {
            assert_eq!(part(media, size, offset, bytes).unwrap_err().code, RefusalCode::Invalid, "{media} {size}");
        }
    }
}
