//! The wire between worlds, twin systems and the enabler, without sockets and without a clock.
//!
//! **Does**: names every message of the metaverse integration interface (MII) and the digital twin integration
//! interface (DII) ([`Request`], [`Response`], [`Event`], [`DiiUp`], [`DiiDown`]), turns them into bytes and back with
//! limits ([`encode`], [`decode`]), packs hot state into datagrams that are never retransmitted ([`HotSender`],
//! [`HotReceiver`]), remembers fencing tokens for whoever speaks to things ([`Fences`]), and runs the client's side of a
//! connection ([`ClientSession`]) over any [`Link`].
//!
//! **Does not**: open sockets (`vestibule-quic` does), decide anything (`vestibule-enabler-core` does), promise that every hot
//! value arrives: only that the newest one does, as long as the link lives.
//!
//! ```
//! use vestibule_protocol::{Request, decode, encode};
//!
//! let frame = encode(&Request::Rules)?;
//! assert_eq!(decode::<Request>(&frame)?, Request::Rules);
//! assert!(decode::<Request>(b"garbage").is_err());
//! # Ok::<(), vestibule_protocol::CodecError>(())
//! ```

mod client;
mod codec;
mod dii;
mod disclosure;
mod execution;
mod fence;
mod hot;
mod link;
mod message;
mod news;
mod past;
mod people;
mod procedure;
mod sii;
mod trade;
mod view;

pub use client::{ClientConfig, ClientSession, RequestId};
pub use codec::{CodecError, MAX_FRAME, decode, encode, encoded_length, protocol_hash};
pub use dii::{DiiDown, DiiUp, InquiryAnswer, Report};
pub use disclosure::{Disclosed, Disclosure, Disclosures};
pub use execution::{CommandUpdate, Execution};
pub use fence::{FenceError, Fences};
pub use hot::{HotAck, HotDatagram, HotEntry, HotReceiver, HotSender, MAX_DATAGRAM};
pub use link::{Link, LinkBusy, LinkCommand, LinkEvent};
pub use message::{Event, Hello, Interest, Occurrence, Party, Request, Response, Welcome};
pub use news::News;
pub use past::{LogLine, PastReading, PastReadings, PastTwin, TwinHistory};
pub use people::{DeviceView, Me, People, TokenView, UserView};
pub use procedure::{Participant, Procedure, ProcedureStep};
pub use sii::{AuthorizationAnswer, CallResult, Invocation, SiiDown, SiiUp};
pub use trade::{Certified, CompleteAsk, NotCertified, Persons, Told, TradeAsk, TradeUp};
pub use view::{FeatureAccess, SystemView, TwinView, WireReading};

/// What QUIC peers agree on before the first byte.
pub const ALPN: &[u8] = b"vestibule/1";
