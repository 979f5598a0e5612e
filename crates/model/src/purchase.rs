use std::{collections::BTreeMap, fmt, sync::Arc};

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    CallId, DesignHash, IdError, Money, OrderView, PurchaseId, SystemId, Timestamp, TwinId, UserId, ids::text_schema,
};

/// Names that merchants give: theirs to choose, within a form.
macro_rules! given_name {
    ($(#[$doc:meta])* $name:ident, $pattern:expr, $words:expr, $fits:expr) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(Arc<str>);

        text_schema!($name, $pattern);

        impl $name {
            /// Checks `text`.
            ///
            /// # Errors
            /// [`IdError::Form`] says how it should look.
            pub fn new(text: impl AsRef<str>) -> Result<Self, IdError> {
                let text = text.as_ref();
                let fits: fn(&str) -> bool = $fits;
                if fits(text) { Ok(Self(Arc::from(text))) } else { Err(IdError::Form($words)) }
            }

            /// As text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl TryFrom<String> for $name {
            type Error = IdError;
            fn try_from(text: String) -> Result<Self, IdError> {
                Self::new(text)
            }
        }

        impl std::str::FromStr for $name {
            type Err = IdError;
            fn from_str(text: &str) -> Result<Self, IdError> {
                Self::new(text)
            }
        }

        impl From<$name> for String {
            fn from(name: $name) -> Self {
                name.0.as_ref().to_owned()
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self.0)
            }
        }
    };
}

/// What a merchant's name of something looks like.
const VISIBLE: &str = "1 to 256 visible ASCII characters";

fn visible(text: &str) -> bool {
    (1..=256).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic())
}

given_name!(
    /// What a merchant calls a checkout: one cart, ordered once at most.
    CheckoutId, "^[!-~]{1,256}$", VISIBLE, visible
);
given_name!(
    /// What a merchant calls an order.
    OrderId, "^[!-~]{1,256}$", VISIBLE, visible
);
given_name!(
    /// What a merchant calls a line of a checkout or an order.
    LineId, "^[!-~]{1,256}$", VISIBLE, visible
);
given_name!(
    /// What a manufacturer calls one thing that it made.
    Serial, "^[A-Z0-9-]{1,64}$", "1 to 64 capital letters, digits and '-'",
    |text| {
        let fits = |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'-';
        (1..=64).contains(&text.len()) && text.bytes().all(fits)
    }
);

/// Which way of paying, of those that a merchant offers. No credential ever passes here.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PayWith {
    /// The payment handler's id.
    #[schema(max_length = 256)]
    pub handler: String,
    /// The instrument's type.
    #[schema(max_length = 256)]
    pub instrument: String,
}

/// "Buy this, for exactly this": the click that costs money.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Confirmation {
    /// Idempotency key: however often it arrives, it is bought once.
    pub id: PurchaseId,
    /// The merchant.
    pub system: SystemId,
    /// What it calls the checkout.
    pub checkout: CheckoutId,
    /// The call whose answer showed the user the checkout; its total is what was shown.
    pub shown: CallId,
    /// What was shown.
    pub total: Money,
    /// What it may become at most, where goods are weighed when they are packed; else the total.
    pub most: Money,
    /// How it is paid.
    pub pay: PayWith,
    /// The designs in it, by line, as the quote answered.
    #[serde(default, with = "crate::sealed")]
    pub designs: BTreeMap<LineId, DesignHash>,
}

/// How far a purchase has come.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum PurchaseState {
    /// Written down; its merchant has not been asked.
    Confirmed,
    /// Its merchant has been asked and has not answered: it may have been ordered.
    Placing {
        /// How often it was asked.
        attempts: u16,
        /// When it was asked first.
        since: Timestamp,
    },
    /// The merchant has it.
    Placed {
        /// What the merchant calls the order.
        order: OrderId,
    },
    /// The merchant said no, and nothing was ordered.
    NotPlaced {
        /// The kind of reason, in the protocol's words: `payment_declined`.
        code: String,
        /// Why, for a person.
        #[serde(with = "crate::sealed")]
        reason: String,
    },
    /// Cancellation has been asked for and is not answered.
    Canceling {
        /// The order, where one is known.
        order: Option<OrderId>,
        /// How often its merchant was asked.
        attempts: u16,
    },
    /// Nothing was ordered and nothing will be, or the order was cancelled.
    Canceled {
        /// The order, where there was one.
        order: Option<OrderId>,
    },
    /// Everything is delivered, or paid back.
    Completed {
        /// The order.
        order: OrderId,
    },
    /// The merchant's order is not what was confirmed. A person has to look.
    Disputed {
        /// The order.
        order: OrderId,
        /// What is different, for a person.
        #[serde(with = "crate::sealed")]
        what: String,
    },
}

impl PurchaseState {
    /// Whether nothing will follow.
    #[must_use]
    pub const fn is_final(&self) -> bool {
        matches!(self, Self::NotPlaced { .. } | Self::Canceled { .. } | Self::Completed { .. })
    }

    /// Whether nobody knows whether it is ordered.
    #[must_use]
    pub const fn in_doubt(&self) -> bool {
        matches!(self, Self::Placing { .. } | Self::Canceling { .. })
    }

    /// The order, where there is one.
    #[must_use]
    pub const fn order(&self) -> Option<&OrderId> {
        match self {
            Self::Placed { order } | Self::Completed { order } | Self::Disputed { order, .. } => Some(order),
            Self::Canceling { order, .. } | Self::Canceled { order } => order.as_ref(),
            Self::Confirmed | Self::Placing { .. } | Self::NotPlaced { .. } => None,
        }
    }
}

/// How far a purchase has come, for whoever made it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PurchaseUpdate {
    /// The purchase.
    pub id: PurchaseId,
    /// Whose it is.
    pub user: UserId,
    /// Its merchant.
    pub system: SystemId,
    /// What the merchant calls the checkout.
    pub checkout: CheckoutId,
    /// How far it is.
    pub state: PurchaseState,
    /// What was confirmed.
    pub total: Money,
    /// The order, as its merchant last showed it.
    pub order: Option<OrderView>,
    /// When its merchant last answered, since the enabler's start.
    pub checked: Option<Timestamp>,
    /// What the state does not say: why it cannot be cancelled, why there is no answer.
    pub said: Option<String>,
    /// When it was confirmed: purchases are listed by this.
    pub confirmed: Timestamp,
    /// When it last came further.
    pub at: Timestamp,
}

/// A delivered thing and its twin.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Product {
    /// The purchase that it came with.
    pub purchase: PurchaseId,
    /// The line of its order.
    pub line: LineId,
    /// What its manufacturer calls it.
    pub serial: Serial,
    /// Its twin.
    pub twin: TwinId,
    /// What it was made to.
    pub design: Option<DesignHash>,
    /// Since when.
    pub since: Timestamp,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_merchants_give_have_a_form() {
        assert!(CheckoutId::new("chk_01/x?y").is_ok());
        for text in ["", "a b", "a\nb", "ä", &"x".repeat(257)] {
            assert!(OrderId::new(text).is_err() && serde_json::from_value::<LineId>(text.into()).is_err(), "{text:?}");
        }
        assert!(Serial::new("W1042-0001").is_ok());
        for text in ["", "w1", "W_1", "W 1", &"W".repeat(65)] {
            assert!(Serial::new(text).is_err(), "{text:?}");
        }
    }
}
