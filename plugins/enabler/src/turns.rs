//! The person's leases: asked for, renewed while they are wanted, given back; and whose turn it is elsewhere.

use std::collections::HashMap;

use bevy::{ecs::system::SystemParam, prelude::*};
use vestibule_model::{LeaseId, LeaseRequest, LeaseStatus, LeaseUpdate, Refusal, RefusalCode, TwinId};
use vestibule_protocol::{Request, Response};
use vestibule_twin::{IntegrateTwin, TwinTurns};

use crate::{
    EnablerConnection, Settings,
    actuate::{Asked, Tickets, key},
    mirror::Mirror,
    pump::now_ms,
};

/// Milliseconds that a lease lasts unless it is renewed: a client that vanished blocks nobody for longer.
const TTL_MS: u64 = 60_000;
/// Milliseconds between renewals: two may be lost.
const RENEW_MS: u64 = 20_000;
/// Milliseconds that a person waits in a queue before the wish ends by itself.
const WAIT_MS: u64 = 30 * 60_000;

/// The person's leases that have not ended, and when (milliseconds of `Time<Real>`) each was last asked for.
#[derive(Resource, Debug, Default)]
pub(crate) struct Own {
    leases: HashMap<LeaseId, Wish>,
    made: u64,
}

#[derive(Debug)]
struct Wish {
    twin: TwinId,
    asked_ms: Option<u64>,
}

impl Own {
    fn of(&self, twin: &TwinId) -> Option<LeaseId> {
        self.leases.iter().find(|(_, wish)| wish.twin == *twin).map(|(lease, _)| *lease)
    }
}

/// Where news of leases go.
#[derive(SystemParam)]
pub(crate) struct Leases<'w> {
    own: ResMut<'w, Own>,
    turns: ResMut<'w, TwinTurns>,
}

impl Leases<'_> {
    pub(crate) fn take(&mut self, update: LeaseUpdate) {
        let own = self.own.leases.contains_key(&update.lease);
        if own && matches!(update.status, LeaseStatus::Ended { .. }) {
            self.own.leases.remove(&update.lease);
        }
        self.turns.take(update, own);
    }

    pub(crate) fn answer(&mut self, lease: LeaseId, answer: Result<Response, Refusal>) {
        let refusal = match answer {
            Ok(Response::Lease(update)) => return self.take(update),
            Ok(_) => Refusal::new(RefusalCode::Invalid, "an answer to another question"),
            Err(refusal) => refusal,
        };
        // What was not sent may be held all the same: it is asked again after the next connection.
        if refusal.code == RefusalCode::Unavailable {
            return;
        }
        if let Some(wish) = self.own.leases.remove(&lease) {
            let turn = self.turns.0.entry(wish.twin).or_default();
            (turn.mine, turn.refused) = (None, Some(refusal));
        }
    }

    /// Without a link nobody knows whose turn it is; the person's own wishes are asked about after it.
    pub(crate) fn lose(&mut self) {
        self.turns.0.clear();
        for wish in self.own.leases.values_mut() {
            wish.asked_ms = None;
        }
    }
}

/// Sends wishes, and renews what is held.
pub(crate) fn send(
    mut wishes: MessageReader<IntegrateTwin>,
    mut connections: Query<&mut EnablerConnection>,
    (mut tickets, mut leases): (ResMut<Tickets>, Leases),
    (mirror, settings, time): (Res<Mirror>, Res<Settings>, Res<Time<Real>>),
) {
    let now = now_ms(&time);
    let mut asked: Vec<(LeaseId, TwinId, Request)> = Vec::new();
    for wish in wishes.read() {
        match wish {
            IntegrateTwin::Take(twin) if leases.own.of(twin).is_none() => {
                leases.own.made += 1;
                let id = LeaseId(key(&settings.0.key_seed, "lease", leases.own.made));
                let request =
                    LeaseRequest { id, twin: twin.clone(), priority: u8::MAX, ttl_ms: TTL_MS, wait_ms: WAIT_MS };
                leases.own.leases.insert(id, Wish { twin: twin.clone(), asked_ms: Some(now) });
                asked.push((id, twin.clone(), Request::Lease(request)));
            }
            IntegrateTwin::Take(_) => {}
            IntegrateTwin::GiveBack(twin) => {
                asked.extend(leases.own.of(twin).map(|id| (id, twin.clone(), Request::ReleaseLease(id))));
            }
        }
    }
    for (id, wish) in &mut leases.own.leases {
        if wish.asked_ms.is_none_or(|asked| now.saturating_sub(asked) >= RENEW_MS) {
            wish.asked_ms = Some(now);
            asked.push((*id, wish.twin.clone(), Request::RenewLease(*id)));
        }
    }
    for (id, twin, request) in asked {
        let entity = mirror.get(&twin).map(|(.., entity)| entity);
        let connection = entity.and_then(|entity| Some((entity, connections.get_mut(entity).ok()?)));
        let Some((entity, mut connection)) = connection else {
            let refusal = Refusal::new(RefusalCode::NotFound, format!("{twin} is not known here"));
            leases.answer(id, Err(refusal));
            continue;
        };
        let Some(session) = connection.session.as_mut() else { continue };
        let request = session.request(request, now);
        tickets.asked.insert((entity, request), Asked::Lease(id));
    }
}
