//! Snapshots of whatever can be written: any lines at all, in any order, of every kind that there is.

use rand::{Rng, SeedableRng, rngs::StdRng, seq::IndexedRandom};

use super::*;

mod buying;

/// Kinds of lines. Who adds one gives it a number in [`kind`] and an arm in [`Chance::line`].
const KINDS: usize = 43;

const fn kind(event: &LogEvent) -> usize {
    match event {
        LogEvent::RuleSet { .. } => 0,
        LogEvent::RuleRemoved { .. } => 1,
        LogEvent::DeviceEnrolled { .. } => 2,
        LogEvent::DeviceRevoked { .. } => 3,
        LogEvent::UserSet { .. } => 4,
        LogEvent::UserRemoved { .. } => 5,
        LogEvent::TokenKeySet { .. } => 6,
        LogEvent::TokenDelegated { .. } => 7,
        LogEvent::TokenRevoked { .. } => 8,
        LogEvent::SystemRegistered { .. } => 9,
        LogEvent::SystemGone { .. } => 10,
        LogEvent::SystemMeasured { .. } => 11,
        LogEvent::PermissionTold { .. } => 12,
        LogEvent::TwinDescribed { .. } => 13,
        LogEvent::TwinGone { .. } => 14,
        LogEvent::CommandAccepted { .. } => 15,
        LogEvent::CommandDispatched { .. } => 16,
        LogEvent::CommandEnded { .. } => 17,
        LogEvent::WishEnded { .. } => 18,
        LogEvent::LeaseQueued { .. } => 19,
        LogEvent::LeaseGranted { .. } => 20,
        LogEvent::LeaseRenewed { .. } => 21,
        LogEvent::LeaseIntegrated { .. } => 22,
        LogEvent::LeaseEnded { .. } => 23,
        LogEvent::PersonErased { .. } => 24,
        LogEvent::LogCut { .. } => 25,
        LogEvent::PseudonymsSalted { .. } => 26,
        LogEvent::Authorized { .. } => 27,
        LogEvent::Deauthorized { .. } => 28,
        LogEvent::TwinAcquired { .. } => 29,
        LogEvent::CallAccepted { .. } => 30,
        LogEvent::StepDispatched { .. } => 31,
        LogEvent::StepEnded { .. } => 32,
        LogEvent::CallStopped { .. } => 33,
        LogEvent::CallEnded { .. } => 34,
        LogEvent::PurchaseConfirmed { .. } => 35,
        LogEvent::PurchaseAsked { .. } => 36,
        LogEvent::PurchaseTold { .. } => 37,
        LogEvent::PurchaseCancelAsked { .. } => 38,
        LogEvent::PurchaseEnded { .. } => 39,
        LogEvent::ProductBound { .. } => 40,
        LogEvent::ProductUnbound { .. } => 41,
        LogEvent::ProductKept { .. } => 42,
    }
}

/// Few of everything, so that lines meet.
struct Chance {
    rng: StdRng,
    fence: u64,
}

impl Chance {
    fn byte(&mut self) -> u8 {
        self.rng.random_range(0..6)
    }

    fn one_of(&mut self, words: &[&str]) -> String {
        (*words.choose(&mut self.rng).unwrap()).to_owned()
    }

    /// Of any size: JSON makes another one of many of them.
    fn number(&mut self) -> f64 {
        let number = f64::from_bits(self.rng.random());
        if number.is_finite() { number } else { 0.1 }
    }

    fn user(&mut self) -> UserId {
        UserId::slug(&self.one_of(&["ada", "bo", "cy"]))
    }

    fn system(&mut self) -> SystemId {
        SystemId::slug(&self.one_of(&["home", "shop", "shop-2"]))
    }

    fn twin(&mut self) -> TwinId {
        let local = self.one_of(&["lamp", "door", "arm"]);
        TwinId::new(format!("{}/{local}", self.system())).unwrap()
    }

    fn device(&mut self) -> Fingerprint {
        Fingerprint([self.byte(); 32])
    }

    fn identity(&mut self) -> Identity {
        match self.byte() {
            0 => Identity::Console,
            1 => Identity::Local(self.system()),
            _ => Identity::Certificate(self.device()),
        }
    }

    fn until(&mut self, at: Timestamp) -> Timestamp {
        at.plus(self.rng.random_range(0..5_000))
    }

    fn rule(&mut self) -> Rule {
        let who = if self.rng.random() { Subject::User(self.user()) } else { Subject::Role(RoleId::slug("guest")) };
        let twins =
            if self.rng.random() { TwinSelector::Twin(self.twin()) } else { TwinSelector::System(self.system()) };
        let id = RuleId::slug(&self.one_of(&["r1", "r2", "r3"]));
        Rule {
            id,
            who,
            twins,
            feature: None,
            right: Right::ActAny,
            effect: RuleEffect::Allow,
            until: None,
            priority: Some(self.byte()),
        }
    }

    fn limits(&mut self, at: Timestamp) -> Limits {
        Limits { twins: Some(vec![TwinSelector::Twin(self.twin())]), until: Some(self.until(at)), ..Limits::default() }
    }

    fn info(&mut self) -> TwinInfo {
        let mut info = TwinInfo { id: self.twin(), ..lamp_info() };
        info.physical_ids[0].value = self.byte().to_string();
        let (min, max, step) = (self.number(), self.number(), self.number());
        for property in info.features.values_mut().flat_map(|feature| feature.properties.values_mut()) {
            property.value = ValueType::Number { min, max, step };
            property.tolerance = Some(step);
        }
        if self.rng.random() {
            info.features.remove(&FeatureId::slug("light"));
        }
        info
    }

    fn system_info(&mut self) -> SystemInfo {
        let kind = if self.rng.random() { SystemKind::DigitalTwin } else { SystemKind::ThirdParty };
        let mut info = SystemInfo::new(self.system(), kind, "Somebody's");
        info.properties.insert("floor".to_owned(), self.byte().to_string());
        info
    }

    fn measured(&mut self) -> Measured {
        Measured { online_ms: u64::from(self.byte()), watched_ms: 7 }
    }

    fn accepted(&mut self, at: Timestamp) -> LogEvent {
        let feature = FeatureId::slug(&self.one_of(&["light", "dimmer"]));
        let command = Command {
            id: CommandId([self.byte(); 16]),
            twin: self.twin(),
            feature,
            action: ActionId::slug("turn_on"),
            input: self.rng.random_bool(0.3).then(|| Value::Float(self.number())),
            expected_revision: None,
            not_after: self.until(at),
            trace: None,
            lease: self.rng.random_bool(0.3).then_some(LeaseId([1; 16])),
        };
        LogEvent::CommandAccepted {
            command,
            user: self.user(),
            rule: RuleId::slug("r1"),
            wishes: vec![Wish { property: PropertyId::slug("on"), value: Value::Bool(self.rng.random()) }],
            dispatched: self.rng.random(),
            device: self.rng.random_bool(0.5).then_some(Fingerprint([1; 32])),
            fence: None,
        }
    }

    fn queued(&mut self, at: Timestamp) -> LogEvent {
        let (by, guest) = (self.user(), "the plumber".to_owned());
        let ids = vec![TokenId([self.byte(); 16])];
        let token = Grant { ids, by, guest, issued: at, limits: self.limits(at) };
        LogEvent::LeaseQueued {
            request: LeaseRequest {
                id: LeaseId([self.byte(); 16]),
                twin: self.twin(),
                priority: self.byte(),
                ttl_ms: 2_000,
                wait_ms: 3_000,
            },
            user: self.user(),
            by: self.identity(),
            rule: RuleId::slug("r2"),
            priority: self.byte(),
            token: self.rng.random_bool(0.5).then(|| Box::new(token)),
        }
    }

    fn line(&mut self, kind: usize, at: Timestamp) -> LogEvent {
        let (command, lease) = (CommandId([self.byte(); 16]), LeaseId([self.byte(); 16]));
        match kind {
            0 => LogEvent::RuleSet { rule: self.rule(), by: Some(self.user()) },
            1 => LogEvent::RuleRemoved { rule: self.rule().id, by: self.user() },
            2 => LogEvent::DeviceEnrolled {
                certificate: self.device(),
                user: self.user(),
                roles: vec![RoleId::slug("guest")],
                device: "Somebody's telephone".to_owned(),
                until: None,
                by: None,
            },
            3 => LogEvent::DeviceRevoked { certificate: self.device(), by: self.user() },
            4 => {
                let id = self.user();
                let login = Login { issuer: "https://who.example".to_owned(), subject: format!("{id} of Who") };
                let (name, roles) = (format!("{id} the Great"), vec![RoleId::slug("owner")]);
                let user = UserInfo { name, id, roles, login: Some(login) };
                LogEvent::UserSet { user, by: Some(self.user()) }
            }
            5 => LogEvent::UserRemoved { user: self.user(), by: self.user() },
            6 => LogEvent::TokenKeySet { key: TokenKey([self.byte(); 32]) },
            7 => {
                let (id, guest) = (TokenId([self.byte(); 16]), "the plumber".to_owned());
                LogEvent::TokenDelegated { id, by: self.user(), guest, limits: self.limits(at) }
            }
            8 => LogEvent::TokenRevoked { id: TokenId([self.byte(); 16]), by: self.user() },
            9 => LogEvent::SystemRegistered { info: self.system_info(), owner: self.identity() },
            10 => LogEvent::SystemGone {
                system: self.system(),
                by: self.rng.random_bool(0.5).then(|| UserId::slug("ada")),
            },
            11 => LogEvent::SystemMeasured { system: self.system(), measured: self.measured() },
            12 => {
                let only = BTreeMap::from([(FeatureId::slug("light"), BTreeSet::new())]);
                let permission =
                    if self.rng.random() { TwinPermission::Only(only) } else { TwinPermission::Unrestricted };
                LogEvent::PermissionTold { twin: self.twin(), user: self.user(), permission }
            }
            13 => LogEvent::TwinDescribed { info: self.info().into() },
            14 => LogEvent::TwinGone { twin: self.twin() },
            15 => self.accepted(at),
            16 => LogEvent::CommandDispatched { command },
            17 => {
                let status = if self.rng.random() { CommandStatus::Confirmed } else { CommandStatus::Expired };
                LogEvent::CommandEnded { command, status, unmet: vec![PropertyId::slug("on")] }
            }
            18 => LogEvent::WishEnded {
                command,
                twin: self.twin(),
                feature: FeatureId::slug("light"),
                property: PropertyId::slug("on"),
            },
            19 => self.queued(at),
            20 => {
                self.fence += 1;
                LogEvent::LeaseGranted { lease, fence: self.fence, until: self.until(at) }
            }
            21 => LogEvent::LeaseRenewed { lease, until: self.until(at) },
            22 => LogEvent::LeaseIntegrated { lease, fence: self.fence },
            23 => LogEvent::LeaseEnded { lease, reason: LeaseEnd::Released },
            24 => LogEvent::PersonErased { user: self.user(), by: None },
            25 => LogEvent::LogCut { through: 1, hash: ContentHash([1; 32]), snapshot: ContentHash([2; 32]) },
            other => self.dealing(other, at),
        }
    }

    fn pseudonym(&mut self) -> Pseudonym {
        Pseudonym::slug(&self.one_of(&["u-1", "u-2", "u-3"]))
    }

    fn plan(&mut self) -> StepPlan {
        let (user, owner) = (self.pseudonym(), self.identity());
        StepPlan { user, owner, account: None, timeout_ms: 5_000, idempotent: self.rng.random(), undo: None }
    }

    fn collaboration(&mut self, at: Timestamp, user: &UserId) -> Collaboration {
        let step = CallStep {
            key: StepKey::slug("pay"),
            system: self.system(),
            service: ServiceId::slug("pay"),
            input: Vec::new(),
            undo: Vec::new(),
            timeout_ms: None,
        };
        let number = self.number();
        let input = Json::new(format!("{{\"count\":{number:e},\"street\":\"{user} Street\"}}")).unwrap();
        Collaboration {
            id: CallId([self.byte(); 16]),
            input,
            steps: vec![step],
            not_after: self.until(at),
            trace: None,
        }
    }

    /// What users and third-party systems do.
    fn dealing(&mut self, kind: usize, at: Timestamp) -> LogEvent {
        let (call, step, undo) = (CallId([self.byte(); 16]), StepKey::slug("pay"), self.rng.random_bool(0.3));
        let user = self.user();
        match kind {
            26 => LogEvent::PseudonymsSalted { salt: ContentHash([self.byte(); 32]) },
            27 => {
                let authorization = Authorization {
                    system: self.system(),
                    pseudonym: self.pseudonym(),
                    services: BTreeSet::from([ServiceId::slug("pay")]),
                    share: Sharing::default(),
                    until: self.until(at),
                    account: None,
                    since: at,
                };
                LogEvent::Authorized { user: self.user(), by: self.identity(), authorization }
            }
            28 => {
                let (system, pseudonym) = (self.system(), self.pseudonym());
                LogEvent::Deauthorized { system, pseudonym, user: self.user(), end: AgreementEnd::TakenBack }
            }
            29 => LogEvent::TwinAcquired {
                system: self.system(),
                user: self.user(),
                pseudonym: self.pseudonym(),
                twin: self.twin(),
                features: BTreeSet::from([FeatureId::slug("light")]),
                call: self.rng.random_bool(0.5).then_some(call),
            },
            30 => LogEvent::CallAccepted {
                call: Box::new(self.collaboration(at, &user)),
                user,
                by: self.identity(),
                request: ContentHash([self.byte(); 32]),
                plans: vec![self.plan()],
            },
            31 => LogEvent::StepDispatched { call, user, step, undo, input: Some(Json::new("[1]").unwrap()) },
            32 => {
                let done = StepEnd::Done { output: Json::new("7").unwrap() };
                let failed = StepEnd::Failed { reason: "no".to_owned() };
                LogEvent::StepEnded { call, user, step, undo, end: if self.rng.random() { done } else { failed } }
            }
            33 => LogEvent::CallStopped { call, user, stop: Stop::Cancelled },
            34 => LogEvent::CallEnded { call, user, status: CallStatus::Succeeded },
            other => self.buying(other),
        }
    }
}

fn through_a_snapshot(state: &State) -> State {
    let mut names = NameBook::new(|| [7; 32]);
    let written = names.scope(|| serde_json::to_vec(state)).unwrap();
    names.scope(|| serde_json::from_slice(&written)).unwrap()
}

/// Two folds of the same lines: one that reads a snapshot of itself time and again, one that never does.
#[test]
fn a_snapshot_of_any_moment_is_the_fold_of_the_lines_before() {
    let mut seen = BTreeSet::new();
    let (mut unread, mut moved) = (0, 0);
    for seed in 0..40 {
        let mut chance = Chance { rng: StdRng::seed_from_u64(seed), fence: 0 };
        let (mut whole, mut read) = (State::default(), State::default());
        let mut at = Timestamp(1_700_000_000_000);
        for number in 0..600 {
            at = at.plus(chance.rng.random_range(0..1_000));
            // Seldom what takes much away at once.
            let kinds = match chance.rng.random_range(0..30) {
                0 => 0..KINDS,
                1..20 => 9..24,
                _ => 27..KINDS,
            };
            let wanted = chance.rng.random_range(kinds);
            let said = chance.line(wanted, at);
            let (line, event) = said.written().unwrap();
            assert_eq!(LogEvent::read(&line).unwrap(), event, "seed {seed}, line {number}: it counts as it is read");
            unread += usize::from(said.reads_as_itself());
            moved += usize::from(said != event);
            assert_eq!(event.written().unwrap().1, event, "seed {seed}, line {number}: it stays what was read once");
            assert!(wanted != 13 || event.reads_as_itself(), "seed {seed}, line {number}: known without reading");
            seen.insert(kind(&event));
            whole.apply(at, &event);
            read.apply(at, &event);
            if chance.rng.random_bool(0.1) {
                read = through_a_snapshot(&read);
            }
            assert_eq!(whole, read, "seed {seed}, line {number}: {event:?}");
        }
    }
    assert_eq!(seen.len(), KINDS, "every kind of line was written");
    assert!(unread > 1_000 && moved > 100, "both ways were taken: {unread} were not read, {moved} were moved by it");
}

/// Whoever is forgotten is in nothing of what is kept, by name.
#[test]
fn a_snapshot_after_an_erasure_says_no_name() {
    for seed in 0..40 {
        let mut chance = Chance { rng: StdRng::seed_from_u64(seed), fence: 0 };
        let mut names = NameBook::new(|| [7; 32]);
        let mut state = State::default();
        let at = Timestamp(1_700_000_000_000);
        let ada = UserId::slug("ada");
        for _ in 0..400 {
            let wanted = chance.rng.random_range(0..KINDS);
            if wanted == 24 {
                continue;
            }
            let event = chance.line(wanted, at);
            let (_, event) = names.scope(|| event.written()).unwrap();
            state.apply(at, &event);
        }
        let Some(person) = names.user("ada") else { panic!("nobody wrote of ada") };
        state.apply(at, &LogEvent::PersonErased { user: ada.clone(), by: None });
        assert!(!state.users.contains_key(&ada) && state.devices.values().all(|device| device.user != ada));
        assert!(state.twins.keys().all(|twin| state.permission(twin, &ada).is_none()));
        assert!(state.agreements.values().all(|agreement| agreement.user != ada));
        assert!(state.calls.values().all(|record| record.user != ada || record.orphan));
        assert!(state.purchases.values().all(|record| record.user != ada || record.orphan));
        assert!(state.products.values().all(|known| known.user != ada));
        let written = names.scope(|| serde_json::to_vec(&state)).unwrap();
        assert!(!String::from_utf8_lossy(&written).contains("Street"), "what people give is sealed");
        names.forget(person);
        let kept: State = names.scope(|| serde_json::from_slice(&written)).unwrap();
        let text = serde_json::to_string(&kept).unwrap();
        assert!(
            ["\"ada\"", "ada the Great", "ada of Who", "ada Street"].iter().all(|name| !text.contains(name)),
            "seed {seed}: {text}"
        );
    }
}
