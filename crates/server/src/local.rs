//! Adapters inside of this process: their channels become a session of the hub, again and again.

use std::time::Duration;

use tokio::{sync::mpsc, time::sleep};
use vestibule_model::SystemId;
use vestibule_protocol::{DiiDown, DiiUp, Event, Request, Response};

use crate::{HubHandle, Outgoing, Peer, SessionHandle};

/// Messages between an adapter and its session, each way: a home's reports of a few seconds. A full channel makes the
/// adapter wait, and the broker behind it.
pub(crate) const MESSAGES: usize = 256;
/// Before a session is opened again; doubles up to [`PAUSE_MOST`].
const PAUSE: Duration = Duration::from_millis(250);
const PAUSE_MOST: Duration = Duration::from_secs(8);

/// Carries an adapter's messages until the adapter ends. The hub may end the session: then there is another one, and
/// the adapter is registered anew, which has it describe its twins anew.
pub(crate) async fn bridge(
    hub: HubHandle,
    system: SystemId,
    mut up: mpsc::Receiver<DiiUp>,
    down: mpsc::Sender<DiiDown>,
) {
    let mut registration = None;
    let mut pause = PAUSE;
    loop {
        match hub.open(Peer::Local(system.clone())).await {
            Ok((session, outgoing)) => {
                let why = tokio::select! {
                    () = carry_up(&session, &mut up, &down, &mut registration, &mut pause) => None,
                    why = carry_down(outgoing, &down) => Some(why),
                };
                let Some(why) = why else { return };
                tracing::warn!(%system, %why, "the adapter's session ended; it begins anew");
            }
            Err(error) => tracing::warn!(%system, %error, "the adapter has no session"),
        }
        tokio::select! {
            () = sleep(pause) => pause = (pause * 2).min(PAUSE_MOST),
            () = down.closed() => return,
        }
    }
}

/// Ends with the adapter.
async fn carry_up(
    session: &SessionHandle,
    up: &mut mpsc::Receiver<DiiUp>,
    down: &mpsc::Sender<DiiDown>,
    registration: &mut Option<DiiUp>,
    pause: &mut Duration,
) {
    let mut next = registration.clone();
    loop {
        let message = match next.take() {
            Some(message) => message,
            None => match up.recv().await {
                Some(message) => message,
                None => return,
            },
        };
        if matches!(message, DiiUp::Register(_)) {
            *registration = Some(message.clone());
        } else if matches!(message, DiiUp::Deregister) {
            *registration = None;
        }
        // One after the other: they follow from each other.
        match session.request(Request::Dii(message)).await {
            Response::Refused(refusal) => {
                // An adapter that does not listen at the moment loses words, not state.
                let _ = down.try_send(DiiDown::Refused(refusal));
            }
            _ => *pause = PAUSE,
        }
    }
}

/// Why the session ended.
async fn carry_down(mut outgoing: mpsc::Receiver<Outgoing>, down: &mpsc::Sender<DiiDown>) -> String {
    while let Some(news) = outgoing.recv().await {
        match news {
            Outgoing::Event(event) => {
                if let Event::Dii(message) = *event
                    && down.send(message).await.is_err()
                {
                    return "the adapter has ended".to_owned();
                }
            }
            Outgoing::Datagram(_) => {}
            Outgoing::Close(words) => return words,
        }
    }
    "the enabler ends".to_owned()
}
