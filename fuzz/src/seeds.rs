//! What each target begins with, made by our own encoders: so it stays what is said today.

use std::collections::{BTreeMap, BTreeSet};

use vestibule_enabler_core::{LogEvent, State, default_rules, token};
use vestibule_model::*;
use vestibule_protocol::{
    DiiUp, Event, FeatureAccess, Hello, HotAck, HotSender, InquiryAnswer, Interest, Occurrence, Party, Report, Request,
    Response, TwinView, Welcome, WireReading, encode, protocol_hash,
};
use vestibule_quic::raw::ContentHead;
use vestibule_store::{EventLog, Head, MemoryLog, NewLine};
use vestibule_ucp::{Parts, SigningKey, sign_request};
use vestibule_wot::{Site, describe};

use super::targets::{NOW, ROOT, at_once, message};

/// The seeds of a target.
pub fn of(target: &str) -> Vec<Vec<u8>> {
    match target {
        "wire" => wire(),
        "client" => vec![client(), cut_off()],
        "token" => tokens(),
        "log" => vec![log_text()],
        "wot" => vec![describe(&lamp(), &Site::new("https://enabler.example")).to_string().into(), json(&lamp())],
        "json" => bodies(),
        "mqtt" => MQTT.iter().map(|lines| lines.as_bytes().to_vec()).collect(),
        "export" => exports(),
        "snapshot" => snapshots(),
        "quic" => quic(),
        "ucp" => UCP.iter().map(|text| text.as_bytes().to_vec()).collect(),
        "signed" => vec![signed()],
        "recipe" => RECIPES.iter().map(|text| text.as_bytes().to_vec()).collect(),
        "text" => TEXTS.iter().map(|text| text.as_bytes().to_vec()).collect(),
        _ => Vec::new(),
    }
}

/// Our own messages, as the official schemas took them.
const UCP: [&str; 10] = [
    include_str!("../../crates/ucp/tests/data/ours/profile_business.json"),
    include_str!("../../crates/ucp/tests/data/ours/profile_platform.json"),
    include_str!("../../crates/ucp/tests/data/ours/catalog_search.json"),
    include_str!("../../crates/ucp/tests/data/ours/checkout_create_request.json"),
    include_str!("../../crates/ucp/tests/data/ours/checkout_complete_request.json"),
    include_str!("../../crates/ucp/tests/data/ours/checkout_ready.json"),
    include_str!("../../crates/ucp/tests/data/ours/checkout_completed.json"),
    include_str!("../../crates/ucp/tests/data/ours/fabrication_quote.json"),
    include_str!("../../crates/ucp/tests/data/ours/fabrication_quote_request.json"),
    include_str!("../../crates/ucp/tests/data/ours/order_delivered.json"),
];

const RECIPES: [&str; 2] = [
    include_str!("../../crates/kitchen/tests/recipes/lentil_soup.json"),
    "<script type=\"application/ld+json\">{\"@type\": \"Recipe\", \"name\": \"Pancakes\", \"recipeYield\": 4,\
     \"recipeIngredient\": [\"2 x 400 g cans tomatoes\", \"1½ cups flour (about 200 g)\", \"2-3 eggs or 100 ml milk\"]}</script>",
];

/// A signed request, a certificate that is none.
fn signed() -> Vec<u8> {
    let key = SigningKey::from_bytes("merchant-1", &[7; 32]).expect("a key");
    let agent = "profile=\"https://shop.example/.well-known/ucp\"";
    let body = b"{\"line_items\":[]}";
    let headers = [("ucp-agent", agent), ("content-type", "application/json")];
    let parts = Parts {
        subject: "POST".into(),
        authority: "127.0.0.1:7801",
        path: "/ucp/checkout-sessions",
        headers: &headers,
        body,
        ..Parts::default()
    };
    let signed = sign_request(&parts, &key, NOW).expect("it is signed");
    let texts =
        [agent, &signed.signature_input, &signed.signature, signed.content_digest.as_deref().unwrap_or_default()];
    let rest: [&[u8]; 4] = [b"/ucp/checkout-sessions", body, b"550e8400-e29b-41d4-a716-446655440000", b"e30.AAAA"];
    texts.into_iter().map(str::as_bytes).chain(rest).flat_map(|text| message(0, text)).collect()
}

fn bytes(message: &impl serde::Serialize) -> Vec<u8> {
    encode(message).expect("a seed is written")
}

fn json(body: &impl serde::Serialize) -> Vec<u8> {
    serde_json::to_vec(body).expect("a seed is written")
}

fn id() -> TwinId {
    TwinId::new("bench/lamp").expect("an id")
}

/// A lamp with everything that a twin can have.
fn lamp() -> TwinInfo {
    let mut info = TwinInfo::new(id(), "Lamp");
    let mut feature = FeatureInfo {
        name: "Light".to_owned(),
        kind: FeatureKind::Light,
        class: None,
        properties: BTreeMap::new(),
        actions: BTreeMap::new(),
        events: BTreeSet::from([EventKind::slug("press")]),
    };
    let level = ValueType::Number { min: 0.0, max: 1.0, step: 0.1 };
    for (name, kind) in [
        ("on", ValueType::Bool),
        ("level", level.clone()),
        ("mode", ValueType::OneOf(vec!["day".to_owned(), "night".to_owned()])),
        ("colour", ValueType::Color),
        ("note", ValueType::Text { max: 64 }),
        ("picture", ValueType::Blob { media: "image/jpeg".to_owned() }),
    ] {
        feature.properties.insert(PropertyId::slug(name), PropertyInfo::new(kind));
    }
    let effects = vec![Effect { property: PropertyId::slug("level"), expect: Expect::Input }];
    feature.actions.insert(ActionId::slug("dim"), ActionInfo { input: Some(level), effects, takes_ms: Some(500) });
    info.features.insert(FeatureId::slug("light"), feature);
    info.place = Some(Place { space: "home".to_owned(), position: [1.0, 2.0, 3.0], rotation: [0.0, 0.0, 0.0, 1.0] });
    info.physical_ids.push(PhysicalId { kind: "mac".to_owned(), value: "02:5b:26:a8:dc:12".to_owned() });
    info
}

fn reading(value: Option<Value>, revision: u64) -> WireReading {
    WireReading { value, desired: None, truth: Truth::Live, age_ms: Some(7), revision }
}

fn view() -> TwinView {
    let access = FeatureAccess { read: Some(RuleId::slug("all")), act: BTreeMap::new() };
    let readings = (0..6).map(|_| reading(None, 0)).collect();
    let access = [(FeatureId::slug("light"), access)].into();
    TwinView { short: 1, epoch: 1, info: lamp().into(), access, reachable: true, away: BTreeSet::new(), readings }
}

fn command() -> Command {
    Command {
        id: CommandId([1; 16]),
        twin: id(),
        feature: FeatureId::slug("light"),
        action: ActionId::slug("dim"),
        input: Some(Value::Float(0.5)),
        expected_revision: Some(3),
        not_after: NOW.plus(10_000),
        trace: None,
        lease: None,
    }
}

fn report() -> DiiUp {
    let (feature, property, value) = (FeatureId::slug("light"), PropertyId::slug("on"), Some(Value::Bool(true)));
    DiiUp::Report(Report { twin: id(), feature, property, value, at: Some(NOW), fresh: true, revision: 4 })
}

fn datagram() -> Vec<u8> {
    let mut sender = HotSender::default();
    sender.update(1, 1, 0, reading(Some(Value::Bool(true)), 3), 0);
    sender.update(1, 1, 1, reading(Some(Value::Float(0.5)), 4), 0);
    sender.poll(1).expect("something is due")
}

fn welcome() -> Response {
    let (user, roles) = (Some(UserId::slug("ada")), vec![RoleId::slug("owner")]);
    Response::Welcome(Welcome { enabler: "home".to_owned(), user, roles, now: NOW })
}

fn occurrence() -> Event {
    let details = [("times".to_owned(), Value::Int(2))].into();
    let (feature, event) = (FeatureId::slug("light"), EventKind::slug("press"));
    Event::Occurred(Occurrence { twin: id(), feature, event, details, at: NOW })
}

fn wire() -> Vec<Vec<u8>> {
    let hello = Hello { protocol: protocol_hash(), party: Party::TwinSystem, software: "seed".to_owned() };
    let system = SystemInfo::new(SystemId::slug("bench"), SystemKind::DigitalTwin, "A bench");
    let rule = default_rules().into_iter().find_map(|event| match event {
        LogEvent::RuleSet { rule, .. } => Some(rule),
        _ => None,
    });
    vec![
        bytes(&Request::Hello(hello)),
        bytes(&Request::Subscribe(Interest::Twins(vec![id()]))),
        bytes(&Request::Actuate(command())),
        bytes(&Request::Dii(DiiUp::Register(system))),
        bytes(&Request::Dii(DiiUp::Describe(Box::new(lamp())))),
        bytes(&Request::Dii(report())),
        bytes(&Request::DiscoverSystems(query())),
        bytes(&Request::SetRule(rule.expect("there are rules"))),
        bytes(&welcome()),
        bytes(&Response::Twins(vec![view()])),
        bytes(&Event::Twin(Box::new(view()))),
        bytes(&occurrence()),
        datagram(),
        bytes(&HotAck { latest: 3, before: 3 }),
    ]
}

fn query() -> SystemQuery {
    let area = Area { cell: "8828308281fffff".parse().expect("a cell"), ring: 2 };
    SystemQuery { place: Some(area), text: Some("lamp".to_owned()), limit: 10, ..SystemQuery::default() }
}

/// A connection that goes well.
fn client() -> Vec<u8> {
    let reading = Event::Reading { short: 1, epoch: 1, index: 5, reading: reading(Some(Value::Int(1)), 9) };
    [
        message(0, b""),
        message(1, &bytes(&welcome())),
        message(4, &bytes(&Event::Begin)),
        message(4, &bytes(&Event::Twin(Box::new(view())))),
        message(4, &bytes(&Event::Synchronized)),
        message(6, &datagram()),
        message(4, &bytes(&reading)),
        message(4, &bytes(&occurrence())),
        message(4, &bytes(&Event::Gone(id()))),
    ]
    .concat()
}

/// One that breaks and comes again.
fn cut_off() -> Vec<u8> {
    let refused = Response::Refused(Refusal::new(RefusalCode::Overloaded, "later"));
    let again = [message(7 | 64, b""), message(255, b""), message(0, b""), message(1, &bytes(&refused))].concat();
    [client(), message(7, b""), message(248, b""), message(1, &bytes(&welcome())), again].concat()
}

fn tokens() -> Vec<Vec<u8>> {
    let limits = Limits {
        twins: Some(vec![TwinSelector::Twin(id()), TwinSelector::System(SystemId::slug("home"))]),
        features: Some(vec![FeatureId::slug("lock")]),
        actions: Some(vec![ActionId::slug("unlock")]),
        until: Some(NOW.plus(3_600_000)),
        priority: Some(5),
        device: Some(Fingerprint([9; 32])),
    };
    let delegation = Delegation { guest: "postman".to_owned(), limits };
    let root = token::RootKey::new(ROOT).expect("a key");
    let token = token::mint(&root, [1; 32], &UserId::slug("ada"), NOW, &delegation).expect("a token");
    let less = Limits { priority: Some(1), ..Limits::default() };
    let narrowed = token::attenuate(&token, [3; 32], &less).expect("a token");
    // The same as bytes: a fuzzer that knows no base64 gets further with them.
    let raw = |text: &str| [&[0][..], &unbase64(text)].concat();
    vec![raw(&token), raw(&narrowed), token.into_bytes(), narrowed.into_bytes()]
}

/// What a text in the URL-safe alphabet stands for.
fn unbase64(text: &str) -> Vec<u8> {
    let digit = |byte: u8| match byte {
        b'A'..=b'Z' => byte - b'A',
        b'a'..=b'z' => byte - b'a' + 26,
        b'0'..=b'9' => byte - b'0' + 52,
        b'-' => 62,
        _ => 63,
    };
    let digits: Vec<u32> = text.trim_end_matches('=').bytes().map(|byte| u32::from(digit(byte))).collect();
    let group = |digits: &[u32]| {
        let number = digits.iter().fold(0, |number, digit| number << 6 | digit) << (6 * (4 - digits.len()));
        let bytes = [(number >> 16) as u8, (number >> 8) as u8, number as u8];
        bytes.into_iter().take(digits.len() - 1)
    };
    digits.chunks(4).flat_map(group).collect()
}

fn log_events() -> impl Iterator<Item = LogEvent> {
    let ada = UserId::slug("ada");
    let system = SystemInfo::new(SystemId::slug("bench"), SystemKind::DigitalTwin, "A bench");
    let device = LogEvent::DeviceEnrolled {
        certificate: Fingerprint([7; 32]),
        user: ada.clone(),
        roles: vec![RoleId::slug("owner")],
        device: "laptop".to_owned(),
        until: None,
        by: None,
    };
    let owner = vestibule_enabler_core::Identity::Certificate(Fingerprint([7; 32]));
    let more = [
        device,
        LogEvent::SystemRegistered { info: system, owner },
        LogEvent::RuleRemoved { rule: RuleId::slug("all"), by: ada },
    ];
    default_rules().into_iter().chain(more)
}

fn log_lines() -> impl Iterator<Item = Vec<u8>> {
    log_events().map(|event| event.written().expect("a seed is written").0)
}

fn log_text() -> Vec<u8> {
    log_lines().collect::<Vec<_>>().join(&b'\n')
}

/// An export with a name in it, and what a log says.
fn exports() -> Vec<Vec<u8>> {
    let log = MemoryLog::default();
    let lines = log_lines().map(|payload| NewLine { at: NOW, payload }).collect();
    let pseudonym = Commitment::of(&[7; 32], "ada");
    let name = Name { pseudonym, person: pseudonym, salt: [7; 32], text: "ada".to_owned() };
    at_once(log.append(Head::EMPTY, lines, vec![name])).expect("memory has room");
    let mut file = Vec::new();
    at_once(vestibule_store::export(&log, &mut file)).expect("a seed is written");
    vec![file, log_text()]
}

/// Snapshots without their last line, which is made to fit: of a state that a log leads to, and of none.
fn snapshots() -> Vec<Vec<u8>> {
    let mut state = State::default();
    let twin = LogEvent::TwinDescribed { info: lamp().into() };
    for event in log_events().chain([twin]) {
        let (_, event) = event.written().expect("a seed is written");
        state.apply(NOW, &event);
    }
    let hash = ContentHash([3; 32]);
    let about = format!(r#"{{"vestibule_snapshot":1,"sequence":7,"hash":"{hash}","at":{}}}"#, NOW.0);
    let of = |state: &State| [about.as_bytes(), b"\n", &json(state)].concat();
    vec![of(&state), of(&State::default())]
}

/// A first byte for each kind, and what comes then.
fn quic() -> Vec<Vec<u8>> {
    let frame = |frame: &[u8]| [&u32::try_from(frame.len()).expect("short").to_le_bytes(), frame].concat();
    let request = bytes(&Request::Subscribe(Interest::All));
    let head = ContentHead { hash: ContentHash([5; 32]), offset: 3, total: 70_000 };
    let paired = bytes(&Response::Paired { user: UserId::slug("ada"), roles: vec![RoleId::slug("owner")] });
    let proof = [9; 32];
    let known = format!("{} home:4433 Home\n{} [::1]:4433\n", "ab".repeat(32), "0C".repeat(32));
    vec![
        [&[0][..], &frame(&request), &frame(&wire().remove(2))].concat(),
        [&[1][..], &head.to_bytes()].concat(),
        [&[2, 1][..], &proof, &paired].concat(),
        [&[2, 0][..], b"there is no code"].concat(),
        [&[3][..], &proof, b"Ada's telephone"].concat(),
        [&[4][..], CERTIFICATE].concat(),
        [&[5][..], known.as_bytes()].concat(),
    ]
}

/// What stands in a certificate around its dates.
const CERTIFICATE: &[u8] =
    b"\x30\x2f\x30\x2d\xa0\x03\x02\x01\x02\x02\x01\x01\x30\x00\x30\x00\x30\x1e\x17\x0d230101000000Z\x17\x0d330101000000Z";

fn bodies() -> Vec<Vec<u8>> {
    let system = SystemInfo::new(SystemId::slug("bench"), SystemKind::DigitalTwin, "A bench");
    let user =
        UserInfo { id: UserId::slug("ada"), name: "Ada".to_owned(), roles: vec![RoleId::slug("owner")], login: None };
    let rules = default_rules().into_iter().filter_map(|event| match event {
        LogEvent::RuleSet { rule, .. } => Some(json(&rule)),
        _ => None,
    });
    let answer = InquiryAnswer::Twin { info: Box::new(lamp()), permission: TwinPermission::Unrestricted };
    let limits = Limits { until: Some(NOW), twins: Some(vec![TwinSelector::Twin(id())]), ..Limits::default() };
    let mut bodies: Vec<_> = rules.collect();
    bodies.extend([
        json(&lamp()),
        json(&system),
        json(&query()),
        json(&user),
        json(&Delegation { guest: "postman".to_owned(), limits }),
        json(&answer),
        json(&CommandStatus::Failed { reason: "it is stuck".to_owned() }),
        json(&Value::Color([1, 2, 3])),
        br#"{"type":"object","properties":{"a":{"type":"number"}}}"#.to_vec(),
    ]);
    bodies
}

const TEXTS: &[&str] = &[
    "bench/lamp",
    "light.on",
    "urn:vestibule:home/front_door",
    "2023-11-14T22:13:20.000Z",
    "0123456789abcdef0123456789abcdef",
    "8828308281fffff",
    "EUR",
    "mqtts://user:secret@broker.example:8883/prefix?ca=/a&client_id=x",
];

/// Documents and messages as devices send them.
const MQTT: &[&str] = &[
    r#"!homeassistant/switch/lamp/config {"name":"Lamp","cmd_t":"lamp/set","stat_t":"lamp","uniq_id":"lamp","avty_t":"lamp/there","dev":{"ids":"lamp","mf":"A","mdl":"B"}}
lamp/there online
lamp ON"#,
    r#"!homeassistant/device/d/config {"dev":{"ids":["d"],"cns":[["mac","02:5b:26:a8:dc:12"]]},"o":{"name":"x"},"cmps":{"t":{"p":"sensor","uniq_id":"t","stat_t":"d/t","val_tpl":"{{ (value_json.t | float * 1.8 + 32) | round(1) }}","unit_of_meas":"F"},"b":{"p":"binary_sensor","uniq_id":"b","stat_t":"d/b","pl_on":"1","pl_off":"0"}}}
d/t {"t": 21.5}
d/b 1"#,
    r#"!homeassistant/light/l/config {"name":"L","uniq_id":"l","schema":"json","stat_t":"l","cmd_t":"l/set","brightness":true,"supported_color_modes":["rgb","color_temp"],"effect":true,"effect_list":["a","b"]}
l {"state":"ON","brightness":128,"color":{"r":1,"g":2,"b":3},"color_mode":"rgb"}"#,
    r#"!homeassistant/light/p/config {"name":"P","uniq_id":"p","schema":"template","stat_t":"p","cmd_t":"p/set","command_on_template":"on,{{ brightness|d }}","command_off_template":"off","state_template":"{{ value.split(',')[0] }}","brightness_template":"{{ value.split(',')[1] }}"}
p on,12"#,
    r#"!homeassistant/cover/c/config {"name":"C","uniq_id":"c","stat_t":"c","cmd_t":"c/set","pos_t":"c/p","set_pos_t":"c/p/set","position_open":100,"position_closed":0}
c opening
c/p 50"#,
    r#"!homeassistant/climate/h/config {"name":"H","uniq_id":"h","modes":["off","heat"],"mode_cmd_t":"h/m/set","mode_stat_t":"h/m","temp_cmd_t":"h/t/set","temp_stat_t":"h/t","curr_temp_t":"h/c","min_temp":5,"max_temp":30,"temp_step":0.5}
h/m heat
h/t 21.5
h/c 19"#,
    r#"!homeassistant/lock/k/config {"name":"K","uniq_id":"k","cmd_t":"k/set","stat_t":"k","pl_open":"OPEN","val_tpl":"{% if value_json.l %}LOCKED{% else %}UNLOCKED{% endif %}"}
k {"l": true}
!homeassistant/lock/k/config "#,
    r#"!homeassistant/select/s/config {"name":"S","uniq_id":"s","cmd_t":"s/set","stat_t":"s","options":["a","b"],"cmd_tpl":"{{ {'v': value} | to_json }}"}
s a
!homeassistant/number/n/config {"name":"N","uniq_id":"n","cmd_t":"n/set","stat_t":"n","min":0,"max":10,"step":1}
n 3
!homeassistant/event/e/config {"name":"E","uniq_id":"e","stat_t":"e","event_types":["press"]}
e {"event_type":"press"}
!homeassistant/camera/v/config {"name":"V","uniq_id":"v","t":"v","image_encoding":"b64"}
v aGk="#,
];
