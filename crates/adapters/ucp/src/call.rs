//! SDC's conversion of APIs: what a world calls `search` or `checkout` is a merchant's own protocol.

use std::collections::BTreeSet;

use bytes::Bytes;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use vestibule_model::{CheckoutId, ContentHash, Json, TwinId};
use vestibule_protocol::{Invocation, Persons};
use vestibule_ucp::{
    Check, Checkout, CheckoutCreate, CheckoutStatus, Endpoint, FabricationQuote, FabricationQuoteRequest,
    IdempotencyKey, LookupAnswer, LookupRequest, NAMESPACE, Package, SearchAnswer, SearchRequest, code,
    limits::MAX_DESIGN, name, read, write,
};

use crate::{
    Contents,
    buy::JSON,
    clock::now,
    keys,
    limits::QUOTE_TIMES,
    packages::Packages,
    person,
    pins::Kind,
    services,
    shop::{Ask, Reply, Shop, Unsure, below},
};

/// How a call went.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Outcome {
    /// It is done, and this is what it gives.
    Done(Json),
    /// Nothing was changed.
    Failed(String),
    /// Something may have been: nobody is told anything, and whoever waits asks again.
    Unknown(String),
}

type Called<T> = Result<T, Outcome>;

fn failed(reason: impl ToString) -> Outcome {
    Outcome::Failed(reason.to_string())
}

/// One call, and what it needs.
pub(crate) struct Call<'a> {
    pub shop: &'a Shop,
    pub packages: &'a Packages,
    pub contents: &'a dyn Contents,
    pub invocation: &'a Invocation,
    pub twins: &'a BTreeSet<TwinId>,
    pub persons: &'a Persons,
}

impl Call<'_> {
    /// Does it, or says why not.
    pub(crate) async fn run(&self) -> Outcome {
        if self.left().is_zero() {
            return Outcome::Unknown("its time was over before it began".to_owned());
        }
        let done = match self.invocation.service.as_str() {
            services::SEARCH => self.search().await,
            services::LOOK_UP => self.look_up().await,
            services::QUOTE => self.quote().await,
            services::CHECKOUT => self.checkout().await,
            services::LOOK_CHECKOUT => self.look_checkout().await,
            services::CANCEL_CHECKOUT => self.cancel_checkout().await,
            other => Err(failed(format!("there is no service {other} here"))),
        };
        done.map_or_else(|outcome| outcome, Outcome::Done)
    }

    fn left(&self) -> std::time::Duration {
        std::time::Duration::from_millis(self.invocation.not_after.since(now()))
    }

    /// Asks the merchant. `changes`: whether a lost answer may hide that something was done.
    async fn ask<T: DeserializeOwned + Check>(&self, ask: Ask, changes: bool) -> Called<Reply<T>> {
        let patience = ask.patience.min(self.left());
        self.shop.ask(Ask { patience, ..ask }).await.map_err(|unsure| self.unsure(unsure, changes))
    }

    /// What an answer that is none means. An earlier attempt may have been heard, whatever became of this one.
    fn unsure(&self, unsure: Unsure, changes: bool) -> Outcome {
        let heard = unsure.sent || self.invocation.attempt > 1;
        if changes && heard { Outcome::Unknown(unsure.reason) } else { failed(unsure.reason) }
    }

    /// The address below the merchant's, where both sides can do what is wanted.
    async fn url(&self, capability: &str, path: &[&str]) -> Called<Endpoint> {
        let deal = self.shop.deal(now()).await.map_err(|closed| self.unsure(closed.into(), true))?;
        deal.active.need(capability).map_err(failed)?;
        below(&deal.rest, path).map_err(|unsure| failed(unsure.reason))
    }

    fn plain(&self, kind: Kind, method: &'static str, url: Endpoint, body: Option<Bytes>) -> Ask {
        let (request, body) = (self.invocation.call.0, body.map(|body| (body, JSON)));
        Ask { kind, method, url, key: None, request, body, patience: self.shop.patience }
    }

    /// The input, held against the protocol; what it says beyond is sent as it is.
    fn input<T: DeserializeOwned + Check>(&self) -> Called<Value> {
        read::<T>(self.invocation.input.as_str().as_bytes()).map_err(failed)?;
        let mut input = self.invocation.input.value();
        // Why somebody looks for something is theirs.
        if let Some(Value::Object(context)) = input.get_mut("context") {
            context.remove("intent");
        }
        Ok(input)
    }

    async fn search(&self) -> Called<Json> {
        let body = bytes(&self.input::<SearchRequest>()?)?;
        let url = self.url(name::CATALOG_SEARCH, &["catalog", "search"]).await?;
        given(self.ask::<SearchAnswer>(self.plain(Kind::Catalog, "POST", url, Some(body)), false).await?)
    }

    async fn look_up(&self) -> Called<Json> {
        let body = bytes(&self.input::<LookupRequest>()?)?;
        let url = self.url(name::CATALOG_LOOKUP, &["catalog", "lookup"]).await?;
        given(self.ask::<LookupAnswer>(self.plain(Kind::Catalog, "POST", url, Some(body)), false).await?)
    }

    async fn quote(&self) -> Called<Json> {
        let mut input = self.input::<FabricationQuoteRequest>()?;
        let package: ContentHash = input
            .get("package")
            .and_then(Value::as_str)
            .and_then(|hash| hash.parse().ok())
            .ok_or_else(|| failed("a quote is for a package, by its hash"))?;
        if !self.twins.is_empty() {
            // With these it may ask for the room that the thing is for, as long as the call runs.
            let (user, call) = (self.invocation.user.as_str(), self.invocation.call.to_string());
            input[format!("{NAMESPACE}.delegation")] = json!({"user": user, "call": call, "twins": self.twins});
        }
        let design = input.get("design").cloned();
        let body = bytes(&input)?;
        let known = self.packages.has(&self.shop.system, &package);
        if !known {
            self.hand_over(package).await?;
        }
        let reply = self.ask_quote(&body, "quote").await?;
        let lost = reply.why_not().is_some_and(|(code, _)| code == code::NOT_FOUND || code == "package_unknown");
        if known && lost {
            // It had the package, and has it no more.
            self.hand_over(package).await?;
            return quoted(self.ask_quote(&body, "quote again").await?, package, design.as_ref());
        }
        quoted(reply, package, design.as_ref())
    }

    async fn ask_quote(&self, body: &Bytes, what: &str) -> Called<Reply<FabricationQuote>> {
        let url = self.url(name::FABRICATION, &["designs", "quote"]).await?;
        let ask = self.plain(Kind::Quote, "POST", url, Some(body.clone()));
        // A quote reserves nothing: one that is lost is asked for again.
        self.ask(
            Ask { key: Some(keys::step(self.invocation, what)), patience: self.shop.patience * QUOTE_TIMES, ..ask },
            false,
        )
        .await
    }

    async fn hand_over(&self, package: ContentHash) -> Called<()> {
        let url = self.url(name::FABRICATION, &["designs"]).await?;
        let bytes = self.contents.get(package).await.ok_or_else(|| failed(format!("nobody has given {package}")))?;
        if bytes.len() > MAX_DESIGN {
            return Err(failed(format!("a design has at most {MAX_DESIGN} bytes")));
        }
        let ask = Ask {
            key: Some(keys::package(&package)),
            body: Some((bytes, "model/3mf")),
            patience: self.shop.patience * QUOTE_TIMES,
            ..self.plain(Kind::Package, "POST", url, None)
        };
        let reply = self.ask::<Package>(ask, false).await?;
        let why = reply.why_not();
        match reply {
            Reply::Is(kept, _) if kept.package == package => {
                self.packages.put(&self.shop.system, package);
                Ok(())
            }
            Reply::Is(..) => Err(failed("it has kept another package than it was given")),
            Reply::No(_) | Reply::Problem { .. } => Err(no(why)),
        }
    }

    async fn checkout(&self) -> Called<Json> {
        let reply = self.send_checkout().await?;
        self.given_checkout(reply)
    }

    /// Begins a session, or changes the one that is named.
    async fn send_checkout(&self) -> Called<Reply<Checkout>> {
        let mut input = self.checkout_input()?;
        let id = take_id(&mut input)?;
        person::fill(&mut input, self.persons).map_err(failed)?;
        if id.is_some() {
            name_lines(&mut input);
        }
        let body = bytes(&input)?;
        read::<CheckoutCreate>(&body).map_err(failed)?;
        let (kind, method, path) = match &id {
            Some(id) => (Kind::Update, "PUT", vec!["checkout-sessions", id.as_str()]),
            None => (Kind::Create, "POST", vec!["checkout-sessions"]),
        };
        let url = self.url(name::CHECKOUT, &path).await?;
        let key = Some(self.forward_key());
        self.ask(Ask { key, ..self.plain(kind, method, url, Some(body)) }, true).await
    }

    /// The key of the step itself, also where it is taken back.
    fn forward_key(&self) -> IdempotencyKey {
        keys::step(self.invocation, "checkout")
    }

    /// The input of the step; where it is taken back, it stands inside of what was made for that.
    fn checkout_input(&self) -> Called<Value> {
        let input = self.invocation.input.value();
        let of_step = if self.invocation.undo { input.get("input").cloned() } else { Some(input) };
        of_step.filter(Value::is_object).ok_or_else(|| failed("a checkout is an object"))
    }

    fn given_checkout(&self, reply: Reply<Checkout>) -> Called<Json> {
        let why = reply.why_not();
        let Reply::Is(_, mut whole) = reply else { return Err(no(why)) };
        person::strip(&mut whole);
        person::hush(&mut whole, self.persons);
        Json::of(&whole).map_err(failed)
    }

    async fn look_checkout(&self) -> Called<Json> {
        let id = take_id(&mut self.invocation.input.value())?.ok_or_else(|| failed("which checkout? give its id"))?;
        let reply = self.get_session(&id).await?;
        self.given_checkout(reply)
    }

    async fn get_session(&self, id: &CheckoutId) -> Called<Reply<Checkout>> {
        let url = self.url(name::CHECKOUT, &["checkout-sessions", id.as_str()]).await?;
        let reply = self.ask::<Checkout>(self.plain(Kind::Session, "GET", url, None), false).await?;
        match &reply {
            Reply::Is(checkout, _) if checkout.id.as_str() != id.as_str() => {
                Err(failed("it speaks of another checkout"))
            }
            _ => Ok(reply),
        }
    }

    /// Ends a session. Where a step is taken back whose answer was lost, the session is found by asking for it again
    /// with the step's own key: that gives the same one, or begins one that is ended at once.
    async fn cancel_checkout(&self) -> Called<Json> {
        let input = self.invocation.input.value();
        // Taken back, it is named by what the step gave, or as whoever made the step has said.
        let mut named = input.get("output").filter(|output| output.is_object()).unwrap_or(&input).clone();
        let id = match take_id(&mut named)? {
            Some(id) => id,
            None if self.invocation.undo => match self.send_checkout().await? {
                Reply::Is(checkout, _) => CheckoutId::new(checkout.id.as_str()).map_err(failed)?,
                // It was never begun.
                Reply::No(_) | Reply::Problem { .. } => return Ok(Json::default()),
            },
            None => return Err(failed("which checkout? give its id")),
        };
        let url = self.url(name::CHECKOUT, &["checkout-sessions", id.as_str(), "cancel"]).await?;
        let key = Some(keys::step(self.invocation, "cancel"));
        let body = Some(Bytes::from_static(b"{}"));
        let ask = Ask { key, ..self.plain(Kind::CancelSession, "POST", url, body) };
        let reply = self.ask::<Checkout>(ask, true).await?;
        let reply = match reply {
            Reply::Is(..) => reply,
            // It has ended already, or is not there: it says how itself.
            Reply::No(_) | Reply::Problem { .. } => self.get_session(&id).await?,
        };
        match &reply {
            Reply::Is(checkout, _) if checkout.status == CheckoutStatus::Completed => {
                Err(failed("it has been ordered: an order is canceled, not a checkout"))
            }
            Reply::Is(checkout, _) if checkout.status != CheckoutStatus::Canceled => {
                Err(Outcome::Unknown("the checkout goes on although it was to end".to_owned()))
            }
            Reply::No(refused) if refused.code() == Some(code::NOT_FOUND) => Ok(Json::default()),
            _ => self.given_checkout(reply),
        }
    }
}

/// An update has to say of each way of handing over which lines go that way; whoever does not say so means all of them. A
/// line that is new has no id by which that could be said: its merchant says what it needs, and the next update names it.
fn name_lines(update: &mut Value) {
    let lines = update.get("line_items").and_then(Value::as_array).into_iter().flatten();
    let named: Vec<Value> = lines.filter_map(|line| line.get("id").cloned()).collect();
    let methods = update.pointer_mut("/fulfillment/methods").and_then(Value::as_array_mut).into_iter().flatten();
    for method in methods.filter_map(Value::as_object_mut) {
        method.entry("line_item_ids").or_insert_with(|| named.clone().into());
    }
}

/// Takes a session's id out of an input; nothing, and `null`, is none.
fn take_id(input: &mut Value) -> Called<Option<CheckoutId>> {
    let id = input.as_object_mut().and_then(|members| members.remove("id"));
    match id {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(id)) => CheckoutId::new(id).map(Some).map_err(failed),
        Some(_) => Err(failed("a checkout's id is a text")),
    }
}

fn bytes(value: &Value) -> Called<Bytes> {
    write(value).map(Bytes::from).map_err(failed)
}

fn no(why: Option<(String, String)>) -> Outcome {
    let (code, words) = why.unwrap_or_default();
    failed(format!("{words} ({code})"))
}

/// A quote, where it is for what was asked about.
fn quoted(reply: Reply<FabricationQuote>, package: ContentHash, design: Option<&Value>) -> Called<Json> {
    if let Reply::Is(quote, whole) = &reply
        && (quote.line.package != package || whole.get("design") != design)
    {
        return Err(failed("it quotes another design than it was asked about"));
    }
    given(reply)
}

/// What a call gives, as its merchant said it.
fn given<T>(reply: Reply<T>) -> Called<Json> {
    let why = reply.why_not();
    match reply {
        Reply::Is(_, whole) => Json::of(&whole).map_err(failed),
        Reply::No(_) | Reply::Problem { .. } => Err(no(why)),
    }
}
