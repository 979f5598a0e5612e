//! A product without electronics becomes a twin once it is there, its merchant stands by it, and whoever bought it may
//! have a twin here.

use super::{binding::delivered, *};

fn place(x: f32) -> Place {
    Place { space: "home".to_owned(), position: [x, 0.0, 1.5], rotation: [0.0, 0.0, 0.0, 1.0] }
}

fn model() -> BlobRef {
    BlobRef::of(b"glTF", "model/gltf-binary")
}

fn request(x: f32) -> Request {
    let (purchase, certificate) = (PurchaseId([1; 16]), Some("a.b".to_owned()));
    Request::Keep { purchase, serial: serial(), certificate, place: place(x), visual: Some(model()) }
}

fn says() -> Certified {
    let (line, made) = (LineId::new("li_1").unwrap(), Some(Timestamp(1_600_000_000_000)));
    Certified { order: order("ord_1"), line, serial: serial(), design: Some(design()), made }
}

impl Street {
    /// What is asked of the merchant before anything is kept.
    fn keeping(&self, device: Fingerprint, request: &Request) -> Result<Binding, Refusal> {
        let decision = decide(&self.state, &self.hot, self.now, &metaverse(device), request)?;
        match &decision.effects[..] {
            [crate::Effect::Certify(binding)] if decision.events.is_empty() => Ok(binding.as_ref().clone()),
            other => panic!("{other:?}"),
        }
    }

    fn keep(&mut self, answer: Result<Certified, NotCertified>) -> Result<Product, Refusal> {
        let binding = self.keeping(OWNER, &request(1.0))?;
        let decision = certified(&self.state, self.now, &binding, &answer)?;
        match self.act(decision) {
            Some(Response::Product(product)) => Ok(product),
            other => panic!("{other:?}"),
        }
    }

    fn described(&self) -> Option<TwinInfo> {
        self.state.products.get(&serial()).and_then(|record| thing_info(record))
    }
}

#[test]
fn a_shelf_is_a_twin_with_its_place_its_look_and_where_it_comes_from() {
    let mut street = delivered();
    let product = street.keep(Ok(says())).unwrap();
    assert_eq!((product.twin.as_str(), product.design), ("things/W1042-0001", Some(design())));
    let info = street.described().unwrap();
    info.check().unwrap();
    assert_eq!((info.id.as_str(), info.name.as_str()), ("things/W1042-0001", "Lamp"));
    assert_eq!((info.manufacturer.as_deref(), info.model.as_deref()), (Some("Shop"), Some("made_7f3c")));
    assert_eq!(info.physical_ids, [PhysicalId { kind: "serial".to_owned(), value: "W1042-0001".to_owned() }]);
    assert_eq!((info.place.clone(), info.visual.clone().map(|visual| visual.model)), (Some(place(1.0)), Some(model())));
    let said = thing_says(&street.state.products[&serial()]);
    let said = |id: &str| said.get(&PropertyId::slug(id)).cloned();
    assert_eq!(said("order"), Some(Value::Text("ord_1".to_owned())));
    assert_eq!(said("design"), Some(Value::Text(design().to_string())));
    assert_eq!(said("made"), Some(Value::Text("2020-09-13T12:26:40.000Z".to_owned())));
    assert!(said("delivered").is_some() && said("owner").is_none(), "what twins say outlives people");
    let all: Vec<_> = info.properties().map(|(_, id, _)| id.clone()).collect();
    assert_eq!(all, thing_says(&street.state.products[&serial()]).into_keys().collect::<Vec<_>>());
    street.restart();
    assert_eq!(street.described(), Some(info));
    street.ask(OWNER, &Request::Unbind { serial: serial() }).unwrap();
    assert!(street.state.products.is_empty() && street.state.product_twins.is_empty());
    street.keep(Ok(says())).unwrap();
}

#[test]
fn once_more_is_the_same_or_moves_it() {
    let mut street = delivered();
    let product = street.keep(Ok(says())).unwrap();
    let lines = street.log.len();
    assert_eq!(street.ask(OWNER, &request(1.0)), Ok(Response::Product(product.clone())));
    assert_eq!(street.log.len(), lines, "nothing is written for it");
    assert_eq!(street.ask(OWNER, &request(2.0)), Ok(Response::Product(product)));
    assert_eq!(street.described().unwrap().place, Some(place(2.0)));
    street.restart();
    assert_eq!(street.described().unwrap().place, Some(place(2.0)));
    // Two windows, one shelf: the second answer finds it kept.
    let mut street = delivered();
    let late = street.keeping(OWNER, &request(3.0)).unwrap();
    street.keep(Ok(says())).unwrap();
    let decision = certified(&street.state, street.now, &late, &Ok(says())).unwrap();
    street.act(decision);
    assert_eq!(street.described().unwrap().place, Some(place(3.0)));
}

#[test]
fn what_is_forged_and_what_is_another_s_is_not_kept() {
    let others: [fn(&mut Certified); 4] = [
        |said| said.order = order("ord_2"),
        |said| said.line = LineId::new("li_2").unwrap(),
        |said| said.serial = Serial::new("W1042-0002").unwrap(),
        |said| said.design = None,
    ];
    let mut words = vec![delivered().keep(Err(NotCertified::Forged)).unwrap_err()];
    for change in others {
        let mut said = says();
        change(&mut said);
        words.push(delivered().keep(Ok(said)).unwrap_err());
    }
    assert!(words.iter().all(|refusal| *refusal == words[0] && refusal.code == RefusalCode::Forbidden), "{words:?}");
    let away = NotCertified::Unavailable { reason: "it is away".to_owned() };
    assert_eq!(delivered().keep(Err(away)).unwrap_err().code, RefusalCode::Unavailable);
}

#[test]
fn a_serial_number_is_one_twin_only() {
    let mut street = delivered();
    let late = street.keeping(OWNER, &request(1.0)).unwrap();
    let bound = |street: &mut Street, twin: &TwinId| {
        let (purchase, certificate) = (PurchaseId([1; 16]), "a.b".to_owned());
        let bind = Request::Bind { twin: twin.clone(), purchase, serial: serial(), certificate };
        let decision = decide(&street.state, &street.hot, street.now, &metaverse(OWNER), &bind)?;
        let [crate::Effect::Certify(binding)] = &decision.effects[..] else { panic!("{decision:?}") };
        let decision = certified(&street.state, street.now, binding, &Ok(says()))?;
        Ok::<_, Refusal>(street.act(decision))
    };
    bound(&mut street, &lamp()).unwrap();
    let code = certified(&street.state, street.now, &late, &Ok(says())).unwrap_err().code;
    assert_eq!(code, RefusalCode::Conflict, "it was bound to a device meanwhile");
    assert_eq!(street.keeping(OWNER, &request(1.0)).unwrap_err().code, RefusalCode::Conflict);
    let mut street = delivered();
    street.keep(Ok(says())).unwrap();
    assert_eq!(bound(&mut street, &lamp()).unwrap_err().code, RefusalCode::Conflict);
}

#[test]
fn what_has_not_come_yet_is_no_twin() {
    let mut street = Street::shown(&["chk_1"]);
    street.confirm(&confirmation(1, "chk_1")).unwrap();
    let push = |street: &mut Street, events, came| {
        let mut view = view(events, PRICE);
        let serials = ["W1042-0001", "W1042-0002"].map(|text| Serial::new(text).unwrap());
        (view.lines[0].serials, view.lines[0].fulfilled) = (serials.to_vec(), came);
        let (checkout, order, view) = (checkout("chk_1"), order("ord_1"), Box::new(view));
        street.hear(&TradeUp::Pushed { system: shop(), checkout, order, view });
    };
    push(&mut street, 5, 0);
    assert_eq!(street.keeping(OWNER, &request(1.0)).unwrap_err().code, RefusalCode::Conflict);
    push(&mut street, 6, 1);
    street.keep(Ok(says())).unwrap();
    let second = |street: &Street| {
        let serial = Serial::new("W1042-0002").unwrap();
        let (purchase, certificate) = (PurchaseId([1; 16]), Some("a.b".to_owned()));
        let visual = None;
        street.keeping(OWNER, &Request::Keep { purchase, serial, certificate, place: place(1.0), visual })
    };
    assert_eq!(second(&street).unwrap_err().code, RefusalCode::Conflict, "one of two came, and is kept");
    push(&mut street, 7, 2);
    second(&street).unwrap();
}

#[test]
fn who_has_not_bought_it_or_does_not_manage_it_keeps_nothing() {
    let street = delivered();
    let code = |device, request: &Request| street.keeping(device, request).unwrap_err().code;
    assert_eq!(code(GUEST, &request(1.0)), RefusalCode::NotFound);
    let with = |change: fn(&mut Place)| {
        let mut place = place(1.0);
        change(&mut place);
        let (purchase, certificate) = (PurchaseId([1; 16]), Some("a.b".to_owned()));
        Request::Keep { purchase, serial: serial(), certificate, place, visual: None }
    };
    let wrong: [fn(&mut Place); 5] = [
        |place| place.position[1] = f32::NAN,
        |place| place.rotation = [0.0; 4],
        |place| place.rotation[2] = f32::INFINITY,
        |place| place.space.clear(),
        |place| place.space = "x".repeat(65),
    ];
    for change in wrong {
        assert_eq!(code(OWNER, &with(change)), RefusalCode::Invalid);
    }
    let Request::Keep { purchase, serial, place, .. } = request(1.0) else { panic!("not kept") };
    let keep = |serial: &str, certificate: Option<String>, visual| {
        let serial = Serial::new(serial).unwrap();
        Request::Keep { purchase, serial, certificate, place: place.clone(), visual }
    };
    let (it, picture) = (serial.as_str(), BlobRef::of(b"x", "image/png"));
    assert_eq!(code(OWNER, &keep("X-1", Some("a.b".to_owned()), None)), RefusalCode::NotFound);
    assert_eq!(code(OWNER, &keep(it, Some("x".repeat(5_000)), None)), RefusalCode::Invalid);
    assert_eq!(code(OWNER, &keep(it, None, Some(picture))), RefusalCode::Invalid);
    assert_eq!(code(OWNER, &keep(it, None, Some(BlobRef { size: u64::MAX, ..model() }))), RefusalCode::Invalid);
    assert_eq!(code(OWNER, &keep(it, None, None)), RefusalCode::NotFound, "there is no certificate in the order");
}

#[test]
fn who_manages_no_twins_here_keeps_what_they_bought_elsewhere() {
    let mut street = delivered();
    street.commit(vec![LogEvent::RuleRemoved { rule: RuleId::slug("owners-everything"), by: user() }]);
    assert_eq!(street.keeping(OWNER, &request(1.0)).unwrap_err().code, RefusalCode::Forbidden);
    let mut street = delivered();
    street.keep(Ok(says())).unwrap();
    street.commit(vec![LogEvent::RuleRemoved { rule: RuleId::slug("owners-everything"), by: user() }]);
    let moves = decide(&street.state, &street.hot, street.now, &metaverse(OWNER), &request(2.0));
    assert_eq!(moves.unwrap_err().code, RefusalCode::Forbidden, "and moves nothing that they kept before");
}

#[test]
fn things_go_with_whoever_bought_them_and_nobody_else_is_their_system() {
    let mut street = delivered();
    street.keep(Ok(says())).unwrap();
    street.commit(vec![LogEvent::PersonErased { user: user(), by: None }]);
    assert_eq!(street.state.kept_products().count(), 0);
    let mut street = Street::new();
    let decision =
        enroll(&street.state, Fingerprint([7; 32]), &UserId::slug("x"), &[RoleId::slug("twin_system")], "x").unwrap();
    street.commit(decision.events);
    let mut actor = Actor::new(Identity::Certificate(Fingerprint([7; 32])));
    actor.party = Some(Party::TwinSystem);
    let register = Request::Dii(DiiUp::Register(things_info()));
    let refusal = decide(&street.state, &street.hot, street.now, &actor, &register).unwrap_err();
    assert_eq!(refusal.code, RefusalCode::Conflict);
}
