//! Requests on streams of their own, taken in the order in which the streams were opened.

use std::{pin::pin, task::Poll};

use tokio::sync::oneshot;

/// Told when everybody up to somebody has begun; whoever gave up passes on whom they were waiting for.
#[derive(Debug)]
struct Before(oneshot::Receiver<Option<Before>>);

/// Gives out turns in the order of calls.
#[derive(Debug, Default)]
pub(super) struct Turns {
    last: Option<Before>,
}

/// A place in the order. Dropped, it is as if it had never been.
#[derive(Debug)]
pub(super) struct Turn {
    before: Option<Before>,
    done: Option<oneshot::Sender<Option<Before>>>,
}

impl Turns {
    pub(super) fn next(&mut self) -> Turn {
        let (done, waits) = oneshot::channel();
        Turn { before: self.last.replace(Before(waits)), done: Some(done) }
    }
}

impl Turn {
    /// Begins `work` in turn, and lets the next one begin as soon as this one waits.
    pub(super) async fn begin<T>(mut self, work: impl Future<Output = T>) -> T {
        while let Some(before) = &mut self.before {
            self.before = (&mut before.0).await.ok().flatten();
        }
        let mut work = pin!(work);
        std::future::poll_fn(|context| {
            let polled: Poll<T> = work.as_mut().poll(context);
            self.pass();
            polled
        })
        .await
    }

    fn pass(&mut self) {
        if let Some(done) = self.done.take() {
            // Nobody waits behind the last one.
            let _ = done.send(self.before.take());
        }
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        self.pass();
    }
}

#[cfg(test)]
mod tests {
    use std::{sync::Arc, time::Duration};

    use tokio::sync::mpsc;

    use super::*;

    #[tokio::test(flavor = "multi_thread")]
    async fn work_begins_in_order_and_runs_at_once() {
        let (sender, mut receiver) = mpsc::channel(1000);
        let (mut turns, gate) = (Turns::default(), Arc::new(tokio::sync::Semaphore::new(0)));
        let tasks: Vec<_> = (0..200)
            .map(|number| {
                let (turn, sender, gate) = (turns.next(), sender.clone(), gate.clone());
                tokio::spawn(async move {
                    // The later, the sooner it is there; one never comes.
                    tokio::time::sleep(Duration::from_millis(20 - number / 10)).await;
                    if number == 77 {
                        return;
                    }
                    turn.begin(async {
                        sender.send(number).await.unwrap();
                        gate.acquire().await.unwrap().forget();
                    })
                    .await;
                })
            })
            .collect();
        for number in (0..200).filter(|number| *number != 77) {
            assert_eq!(receiver.recv().await, Some(number), "all of them begin before the first one ends");
        }
        gate.add_permits(200);
        for task in tasks {
            task.await.unwrap();
        }
    }
}
