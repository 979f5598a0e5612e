//! How much is kept for each platform: answers are said again for two days, and none fills the disk with them.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

use sqlx::SqliteConnection;
use vestibule_model::Timestamp;

use crate::store::{StoreError, known};

/// Bytes of answers that are kept for one platform: tens of thousands of them.
const MOST: i64 = 256 << 20;
/// How long is gone on with what was counted, in milliseconds: as long as it takes until what is over is forgotten.
const COUNTED_MS: u64 = 60 * 60 * 1000;
/// Platforms that are counted at once; beyond them all are counted anew.
const PLATFORMS: usize = 1_024;

/// What was counted: bytes, and when.
#[derive(Default)]
pub(crate) struct Answers(Mutex<HashMap<String, (i64, Timestamp)>>);

impl Answers {
    /// Whether another answer may be kept for this platform.
    ///
    /// # Errors
    /// What the database says.
    pub(crate) async fn have_room(
        &self,
        connection: &mut SqliteConnection,
        platform: &str,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        if let Some(bytes) = self.counted(platform, now) {
            return Ok(bytes < MOST);
        }
        let bytes = known::bytes(connection, platform).await?;
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if all.len() >= PLATFORMS {
            all.clear();
        }
        all.insert(platform.to_owned(), (bytes, now));
        Ok(bytes < MOST)
    }

    fn counted(&self, platform: &str, now: Timestamp) -> Option<i64> {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.get(platform).filter(|(_, at)| now.since(*at) < COUNTED_MS).map(|(bytes, _)| *bytes)
    }

    /// Another one is kept. Where it is taken back after all, the next count says so.
    pub(crate) fn add(&self, platform: &str, body: &[u8]) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((bytes, _)) = all.get_mut(platform) {
            *bytes = bytes.saturating_add(i64::try_from(body.len()).unwrap_or(i64::MAX)).saturating_add(known::ROW);
        }
    }
}

#[cfg(test)]
mod tests {
    use vestibule_model::ContentHash;
    use vestibule_ucp::Kept;

    use super::*;
    use crate::store::Store;

    #[tokio::test]
    async fn nobody_fills_the_disk_with_answers() {
        let folder = tempfile::tempdir().unwrap();
        let (store, _writing) = Store::open(folder.path()).await.unwrap();
        let (answers, now) = (std::sync::Arc::new(Answers::default()), Timestamp(1_795_737_600_000));
        let have_room = async |platform: &'static str, now: Timestamp| {
            let answers = answers.clone();
            let asked = store
                .write(move |connection| Box::pin(async move { answers.have_room(connection, platform, now).await }));
            asked.await.unwrap()
        };
        let body = vec![7; 100];
        let kept = Kept::new(ContentHash([1; 32]), 200, body.clone(), now);
        let which = known::Which { platform: "one".to_owned(), operation: "POST /".to_owned(), key: "key".to_owned() };
        let keep = store.write(move |connection| Box::pin(async move { known::keep(connection, &which, &kept).await }));
        keep.await.unwrap();
        assert!(have_room("one", now).await && have_room("two", now).await);
        assert_eq!((answers.counted("one", now), answers.counted("two", now)), (Some(612), Some(0)));
        answers.add("one", &body);
        assert_eq!(answers.counted("one", now), Some(1_224));
        answers.0.lock().unwrap().insert("one".to_owned(), (MOST, now));
        assert!(!have_room("one", now).await && have_room("two", now).await);
        assert!(have_room("one", now.plus(COUNTED_MS)).await, "it is counted anew");
    }
}
