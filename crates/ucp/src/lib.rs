//! The Universal Commerce Protocol, version 2026-04-08: what shops, manufacturers and suppliers say to a platform that
//! buys from them, and what it says to them. Both directions share one decoder.
//!
//! **Does**: reads and writes messages with limits first ([`read`], [`write`]): profiles ([`Profile`]), checkout
//! sessions ([`Checkout`]), fulfilment, payment, orders ([`Order`]), catalogues, what went wrong ([`Refused`],
//! [`Problem`]); negotiates capabilities ([`negotiate`]); checks totals ([`Totals`]); signs and verifies requests and
//! answers (RFC 9421 with ES256: [`sign_request`], [`verify_request`]); decides on repeated requests ([`ask`]) and on
//! which snapshot of an order is newer ([`newer`]); checks webhooks' envelopes ([`Envelope`]); issues and reads
//! products' certificates ([`Certificate`]). What a message has beyond what is known here is kept and written again
//! (`more` in each struct).
//!
//! **Does not**: open a socket, fetch a profile, read a clock (`now` is an argument), make a key, store anything, know
//! a merchant's rules.
//!
//! ```
//! use vestibule_model::Timestamp;
//! use vestibule_ucp::{Parts, SigningKey, sign_request, verify_request};
//!
//! let key = SigningKey::from_bytes("platform-1", &[7; 32])?;
//! let parts = Parts {
//!     subject: "POST".into(),
//!     authority: "127.0.0.1:7801",
//!     path: "/ucp/checkout-sessions",
//!     headers: &[("content-type", "application/json"), ("idempotency-key", "550e8400-e29b-41d4-a716-446655440000")],
//!     body: br#"{"line_items":[{"item":{"id":"lamp"},"quantity":1}]}"#,
//!     ..Parts::default()
//! };
//! let now = Timestamp(1_795_737_600_000);
//! let signed = sign_request(&parts, &key, now)?;
//!
//! let mut headers = parts.headers.to_vec();
//! headers.extend(signed.headers());
//! let arrived = Parts { headers: &headers, ..parts };
//! assert_eq!(verify_request(&arrived, &[key.jwk()], &[], now)?, "platform-1");
//! let changed = Parts { body: br#"{"line_items":[{"item":{"id":"lamp"},"quantity":9}]}"#, ..arrived };
//! assert!(verify_request(&changed, &[key.jwk()], &[], now).is_err());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod catalog;
mod certificate;
mod checkout;
mod endpoint;
mod envelope;
mod extension;
mod fields;
mod fulfillment;
mod http;
mod idempotency;
mod json;
mod key;
pub mod limits;
mod merge;
mod message;
mod moment;
mod negotiate;
mod order;
mod payment;
mod profile;
mod sign;
mod text;
mod totals;
mod verify;
mod webhook;

pub use catalog::{
    Availability, LookupAnswer, LookupRequest, Measure, PageAnswer, PageRequest, Price, PriceRange, Product,
    ProductAnswer, ProductRequest, SearchAnswer, SearchRequest, UnitPrice, Variant,
};
pub use certificate::{Certificate, CertificateError};
pub use checkout::{
    Buyer, Checkout, CheckoutComplete, CheckoutCreate, CheckoutStatus, CheckoutUpdate, Item, ItemRef, LineItem,
    LineItemRequest, Link, OrderConfirmation,
};
pub use endpoint::{Endpoint, EndpointError};
pub use envelope::{Capability, Extends, Handler, Instruments, Refused, Service, Status, UcpMeta};
pub use extension::{
    Certificates, Confirmed, Extension, FabricationLine, FabricationQuote, FabricationQuoteRequest, FabricationState,
    Making, MeasuredLine, MeasuredVariant, OrderCare, Package, PricePart,
};
pub use fulfillment::{
    Address, AvailableMethod, Destination, Fulfillment, FulfillmentRequest, Group, GroupRequest, Method, MethodRequest,
    MethodType, OptionOffered,
};
pub use http::{Problem, Trouble, agent_header, read_agent, uuid};
pub use idempotency::{IdempotencyKey, KEPT_AT_LEAST_MS, KEPT_MS, Kept, Known, Record, ask, is_kept, request_hash};
pub use json::{Answer, Check, Flaw, More, ReadError, WriteError, read, read_answer, value, write};
pub use key::{Jwk, KeyError, SigningKey, VerifyingKey};
pub use merge::{Newer, OrderIds, newer, snapshot_mark};
pub use message::{ContentType, ErrorMessage, InfoMessage, Message, Severity, WarningMessage, code};
pub use moment::moment;
pub use negotiate::{Active, CapabilityRef, NoDeal, negotiate};
pub use order::{
    Adjustment, AdjustmentStatus, Expectation, FulfillmentEvent, LineQuantity, Order, OrderFulfillment, OrderLine,
    OrderLineStatus, OrderMethod, Quantity, SignedQuantity, event,
};
pub use payment::{Credential, Instrument, Payment, TokenizeAnswer, TokenizeRequest};
pub use profile::{Dropped, Profile, Side};
pub use sign::{Parts, SignError, Signed, Subject, content_digest, sign_request, sign_response};
pub use text::{Amount, Id, Name, Positive, TextError, UnsignedAmount, Version};
pub use totals::{SubLine, Total, Totals, TotalsError, kind};
pub use verify::{SignatureError, verify_head, verify_request, verify_response};
pub use webhook::{Envelope, GIVE_UP_AFTER_MS, WebhookError, accepted, retry_after_ms};

/// The version of the protocol that is spoken here. What came after breaks it.
pub const VERSION: &str = "2026-04-08";
/// The version of our own extensions.
pub const EXTENSIONS_VERSION: &str = "2026-11-26";
/// Whose our extensions are. A domain that is reserved for examples, until the project has one of its own.
pub const NAMESPACE: &str = "com.example.vestibule";

/// Names of what is negotiated.
pub mod name {
    /// The service that all of it belongs to.
    pub const SHOPPING: &str = "dev.ucp.shopping";
    /// Checkout sessions.
    pub const CHECKOUT: &str = "dev.ucp.shopping.checkout";
    /// Where and how things are handed over.
    pub const FULFILLMENT: &str = "dev.ucp.shopping.fulfillment";
    /// What becomes of what was bought.
    pub const ORDER: &str = "dev.ucp.shopping.order";
    /// Searching in what is sold.
    pub const CATALOG_SEARCH: &str = "dev.ucp.shopping.catalog.search";
    /// Asking for what is sold by its id.
    pub const CATALOG_LOOKUP: &str = "dev.ucp.shopping.catalog.lookup";
    /// Ours: things made to a design.
    pub const FABRICATION: &str = "com.example.vestibule.fabrication";
    /// Ours: an order that can be canceled, and its number of revisions.
    pub const ORDER_CARE: &str = "com.example.vestibule.order_care";
    /// Ours: goods sold by measure.
    pub const MEASURED_GOODS: &str = "com.example.vestibule.measured_goods";
    /// Ours: a way of paying with which no money moves.
    pub const SANDBOX_PAY: &str = "com.example.vestibule.sandbox_pay";
    /// Ours, in a complete request: what the user was shown and said yes to.
    pub const CONFIRMED: &str = "com.example.vestibule.confirmed";
    /// Ours, in an order: certificates of delivered products.
    pub const CERTIFICATES: &str = "com.example.vestibule.certificates";
}
