//! What merchants tell without being asked. It is taken from nobody but the merchant whose order it is about.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::{Mutex, MutexGuard, PoisonError},
};

use vestibule_model::{CheckoutId, OrderId, SystemId, Timestamp};
use vestibule_protocol::TradeUp;
use vestibule_ucp::{Endpoint, Envelope, Order, Parts, SignatureError, Trouble, WebhookError, name, read};

use crate::{limits::HOOKS, platform::Platform, shop::Shop, view::view};

/// What the headers of our own merchants' webhooks cover beyond what all cover.
const OURS: &[&str] = &["webhook-id", "webhook-timestamp"];

/// A webhook that was read.
#[derive(Debug)]
pub(crate) struct Told {
    system: SystemId,
    id: String,
    pub pushed: TradeUp,
}

/// Webhooks that were taken.
#[derive(Debug, Default)]
pub(crate) struct Hooks(Mutex<BTreeMap<SystemId, VecDeque<String>>>);

impl Hooks {
    fn taken(&self) -> MutexGuard<'_, BTreeMap<SystemId, VecDeque<String>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lets go of one that could not be handed on: its merchant tells it again.
    pub(crate) fn forget(&self, told: &Told) {
        if let Some(of) = self.taken().get_mut(&told.system) {
            of.retain(|known| *known != told.id);
        }
    }

    /// Remembers one; whether it is new.
    fn take(&self, system: &SystemId, id: &str) -> bool {
        let mut taken = self.taken();
        let of = taken.entry(system.clone()).or_default();
        if of.iter().any(|known| known == id) {
            return false;
        }
        of.truncate(HOOKS - 1);
        of.push_front(id.to_owned());
        true
    }

    /// Reads a webhook of one of these merchants, and remembers it. `None`: it came before.
    pub(crate) async fn read<'a>(
        &self,
        platform: &Platform,
        shops: impl IntoIterator<Item = &'a Shop>,
        parts: &Parts<'_>,
        now: Timestamp,
    ) -> Result<Option<Told>, Trouble> {
        // Somebody else's mail, handed on: its signature is good, for that other.
        if !is_ours(parts.authority, platform.profile()) {
            return Err(Trouble::InvalidRequest);
        }
        let envelope = Envelope::read(parts, now).map_err(|error| error.trouble())?;
        let shop = shops.into_iter().find(|shop| shop.profile == envelope.agent).ok_or(Trouble::ProfileNotTrusted)?;
        verify(shop, &envelope, parts, now).await?;
        let order: Order = read(parts.body).map_err(|_| Trouble::InvalidRequest)?;
        let pushed = pushed(&shop.system, &order).map_err(|reason| {
            tracing::warn!(system = %shop.system, reason, "a merchant's news cannot be shown");
            Trouble::InvalidRequest
        })?;
        let told = Told { system: shop.system.clone(), id: envelope.id, pushed };
        Ok(self.take(&told.system, &told.id).then_some(told))
    }
}

/// Whether a request was sent to this platform: its host and port, a default port left out or not.
fn is_ours(authority: &str, profile: &Endpoint) -> bool {
    let default = if profile.is_secure() { ":443" } else { ":80" };
    let lower = authority.to_ascii_lowercase();
    lower.strip_suffix(default).unwrap_or(&lower) == profile.authority()
}

async fn verify(shop: &Shop, envelope: &Envelope, parts: &Parts<'_>, now: Timestamp) -> Result<(), Trouble> {
    let deal = shop.deal(now).await.map_err(|_| Trouble::ProfileUnreachable)?;
    let must = if deal.active.has(name::ORDER_CARE) { OURS } else { &[] };
    let mut verified = envelope.verify(parts, &deal.keys, must, now);
    if let Err(WebhookError::Signature(SignatureError::KeyNotFound(_))) = verified
        && let Some(deal) = shop.deal_anew(now).await
    {
        verified = envelope.verify(parts, &deal.keys, must, now);
    }
    match verified {
        Ok(_) => Ok(()),
        Err(error) => {
            tracing::warn!(system = %shop.system, %error, "news that this merchant has not signed");
            Err(error.trouble())
        }
    }
}

fn pushed(system: &SystemId, order: &Order) -> Result<TradeUp, String> {
    Ok(TradeUp::Pushed {
        system: system.clone(),
        checkout: CheckoutId::new(order.checkout_id.as_str()).map_err(|error| error.to_string())?,
        order: OrderId::new(order.id.as_str()).map_err(|error| error.to_string())?,
        view: Box::new(view(order)?),
    })
}
