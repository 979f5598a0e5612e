//! What one party heard, in order, for rows to look through.

use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::{sync::watch, time::timeout};
use vestibule_protocol::News;

/// Notes that one party keeps: a whole run makes some hundreds. An enabler that floods is not followed beyond it.
const MOST: usize = 65_536;

/// Everything that the enabler told one party by itself, oldest first.
#[derive(Debug)]
pub struct Notes {
    pages: Mutex<Vec<News>>,
    written: watch::Sender<usize>,
}

impl Default for Notes {
    fn default() -> Self {
        Self { pages: Mutex::default(), written: watch::Sender::new(0) }
    }
}

impl Notes {
    fn pages(&self) -> MutexGuard<'_, Vec<News>> {
        // Whole notes only are ever pushed, whoever panicked.
        self.pages.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Writes down what was heard.
    pub fn write(&self, news: News) {
        let mut pages = self.pages();
        if pages.len() < MOST {
            pages.push(news);
            self.written.send_replace(pages.len());
        }
    }

    /// Where the next note will be.
    #[must_use]
    pub fn mark(&self) -> usize {
        self.pages().len()
    }

    /// Looks at all notes after `mark`.
    pub fn since<T>(&self, mark: usize, look: impl FnOnce(&[News]) -> T) -> T {
        look(self.pages().get(mark..).unwrap_or_default())
    }

    /// Waits until `look` finds something in the notes after `mark`.
    pub async fn until<T>(
        &self,
        mark: usize,
        patience: Duration,
        mut look: impl FnMut(&[News]) -> Option<T>,
    ) -> Option<T> {
        let mut written = self.written.subscribe();
        let found = async {
            loop {
                written.mark_unchanged();
                if let Some(found) = self.since(mark, &mut look) {
                    return Some(found);
                }
                // Ends only with the notes themselves.
                written.changed().await.ok()?;
            }
        };
        timeout(patience, found).await.ok().flatten()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    #[tokio::test]
    async fn what_is_written_later_is_found_and_what_was_before_the_mark_is_not() {
        let notes = Arc::new(Notes::default());
        notes.write(News::Synchronized);
        let mark = notes.mark();
        let patience = Duration::from_secs(30);
        let writer = notes.clone();
        tokio::spawn(async move {
            tokio::task::yield_now().await;
            writer.write(News::Synchronized);
        });
        let found = notes.until(mark, patience, |news| (!news.is_empty()).then_some(news.len())).await;
        assert_eq!(found, Some(1));
        assert_eq!(notes.until(2, Duration::ZERO, |news| news.first().cloned()).await, None);
    }
}
