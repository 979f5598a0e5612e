//! What the hub told a system that asks over HTTP: kept in order until it is acknowledged.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::{
    sync::{Notify, OwnedSemaphorePermit, Semaphore},
    time::{Instant, timeout_at},
};
use vestibule_model::Timestamp;
use vestibule_protocol::{DiiDown, Event, SiiDown};

/// Messages that wait to be acknowledged: some seconds of a busy system. More wait in the hub, which then takes the
/// system for one that does not listen.
const MOST: usize = 64;

#[derive(Debug)]
struct Kept {
    sequence: u64,
    event: Event,
    /// Fetched at least once.
    fetched: bool,
    _room: OwnedSemaphorePermit,
}

#[derive(Debug, Default)]
struct Queue {
    last: u64,
    kept: VecDeque<Kept>,
    ended: bool,
}

/// A message that was fetched.
#[derive(Clone, Debug)]
pub(crate) struct Fetched {
    /// Grows with each message of the session.
    pub(crate) sequence: u64,
    /// What the hub said.
    pub(crate) event: Event,
    /// It was fetched before and never acknowledged.
    pub(crate) again: bool,
}

/// Messages that wait for a system.
#[derive(Debug)]
pub(crate) struct Inbox {
    room: Arc<Semaphore>,
    queue: Mutex<Queue>,
    news: Notify,
}

impl Default for Inbox {
    fn default() -> Self {
        Self { room: Arc::new(Semaphore::new(MOST)), queue: Mutex::default(), news: Notify::new() }
    }
}

impl Drop for Inbox {
    fn drop(&mut self) {
        // Whoever waits for room waits for nothing.
        self.room.close();
    }
}

impl Inbox {
    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Where to wait for room.
    pub(crate) fn room(&self) -> Arc<Semaphore> {
        self.room.clone()
    }

    /// Keeps a message.
    pub(crate) fn put(&self, room: OwnedSemaphorePermit, event: Event) {
        let mut queue = self.queue();
        queue.last += 1;
        let sequence = queue.last;
        queue.kept.push_back(Kept { sequence, event, fetched: false, _room: room });
        drop(queue);
        self.news.notify_waiters();
    }

    /// Nothing more will come.
    pub(crate) fn end(&self) {
        self.queue().ended = true;
        self.news.notify_waiters();
    }

    /// Forgets messages up to and with this one.
    pub(crate) fn acknowledge(&self, sequence: u64) {
        self.queue().kept.retain(|kept| kept.sequence > sequence);
    }

    /// What nobody has ever fetched.
    pub(crate) fn undelivered(&self) -> Vec<Event> {
        let mut queue = self.queue();
        std::mem::take(&mut queue.kept).into_iter().filter(|kept| !kept.fetched).map(|kept| kept.event).collect()
    }

    fn take(&self, after: u64, now: Timestamp) -> Option<Vec<Fetched>> {
        let mut queue = self.queue();
        // What is late must not be executed: whoever asks late is not even told.
        queue.kept.retain(|kept| match &kept.event {
            Event::Dii(DiiDown::Execute(execution)) => now <= execution.not_after,
            Event::Sii(SiiDown::Invoke(invocation)) => now <= invocation.not_after,
            _ => true,
        });
        let new = queue.kept.iter_mut().filter(|kept| kept.sequence > after);
        let fetched: Vec<_> = new
            .map(|kept| {
                let again = std::mem::replace(&mut kept.fetched, true);
                Fetched { sequence: kept.sequence, event: kept.event.clone(), again }
            })
            .collect();
        (!fetched.is_empty() || queue.ended).then_some(fetched)
    }

    /// Messages after a sequence number, waiting for the first one for at most `wait`; `None`: the session has ended.
    pub(crate) async fn fetch(&self, after: u64, wait: Duration, now: impl Fn() -> Timestamp) -> Option<Vec<Fetched>> {
        let until = Instant::now() + wait;
        loop {
            let mut news = std::pin::pin!(self.news.notified());
            news.as_mut().enable();
            if let Some(fetched) = self.take(after, now()) {
                return (!fetched.is_empty()).then_some(fetched);
            }
            if timeout_at(until, news).await.is_err() {
                return Some(Vec::new());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use vestibule_model::{CallId, Json, Pseudonym, ServiceId, StepKey};
    use vestibule_protocol::Invocation;

    use super::*;

    fn invoke(number: u8, not_after: u64) -> Event {
        Event::Sii(SiiDown::Invoke(Box::new(Invocation {
            call: CallId([number; 16]),
            step: StepKey::slug("a"),
            undo: false,
            service: ServiceId::slug("order"),
            input: Json::default(),
            user: Pseudonym::slug("u-1"),
            account: None,
            attempt: 1,
            not_after: Timestamp(not_after),
            trace: None,
        })))
    }

    async fn put(inbox: &Inbox, event: Event) {
        let room = inbox.room().acquire_owned().await.unwrap();
        inbox.put(room, event);
    }

    async fn fetched(inbox: &Inbox, after: u64, now: u64) -> Vec<(u64, bool)> {
        let fetched = inbox.fetch(after, Duration::ZERO, || Timestamp(now)).await.unwrap();
        fetched.into_iter().map(|message| (message.sequence, message.again)).collect()
    }

    #[tokio::test]
    async fn what_is_late_is_not_told_and_what_was_told_is_not_undelivered() {
        let inbox = Inbox::default();
        put(&inbox, invoke(1, 10)).await;
        put(&inbox, invoke(2, 100)).await;
        assert_eq!(fetched(&inbox, 0, 11).await, [(2, false)], "whoever asks late is not told what is late");
        put(&inbox, invoke(3, 100)).await;
        assert_eq!(fetched(&inbox, 2, 11).await, [(3, false)]);
        assert_eq!(fetched(&inbox, 0, 11).await, [(2, true), (3, true)], "until it is acknowledged");
        inbox.acknowledge(2);
        assert_eq!(fetched(&inbox, 0, 11).await, [(3, true)]);
        put(&inbox, invoke(4, 100)).await;
        assert_eq!(inbox.undelivered(), [invoke(4, 100)]);
    }

    #[tokio::test]
    async fn without_room_it_waits_in_the_hub() {
        let inbox = Inbox::default();
        for number in 0..u8::try_from(MOST).unwrap() {
            put(&inbox, invoke(number, 100)).await;
        }
        assert!(inbox.room().try_acquire_owned().is_err());
        inbox.acknowledge(1);
        assert!(inbox.room().try_acquire_owned().is_ok());
    }
}
