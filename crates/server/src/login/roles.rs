//! What a provider's claims make somebody here.

use std::str::FromStr;

use serde_json::Value;
use vestibule_model::RoleId;

/// Whoever has this claim with this value has this role: `groups=staff:guest`, or `sub=*:guest` for everybody.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClaimRole {
    claim: String,
    /// `*`: any value.
    value: String,
    role: RoleId,
}

impl ClaimRole {
    /// The claim that it looks at.
    pub(super) fn claim(&self) -> &str {
        &self.claim
    }
}

impl FromStr for ClaimRole {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("{text:?} is not CLAIM=VALUE:ROLE, as in groups=staff:guest");
        let (claim, rest) = text.split_once('=').ok_or_else(wrong)?;
        // Values can have colons (addresses do), roles with one are not given by claims.
        let (value, role) = rest.rsplit_once(':').ok_or_else(wrong)?;
        if claim.is_empty() || value.is_empty() {
            return Err(wrong());
        }
        let role = RoleId::new(role).map_err(|error| format!("{text:?}: {error}"))?;
        Ok(Self { claim: claim.to_owned(), value: value.to_owned(), role })
    }
}

/// The roles that these claims give.
pub(super) fn of(roles: &[ClaimRole], claims: &Value) -> Vec<RoleId> {
    let mut found = Vec::new();
    for ClaimRole { claim, value, role } in roles {
        // Many providers let people write any address there: only one that was checked says anything.
        if claim == "email" && claims.get("email_verified") != Some(&Value::Bool(true)) {
            continue;
        }
        let is = |said: &Value| match said {
            Value::String(text) => value == "*" || text == value,
            Value::Bool(_) | Value::Number(_) => {
                let text = said.to_string();
                value == "*" || *value == text
            }
            _ => false,
        };
        let has = match claims.get(claim) {
            Some(Value::Array(all)) => all.iter().any(is),
            Some(one) => is(one),
            None => false,
        };
        if has && !found.contains(role) {
            found.push(role.clone());
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn claims_give_roles() {
        let roles: Vec<ClaimRole> = ["groups=staff:guest", "groups=ops:owner", "sub=*:guest", "url=https://x:member"]
            .iter()
            .map(|text| text.parse().unwrap())
            .collect();
        let of = |json: &str| {
            of(&roles, &serde_json::from_str(json).unwrap()).iter().map(ToString::to_string).collect::<Vec<_>>()
        };
        assert_eq!(of(r#"{"groups":["staff","ops"]}"#), ["guest", "owner"]);
        assert_eq!(of(r#"{"groups":"ops"}"#), ["owner"]);
        assert_eq!(of(r#"{"sub":"1"}"#), ["guest"]);
        assert_eq!(of(r#"{"url":"https://x"}"#), ["member"]);
        let mails: Vec<ClaimRole> = vec!["email=a@b.example:owner".parse().unwrap()];
        let mail = |verified: &str| {
            let json = format!(r#"{{"email":"a@b.example","email_verified":{verified}}}"#);
            super::of(&mails, &serde_json::from_str(&json).unwrap()).len()
        };
        assert_eq!((mail("true"), mail("false"), mail("\"true\""), mail("null")), (1, 0, 0, 0));
        assert!(of(r#"{"groups":["staffer"],"Groups":"ops","groups ":"ops"}"#).is_empty());
        assert!(of(r#"{"groups":{"ops":true}}"#).is_empty() && of("[]").is_empty() && of("null").is_empty());
        for wrong in ["", "groups", "groups=ops", "=ops:owner", "groups=:owner", "groups=ops:"] {
            assert!(wrong.parse::<ClaimRole>().is_err(), "{wrong}");
        }
    }
}
