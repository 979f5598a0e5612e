//! A manufacturer asks to see a free place (FGMV-29 P1.15): what is agreed for one price, and for how long, over an enabler
//! that is a pair of queues.

use std::{collections::BTreeSet, sync::Arc};

use bevy::prelude::*;
use serde_json::json;
use vestibule_model::{
    Authorization, CallStatus, CallUpdate, ContentHash, DesignHash, FeatureId, FeatureInfo, FeatureKind, Json,
    PropertyId, PropertyInfo, Pseudonym, RuleId, ServiceId, ServiceInfo, Sharing, StepKey, StepStatus, StepUpdate,
    SystemHealth, SystemId, SystemInfo, SystemKind, Timestamp, TwinId, TwinInfo, UserId, ValueType,
};
use vestibule_plugin_commerce::CommercePlugin;
use vestibule_protocol::{Event, LinkEvent, Request, Response, SystemView};
use vestibule_tests::{FakeEnabler, view};
use vestibule_twin::{DesignPackage, DesignPackaged, Given, Shop, ShopFit, ShopQuote, ShopView};

use crate::frames;

fn workshop() -> SystemId {
    SystemId::slug("workshop")
}

fn sensor() -> TwinId {
    TwinId::new("home/lounge_motion").unwrap()
}

/// A sensor that says whether somebody is there, and how wide a free place is.
fn measures() -> TwinInfo {
    let mut info = TwinInfo::new(sensor(), "Lounge motion");
    for (id, name) in [("motion", "Motion"), ("gap_width", "Free place, width")] {
        let feature = FeatureInfo {
            name: name.to_owned(),
            kind: FeatureKind::Sensor,
            class: None,
            properties: [(PropertyId::slug("value"), PropertyInfo::new(ValueType::AnyNumber))].into(),
            actions: Default::default(),
            events: BTreeSet::new(),
        };
        info.features.insert(FeatureId::slug(id), feature);
    }
    info
}

fn package() -> DesignPackage {
    DesignPackage {
        design: DesignHash(ContentHash([7; 32])),
        name: "Shelf".to_owned(),
        role: None,
        package: Given::new(Given::PACKAGE, b"PK".as_slice()),
        process: "fff".to_owned(),
        material: "pla".to_owned(),
        colour: "#ffffff".to_owned(),
        infill_percent: 15,
    }
}

/// A manufacturer that asks for a free place, behind an enabler that does what it is asked, and what that was.
struct Bench {
    app: App,
    enabler: FakeEnabler,
    agreed: Sharing,
    heard: Vec<String>,
    /// Whether the manufacturer answers.
    answers: bool,
}

impl Bench {
    fn new() -> Self {
        let (mut app, mut enabler) = crate::app();
        app.add_plugins(CommercePlugin { seed: [5; 16] });
        enabler.tell(&Event::Twin(Box::new(view(measures(), 2))));
        frames(&mut app, &mut enabler, 2);
        let mut bench = Self { app, enabler, agreed: Sharing::default(), heard: Vec::new(), answers: true };
        bench.wish(Shop::Look);
        bench
    }

    fn wish(&mut self, wish: Shop) {
        self.app.world_mut().write_message(wish);
        self.serve();
    }

    fn serve(&mut self) {
        for _ in 0..8 {
            frames(&mut self.app, &mut self.enabler, 2);
            for (id, request) in std::mem::take(&mut self.enabler.asked) {
                if let Some(response) = self.answer(request) {
                    self.enabler.respond(id, &response);
                }
            }
        }
    }

    fn answer(&mut self, request: Request) -> Option<Response> {
        Some(match request {
            Request::DiscoverSystems(_) => Response::Systems(vec![known()]),
            Request::Authorizations => Response::Authorizations(vec![self.authorization()]),
            Request::Purchases { .. } => Response::Purchases(Vec::new()),
            Request::Give { size, .. } => Response::Given { next: size },
            Request::Authorize { share, .. } => {
                assert!(!share.name && !share.standing && share.answers_of.is_empty());
                let sees = share
                    .twins
                    .iter()
                    .flat_map(|(twin, features)| features.iter().map(move |feature| format!("{twin} {feature}")));
                self.heard.push(format!("sees {}", sees.collect::<Vec<_>>().join(", ")));
                self.agreed = share;
                Response::Authorized(self.authorization())
            }
            Request::Call(_) => return None,
            Request::Invoke(call) => {
                self.heard.push(call.steps[0].service.to_string());
                if !self.answers {
                    return None;
                }
                let at = Timestamp(1_000_000);
                let (key, system, service) = (StepKey::slug("use"), workshop(), ServiceId::slug("quote"));
                let step = StepUpdate { key, system, service, status: StepStatus::Done, attempts: 1, at };
                let (user, status, output) = (UserId::slug("owner"), CallStatus::Succeeded, Some(quote()));
                Response::Call(CallUpdate { call: call.id, user, status, steps: vec![step], output, at })
            }
            other => panic!("{other:?}"),
        })
    }

    fn authorization(&self) -> Authorization {
        Authorization {
            system: workshop(),
            pseudonym: Pseudonym::slug("u-1"),
            services: ["quote", "checkout"].map(ServiceId::slug).into(),
            share: self.agreed.clone(),
            until: Timestamp(10_000_000),
            account: None,
            since: Timestamp(0),
        }
    }

    /// Asks what the open design costs, as its window does.
    fn ask(&mut self, shows: Option<TwinId>) {
        self.wish(Shop::Quote { system: workshop(), quantity: 1, shows });
        self.app.world_mut().write_message(DesignPackaged(Ok(package())));
        self.serve();
    }

    fn quote(&self) -> ShopQuote {
        self.app.world().resource::<ShopView>().quotes[&workshop()].clone()
    }
}

fn known() -> SystemView {
    let mut info = SystemInfo::new(workshop(), SystemKind::ThirdParty, "The workshop");
    for id in ["quote", "checkout"] {
        let needs = (id == "quote").then(|| "free place".to_owned()).into_iter().collect();
        info.services.insert(ServiceId::slug(id), ServiceInfo { needs, ..ServiceInfo::new(id) });
    }
    let usable = info.services.keys().map(|id| (id.clone(), RuleId::slug("everybody"))).collect();
    let health = SystemHealth { online: true, ..SystemHealth::default() };
    SystemView { info: Arc::new(info), health, usable }
}

fn quote() -> Json {
    let fits = json!({"kind": "fits", "says": "It fits there: width 812 of 820 mm."});
    Json::of(&json!({"ucp": {"version": "2026-04-08"}, "currency": "EUR", "lead_time_s": 7200, "findings": [fits],
        "item": {"id": "made_1", "title": "Shelf", "price": 2350}, "expires_at": "2026-11-27T12:00:00Z",
        "price_parts": [{"display_text": "Material", "amount": 2350}], "design": package().design,
        "package": package().package.hash, "process": "fff", "material": "pla", "colour": "#ffffff"}))
    .unwrap()
}

const SEES: &str = "sees home/lounge_motion gap_width";

#[test]
fn what_a_manufacturer_may_see_is_agreed_for_one_price() {
    let mut bench = Bench::new();
    let asks = bench.app.world().resource::<ShopView>().merchants[0].asks.clone();
    assert_eq!(
        (asks.len(), &asks[0].twin, asks[0].measures.as_slice()),
        (1, &sensor(), &["Free place, width".to_owned()][..])
    );
    bench.ask(None);
    assert_eq!(std::mem::take(&mut bench.heard), ["quote"], "refused, nothing is agreed");
    bench.ask(Some(sensor()));
    assert_eq!(std::mem::take(&mut bench.heard), [SEES, "quote", "sees "], "the call, and nothing before or after it");
    assert_eq!((bench.agreed.clone(), bench.quote().busy), (Sharing::default(), None));
    assert!(matches!(bench.quote().fit, ShopFit::Fits(says) if says.contains("812 of 820 mm")));
}

#[test]
fn a_link_that_breaks_meanwhile_leaves_nothing_to_be_seen() {
    let mut bench = Bench::new();
    bench.answers = false;
    bench.ask(Some(sensor()));
    assert_eq!(std::mem::take(&mut bench.heard), [SEES, "quote"]);
    bench.enabler.say(LinkEvent::Closed { reason: "the cable is out".to_owned(), retry: true });
    for _ in 0..20 {
        bench.serve();
    }
    assert_eq!(bench.heard, ["sees "], "it is taken back over the next connection");
    assert!(bench.quote().problem.is_some() && bench.agreed == Sharing::default());
}
