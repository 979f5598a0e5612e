//! The part that costs money: placing an order, what became of it, taking it back.
//!
//! A purchase is one session and one key for ever. What is asked here may be asked again, at any time and after any
//! kill, and is then the same. Whatever is not a definite answer is [`Told::Unknown`]: nobody may take it for a no.

use std::{collections::BTreeMap, sync::Arc};

use bytes::Bytes;
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;
use vestibule_model::{CheckoutId, ContentHash, DesignHash, LineId, OrderId, PurchaseId};
use vestibule_protocol::{CompleteAsk, Told};
use vestibule_ucp::{
    Check, Checkout, CheckoutComplete, CheckoutStatus, Confirmed, Credential, Endpoint, Extension as _,
    FabricationLine, Id, IdempotencyKey, Instrument, Message, More, Order, Payment, TokenizeAnswer, TokenizeRequest,
    UnsignedAmount, code, name, write,
};

use crate::{
    clock::now,
    keys,
    pins::Kind,
    shop::{Ask, Deal, Reply, Shop, Unsure, below},
    tokens::Tokens,
    view::view,
};

/// The kind of body that nearly all have.
pub(crate) const JSON: &str = "application/json";

impl From<Unsure> for Told {
    fn from(unsure: Unsure) -> Self {
        Self::Unknown { reason: unsure.reason }
    }
}

fn unknown(reason: impl Into<String>) -> Told {
    Told::Unknown { reason: reason.into() }
}

/// A merchant, and the purchase for which it is asked.
pub(crate) struct Buying<'a> {
    pub shop: &'a Shop,
    pub tokens: &'a Tokens,
    pub purchase: PurchaseId,
}

impl Buying<'_> {
    async fn deal(&self) -> Result<Arc<Deal>, Told> {
        Ok(self.shop.deal(now()).await.map_err(Unsure::from)?)
    }

    async fn get<T: DeserializeOwned + Check>(&self, kind: Kind, path: &[&str]) -> Result<Reply<T>, Told> {
        let url = below(&self.deal().await?.rest, path)?;
        let ask = Ask {
            kind,
            method: "GET",
            url,
            key: None,
            request: self.purchase.0,
            body: None,
            patience: self.shop.patience,
        };
        Ok(self.shop.ask(ask).await?)
    }

    async fn post<T: DeserializeOwned + Check>(
        &self,
        kind: Kind,
        url: Endpoint,
        key: IdempotencyKey,
        body: &impl Serialize,
    ) -> Result<Reply<T>, Told> {
        let body = Bytes::from(write(body).map_err(|error| unknown(error.to_string()))?);
        let (key, body) = (Some(key), Some((body, JSON)));
        let ask = Ask { kind, method: "POST", url, key, request: self.purchase.0, body, patience: self.shop.patience };
        Ok(self.shop.ask(ask).await?)
    }

    /// Orders what a session has, if it is exactly what was confirmed.
    pub(crate) async fn complete(&self, ask: &CompleteAsk) -> Told {
        let told = self.try_complete(ask).await.unwrap_or_else(|told| told);
        if !matches!(told, Told::Unknown { .. }) {
            self.tokens.forget(&self.purchase);
        }
        told
    }

    async fn try_complete(&self, ask: &CompleteAsk) -> Result<Told, Told> {
        let checkout = match self.look_session(&ask.checkout).await? {
            Ok(checkout) => checkout,
            Err(gone) => return Ok(gone),
        };
        if let Some(told) = self.ended(&checkout)? {
            return Ok(told);
        }
        if checkout.status != CheckoutStatus::ReadyForComplete {
            return Ok(self.not_ready(&checkout, &ask.checkout).await);
        }
        if let Some(what) = difference(ask, &checkout) {
            return Ok(Told::Differs { what });
        }
        // Nothing was sent until here that orders anything.
        let payment = match self.pay(ask, &checkout).await? {
            Ok(payment) => payment,
            Err(refused) => return Ok(refused),
        };
        let mut body = CheckoutComplete { payment, signals: None, more: More::new() };
        confirmed(ask)?.put(&mut body.more);
        let url = below(&self.deal().await?.rest, &["checkout-sessions", ask.checkout.as_str(), "complete"])?;
        let key = keys::complete(&self.purchase);
        let reply = self.post::<Checkout>(Kind::Complete, url, key, &body).await?;
        self.completed(ask, reply).await
    }

    /// What the answer to the order means.
    async fn completed(&self, ask: &CompleteAsk, reply: Reply<Checkout>) -> Result<Told, Told> {
        let why = reply.why_not();
        match reply {
            Reply::Is(checkout, _) => {
                same_session(&checkout, &ask.checkout)?;
                match self.ended(&checkout)? {
                    Some(told) => Ok(told),
                    None => Ok(self.not_ready(&checkout, &ask.checkout).await),
                }
            }
            Reply::No(_) => {
                let (code, reason) = why.unwrap_or_default();
                Ok(Told::Refused { code, reason })
            }
            Reply::Problem { status, .. } => {
                let (code, reason) = why.unwrap_or_default();
                // Another request with this key, or one that came first: the session says what became of it.
                let checkout = match self.look_session(&ask.checkout).await? {
                    Ok(checkout) => checkout,
                    Err(gone) => return Ok(gone),
                };
                if let Some(told) = self.ended(&checkout)? {
                    return Ok(told);
                }
                // What has to do with who we are, or with this moment, may go well the next time.
                let definite = matches!(status, 400 | 402 | 410 | 422) && !code.starts_with("profile_");
                if definite { Ok(Told::Refused { code, reason }) } else { Err(unknown(format!("{code}: {reason}"))) }
            }
        }
    }

    /// Why a session that goes on is not ordered. Where somebody's page waits for a yes, that would still order it: such a
    /// session is ended, and what comes of that is the answer.
    async fn not_ready(&self, checkout: &Checkout, id: &CheckoutId) -> Told {
        let messages = why_not_ready(checkout);
        if checkout.status != CheckoutStatus::RequiresEscalation {
            return Told::NotReady { messages };
        }
        match self.cancel_session(id).await {
            // Why it is not ordered is what was to be answered there.
            Told::Gone { code, .. } => Told::Gone { code, reason: messages.join(" ") },
            told => told,
        }
    }

    /// A session by its id; `Err` inside: there is none any more.
    async fn look_session(&self, id: &CheckoutId) -> Result<Result<Checkout, Told>, Told> {
        let reply = self.get::<Checkout>(Kind::Session, &["checkout-sessions", id.as_str()]).await?;
        let (code, reason) = reply.why_not().unwrap_or_default();
        match reply {
            Reply::Is(checkout, _) => {
                same_session(&checkout, id)?;
                Ok(Ok(checkout))
            }
            Reply::No(_) if code == code::NOT_FOUND || code == code::SESSION_EXPIRED => {
                Ok(Err(Told::Gone { code: code::SESSION_EXPIRED.to_owned(), reason }))
            }
            Reply::No(_) | Reply::Problem { .. } => Err(unknown(format!("{code}: {reason}"))),
        }
    }

    /// What became of a session that has ended. `None`: it has not.
    fn ended(&self, checkout: &Checkout) -> Result<Option<Told>, Told> {
        match checkout.status {
            CheckoutStatus::Completed => {
                let order = checkout.order.as_ref().and_then(|order| OrderId::new(order.id.as_str()).ok());
                match (order, checkout.total()) {
                    (Some(order), Some(total)) => Ok(Some(Told::Placed { order, total })),
                    _ => Err(unknown("its order has a name that nobody can write, or no total")),
                }
            }
            CheckoutStatus::Canceled => {
                let reason = first_error(checkout).unwrap_or_else(|| "the checkout has been canceled".to_owned());
                Ok(Some(Told::Gone { code: "canceled".to_owned(), reason }))
            }
            CheckoutStatus::CompleteInProgress => Err(unknown("it is being ordered")),
            CheckoutStatus::Incomplete | CheckoutStatus::RequiresEscalation | CheckoutStatus::ReadyForComplete => {
                Ok(None)
            }
        }
    }

    /// A way to pay exactly this.
    async fn pay(&self, ask: &CompleteAsk, checkout: &Checkout) -> Result<Result<Payment, Told>, Told> {
        let refused = |code: &str, reason: &str| Told::Refused { code: code.to_owned(), reason: reason.to_owned() };
        let handler = checkout.ucp.handler(&ask.pay.handler).filter(|(name, _)| name.as_str() == name::SANDBOX_PAY);
        let Some((_, handler)) = handler else {
            return Ok(Err(refused("payment_handler", "this checkout is not paid in that way, or not from here")));
        };
        let url = handler.config.as_ref().and_then(|config| config.get("tokenize_url")).and_then(Value::as_str);
        let url = url.and_then(|url| Endpoint::new(url).ok()).ok_or_else(|| unknown("it does not say where to pay"))?;
        // The sandbox's cards are called sandbox-ok, sandbox-declined and so on; its one type of instrument is the first.
        let kind = ask.pay.instrument.split('-').next().unwrap_or_default().to_owned();
        let card = if ask.pay.instrument == kind { format!("{kind}-ok") } else { ask.pay.instrument.clone() };
        let binding = [("checkout_id".to_owned(), Value::from(ask.checkout.as_str()))].into_iter().collect();
        let amount = UnsignedAmount::new(ask.most.amount).map_err(|error| unknown(error.to_string()))?;
        let request = TokenizeRequest { binding, amount, currency: ask.most.currency, card };
        let key = keys::of_purchase(&self.purchase, "tokenize");
        let token = match self.tokens.get(&self.purchase, now()) {
            Some(token) => token,
            None => {
                let reply = self.post::<TokenizeAnswer>(Kind::Pay, url, key, &request).await?;
                let (code, reason) = reply.why_not().unwrap_or_default();
                match reply {
                    Reply::Is(answer, _) => {
                        self.tokens.put(self.purchase, answer.clone());
                        answer.token
                    }
                    Reply::No(_) | Reply::Problem { status: 400 | 402 | 422, .. } => {
                        return Ok(Err(refused(&code, &reason)));
                    }
                    Reply::Problem { .. } => return Err(unknown(format!("{code}: {reason}"))),
                }
            }
        };
        let id = Id::new("inst_1").map_err(|error| unknown(error.to_string()))?;
        let instrument = Instrument {
            id,
            handler_id: handler.id.clone(),
            kind,
            selected: Some(true),
            display: None,
            billing_address: None,
            credential: Some(Credential::sandbox(token)),
            more: More::new(),
        };
        Ok(Ok(Payment { instruments: Some(vec![instrument]), more: More::new() }))
    }

    /// What became of a session. Changes nothing.
    pub(crate) async fn session(&self, id: &CheckoutId) -> Told {
        let look = async {
            match self.look_session(id).await? {
                Ok(checkout) => Ok(self.ended(&checkout)?.unwrap_or(Told::Open)),
                Err(gone) => Ok(gone),
            }
        };
        look.await.unwrap_or_else(|told| told)
    }

    /// Ends a session, so that nothing that is still on its way orders anything.
    pub(crate) async fn cancel_session(&self, id: &CheckoutId) -> Told {
        let cancel = async {
            let url = below(&self.deal().await?.rest, &["checkout-sessions", id.as_str(), "cancel"])?;
            let key = keys::of_purchase(&self.purchase, "cancel_session");
            let reply = self.post::<Checkout>(Kind::CancelSession, url, key, &More::new()).await?;
            let checkout = match reply {
                Reply::Is(checkout, _) => {
                    same_session(&checkout, id)?;
                    checkout
                }
                // It has ended already, or is not there: it says how itself.
                Reply::No(_) | Reply::Problem { .. } => match self.look_session(id).await? {
                    Ok(checkout) => checkout,
                    Err(gone) => return Ok(gone),
                },
            };
            self.ended(&checkout)?.ok_or_else(|| unknown("the checkout goes on although it was to end"))
        };
        cancel.await.unwrap_or_else(|told| told)
    }

    /// How an order is.
    pub(crate) async fn look(&self, id: &OrderId) -> Told {
        let look = async {
            let reply = self.get::<Order>(Kind::Order, &["orders", id.as_str()]).await?;
            let (code, reason) = reply.why_not().unwrap_or_default();
            let Reply::Is(order, _) = reply else { return Err(unknown(format!("{code}: {reason}"))) };
            same_order(&order, id)?;
            Ok(Told::Order(Box::new(view(&order).map_err(unknown)?)))
        };
        look.await.unwrap_or_else(|told| told)
    }

    /// Cancels an order, where its merchant takes that from a program.
    pub(crate) async fn cancel(&self, id: &OrderId) -> Told {
        let cancel = async {
            let deal = self.deal().await?;
            if !deal.active.has(name::ORDER_CARE) {
                let reason = "this merchant takes cancellations only on its own pages".to_owned();
                return Ok(Told::CannotCancel { reason });
            }
            let url = below(&deal.rest, &["orders", id.as_str(), "cancel"])?;
            let key = keys::of_purchase(&self.purchase, "cancel");
            let reply = self.post::<Order>(Kind::CancelOrder, url, key, &More::new()).await?;
            let (code, reason) = reply.why_not().unwrap_or_default();
            match reply {
                Reply::Is(order, _) => {
                    same_order(&order, id)?;
                    let shown = view(&order).map_err(unknown)?;
                    // Taken, and not yet done: it is asked again.
                    if !shown.is_removed() {
                        return Err(unknown("it has not canceled it yet"));
                    }
                    Ok(Told::Canceled { view: Some(Box::new(shown)) })
                }
                Reply::No(_) if code == code::NOT_CANCELLABLE => Ok(Told::CannotCancel { reason }),
                Reply::No(_) | Reply::Problem { .. } => Err(unknown(format!("{code}: {reason}"))),
            }
        };
        cancel.await.unwrap_or_else(|told| told)
    }
}

fn same_session(checkout: &Checkout, id: &CheckoutId) -> Result<(), Told> {
    if checkout.id.as_str() == id.as_str() { Ok(()) } else { Err(unknown("it speaks of another checkout")) }
}

fn same_order(order: &Order, id: &OrderId) -> Result<(), Told> {
    if order.id.as_str() == id.as_str() { Ok(()) } else { Err(unknown("it speaks of another order")) }
}

fn first_error(checkout: &Checkout) -> Option<String> {
    checkout.messages().iter().find_map(Message::error).map(|error| error.content.clone())
}

/// Why a session that goes on is not ordered: declined payments, missing words, somebody who has to look.
fn why_not_ready(checkout: &Checkout) -> Vec<String> {
    let errors = checkout.messages().iter().filter_map(Message::error);
    let mut messages: Vec<String> = errors.map(|error| error.content.clone()).collect();
    if messages.is_empty() {
        messages.push("the checkout is not complete".to_owned());
    }
    messages
}

/// What of a session is not as it was confirmed.
fn difference(ask: &CompleteAsk, checkout: &Checkout) -> Option<String> {
    let total = match checkout.may_complete() {
        Ok(total) => total,
        Err(flaw) => return Some(flaw.to_string()),
    };
    if total != ask.total {
        return Some(format!("it costs {total}, and {} was confirmed", ask.total));
    }
    let mut designs = BTreeMap::new();
    for line in &checkout.line_items {
        let (Ok(made), Ok(id)) = (FabricationLine::of(&line.more), LineId::new(line.id.as_str())) else {
            return Some("a line of it cannot be read".to_owned());
        };
        designs.extend(made.map(|made| (id, DesignHash(made.design))));
    }
    if designs != ask.designs {
        return Some("it is made to another design than was confirmed".to_owned());
    }
    None
}

/// What the merchant is told of what was confirmed: one that knows it orders this or nothing.
fn confirmed(ask: &CompleteAsk) -> Result<Confirmed, Told> {
    let total = UnsignedAmount::new(ask.total.amount).map_err(|error| unknown(error.to_string()))?;
    let mut designs: Vec<ContentHash> = ask.designs.values().map(|design| design.0).collect();
    designs.dedup();
    // The extension names one. Of several the lines were held against what was confirmed, above.
    let design = if let [only] = designs[..] { Some(only) } else { None };
    Ok(Confirmed { total, currency: ask.total.currency, design, more: More::new() })
}
