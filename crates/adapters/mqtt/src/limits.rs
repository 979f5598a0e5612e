//! Every bound in one place, with its reason.

/// Largest discovery document in bytes: the largest real ones (a device with 60 components) have about 60 KiB.
pub(crate) const MAX_DISCOVERY: usize = 256 * 1024;
/// Largest state payload in bytes: bridges publish JSON of some KiB.
pub(crate) const MAX_STATE: usize = 1024 * 1024;
/// Largest picture in bytes: a 4K JPEG has about 4 MiB.
pub(crate) const MAX_PICTURE: usize = 8 * 1024 * 1024;
/// Largest picture as base64 text.
pub(crate) const MAX_PICTURE_TEXT: usize = MAX_PICTURE / 3 * 4 + 4;
/// Largest MQTT packet that the broker may send: a picture as base64 text and its header.
pub(crate) const MAX_PACKET: u32 = 12 * 1024 * 1024;
/// Twins at most: a large home has some hundreds of devices.
pub(crate) const MAX_TWINS: usize = 4096;
/// Discovery documents at most, in all forms.
pub(crate) const MAX_DOCUMENTS: usize = 32 * 1024;
/// Components in one document at most: as many as a twin may have features.
pub(crate) const MAX_COMPONENTS: usize = vestibule_model::MAX_FEATURES;
/// Levels of JSON at most: discovery needs 5, states about as many. serde_json itself stops at 128.
pub(crate) const MAX_DEPTH: usize = 32;
/// Longest topic in bytes: MQTT's own limit.
pub(crate) const MAX_TOPIC: usize = 65_535;
/// Longest template in bytes.
pub(crate) const MAX_TEMPLATE: usize = 16 * 1024;
/// Instructions that a template may take: the longest real ones take some hundreds.
pub(crate) const TEMPLATE_FUEL: u64 = 50_000;
/// Bytes of values times instructions at most: with large payloads a template has less fuel, since an instruction can
/// look at all of it. Half a second of comparing.
pub(crate) const TEMPLATE_WORK: u64 = 400_000_000;
/// Bytes that a template's largest value may stand for, by what it is made of.
pub(crate) const MAX_TEMPLATE_VALUE: usize = 2 * 1024 * 1024;
/// Longest payload in bytes that a template is given.
pub(crate) const MAX_TEMPLATE_INPUT: usize = 256 * 1024;
/// Longest text in bytes that a template, or one of its filters, may make: a picture as base64 text.
pub(crate) const MAX_TEMPLATE_OUTPUT: usize = 1024 * 1024;
/// Commands that wait for the broker at most: more than a home's people press in a command's validity.
pub(crate) const MAX_WAITING: usize = 256;
/// Commands' ids remembered, so that one that comes again is not executed again.
pub(crate) const MAX_REMEMBERED: usize = 4096;
/// Messages on the way to the broker and not acknowledged, at most.
pub(crate) const MAX_UNACKED: usize = 32;
/// Milliseconds that descriptions wait for further documents of the same device: a burst is one description.
pub(crate) const SETTLE_MS: u64 = 150;
/// Milliseconds after which a description no longer waits, however many documents come.
pub(crate) const SETTLE_MOST_MS: u64 = 1_000;
/// Problems kept for a twin, and for documents that belong to none.
pub(crate) const MAX_PROBLEMS: usize = 64;
/// Bytes of one description at most: what enablers take.
pub(crate) const MAX_DESCRIPTION: usize = 47 * 1024;
/// Physical ids of one twin at most, as the model has it.
pub(crate) const MAX_PHYSICAL_IDS: usize = 64;
