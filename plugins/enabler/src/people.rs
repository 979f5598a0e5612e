//! Whom the enabler knows and what they may do: questions, changes, and what is kept of the answers.

use bevy::prelude::*;
use vestibule_model::{
    Refusal, RefusalCode, Right, Rule, RuleEffect, RuleId, Subject, Timestamp, TwinId, TwinSelector, UserId,
};
use vestibule_protocol::{People, Request, Response};
use vestibule_twin::{KnownDevice, KnownLending, KnownPeople, KnownUser, ManagePeople, ShownCode};

use crate::lend;

/// A question about people, or a change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum PeopleQuestion {
    Me,
    Users,
    Rules,
    Code,
    Change,
}

/// What to ask the enabler for it, in this order.
pub(crate) fn requests(wish: &ManagePeople, enabler_now: Timestamp) -> Vec<(PeopleQuestion, Request)> {
    let change = |request| vec![(PeopleQuestion::Change, request)];
    match wish {
        ManagePeople::Look => vec![(PeopleQuestion::Me, Request::WhoAmI)],
        ManagePeople::LetIn(role) => {
            vec![(PeopleQuestion::Code, Request::OpenPairing { role: role.clone(), user: None })]
        }
        ManagePeople::Forget(device) => change(Request::RevokeDevice(*device)),
        ManagePeople::Remove(user) => change(Request::RemoveUser(user.clone())),
        ManagePeople::TakeAway(rule) => change(Request::RemoveRule(rule.clone())),
        ManagePeople::Allow { user, twin, for_ms } => {
            let until = for_ms.map(|ms| enabler_now.plus(ms));
            let rights = [("see", Right::Read), ("use", Right::ActAny)];
            let rule = |(word, right)| Request::SetRule(grant(word, user, twin, right, until));
            rights.map(|right| (PeopleQuestion::Change, rule(right))).into()
        }
    }
}

/// The rule for one right of one user to one twin. Granted again, it is the same rule with another end.
fn grant(word: &str, user: &UserId, twin: &TwinId, right: Right, until: Option<Timestamp>) -> Rule {
    Rule {
        id: RuleId::slug(&format!("{user}-{word}-{}", twin.to_string().replace('/', "-"))),
        who: Subject::User(user.clone()),
        twins: TwinSelector::Twin(twin.clone()),
        feature: None,
        right,
        effect: RuleEffect::Allow,
        until,
        priority: None,
    }
}

/// Keeps an answer. Gives what to ask next.
pub(crate) fn take(
    known: &mut KnownPeople,
    lending: &mut KnownLending,
    question: &PeopleQuestion,
    answer: Result<Response, Refusal>,
) -> Vec<(PeopleQuestion, Request)> {
    let mut next = Vec::new();
    match (question, answer) {
        (PeopleQuestion::Me, Ok(Response::Me(me))) => {
            next.push((PeopleQuestion::Users, Request::Users));
            if me.owner {
                next.push((PeopleQuestion::Rules, Request::Rules));
            }
            known.me = Some((me.user, me.owner));
            // Whatever stood in the way is over: the enabler answers.
            known.problem = None;
        }
        (PeopleQuestion::Users, Ok(Response::People(mut people))) => {
            lending.lent = std::mem::take(&mut people.tokens).into_iter().map(lend::known).collect();
            known.users = users(people);
        }
        (PeopleQuestion::Rules, Ok(Response::Rules(rules))) => known.rules = rules,
        (PeopleQuestion::Code, Ok(Response::Code { digits, until })) => {
            known.code = Some(ShownCode { digits, until });
            known.problem = None;
        }
        (PeopleQuestion::Change, Ok(Response::Done)) => {
            known.problem = None;
            next.push((PeopleQuestion::Me, Request::WhoAmI));
        }
        (_, answer) => {
            let wrong = || Refusal::new(RefusalCode::Invalid, "an answer to another question");
            known.problem = Some(answer.err().unwrap_or_else(wrong));
        }
    }
    next
}

fn users(people: People) -> Vec<KnownUser> {
    let device =
        |device: vestibule_protocol::DeviceView| KnownDevice { id: device.id, name: device.name, roles: device.roles };
    let user = |user: vestibule_protocol::UserView| KnownUser {
        info: user.info,
        devices: user.devices.into_iter().map(device).collect(),
    };
    people.users.into_iter().map(user).collect()
}
