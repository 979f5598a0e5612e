//! What is taken at once and never waits for the disk: what twin systems say all the time, acknowledgements.

use vestibule_enabler_core::observe;
use vestibule_model::{Refusal, RefusalCode};
use vestibule_protocol::{DiiUp, HotAck, Party, Request, Response, decode};

use crate::ops::metrics;

use super::{
    batch::InFlight,
    core::Core,
    handle::{Ask, HotMessage, SessionId},
};

impl Core {
    /// Takes what never waits for the disk.
    pub(super) fn hot_message(&mut self, message: HotMessage) {
        match message {
            HotMessage::Ask(ask) => self.hot_ask(*ask),
            HotMessage::Datagram { session, bytes } => {
                let subscription = self.sessions.get_mut(&session).and_then(|session| session.subscription.as_mut());
                if let (Some(subscription), Ok(ack)) = (subscription, decode::<HotAck>(&bytes)) {
                    subscription.acknowledge(ack);
                }
            }
        }
    }

    /// Takes what a twin system says all the time.
    pub(super) fn hot_ask(&mut self, ask: Ask) {
        let answer = match &ask.request {
            Request::Dii(message) => self.observe(ask.session, message),
            Request::Sii(_) => self.hear(ask.session),
            _ => Err(Refusal::new(RefusalCode::Invalid, "that is to be decided")),
        };
        metrics::heard();
        // Who asked may be gone: what was said holds.
        let _ = ask.reply.send(answer.map_or_else(Response::Refused, |()| Response::Done));
    }

    fn observe(&mut self, session: SessionId, message: &DiiUp) -> Result<(), Refusal> {
        let session = self.sessions.get(&session).filter(|session| session.actor.party == Some(Party::TwinSystem));
        let system = session.and_then(|session| session.actor.system.clone());
        let system = system.ok_or_else(|| {
            Refusal::new(RefusalCode::Invalid, "register as a digital twin system before saying anything else")
        })?;
        let now = self.clock.now();
        let heard = self.hot.heard(&system, now);
        self.distribute(heard);
        let state = self.commit.as_ref().map_or(&self.state, InFlight::base);
        let observed = observe(state, &mut self.hot, now, &system, message)?;
        self.keep_reading(message, now);
        self.backlog.extend(observed.events);
        let readings = observed.changes.readings.clone();
        self.distribute(observed.changes);
        self.note_observed(&system, message, &readings);
        Ok(())
    }
}
