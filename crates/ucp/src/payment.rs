use std::fmt;

use serde::{Deserialize, Serialize};
use vestibule_model::Currency;

use crate::{Address, Check, Flaw, Id, More, UnsignedAmount, json::at_most, limits::MAX_HANDLERS};

/// How something is paid.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Payment {
    /// With what; one of them is selected.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instruments: Option<Vec<Instrument>>,
    /// What is not known here.
    #[serde(flatten)]
    pub more: More,
}

impl Payment {
    /// With what.
    #[must_use]
    pub fn instruments(&self) -> &[Instrument] {
        self.instruments.as_deref().unwrap_or_default()
    }

    /// The instrument that is used: the selected one, or the only one.
    #[must_use]
    pub fn selected(&self) -> Option<&Instrument> {
        match self.instruments() {
            [only] if only.selected != Some(false) => Some(only),
            all => all.iter().find(|instrument| instrument.selected == Some(true)),
        }
    }
}

impl Check for Payment {
    fn check(&self) -> Result<(), Flaw> {
        at_most("instruments", self.instruments(), MAX_HANDLERS)?;
        if self.instruments().iter().filter(|instrument| instrument.selected == Some(true)).count() > 1 {
            return Err(Flaw::Rule("one instrument at most is selected"));
        }
        Ok(())
    }
}

/// A card, an account: something to pay with.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Instrument {
    /// The platform's name of it.
    pub id: Id,
    /// Which of the merchant's ways of paying takes it.
    pub handler_id: Id,
    /// `card`, `sandbox`, ...
    #[serde(rename = "type")]
    pub kind: String,
    /// Whether it is the one that is used.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub selected: Option<bool>,
    /// What people recognize it by.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub display: Option<More>,
    /// Where its bill goes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub billing_address: Option<Address>,
    /// What proves that it may be used. Only in complete requests.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub credential: Option<Credential>,
    /// What is not known here.
    #[serde(flatten)]
    pub more: More,
}

/// What proves that an instrument may be used. Goes one way only: no answer has it, no log line shows it.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub struct Credential {
    /// Which kind.
    #[serde(rename = "type")]
    pub kind: String,
    /// The proof itself.
    #[serde(flatten)]
    pub secret: More,
}

impl Credential {
    /// A token of the sandbox.
    #[must_use]
    pub fn sandbox(token: impl Into<String>) -> Self {
        let secret = [("token".to_owned(), serde_json::Value::String(token.into()))].into_iter().collect();
        Self { kind: "sandbox_token".to_owned(), secret }
    }

    /// Its token, where it has one.
    #[must_use]
    pub fn token(&self) -> Option<&str> {
        self.secret.get("token")?.as_str()
    }
}

impl fmt::Debug for Credential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Credential({:?}, hidden)", self.kind)
    }
}

/// To the sandbox: a token for so much, in this session only.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TokenizeRequest {
    /// What the token is good for: `{checkout_id}`.
    pub binding: More,
    /// Minor units.
    pub amount: UnsignedAmount,
    /// Which currency.
    pub currency: Currency,
    /// Which of the sandbox's cards: `sandbox-ok`, `sandbox-declined`, ...
    pub card: String,
}

impl Check for TokenizeRequest {
    fn check(&self) -> Result<(), Flaw> {
        match self.binding.get("checkout_id").and_then(serde_json::Value::as_str) {
            Some(id) if !id.is_empty() => Ok(()),
            _ => Err(Flaw::Rule("a token is bound to a checkout")),
        }
    }
}

/// From the sandbox.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TokenizeAnswer {
    /// The token.
    pub token: String,
    /// When it ends, as a moment of RFC 3339.
    pub expires_at: String,
}

impl fmt::Debug for TokenizeAnswer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TokenizeAnswer(hidden, until {})", self.expires_at)
    }
}

impl Check for TokenizeAnswer {
    fn check(&self) -> Result<(), Flaw> {
        if self.token.is_empty() { Err(Flaw::Rule("an empty token proves nothing")) } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_log_shows_a_credential() {
        let text =
            r#"{"id":"i","handler_id":"h","type":"card","credential":{"type":"card","number":"4111","cvc":"999"}}"#;
        let instrument: Instrument = serde_json::from_str(text).unwrap();
        let shown = format!("{instrument:?}");
        assert!(shown.contains("hidden") && !shown.contains("4111") && !shown.contains("999"), "{shown}");
        assert!(!format!("{:?}", Credential::sandbox("tok_1")).contains("tok_1"));
        assert_eq!(Credential::sandbox("tok_1").token(), Some("tok_1"));
    }

    #[test]
    fn one_instrument_is_used() {
        let one = |selected| Instrument {
            id: Id::new("i").unwrap(),
            handler_id: Id::new("h").unwrap(),
            kind: "card".into(),
            selected,
            display: None,
            billing_address: None,
            credential: None,
            more: More::new(),
        };
        let payment = |instruments| Payment { instruments: Some(instruments), more: More::new() };
        assert!(payment(vec![one(None)]).selected().is_some());
        assert!(payment(vec![one(Some(false))]).selected().is_none());
        assert!(payment(vec![one(None), one(None)]).selected().is_none(), "nobody guesses with what to pay");
        assert!(payment(vec![one(None), one(Some(true))]).selected().is_some());
        assert!(payment(vec![one(Some(true)), one(Some(true))]).check().is_err());
    }
}
