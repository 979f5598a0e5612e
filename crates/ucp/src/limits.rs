//! How much of anything is taken. What comes from outside is held against these before it is looked at.

/// Bytes of a body. Snapshots of the longest orders taken have about a third of it.
pub const MAX_BODY: usize = 256 * 1024;
/// How deep arrays and objects may lie in each other. The protocol's own lie 12 deep; recursion stays far from a
/// stack's end.
pub const MAX_DEPTH: usize = 32;
/// Bytes of a text.
pub const MAX_TEXT: usize = 4 * 1024;
/// Bytes of an id.
pub const MAX_ID: usize = 256;
/// Entries of any list and members of any object, known here or not.
pub const MAX_ENTRIES: usize = 1024;
/// Line items of a checkout or an order.
pub const MAX_LINES: usize = 100;
/// Messages of an answer.
pub const MAX_MESSAGES: usize = 100;
/// Entries of totals, and lines of one of them.
pub const MAX_TOTALS: usize = 64;
/// Things that happened to an order's goods.
pub const MAX_EVENTS: usize = 512;
/// Refunds, returns and the like of an order.
pub const MAX_ADJUSTMENTS: usize = 256;
/// Capabilities of a profile, all versions of each counted.
pub const MAX_CAPABILITIES: usize = 128;
/// Keys of a profile: two are in use while one takes the other's place.
pub const MAX_KEYS: usize = 16;
/// Ways of paying in a profile or an answer.
pub const MAX_HANDLERS: usize = 32;
/// Methods, destinations, groups or options beside each other.
pub const MAX_FULFILLMENT: usize = 64;
/// Products of a page, variants of a product.
pub const MAX_PRODUCTS: usize = 100;
/// Bytes of a header's value.
pub const MAX_HEADER: usize = 4 * 1024;
/// Bytes of all headers that matter here together.
pub const MAX_HEADERS: usize = 16 * 1024;
/// Components that a signature covers.
pub const MAX_COMPONENTS: usize = 16;
/// Members of a structured header, parameters of one.
pub const MAX_MEMBERS: usize = 32;
/// The largest amount in minor units, either way: 64 of them never overflow when they are added up.
pub const MAX_AMOUNT: i64 = 1_000_000_000_000_000;
/// Bytes of a product's certificate.
pub const MAX_CERTIFICATE: usize = 4 * 1024;
/// Bytes of a design that is handed to a manufacturer.
pub const MAX_DESIGN: usize = 64 * 1024 * 1024;
