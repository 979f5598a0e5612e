//! Merchants that speak the Universal Commerce Protocol (REST, 2026-04-08), asked on behalf of the enabler.
//!
//! **Does**: fetches the profiles of merchants that the owner has bound, with care, and knows each by its keys
//! (thumbprints, pinned when they are first seen); signs requests and verifies answers; does SDC's conversion of APIs
//! (`search`, `look_up`, `quote`, `checkout`, `look_checkout`, `cancel_checkout`); places orders, only where the session
//! is exactly what was confirmed and always under the purchase's own key; looks at orders and cancels them; reads
//! webhooks ([`UcpTrade::webhook`]); puts what is personal into requests at the last moment and takes it out of answers;
//! says what this platform is ([`Platform`]).
//!
//! **Does not**: decide what is bought, keep a purchase, ask anything twice (the hub does all three), take an answer
//! that is not definite for one, speak to an address that a merchant merely names, keep a credential, listen anywhere.
//!
//! ```
//! use std::sync::Arc;
//! use vestibule_adapter_ucp::{Contents, Merchant, Platform, UcpConfig, UcpTrade};
//! use vestibule_model::{ContentHash, SystemId};
//! use vestibule_ucp::{Endpoint, SigningKey};
//!
//! struct Nothing;
//! impl Contents for Nothing {
//!     fn get(&self, _: ContentHash) -> std::pin::Pin<Box<dyn Future<Output = Option<bytes::Bytes>> + Send + '_>> {
//!         Box::pin(async { None })
//!     }
//! }
//!
//! # tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
//! let key = SigningKey::from_bytes("platform-1", &[7; 32])?;
//! let platform = Platform::new(&Endpoint::new("http://127.0.0.1:7800")?, key)?;
//! let profile = Endpoint::new("http://127.0.0.1:7801/.well-known/ucp")?;
//! let merchants = vec![Merchant { system: SystemId::slug("shop"), profile }];
//! let (up, _answers) = tokio::sync::mpsc::channel(64);
//! let config = UcpConfig { merchants, platform, roots: Vec::new(), pins: None, patience: UcpConfig::PATIENCE };
//! let trade = UcpTrade::spawn(config, Arc::new(Nothing), up)?;
//! assert_eq!(trade.merchants().count(), 1);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! # })?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod buy;
mod call;
mod clock;
mod courier;
mod hooks;
mod keys;
mod limits;
mod packages;
mod person;
mod pins;
mod platform;
mod services;
mod shop;
mod tokens;
mod trade;
mod view;

pub use pins::PinsError;
pub use platform::{PROFILE_PATH, Platform, WEBHOOK_PATH};
pub use services::is_over_ucp;
pub use trade::{Busy, Contents, Merchant, UcpConfig, UcpError, UcpTrade};
