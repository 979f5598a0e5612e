//! A third-party system on the stage: a shop that says and hears what such a system does (SII).

use std::collections::BTreeSet;

use vestibule_model::{
    Answer, CallId, Charge, ChargePer, Json, Pseudonym, ServiceId, ServiceInfo, SystemId, SystemInfo, TwinId,
};
use vestibule_protocol::{CallResult, Invocation, News, Request, Response, SiiDown, SiiUp, TwinView};

use crate::{actor::Actor, wire};

/// A third-party system.
pub struct ThirdParty {
    /// Its connection.
    pub actor: Actor,
    /// What it says of itself.
    pub info: SystemInfo,
}

/// What it was asked to agree to.
#[derive(Clone, Debug)]
pub struct Asked {
    /// Names the question.
    pub inquiry: vestibule_model::InquiryId,
    /// What the user is called here.
    pub user: Pseudonym,
    /// Their name, where they share it.
    pub name: Option<vestibule_model::UserId>,
    /// The services that they want.
    pub services: BTreeSet<ServiceId>,
    /// Until when.
    pub until: vestibule_model::Timestamp,
}

impl ThirdParty {
    /// Its id.
    #[must_use]
    pub const fn id(&self) -> &SystemId {
        &self.info.id
    }

    /// Says something.
    ///
    /// # Errors
    /// What the enabler said instead of taking it.
    pub async fn tell(&self, message: SiiUp) -> Result<(), String> {
        self.actor.done(Request::Sii(message)).await
    }

    /// Registers.
    ///
    /// # Errors
    /// What the enabler said instead of taking it.
    pub async fn register(&self) -> Result<(), String> {
        self.tell(SiiUp::Register(Box::new(self.info.clone()))).await
    }

    /// Waits for a question about a user after `mark`.
    ///
    /// # Errors
    /// That none came, in words.
    pub async fn hears_question(&self, mark: usize) -> Result<Asked, String> {
        self.actor
            .hears(mark, "a question about a user", |news| match news {
                News::Sii(SiiDown::Authorize { inquiry, user, name, services, until, .. }) => Some(Asked {
                    inquiry: *inquiry,
                    user: user.clone(),
                    name: name.clone(),
                    services: services.clone(),
                    until: *until,
                }),
                _ => None,
            })
            .await
    }

    /// Waits for an invocation of a call's step.
    ///
    /// # Errors
    /// That it did not come, in words.
    pub async fn hears_invocation(&self, call: CallId, step: &str, undo: bool) -> Result<Invocation, String> {
        let what = format!("the step {step} of {call}{}", if undo { ", to be taken back" } else { "" });
        self.actor
            .hears(0, &what, |news| match news {
                News::Sii(SiiDown::Invoke(one))
                    if one.call == call && one.step.as_str() == step && one.undo == undo =>
                {
                    Some(one.as_ref().clone())
                }
                _ => None,
            })
            .await
    }

    /// How often it was invoked for a call.
    #[must_use]
    pub fn invocations(&self, call: CallId) -> usize {
        let is_it = |news: &&News| matches!(news, News::Sii(SiiDown::Invoke(one)) if one.call == call);
        self.actor.heard(0, |news| news.iter().filter(is_it).count())
    }

    /// Says how an invocation went.
    ///
    /// # Errors
    /// What the enabler said instead of taking it.
    pub async fn result(&self, invocation: &Invocation, result: CallResult) -> Result<(), String> {
        let (call, step, undo) = (invocation.call, invocation.step.clone(), invocation.undo);
        self.tell(SiiUp::Result { call, step, undo, result }).await
    }

    /// Says that an invocation is done, and what it gives.
    ///
    /// # Errors
    /// What the enabler said instead of taking it.
    pub async fn gives(&self, invocation: &Invocation, output: &str) -> Result<(), String> {
        self.result(invocation, CallResult::Done(Answer::new(output))).await
    }

    /// Asks for a twin on behalf of a user.
    pub async fn acquire(&self, twin: &TwinId, user: &Pseudonym, call: Option<CallId>) -> wire::Answer {
        self.actor.ask(Request::Sii(SiiUp::Acquire { twin: twin.clone(), user: user.clone(), call })).await
    }
}

/// What a shop says of itself: `order` acts each time it is asked and `cancel` takes it back; `look` and
/// `checkout` change nothing.
///
/// # Errors
/// What is wrong with the kit.
pub fn shop(mut info: SystemInfo) -> Result<SystemInfo, String> {
    let schema = json(r#"{"type":"object"}"#)?;
    let mut offer = |name: &str, idempotent: bool, undo: Option<&str>| {
        let (undo, input) = (undo.map(ServiceId::slug), Some(schema.clone()));
        let service = ServiceInfo { idempotent, undo, input, ..ServiceInfo::new(name) };
        info.services.insert(ServiceId::slug(name), service);
    };
    offer("order", false, Some("cancel"));
    offer("cancel", true, None);
    offer("look", true, None);
    offer("checkout", true, None);
    info.system_type = "shop".to_owned();
    info.charge = Some(Charge { amount: 250, currency: "EUR".parse()?, per: ChargePer::Item });
    Ok(info)
}

/// The one twin that a third party was told of.
///
/// # Errors
/// What came instead.
pub fn told(answer: wire::Answer) -> Result<TwinView, String> {
    match answer {
        Ok(Response::Twins(_)) | Err(_) => crate::actor::one_twin(answer),
        other => Err(crate::actor::instead("a twin", &other)),
    }
}

/// JSON that is right as it is written.
///
/// # Errors
/// What is wrong with it.
pub fn json(text: &str) -> Result<Json, String> {
    Json::new(text).map_err(|error| error.to_string())
}
