//! What is done with hostile bytes: each target reads them as somebody else's, and says what must hold then. None
//! panics, whatever the bytes are; a panic is a finding.
//!
//! libFuzzer runs them (`cargo xtask fuzz`), and a test of `vestibule-server` includes this file and runs them over the
//! corpus.

use std::{
    fmt::Debug,
    path::PathBuf,
    pin::pin,
    str::FromStr,
    sync::atomic::{AtomicU64, Ordering},
    task::{Context, Poll, Waker},
};

use serde::{Serialize, de::DeserializeOwned};
use vestibule_adapter_mqtt::{MqttConfig, Output, Registry, RegistryConfig};
use vestibule_enabler_core::{LogEvent, State, default_rules, token};
use vestibule_model::*;
use vestibule_protocol::{
    ClientConfig, ClientSession, DiiUp, Event, Execution, HotAck, HotDatagram, InquiryAnswer, Interest, LinkCommand,
    LinkEvent, MAX_FRAME, Party, Request, Response, SiiUp, decode, encode,
};
use vestibule_quic::{KnownServers, Validity, raw};
use vestibule_store::{EventLog, Head, MemoryLog, NewLine, Snapshot, verify_export};
use vestibule_wot::{Affordance, Site, describe, discover, from_json, to_json, twin_of, writer};

use crate::trade;

/// A target: its name and what it does.
pub type Target = (&'static str, fn(&[u8]));

/// All of them. A new one has a file in `fuzz_targets/`, an entry in `Cargo.toml` and seeds.
pub const TARGETS: [Target; 14] = [
    ("wire", wire),
    ("client", client),
    ("token", token),
    ("log", log),
    ("wot", wot),
    ("json", json),
    ("mqtt", mqtt),
    ("text", text),
    ("export", export),
    ("snapshot", snapshot),
    ("quic", quic),
    ("ucp", trade::ucp),
    ("signed", trade::signed),
    ("recipe", trade::recipe),
];

/// The secret of the enabler whose tokens are read.
pub const ROOT: [u8; 32] = [7; 32];
/// A moment after every seed's.
pub const NOW: Timestamp = Timestamp(1_700_000_000_000);
/// Messages of one input: a session is long, a finding is short.
const MOST: usize = 64;

/// What a peer sends over QUIC, as a frame or as a datagram.
pub fn wire(bytes: &[u8]) {
    again::<Request>(bytes);
    again::<Response>(bytes);
    again::<Event>(bytes);
    again::<HotAck>(bytes);
    again::<HotDatagram>(bytes);
    if let Ok(datagram) = decode::<HotDatagram>(bytes) {
        datagram.entries.iter().for_each(|entry| drop(entry.indexed()));
    }
}

/// What was read is written and read as the same.
fn again<T: Serialize + DeserializeOwned>(bytes: &[u8]) {
    // Compared as bytes: a number that is none is not equal to itself.
    let Some(first) = decode::<T>(bytes).ok().and_then(|message| encode(&message).ok()) else { return };
    let message: T = decode(&first).expect("what was written is read");
    assert_eq!(encode(&message).expect("what was read is written"), first);
}

/// An enabler that says anything to a client: each message is its kind, the length of its bytes in two bytes, and those.
pub fn client(bytes: &[u8]) {
    let party = if bytes.first().is_some_and(|byte| byte & 1 == 0) { Party::Metaverse } else { Party::TwinSystem };
    let config = ClientConfig { party, interest: Interest::All, software: "fuzz".to_owned() };
    let (mut session, mut asked, mut now) = (ClientSession::new(config), Vec::new(), 0);
    session.tick(now);
    for (kind, message) in messages(bytes).take(MOST) {
        now += u64::from(kind) * 100;
        let id = asked.get(usize::from(kind / 8) % asked.len().max(1)).copied().unwrap_or_default();
        let event = match kind % 8 {
            0 => LinkEvent::Connected,
            1 | 2 => LinkEvent::Response { id, frame: Ok(message.to_vec()) },
            3 => LinkEvent::Response { id, frame: Err("broken".to_owned()) },
            4 | 5 => LinkEvent::Event(message.to_vec()),
            6 => LinkEvent::Datagram(message.to_vec()),
            _ => LinkEvent::Closed { reason: "closed".to_owned(), retry: kind & 64 == 0 },
        };
        session.handle(event, now);
        session.tick(now);
        while let Some(command) = session.poll_link() {
            if let LinkCommand::Request { id, .. } = command {
                asked.push(id);
            }
        }
        while session.poll_news().is_some() {}
    }
}

/// Messages in bytes: a kind, a length of two bytes, so many bytes or what is left.
pub fn messages(mut bytes: &[u8]) -> impl Iterator<Item = (u8, &[u8])> {
    std::iter::from_fn(move || {
        let (head, rest) = bytes.split_at_checked(3)?;
        let length = usize::from(u16::from_le_bytes([head[1], head[2]])).min(rest.len());
        let (message, rest) = rest.split_at(length);
        bytes = rest;
        Some((head[0], message))
    })
}

/// A message of [`client`], as bytes.
pub fn message(kind: u8, bytes: &[u8]) -> Vec<u8> {
    let length = u16::try_from(bytes.len()).expect("a seed is short");
    [&[kind][..], &length.to_le_bytes(), bytes].concat()
}

/// A bearer token: as text, or as the bytes that its text stands for.
pub fn token(bytes: &[u8]) {
    let text = match bytes.split_first() {
        Some((0, bytes)) => base64(bytes),
        _ => String::from_utf8_lossy(bytes).into_owned(),
    };
    let key = token::RootKey::new(ROOT).and_then(|root| root.public()).expect("a key");
    let _ = token::read(&text, Some(key));
    let less = Limits { priority: Some(3), until: Some(NOW), ..Limits::default() };
    let (known, narrowed) = (token::inspect(&text), token::attenuate(&text, [2; 32], &less));
    if let (Ok(known), Ok(narrowed)) = (known, narrowed) {
        let narrowed = token::inspect(&narrowed).expect("what we wrote is understood");
        assert_eq!(narrowed.ids[..known.ids.len()], known.ids);
        assert!(narrowed.limits.priority <= Some(3) && narrowed.limits.until <= Some(NOW), "it only becomes less");
        assert!(narrowed.limits.until <= known.limits.until, "it only becomes less");
    }
}

/// The URL-safe alphabet, padded: what tokens are written in.
fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let mut text = String::new();
    for chunk in bytes.chunks(3) {
        let number = chunk.iter().fold(0_u32, |number, byte| number << 8 | u32::from(*byte)) << (8 * (3 - chunk.len()));
        let digit = |place: u32| char::from(DIGITS[(number >> (18 - 6 * place) & 63) as usize]);
        (0..4).for_each(|place| text.push(if place as usize <= chunk.len() { digit(place) } else { '=' }));
    }
    text
}

/// A log that somebody wrote who knew how to chain it: lines of it, folded.
pub fn log(bytes: &[u8]) {
    let (mut state, mut names) = (State::default(), NameBook::new(salt));
    for (line, at) in bytes.split(|byte| *byte == b'\n').take(MOST).zip(NOW.0..) {
        // As in a data folder: names are written apart, and what people gave is sealed.
        let Ok(event) = names.scope(|| LogEvent::read(line)) else { continue };
        if let Ok((written, read)) = names.scope(|| event.written()) {
            assert_eq!(names.scope(|| read.written()).expect("what was read is written").0, written);
            state.apply(Timestamp(at), &read);
        }
    }
    kept(&state);
}

/// A state that is written to a snapshot is the same when it is read: a restart changes nothing.
fn kept(state: &State) {
    let written = serde_json::to_vec(state).expect("a state is written");
    assert_eq!(&serde_json::from_slice::<State>(&written).expect("what was written is read"), state);
}

/// An exported log: as it is, and with the bytes as the payloads of a log that was exported.
pub fn export(bytes: &[u8]) {
    if let Ok(report) = verify_export(bytes) {
        assert_eq!(report.head.sequence.checked_sub(report.from.sequence), Some(report.lines));
    }
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let (log, mut file) = (MemoryLog::default(), Vec::new());
    let lines: Vec<_> = text.split('\n').take(MOST).zip(NOW.0..).collect();
    let lines = lines.into_iter().map(|(line, at)| NewLine { at: Timestamp(at), payload: line.into() }).collect();
    at_once(log.append(Head::EMPTY, lines, Vec::new())).expect("memory has room");
    let report = at_once(vestibule_store::export(&log, &mut file)).expect("a log of texts is exported");
    assert_eq!(verify_export(file.as_slice()).expect("what was exported proves itself"), report);
}

/// What comes of something that waits for nothing.
pub fn at_once<T>(work: impl Future<Output = T>) -> T {
    match pin!(work).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(done) => done,
        Poll::Pending => panic!("memory waits for nothing"),
    }
}

/// A snapshot's file: as it is, and as one whose checksum somebody made fit.
pub fn snapshot(bytes: &[u8]) {
    let _ = Snapshot::from_bytes(7, bytes.to_vec());
    let sealed = [bytes, b"\n", ContentHash::of(bytes).to_string().as_bytes()].concat();
    let Ok(read) = Snapshot::from_bytes(7, sealed) else { return };
    assert_eq!((read.head.sequence, read.checksum), (7, ContentHash::of(bytes)));
    let Ok(mut state) = serde_json::from_slice::<State>(&read.body) else { return };
    kept(&state);
    // It goes on from there.
    for event in default_rules() {
        let (_, event) = event.written().expect("our own are written");
        state.apply(read.at, &event);
    }
    state.apply(NOW, &LogEvent::SystemGone { system: SystemId::slug("bench"), by: None });
    kept(&state);
}

/// What goes over streams of QUIC besides messages, by the first byte: frames, heads of content, both sides of a pairing,
/// words for a close; and what stands beside them on disks: certificates and the enablers that are known.
pub fn quic(bytes: &[u8]) {
    let Some((kind, bytes)) = bytes.split_first() else { return };
    match kind % 6 {
        0 => frames(bytes),
        1 => {
            let Some((head, _)) = bytes.split_first_chunk() else { return };
            assert_eq!(&raw::ContentHead::from_bytes(*head).to_bytes(), head);
        }
        2 => {
            let Ok(answer) = raw::yes(bytes.to_vec()) else { return };
            let Ok((_, frame)) = raw::proved(&answer) else { return };
            let _ = decode::<Response>(frame);
        }
        3 => {
            let Ok((_, name)) = raw::proved(bytes) else { return };
            let Ok(name) = raw::name_of(name) else { return };
            assert!(!name.is_empty() && name.len() <= 64 && !name.contains(char::is_control), "{name:?}");
        }
        4 => {
            let _ = Validity::of(bytes);
            let words = raw::fit(bytes);
            assert!(words.len() <= 4 * 256 && !words.contains(char::is_control), "{words:?}");
        }
        _ => {
            let Ok(text) = std::str::from_utf8(bytes) else { return };
            let Ok(known) = KnownServers::read(PathBuf::new(), text) else { return };
            let again = KnownServers::read(PathBuf::new(), &known.text()).expect("what was written is read");
            for (target, fingerprint, _) in known.iter() {
                assert_eq!(again.get(target), Some(fingerprint), "{target:?}");
            }
        }
    }
}

/// Frames one behind the other, as far as they are whole.
fn frames(mut bytes: &[u8]) {
    while let Some((prefix, rest)) = bytes.split_first_chunk::<4>() {
        let Ok(length) = raw::frame_length(*prefix, MAX_FRAME) else { return };
        assert!(length <= MAX_FRAME);
        let Some((frame, rest)) = rest.split_at_checked(length) else { return };
        again::<Request>(frame);
        bytes = rest;
    }
}

/// Another one each time, as a random one would be.
fn salt() -> [u8; 32] {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    let mut salt = [0; 32];
    salt[..8].copy_from_slice(&NEXT.fetch_add(1, Ordering::Relaxed).to_le_bytes());
    salt
}

/// A Thing Description, or a twin that becomes one.
pub fn wot(bytes: &[u8]) {
    let site = Site::new("https://enabler.example");
    let Ok(json) = serde_json::from_slice::<serde_json::Value>(bytes) else { return };
    if let Ok(found) = discover(&json) {
        found.info.check().expect("what is discovered is sound");
        discover(&describe(&found.info, &site)).expect("what was discovered is described and discovered");
        writes(&found.info, &json);
    }
    if let Ok(info) = serde_json::from_value::<TwinInfo>(json.clone())
        && info.check().is_ok()
    {
        discover(&describe(&info, &site)).expect("what is sound is described and discovered");
        writes(&info, &json);
    }
}

/// Every property is written with whatever is there.
fn writes(info: &TwinInfo, json: &serde_json::Value) {
    for (feature, property, about) in info.properties() {
        if let Ok(value) = from_json(json, &about.value) {
            from_json(&to_json(&value), &about.value).expect("what was read is written and read");
        }
        let writer = info.features.get(feature).and_then(|feature| writer(feature, property));
        let _ = writer.map(|writer| writer.action(json).is_ok());
    }
}

/// JSON bodies, for each type that is taken from outside.
pub fn json(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    body::<Value>(text);
    body::<Json>(text);
    body::<TwinInfo>(text);
    body::<SystemInfo>(text);
    body::<SystemQuery>(text);
    body::<Rule>(text);
    body::<UserInfo>(text);
    body::<Delegation>(text);
    body::<CommandStatus>(text);
    body::<InquiryAnswer>(text);
    body::<LeaseRequest>(text);
    body::<Inquiry>(text);
    body::<Collaboration>(text);
    body::<Transform>(text);
    body::<DiiUp>(text);
    body::<SiiUp>(text);
    // The enabler's own program asks in JSON.
    body::<Request>(text);
    if let Ok(info) = serde_json::from_str::<TwinInfo>(text)
        && info.check().is_ok()
    {
        let text = serde_json::to_string(&info).expect("what is sound is written");
        serde_json::from_str::<TwinInfo>(&text).expect("what is sound is read again");
    }
    if let Ok(query) = serde_json::from_str::<SystemQuery>(text) {
        let _ = query.check();
    }
}

/// What JSON said is said over QUIC as well, and in JSON again.
fn body<T: Serialize + DeserializeOwned + Debug>(text: &str) {
    let Ok(value) = serde_json::from_str::<T>(text) else { return };
    if let Ok(bytes) = encode(&value) {
        again::<T>(&bytes);
        decode::<T>(&bytes).expect("what JSON said goes over QUIC");
    }
    let written = serde_json::to_string(&value).expect("what was read is written");
    let read = serde_json::from_str::<T>(&written).expect("what was written is read");
    assert_eq!(serde_json::to_string(&read).expect("what was read is written"), written);
}

/// What is on a broker: lines of a topic, a space and a payload; `!` before the topic: it was kept there.
pub fn mqtt(bytes: &[u8]) {
    let mut home = Registry::new(RegistryConfig::default());
    let mut now = NOW;
    home.on_registered(now);
    home.on_connected(now);
    for line in bytes.split(|byte| *byte == b'\n').take(MOST) {
        let space = line.iter().position(|byte| *byte == b' ').unwrap_or(line.len());
        let (topic, payload) = (String::from_utf8_lossy(&line[..space]), line.get(space + 1..).unwrap_or_default());
        let (topic, retained) = topic.strip_prefix('!').map_or((&*topic, false), |topic| (topic, true));
        let mut outputs = home.on_message(topic, payload, retained, now);
        now = now.plus(700);
        outputs.extend(home.tick(now));
        for output in outputs {
            if let Output::Up(DiiUp::Describe(twin)) = output {
                twin.check().expect("what is described is sound");
                use_all(&mut home, &twin, payload, now);
            }
        }
        while let Some(send) = home.next_send(now) {
            home.on_acknowledged(send.ticket, Ok(()));
        }
    }
}

/// Every action of a twin, with what is there for it.
fn use_all(home: &mut Registry, twin: &TwinInfo, payload: &[u8], now: Timestamp) {
    let word = || Value::Text(String::from_utf8_lossy(payload).chars().take(64).collect());
    for (feature, info) in &twin.features {
        for (action, about) in &info.actions {
            let input = about.input.as_ref().map(|kind| match kind {
                ValueType::Bool => Value::Bool(true),
                ValueType::Number { max, .. } => Value::Float(*max),
                ValueType::AnyNumber => Value::Float(0.5),
                ValueType::OneOf(words) => words.first().map_or_else(word, |word| Value::Text(word.to_string())),
                ValueType::Color => Value::Color([1, 2, 3]),
                _ => word(),
            });
            let (command, twin, feature) = (CommandId([1; 16]), twin.id.clone(), feature.clone());
            let (action, not_after) = (action.clone(), now.plus(10_000));
            let execution = Execution { command, twin, feature, action, input, not_after, trace: None, fence: None };
            home.on_execute(&execution, now);
        }
    }
}

/// Texts that name something.
pub fn text(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    same::<TwinId>(text);
    same::<UserId>(text);
    same::<FeatureId>(text);
    same::<CommandId>(text);
    same::<Fingerprint>(text);
    same::<ContentHash>(text);
    same::<Cell>(text);
    same::<Currency>(text);
    same::<Affordance<PropertyId>>(text);
    if let Ok(twin) = twin_of(text) {
        assert_eq!(twin_of(&vestibule_wot::thing_id(&twin)).expect("ours"), twin);
    }
    if let Some(at) = Timestamp::from_utc(text) {
        assert_eq!(Timestamp::from_utc(&at.to_utc()), Some(at), "{text}");
    }
    if let Ok(config) = MqttConfig::from_url(text) {
        assert!(!config.broker().is_empty());
    }
}

/// What was read is written and read as the same.
fn same<T: FromStr<Err: Debug> + ToString + PartialEq + Debug>(text: &str) {
    let Ok(read) = text.parse::<T>() else { return };
    assert_eq!(read.to_string().parse::<T>().expect("what was written is read"), read);
}
