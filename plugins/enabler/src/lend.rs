//! Tokens: those that the person has signed and ended, and those of others, which every connection has to be shown anew.

use vestibule_model::{Delegation, Limits, Refusal, RefusalCode, RuleId, Timestamp, TwinId};
use vestibule_protocol::{Me, Request, Response, TokenView};
use vestibule_twin::{EndedToken, HeldToken, KnownLending, KnownToken, LendRights, SignedToken, TokenText};

/// Characters of a token at most, as the enabler has them: whatever is longer is none, and need not travel.
const MOST_CHARACTERS: usize = 4_096;

/// A question about tokens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum LendQuestion {
    Lend { guest: String, limits: Limits },
    TakeBack,
    Present { enabler: String, text: TokenText },
}

/// What to ask after an answer.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Next {
    Nothing,
    /// What is lent has changed.
    Look,
    /// In a box: it is far longer than the others.
    Present(Box<(LendQuestion, Request)>),
}

pub(crate) fn known(view: TokenView) -> KnownToken {
    let TokenView { id, by, guest, limits } = view;
    KnownToken { id, by, guest, limits }
}

fn present(enabler: &str, text: &TokenText) -> (LendQuestion, Request) {
    let question = LendQuestion::Present { enabler: enabler.to_owned(), text: text.clone() };
    (question, Request::Present { token: text.0.clone() })
}

/// What to ask the enabler for it; nothing where it is asked already, or nobody has to be asked.
pub(crate) fn request(
    wish: &LendRights,
    known: &mut KnownLending,
    enabler: &str,
    now: Timestamp,
) -> Option<(LendQuestion, Request)> {
    match wish.clone() {
        LendRights::Lend { guest, limits, for_ms } => {
            if std::mem::replace(&mut known.asking, true) {
                return None;
            }
            known.problem = None;
            let limits = Limits { until: Some(now.plus(for_ms)), ..limits };
            let delegation = Delegation { guest: guest.clone(), limits: limits.clone() };
            Some((LendQuestion::Lend { guest, limits }, Request::Delegate(delegation)))
        }
        LendRights::TakeBack(id) => {
            known.problem = None;
            Some((LendQuestion::TakeBack, Request::RevokeToken(id)))
        }
        LendRights::Use(text) => {
            let text = TokenText(text.0.trim().to_owned());
            known.refused = None;
            if text.0.is_empty() || text.0.len() > MOST_CHARACTERS {
                let message = format!("a token has 1 to {MOST_CHARACTERS} characters");
                known.refused = Some(Refusal::new(RefusalCode::Invalid, message));
                return None;
            }
            known.trying = find(known, enabler, &text).is_none();
            Some(present(enabler, &text))
        }
        LendRights::Forget(id) => {
            known.held.retain(|held| held.token.as_ref().is_none_or(|token| token.id != id));
            None
        }
    }
}

/// The connection is lost, and with it what it was shown.
pub(crate) fn lose(known: &mut KnownLending) {
    for held in &mut known.held {
        (held.asked, held.again) = (false, false);
    }
}

/// What a new connection has to be shown.
pub(crate) fn regain(known: &mut KnownLending, enabler: &str) -> Vec<(LendQuestion, Request)> {
    let mine = known.held.iter_mut().filter(|held| held.enabler == enabler);
    mine.map(|held| {
        held.asked = true;
        present(enabler, &held.text)
    })
    .collect()
}

/// A twin is seen by these rules from now on. Tokens that were about it and are not among them may have ended: showing them
/// once more tells, and why.
pub(crate) fn doubt(
    known: &mut KnownLending,
    enabler: &str,
    twin: &TwinId,
    rules: &[&RuleId],
) -> Vec<(LendQuestion, Request)> {
    let mut asks = Vec::new();
    for held in known.held.iter_mut().filter(|held| held.enabler == enabler) {
        let doubtful = held
            .token
            .as_ref()
            .is_some_and(|token| token.limits.cover_twin(twin) && !rules.iter().any(|rule| **rule == token.rule()));
        if doubtful && held.asked {
            held.again = true;
        } else if doubtful {
            held.asked = true;
            asks.push(present(enabler, &held.text));
        }
    }
    asks
}

/// Keeps an answer.
pub(crate) fn take(known: &mut KnownLending, question: LendQuestion, answer: Result<Response, Refusal>) -> Next {
    let wrong = || Refusal::new(RefusalCode::Invalid, "an answer to another question");
    match (question, answer) {
        (LendQuestion::Lend { guest, limits }, answer) => {
            known.asking = false;
            match answer {
                Ok(Response::Token(text)) => {
                    known.signed = Some(SignedToken { guest, limits, text: TokenText(text) });
                    return Next::Look;
                }
                answer => known.problem = Some(answer.err().unwrap_or_else(wrong)),
            }
        }
        (LendQuestion::TakeBack, Ok(Response::Done)) => return Next::Look,
        (LendQuestion::TakeBack, answer) => known.problem = Some(answer.err().unwrap_or_else(wrong)),
        (LendQuestion::Present { enabler, text }, Ok(Response::Me(me))) => return accepted(known, enabler, text, me),
        (LendQuestion::Present { enabler, text }, answer) => {
            refused(known, &enabler, &text, answer.err().unwrap_or_else(wrong));
        }
    }
    Next::Nothing
}

fn find<'a>(known: &'a mut KnownLending, enabler: &str, text: &TokenText) -> Option<&'a mut HeldToken> {
    known.held.iter_mut().find(|held| held.enabler == enabler && held.text == *text)
}

/// The enabler has read a token and takes it.
fn accepted(known: &mut KnownLending, enabler: String, text: TokenText, me: Me) -> Next {
    let claimed = |view: &TokenView| {
        let others = known.held.iter().filter(|held| held.enabler == enabler && held.text != text);
        others.filter_map(|held| held.token.as_ref()).any(|token| token.id == view.id)
    };
    // The newest comes last.
    let view = me.tokens.into_iter().rev().find(|view| !claimed(view)).map(self::known);
    match find(known, &enabler, &text) {
        Some(held) => {
            held.asked = std::mem::take(&mut held.again);
            held.token = held.token.take().or(view);
            if held.asked {
                return Next::Present(Box::new(present(&enabler, &text)));
            }
        }
        None => {
            known.trying = false;
            known.held.push(HeldToken { enabler, text, token: view, asked: false, again: false });
        }
    }
    Next::Nothing
}

/// The enabler does not take it. Whatever may pass by itself is asked again with the next connection.
fn refused(known: &mut KnownLending, enabler: &str, text: &TokenText, why: Refusal) {
    let passes = matches!(why.code, RefusalCode::Unavailable | RefusalCode::Overloaded);
    match find(known, enabler, text) {
        Some(held) if passes => (held.asked, held.again) = (false, false),
        Some(held) => {
            let token = held.token.take();
            known.held.retain(|held| held.enabler != enabler || held.text != *text);
            known.end(EndedToken { token, why });
        }
        None => {
            known.trying = false;
            known.refused = Some(why);
        }
    }
}
