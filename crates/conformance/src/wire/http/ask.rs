//! What is asked over HTTP for what is asked over QUIC: method, path, query, headers, body.

use reqwest::Method;
use serde::Serialize;
use serde_json::{Value, json};
use vestibule_model::{
    Collaboration, Command, Confirmation, ContentHash, Inquiry, LeaseRequest, Refusal, RefusalCode, ServiceLevel,
    SystemQuery, TwinId, Wanted,
};
use vestibule_protocol::{DiiUp, Party, Report, Request, SiiUp};

use super::answer::Takes;

/// What is sent along.
#[derive(Clone, Debug)]
pub(super) enum Body {
    /// Nothing.
    None,
    /// JSON.
    Json(Value),
    /// Content.
    Bytes {
        /// The bytes.
        bytes: Vec<u8>,
        /// Their media type.
        media: String,
    },
}

/// A request over HTTP.
#[derive(Clone, Debug)]
pub(super) struct Call {
    pub(super) method: Method,
    /// Behind `/v1`.
    pub(super) path: Vec<String>,
    pub(super) query: Vec<(String, String)>,
    pub(super) headers: Vec<(&'static str, String)>,
    pub(super) body: Body,
    pub(super) takes: Takes,
}

impl Call {
    pub(super) fn new<P: Into<String>>(method: Method, path: impl IntoIterator<Item = P>) -> Self {
        let path = path.into_iter().map(Into::into).collect();
        Self { method, path, query: Vec::new(), headers: Vec::new(), body: Body::None, takes: Takes::Done }
    }

    pub(super) fn json(self, json: Value) -> Self {
        Self { body: Body::Json(json), ..self }
    }

    fn takes(self, takes: Takes) -> Self {
        Self { takes, ..self }
    }

    fn pair(mut self, name: &str, value: Option<impl ToString>) -> Self {
        self.query.extend(value.map(|value| (name.to_owned(), value.to_string())));
        self
    }

    fn header(mut self, name: &'static str, value: impl ToString) -> Self {
        self.headers.push((name, value.to_string()));
        self
    }
}

fn get<const N: usize>(path: [&str; N]) -> Call {
    Call::new(Method::GET, path)
}

fn post<const N: usize>(path: [&str; N]) -> Call {
    Call::new(Method::POST, path)
}

fn put<const N: usize>(path: [&str; N]) -> Call {
    Call::new(Method::PUT, path)
}

fn delete<const N: usize>(path: [&str; N]) -> Call {
    Call::new(Method::DELETE, path)
}

/// Where a system's own paths begin.
pub(super) const fn word(party: Party) -> &'static str {
    match party {
        Party::Metaverse => "mii",
        Party::TwinSystem => "dii",
        Party::ThirdParty => "sii",
    }
}

/// A path about a twin.
fn twin<const N: usize>(method: Method, twin: &TwinId, rest: [&str; N]) -> Call {
    let mut call = Call::new(method, ["twins", twin.system().as_str(), twin.local()]);
    call.path.extend(rest.map(str::to_owned));
    call
}

/// What JSON has as a text or a number, as it stands in a query.
fn text(value: &impl Serialize) -> Option<String> {
    match serde_json::to_value(value).ok()? {
        Value::Null => None,
        Value::String(text) => Some(text),
        other => Some(other.to_string()),
    }
}

fn json(value: &impl Serialize) -> Result<Value, Refusal> {
    serde_json::to_value(value).map_err(|error| Refusal::new(RefusalCode::Invalid, error.to_string()))
}

/// The request over HTTP that asks the same.
///
/// # Errors
/// A refusal by the kit itself: HTTP has no such request.
pub(super) fn call(request: Request) -> Result<Call, Refusal> {
    Ok(match request {
        Request::DiscoverSystems(query) => systems(&query),
        Request::RemoveSystem(system) => delete(["systems", system.as_str()]),
        Request::ListTwins { system, after, limit } => {
            let call = get(["systems", system.as_str(), "twins"]).pair("after", after).pair("limit", Some(limit));
            call.takes(Takes::Twins)
        }
        Request::DescribeTwin(id) => twin(Method::GET, &id, []).takes(Takes::Twin),
        Request::Acquire(id) => twin(Method::POST, &id, ["acquisition"]).takes(Takes::Twin),
        Request::Refresh(id) => twin(Method::POST, &id, ["refresh"]),
        Request::Actuate(command) => actuate(&command),
        Request::CommandStatus(command) => get(["commands", &command.to_string()]).takes(Takes::Command),
        Request::Lease(request) => lease(&request),
        Request::RenewLease(lease) => post(["leases", &lease.to_string(), "renewal"]).takes(Takes::Lease),
        Request::ReleaseLease(lease) => delete(["leases", &lease.to_string()]).takes(Takes::Lease),
        Request::Leases { twin: id } => twin(Method::GET, &id, ["leases"]).takes(Takes::Leases),
        Request::Explain(inquiry) => explain(inquiry),
        Request::Steps { after, limit, follow: false } => {
            get(["steps"]).pair("after", Some(after)).pair("limit", Some(limit)).takes(Takes::Steps)
        }
        Request::Dii(message) => dii(message)?,
        Request::Sii(message) => sii(message)?,
        Request::Authorize { system, services, share, until } => put(["authorizations", system.as_str()])
            .json(json!({ "services": services, "share": share, "until": until }))
            .takes(Takes::Authorized),
        Request::Deauthorize { system } => delete(["authorizations", system.as_str()]),
        Request::Authorizations => get(["authorizations"]).takes(Takes::Authorizations),
        Request::Invoke(call) => invoke(&call),
        Request::Call(call) => get(["calls", &call.to_string()]).takes(Takes::Call),
        Request::CancelCall(call) => delete(["calls", &call.to_string()]).takes(Takes::Call),
        Request::History { twin: id, after, limit } => twin(Method::GET, &id, ["history"])
            .pair("after", Some(after))
            .pair("limit", Some(limit))
            .takes(Takes::History),
        request => buying(request)?,
    })
}

/// What users buy, what they give for it, and what came of it.
fn buying(request: Request) -> Result<Call, Refusal> {
    Ok(match request {
        Request::Give { hash, size, media, offset, bytes } => {
            let call = put(["contents", &hash.to_string()]).pair("size", Some(size)).pair("offset", Some(offset));
            let body = Body::Bytes { bytes, media: "application/octet-stream".to_owned() };
            Call { body, ..call.pair("media", Some(media)).takes(Takes::Given) }
        }
        Request::Confirm(said) => confirm(&said),
        Request::CancelPurchase(id) => delete(["purchases", &id.to_string()]).takes(Takes::Purchase),
        Request::Purchase(id) => get(["purchases", &id.to_string()]).takes(Takes::Purchase),
        Request::Purchases { before, limit } => {
            let before = before.as_ref().and_then(text);
            get(["purchases"]).pair("before", before).pair("limit", Some(limit)).takes(Takes::Purchases)
        }
        Request::Bind { twin, purchase, serial, certificate } => put(["products", serial.as_str()])
            .json(json!({ "twin": twin, "purchase": purchase, "certificate": certificate }))
            .takes(Takes::Product),
        Request::Keep { purchase, serial, certificate, place, visual } => {
            let body = json!({ "purchase": purchase, "certificate": certificate, "place": place, "visual": visual });
            put(["products", serial.as_str(), "thing"]).json(given(body)).takes(Takes::Product)
        }
        Request::Unbind { serial } => delete(["products", serial.as_str()]),
        Request::Products { after, limit } => {
            get(["products"]).pair("after", after).pair("limit", Some(limit)).takes(Takes::Products)
        }
        request => people(request)?,
    })
}

fn confirm(said: &Confirmation) -> Call {
    let Confirmation { id, system, checkout, shown, total, most, pay, designs } = said;
    let body = json!({
        "system": system, "checkout": checkout, "shown": shown, "total": total, "most": most, "pay": pay,
        "designs": designs,
    });
    put(["purchases", &id.to_string()]).json(body).takes(Takes::Purchase)
}

/// What owners do, and what is about who one is.
fn people(request: Request) -> Result<Call, Refusal> {
    Ok(match request {
        Request::Rules => get(["rules"]).takes(Takes::Rules),
        Request::SetRule(rule) => put(["rules", rule.id.as_str()]).json(json(&rule)?),
        Request::RemoveRule(rule) => delete(["rules", rule.as_str()]),
        Request::WhoAmI => get(["me"]).takes(Takes::Me),
        Request::Users => get(["users"]).takes(Takes::People),
        Request::SetUser(user) => put(["users", user.id.as_str()]).json(json(&user)?),
        Request::RemoveUser(user) => delete(["users", user.as_str()]),
        Request::RevokeDevice(device) => delete(["devices", &device.to_string()]),
        Request::OpenPairing { role, user } => {
            let mut body = json!({ "role": role });
            if let Some(user) = user {
                body["user"] = json(&user)?;
            }
            post(["pairing", "codes"]).json(body).takes(Takes::Code)
        }
        Request::Delegate(delegation) => post(["tokens"]).json(json(&delegation)?).takes(Takes::Token),
        Request::RevokeToken(token) => delete(["tokens", &token.to_string()]),
        Request::Log { after, limit } => {
            get(["log"]).pair("after", Some(after)).pair("limit", Some(limit)).takes(Takes::Log)
        }
        _ => return Err(Refusal::new(RefusalCode::Invalid, "the kit does not ask this over HTTP")),
    })
}

fn systems(query: &SystemQuery) -> Call {
    let mut call = get(["systems"])
        .pair("kind", query.kind.as_ref().and_then(text))
        .pair("system_type", query.system_type.as_ref())
        .pair("text", query.text.as_ref())
        .pair("cell", query.place.map(|area| area.cell))
        .pair("ring", query.place.map(|area| area.ring))
        .pair("feature", query.feature.as_ref().and_then(text))
        .pair("service", query.service.as_ref())
        .pair("charge_amount", query.charge.map(|charge| charge.amount))
        .pair("charge_currency", query.charge.and_then(|charge| text(&charge.currency)))
        .pair("charge_per", query.charge.and_then(|charge| text(&charge.per)))
        .pair("keeps_promises", query.keeps_promises)
        .pair("online", query.online)
        .pair("after", query.after.as_ref())
        .pair("limit", Some(query.limit));
    for (name, value) in &query.properties {
        call = call.pair("property", Some(format!("{name}={value}")));
    }
    call.query.extend(query.level.iter().flat_map(|wanted| level("promised", wanted)));
    call.query.extend(query.measured.iter().flat_map(|wanted| level("measured", wanted)));
    call.takes(Takes::Systems)
}

fn level(whose: &str, level: &ServiceLevel) -> Vec<(String, String)> {
    let Ok(Value::Object(parts)) = serde_json::to_value(level) else { return Vec::new() };
    let given = parts.into_iter().filter_map(|(name, value)| Some((format!("{whose}_{name}"), text(&value)?)));
    given.collect()
}

/// An object without what is not given.
fn given(value: Value) -> Value {
    match value {
        Value::Object(parts) => Value::Object(parts.into_iter().filter(|(_, value)| !value.is_null()).collect()),
        other => other,
    }
}

fn actuate(command: &Command) -> Call {
    let Command { id, twin: about, feature, action, input, expected_revision, not_after, trace, lease } = command;
    let body = json!({
        "feature": feature, "action": action, "input": input, "not_after": not_after, "trace": trace, "lease": lease,
    });
    let call = twin(Method::POST, about, ["commands"]).header("idempotency-key", id).json(given(body));
    let call = match expected_revision {
        Some(revision) => call.header("if-match", format!("\"{revision}\"")),
        None => call,
    };
    call.takes(Takes::Command)
}

fn lease(request: &LeaseRequest) -> Call {
    let LeaseRequest { id, twin: about, priority, ttl_ms, wait_ms } = request;
    let body = json!({ "priority": priority, "ttl_ms": ttl_ms, "wait_ms": wait_ms });
    twin(Method::POST, about, ["leases"]).header("idempotency-key", id).json(body).takes(Takes::Lease)
}

fn invoke(call: &Collaboration) -> Call {
    let Collaboration { id, input, steps, not_after, trace } = call;
    let body = json!({ "input": input, "steps": steps, "not_after": not_after, "trace": trace });
    post(["calls"]).header("idempotency-key", id).json(given(body)).takes(Takes::Call)
}

fn explain(inquiry: Inquiry) -> Call {
    let call = get(["explain"]).takes(Takes::Explanation).pair("user", inquiry.user);
    match inquiry.what {
        Wanted::Read { twin, feature } => call.pair("twin", Some(twin)).pair("feature", feature),
        Wanted::Act { twin, feature, action } => {
            call.pair("twin", Some(twin)).pair("feature", Some(feature)).pair("action", Some(action))
        }
        Wanted::Lease { twin } => call.pair("twin", Some(twin)).pair("hold", Some(true)),
        Wanted::Use { system, service } => call.pair("system", Some(system)).pair("service", Some(service)),
        Wanted::Manage => call,
    }
}

fn report(report: Report) -> Call {
    let Report { twin, feature, property, value, at, fresh, revision } = report;
    let mut said = json!({
        "twin": twin, "feature": feature, "property": property, "value": value, "kept": at.is_none(), "fresh": fresh,
        "revision": revision,
    });
    if let Some(at) = at {
        said["at"] = json!(at);
    }
    post(["dii", "reports"]).json(json!({ "reports": [said] })).takes(Takes::Report)
}

fn sii(message: SiiUp) -> Result<Call, Refusal> {
    Ok(match message {
        SiiUp::Register(info) => put(["sii", "registration"]).json(json(&info)?),
        SiiUp::Deregister => delete(["sii", "registration"]),
        SiiUp::Heartbeat => post(["sii", "heartbeat"]),
        SiiUp::Authorized { inquiry, answer } => {
            post(["sii", "answers"]).json(json!({ "inquiry": inquiry, "answer": answer }))
        }
        SiiUp::Revoke { user } => delete(["sii", "users", user.as_str()]),
        SiiUp::Result { call, step, undo, result } => {
            post(["sii", "results"]).json(json!({ "call": call, "step": step, "undo": undo, "result": result }))
        }
        SiiUp::Acquire { twin, user, call } => {
            let system = twin.system();
            let path = ["sii", "users", user.as_str(), "twins", system.as_str(), twin.local()];
            get(path).pair("call", call).takes(Takes::Twin)
        }
    })
}

fn dii(message: DiiUp) -> Result<Call, Refusal> {
    let about = |method, twin: &TwinId| Call::new(method, ["dii", "twins", twin.system().as_str(), twin.local()]);
    Ok(match message {
        DiiUp::Register(info) => put(["dii", "registration"]).json(json(&info)?),
        DiiUp::Deregister => delete(["dii", "registration"]),
        DiiUp::Heartbeat => post(["dii", "heartbeat"]),
        DiiUp::Describe(info) => post(["dii", "twins"]).json(json!({ "twin": info })),
        DiiUp::Gone(twin) => about(Method::DELETE, &twin),
        DiiUp::Complete { twins } => post(["dii", "complete"]).json(json!({ "twins": twins })),
        DiiUp::Reachable { twin, feature, reachable } => {
            let mut call = about(Method::PUT, &twin).json(given(json!({ "reachable": reachable, "feature": feature })));
            call.path.push("reachable".to_owned());
            call
        }
        DiiUp::Report(said) => report(said),
        DiiUp::Occurred(occurrence) => post(["dii", "occurrences"]).json(json(&occurrence)?),
        DiiUp::Outcome { command, status } => {
            post(["dii", "outcomes"]).json(json!({ "command": command, "status": status }))
        }
        DiiUp::Inquired { inquiry, answer } => {
            post(["dii", "answers"]).json(json!({ "inquiry": inquiry, "answer": answer }))
        }
        DiiUp::Blob { bytes, media } => {
            let call = put(["dii", "contents", &ContentHash::of(&bytes).to_string()]);
            Call { body: Body::Bytes { bytes, media }, ..call }
        }
        DiiUp::Integrated { twin, fence } => {
            post(["dii", "integrations"]).json(json!({ "twin": twin, "fence": fence }))
        }
        DiiUp::NotIntegrated { twin, fence, reason } => {
            post(["dii", "integrations"]).json(json!({ "twin": twin, "fence": fence, "reason": reason }))
        }
    })
}
