//! Who may ask what, written down by hand, against what is decided. Nothing here is computed from the rules under test.

use std::collections::BTreeSet as Set;

use vestibule_protocol::Interest;

use super::*;
use crate::token::{RootKey, mint, read};

/// Whoever asks, one column each.
const COLUMNS: [&str; 7] = ["silent", "stranger", "gone", "guest", "ringer", "bearer", "owner"];

/// One row for each request: what each column is answered. `y` it is done, `f` forbidden, `u` not known, `n` there is no
/// such thing, `i` not decided here (the hub does, and tests it).
///
/// silent: has not said hello. stranger: a device that nobody paired. gone: a device that was revoked. guest: sees
/// everything. ringer: a guest who may also ring the bell. bearer: a stranger with the owner's token to ring the bell.
#[rustfmt::skip]
const TABLE: [(&str, [char; 7]); 56] = [
    //                       silent stranger gone guest ringer bearer owner
    ("hello",              ['y',   'y',     'y', 'y',  'y',   'y',   'y']),
    ("pair",               ['u',   'u',     'u', 'i',  'i',   'i',   'i']),
    ("discover systems",   ['u',   'u',     'u', 'y',  'y',   'y',   'y']),
    ("list twins",         ['u',   'u',     'u', 'y',  'y',   'y',   'y']),
    ("describe the lamp",  ['u',   'u',     'u', 'y',  'y',   'y',   'y']),
    ("acquire the lamp",   ['u',   'u',     'u', 'y',  'y',   'y',   'y']),
    ("describe a safe",    ['u',   'u',     'u', 'n',  'n',   'f',   'n']),
    ("subscribe",          ['u',   'u',     'u', 'y',  'y',   'y',   'y']),
    ("ring the bell",      ['u',   'u',     'u', 'f',  'y',   'y',   'y']),
    ("turn on the light",  ['u',   'u',     'u', 'f',  'f',   'f',   'y']),
    ("open a safe",        ['u',   'u',     'u', 'f',  'f',   'f',   'n']),
    ("how far it is",      ['u',   'u',     'u', 'n',  'n',   'n',   'n']),
    ("refresh",            ['u',   'u',     'u', 'y',  'y',   'y',   'y']),
    ("explain to me",      ['u',   'u',     'u', 'y',  'y',   'y',   'y']),
    ("explain the owner",  ['u',   'u',     'u', 'f',  'f',   'f',   'y']),
    ("rules",              ['u',   'u',     'u', 'f',  'f',   'f',   'y']),
    ("set rule",           ['u',   'u',     'u', 'f',  'f',   'f',   'y']),
    ("remove rule",        ['u',   'u',     'u', 'f',  'f',   'f',   'y']),
    ("who am i",           ['u',   'u',     'u', 'y',  'y',   'y',   'y']),
    ("users",              ['u',   'u',     'u', 'y',  'y',   'f',   'y']),
    ("set user",           ['u',   'u',     'u', 'f',  'f',   'f',   'y']),
    ("remove user",        ['u',   'u',     'u', 'f',  'f',   'f',   'y']),
    ("forget somebody",    ['u',   'u',     'u', 'f',  'f',   'f',   'y']),
    ("revoke a device",    ['u',   'u',     'u', 'f',  'f',   'f',   'y']),
    ("open pairing",       ['u',   'u',     'u', 'i',  'i',   'i',   'i']),
    ("delegate",           ['u',   'u',     'u', 'i',  'i',   'i',   'i']),
    ("present",            ['u',   'y',     'y', 'y',  'y',   'y',   'y']),
    ("revoke a token",     ['u',   'u',     'u', 'f',  'f',   'f',   'y']),
    ("history",            ['u',   'u',     'u', 'y',  'y',   'y',   'y']),
    ("readings of then",   ['u',   'u',     'u', 'y',  'y',   'y',   'y']),
    ("the lamp of then",   ['u',   'u',     'u', 'y',  'y',   'y',   'y']),
    ("log",                ['u',   'u',     'u', 'f',  'f',   'f',   'y']),
    ("lease the lamp",     ['u',   'u',     'u', 'f',  'y',   'y',   'y']),
    ("lease a safe",       ['u',   'u',     'u', 'f',  'f',   'f',   'n']),
    ("renew a lease",      ['u',   'u',     'u', 'n',  'n',   'n',   'n']),
    ("release a lease",    ['u',   'u',     'u', 'n',  'n',   'n',   'n']),
    ("leases",             ['u',   'u',     'u', 'y',  'y',   'y',   'y']),
    ("steps",              ['u',   'u',     'u', 'y',  'y',   'y',   'y']),
    ("remove a system",    ['u',   'u',     'u', 'f',  'f',   'f',   'y']),
    ("agree with a shop",  ['u',   'u',     'u', 'f',  'f',   'u',   'n']),
    ("take it back",       ['u',   'u',     'u', 'n',  'n',   'n',   'n']),
    ("agreements",         ['u',   'u',     'u', 'y',  'y',   'y',   'y']),
    ("use a shop",         ['u',   'u',     'u', 'f',  'f',   'u',   'f']),
    ("look at a call",     ['u',   'u',     'u', 'n',  'n',   'n',   'n']),
    ("cancel a call",      ['u',   'u',     'u', 'n',  'n',   'n',   'n']),
    ("give a part",        ['u',   'u',     'u', 'y',  'y',   'u',   'y']),
    ("buy",                ['u',   'u',     'u', 'f',  'f',   'u',   'f']),
    ("cancel a purchase",  ['u',   'u',     'u', 'n',  'n',   'u',   'n']),
    ("look at a purchase", ['u',   'u',     'u', 'n',  'n',   'u',   'n']),
    ("purchases",          ['u',   'u',     'u', 'y',  'y',   'u',   'y']),
    ("bind a product",     ['u',   'u',     'u', 'n',  'n',   'u',   'n']),
    ("keep a product",     ['u',   'u',     'u', 'n',  'n',   'u',   'n']),
    ("unbind a product",   ['u',   'u',     'u', 'n',  'n',   'u',   'n']),
    ("products",           ['u',   'u',     'u', 'y',  'y',   'u',   'y']),
    ("sii",                ['u',   'f',     'f', 'f',  'f',   'f',   'f']),
    ("dii",                ['u',   'f',     'f', 'f',  'f',   'f',   'f']),
];

/// The rows that a request has. A new request does not compile without one: write down who may ask it.
fn rows(request: &Request) -> &'static [&'static str] {
    match request {
        Request::Hello(_) => &["hello"],
        Request::Pair { .. } => &["pair"],
        Request::DiscoverSystems(_) => &["discover systems"],
        Request::ListTwins { .. } => &["list twins"],
        Request::DescribeTwin(_) => &["describe the lamp", "describe a safe"],
        Request::Subscribe(_) => &["subscribe"],
        Request::Actuate(_) => &["ring the bell", "turn on the light", "open a safe"],
        Request::CommandStatus(_) => &["how far it is"],
        Request::Refresh(_) => &["refresh"],
        Request::Explain(_) => &["explain to me", "explain the owner"],
        Request::Rules => &["rules"],
        Request::SetRule(_) => &["set rule"],
        Request::RemoveRule(_) => &["remove rule"],
        Request::WhoAmI => &["who am i"],
        Request::Users => &["users"],
        Request::SetUser(_) => &["set user"],
        Request::RemoveUser(_) => &["remove user"],
        Request::Erase { .. } => &["forget somebody"],
        Request::RevokeDevice(_) => &["revoke a device"],
        Request::OpenPairing { .. } => &["open pairing"],
        Request::Delegate(_) => &["delegate"],
        Request::Present { .. } => &["present"],
        Request::RevokeToken(_) => &["revoke a token"],
        Request::History { .. } => &["history"],
        Request::Readings { .. } => &["readings of then"],
        Request::PastTwin { .. } => &["the lamp of then"],
        Request::Log { .. } => &["log"],
        Request::Lease(_) => &["lease the lamp", "lease a safe"],
        Request::RenewLease(_) => &["renew a lease"],
        Request::ReleaseLease(_) => &["release a lease"],
        Request::Leases { .. } => &["leases"],
        Request::Give { .. } => &["give a part"],
        Request::Confirm(_) => &["buy"],
        Request::CancelPurchase(_) => &["cancel a purchase"],
        Request::Purchase(_) => &["look at a purchase"],
        Request::Purchases { .. } => &["purchases"],
        Request::Bind { .. } => &["bind a product"],
        Request::Keep { .. } => &["keep a product"],
        Request::Unbind { .. } => &["unbind a product"],
        Request::Products { .. } => &["products"],
        Request::Authorize { .. } => &["agree with a shop"],
        Request::Deauthorize { .. } => &["take it back"],
        Request::Authorizations => &["agreements"],
        Request::Invoke(_) => &["use a shop"],
        Request::Call(_) => &["look at a call"],
        Request::CancelCall(_) => &["cancel a call"],
        Request::Sii(_) => &["sii"],
        Request::Dii(_) => &["dii"],
        Request::Acquire(_) => &["acquire the lamp"],
        Request::Steps { .. } => &["steps"],
        Request::RemoveSystem(_) => &["remove a system"],
    }
}

const GONE: Fingerprint = Fingerprint([4; 32]);
const RINGER: Fingerprint = Fingerprint([5; 32]);
const STRANGER: Fingerprint = Fingerprint([9; 32]);

struct Matrix {
    house: House,
    token: String,
    bearer: Actor,
}

fn rule(id: &str, who: Subject, twins: TwinSelector, feature: Option<&str>, right: Right, effect: RuleEffect) -> Rule {
    let (id, feature) = (RuleId::slug(id), feature.map(FeatureId::slug));
    Rule { id, who, twins, feature, right, effect, until: None, priority: None }
}

impl Matrix {
    fn new() -> Self {
        let mut house = House::with_lamp();
        let guest = RoleId::slug(GUEST_ROLE);
        for (device, user) in [(GONE, "gone"), (RINGER, "ringer")] {
            let decision =
                enroll(&house.state, device, &UserId::slug(user), std::slice::from_ref(&guest), "x").unwrap();
            house.committed(decision.events);
        }
        house.ask(&metaverse(OWNER), &Request::RevokeDevice(GONE)).unwrap();
        let (ringer, ring) = (Subject::User(UserId::slug("ringer")), Right::Act(ActionId::slug("ring")));
        let may_ring = rule("ring", ringer, TwinSelector::Twin(lamp()), Some("bell"), ring, RuleEffect::Allow);
        house.ask(&metaverse(OWNER), &Request::SetRule(may_ring)).unwrap();
        house.committed(vec![LogEvent::PseudonymsSalted { salt: ContentHash::of(b"salt") }]);
        let root = RootKey::new([7; 32]).unwrap();
        house.committed(vec![LogEvent::TokenKeySet { key: root.public().unwrap() }]);
        let limits = Limits {
            twins: Some(vec![TwinSelector::Twin(lamp())]),
            features: Some(vec![FeatureId::slug("bell")]),
            actions: Some(vec![ActionId::slug("ring")]),
            until: Some(house.now.plus(60_000)),
            ..Limits::default()
        };
        let delegation = Delegation { guest: "postman".to_owned(), limits };
        let token = mint(&root, [1; 32], &UserId::slug(OWNER_ROLE), house.now, &delegation).unwrap();
        let mut bearer = metaverse(STRANGER);
        let grant = read(&token, house.state.token_key).unwrap();
        bearer.tokens.push(std::sync::Arc::new(grant));
        Self { house, token, bearer }
    }

    fn actor(&self, column: &str) -> Actor {
        match column {
            "silent" => Actor::new(Identity::Certificate(OWNER)),
            "stranger" => metaverse(STRANGER),
            "gone" => metaverse(GONE),
            "guest" => metaverse(GUEST),
            "ringer" => metaverse(RINGER),
            "bearer" => self.bearer.clone(),
            "owner" => metaverse(OWNER),
            other => panic!("{other}"),
        }
    }

    fn command(&mut self, twin: TwinId, feature: &str, action: &str) -> Request {
        Request::Actuate(Command { twin, ..self.house.command(feature, action) })
    }

    fn order(&self, shop: SystemId) -> Collaboration {
        let step = CallStep {
            key: StepKey::slug("only"),
            system: shop,
            service: ServiceId::slug("order"),
            input: Vec::new(),
            undo: Vec::new(),
            timeout_ms: None,
        };
        let (input, not_after) = (Json::default(), self.house.now.plus(1_000));
        Collaboration { id: CallId([7; 16]), input, steps: vec![step], not_after, trace: None }
    }

    fn confirmation(&self, system: SystemId) -> Confirmation {
        let total = Money::new(3_380, "EUR".parse().unwrap());
        let pay = PayWith { handler: "sandbox".to_owned(), instrument: "sandbox".to_owned() };
        let (id, checkout, shown) = (PurchaseId([4; 16]), CheckoutId::new("chk_1").unwrap(), CallId([8; 16]));
        Confirmation { id, system, checkout, shown, total, most: total, pay, designs: BTreeMap::new() }
    }

    fn request(&mut self, row: &str) -> Request {
        let safe = TwinId::new("bank/safe").unwrap();
        let what = Wanted::Read { twin: lamp(), feature: None };
        let user = UserInfo { id: UserId::slug("new"), name: "New".to_owned(), roles: vec![], login: None };
        let everyone = rule("new", Subject::Anyone, TwinSelector::All, None, Right::Read, RuleEffect::Allow);
        let limits = Limits { until: Some(self.house.now.plus(1)), ..Limits::default() };
        let nobodys = LeaseId([9; 16]);
        let lease = |twin| LeaseRequest { id: nobodys, twin, priority: 0, ttl_ms: 1_000, wait_ms: 0 };
        let shop = SystemId::slug("shop");
        match row {
            "hello" => {
                let (protocol, software) = (protocol_hash(), "test".to_owned());
                Request::Hello(Hello { protocol, party: Party::Metaverse, software })
            }
            "pair" => Request::Pair { code: "000000".to_owned(), name: "x".to_owned() },
            "discover systems" => Request::DiscoverSystems(SystemQuery::default()),
            "list twins" => Request::ListTwins { system: home(), after: None, limit: 0 },
            "describe the lamp" => Request::DescribeTwin(lamp()),
            "describe a safe" => Request::DescribeTwin(safe),
            "subscribe" => Request::Subscribe(Interest::All),
            "ring the bell" => self.command(lamp(), "bell", "ring"),
            "turn on the light" => self.command(lamp(), "light", "turn_on"),
            "open a safe" => self.command(safe, "door", "open"),
            "how far it is" => Request::CommandStatus(CommandId([3; 16])),
            "refresh" => Request::Refresh(lamp()),
            "explain to me" => Request::Explain(Inquiry { user: None, what }),
            "explain the owner" => Request::Explain(Inquiry { user: Some(UserId::slug("owner")), what }),
            "rules" => Request::Rules,
            "set rule" => Request::SetRule(everyone),
            "remove rule" => Request::RemoveRule(RuleId::slug("guests-see")),
            "who am i" => Request::WhoAmI,
            "users" => Request::Users,
            "set user" => Request::SetUser(user),
            "remove user" => Request::RemoveUser(UserId::slug("guest")),
            "forget somebody" => Request::Erase { user: UserId::slug("gone") },
            "revoke a device" => Request::RevokeDevice(RINGER),
            "open pairing" => Request::OpenPairing { role: RoleId::slug("guest"), user: None },
            "delegate" => Request::Delegate(Delegation { guest: "x".to_owned(), limits }),
            "present" => Request::Present { token: self.token.clone() },
            "revoke a token" => Request::RevokeToken(TokenId([3; 16])),
            "history" => Request::History { twin: lamp(), after: 0, limit: 0 },
            "readings of then" => {
                Request::Readings { twin: lamp(), from: Timestamp(0), until: self.house.now, limit: 0 }
            }
            "the lamp of then" => Request::PastTwin { twin: lamp(), at: self.house.now },
            "log" => Request::Log { after: 0, limit: 0 },
            "lease the lamp" => Request::Lease(lease(lamp())),
            "lease a safe" => Request::Lease(lease(safe)),
            "renew a lease" => Request::RenewLease(nobodys),
            "release a lease" => Request::ReleaseLease(nobodys),
            "leases" => Request::Leases { twin: lamp() },
            "acquire the lamp" => Request::Acquire(lamp()),
            "steps" => Request::Steps { after: 0, limit: 0, follow: false },
            "remove a system" => Request::RemoveSystem(home()),
            "agree with a shop" => {
                let (services, share) = ([ServiceId::slug("order")].into(), Sharing::default());
                Request::Authorize { system: shop, services, share, until: self.house.now.plus(1_000) }
            }
            "take it back" => Request::Deauthorize { system: shop },
            "agreements" => Request::Authorizations,
            "use a shop" => Request::Invoke(Box::new(self.order(shop))),
            "look at a call" => Request::Call(CallId([8; 16])),
            "cancel a call" => Request::CancelCall(CallId([8; 16])),
            "sii" => Request::Sii(vestibule_protocol::SiiUp::Heartbeat),
            "dii" => Request::Dii(DiiUp::Heartbeat),
            other => self.buying(other, shop),
        }
    }

    fn buying(&self, row: &str, shop: SystemId) -> Request {
        match row {
            "give a part" => {
                let (hash, media) = (ContentHash([3; 32]), "model/3mf".to_owned());
                Request::Give { hash, size: 4, media, offset: 0, bytes: vec![0; 4] }
            }
            "buy" => Request::Confirm(Box::new(self.confirmation(shop))),
            "cancel a purchase" => Request::CancelPurchase(PurchaseId([3; 16])),
            "look at a purchase" => Request::Purchase(PurchaseId([3; 16])),
            "purchases" => Request::Purchases { before: None, limit: 0 },
            "bind a product" => {
                let (purchase, certificate) = (PurchaseId([3; 16]), "payload.signature".to_owned());
                Request::Bind { twin: lamp(), purchase, serial: Serial::new("W-1").unwrap(), certificate }
            }
            "keep a product" => {
                let place = Place { space: "home".to_owned(), position: [0.0; 3], rotation: [0.0, 0.0, 0.0, 1.0] };
                let (purchase, serial) = (PurchaseId([3; 16]), Serial::new("W-1").unwrap());
                Request::Keep { purchase, serial, certificate: None, place, visual: None }
            }
            "products" => Request::Products { after: None, limit: 0 },
            "unbind a product" => Request::Unbind { serial: Serial::new("W-1").unwrap() },
            other => panic!("{other}"),
        }
    }
}

fn letter(outcome: Result<Decision, Refusal>) -> char {
    match outcome.map_err(|refusal| refusal.code) {
        Ok(_) => 'y',
        Err(RefusalCode::Forbidden) => 'f',
        Err(RefusalCode::Unauthenticated) => 'u',
        Err(RefusalCode::NotFound) => 'n',
        Err(RefusalCode::Invalid) => 'i',
        Err(other) => panic!("{other:?}"),
    }
}

#[test]
fn who_may_ask_what() {
    let mut matrix = Matrix::new();
    let mut seen = Set::new();
    for (row, expected) in TABLE {
        for (column, expected) in COLUMNS.into_iter().zip(expected) {
            let mut request = matrix.request(row);
            if row == "revoke a device" && column == "ringer" {
                // One's own is another matter.
                request = Request::RevokeDevice(GUEST);
            }
            assert!(rows(&request).contains(&row), "{row} is not a row of {request:?}");
            seen.extend(rows(&request));
            let House { state, hot, now, .. } = &matrix.house;
            let decided = decide(state, hot, *now, &matrix.actor(column), &request);
            assert_eq!(letter(decided), expected, "{row}, asked by {column}");
        }
    }
    assert_eq!(seen, TABLE.iter().map(|(row, _)| *row).collect(), "each row is asked");
}

#[test]
fn twin_systems_and_adapters_ask_nothing() {
    let mut matrix = Matrix::new();
    for (row, _) in TABLE.into_iter().filter(|(row, _)| !["hello", "dii"].contains(row)) {
        let request = matrix.request(row);
        let House { state, hot, now, .. } = &matrix.house;
        for identity in [Identity::Certificate(OWNER), Identity::Local(home()), Identity::Certificate(STRANGER)] {
            let actor = Actor::greeted(identity, Party::TwinSystem);
            assert_eq!(letter(decide(state, hot, *now, &actor, &request)), 'f', "{row} by {actor:?}");
        }
    }
}

/// What a rule of a right says of each right that is asked: read, turn_on, turn_off, any action, manage. `+` it gives
/// it, `-` it takes it, `.` it says nothing.
#[rustfmt::skip]
const RIGHTS: [(&str, RuleEffect, [char; 5]); 8] = [
    ("read",    RuleEffect::Allow, ['+', '.', '.', '.', '.']),
    ("turn_on", RuleEffect::Allow, ['+', '+', '.', '.', '.']),
    ("act",     RuleEffect::Allow, ['+', '+', '+', '+', '.']),
    ("manage",  RuleEffect::Allow, ['+', '+', '+', '+', '+']),
    ("read",    RuleEffect::Deny,  ['-', '-', '-', '-', '.']),
    ("turn_on", RuleEffect::Deny,  ['.', '-', '.', '.', '.']),
    ("act",     RuleEffect::Deny,  ['.', '-', '-', '-', '.']),
    ("manage",  RuleEffect::Deny,  ['.', '.', '.', '.', '-']),
];

fn right(name: &str) -> Right {
    match name {
        "read" => Right::Read,
        "act" => Right::ActAny,
        "manage" => Right::Manage,
        action => Right::Act(ActionId::slug(action)),
    }
}

/// Every rule of every right about everybody whom it could be about, and what it says of the light of the lamp for the
/// guest.
fn all_rules() -> Vec<(Rule, [char; 5])> {
    let other = |text: &str| TwinSelector::Twin(TwinId::new(text).unwrap());
    let whom = [
        (Subject::Anyone, true),
        (Subject::Role(RoleId::slug("guest")), true),
        (Subject::User(UserId::slug("guest")), true),
        (Subject::Role(RoleId::slug("owner")), false),
        (Subject::User(UserId::slug("gues")), false),
    ];
    let which = [
        (TwinSelector::All, true),
        (TwinSelector::System(home()), true),
        (TwinSelector::Twin(lamp()), true),
        (TwinSelector::System(SystemId::slug("hom")), false),
        (other("home/lamp2"), false),
    ];
    let part = [(None, true), (Some("light"), true), (Some("bell"), false)];
    let when = [(None, true), (Some(Timestamp(101)), true), (Some(Timestamp(100)), false)];
    let mut rules = Vec::new();
    for (name, effect, says) in RIGHTS {
        for (who, who_it_is) in &whom {
            for (twins, twin_it_is) in &which {
                for (feature, part_it_is) in part {
                    for (until, holds) in when {
                        let id = format!("r{}", rules.len());
                        let mut rule = rule(&id, who.clone(), twins.clone(), feature, right(name), effect);
                        rule.until = until;
                        let concerns = *who_it_is && *twin_it_is && part_it_is && holds;
                        rules.push((rule, if concerns { says } else { ['.'; 5] }));
                    }
                }
            }
        }
    }
    rules
}

/// Every pair of rules: a denial wins over everything, then whatever allows, else it is refused.
#[test]
fn every_pair_of_rules_says_what_the_table_says() {
    let rules = all_rules();
    let asked = ["read", "turn_on", "turn_off", "act", "manage"].map(right);
    let (user, roles) = (UserId::slug("guest"), [RoleId::slug("guest")]);
    let (twin, light) = (lamp(), FeatureId::slug("light"));
    // Each rule is met by a choice of others that grows with its place: all pairs would take minutes.
    for (place, (first, says)) in rules.iter().enumerate() {
        for (second, also) in rules.iter().skip(place % 7).step_by(7) {
            for (right, (says, also)) in asked.iter().zip(says.iter().zip(also)) {
                let access = Access {
                    user: &user,
                    roles: &roles,
                    about: About::Twin(&twin),
                    feature: Some(&light),
                    right,
                    at: Timestamp(100),
                };
                let verdict = decide_access([first, second], &access);
                let denied = *says == '-' || *also == '-';
                let expected = !denied && (*says == '+' || *also == '+');
                assert_eq!(verdict.allowed, expected, "{first:?} {second:?} {right:?}");
                let decided = [(first, says), (second, also)].into_iter();
                let mut by = decided.filter(|(_, says)| **says == if expected { '+' } else { '-' });
                assert_eq!(verdict.rule.as_ref(), by.next().map(|(rule, _)| &rule.id), "{first:?} {second:?}");
            }
        }
    }
}
