//! Requests on streams of their own, taken in the order in which the streams were opened.

use std::{pin::pin, task::Poll};

use tokio::sync::oneshot;

/// Gives out turns in the order of calls.
#[derive(Debug, Default)]
pub(super) struct Turns {
    last: Option<oneshot::Receiver<()>>,
}

/// A place in the order; dropped, the next one's turn has come.
#[derive(Debug)]
pub(super) struct Turn {
    before: Option<oneshot::Receiver<()>>,
    done: oneshot::Sender<()>,
}

impl Turns {
    pub(super) fn next(&mut self) -> Turn {
        let (done, waits) = oneshot::channel();
        Turn { before: self.last.replace(waits), done }
    }
}

impl Turn {
    /// Waits until everybody before has begun or given up.
    pub(super) async fn come(&mut self) {
        if let Some(before) = self.before.take() {
            // An error is a dropped turn: over as well.
            let _ = before.await;
        }
    }

    /// Begins `work` in turn, and lets the next one begin as soon as this one waits.
    pub(super) async fn begin<T>(mut self, work: impl Future<Output = T>) -> T {
        self.come().await;
        let mut work = pin!(work);
        let mut done = Some(self.done);
        std::future::poll_fn(|context| {
            let polled: Poll<T> = work.as_mut().poll(context);
            done.take();
            polled
        })
        .await
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
