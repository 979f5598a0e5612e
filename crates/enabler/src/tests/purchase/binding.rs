//! A product is bound by whoever bought it, to the twin whose device says that it is the one.

use super::*;

/// An order with a product, and a lamp that tells its number.
pub(super) fn delivered() -> Street {
    let mut street = Street::shown(&["chk_1"]);
    street.confirm(&confirmation(1, "chk_1")).unwrap();
    let mut view = view(9, PRICE);
    (view.lines[0].serials, view.lines[0].fulfilled) = (vec![serial()], 1);
    let (checkout, order, view) = (checkout("chk_1"), order("ord_1"), Box::new(view));
    street.hear(&TradeUp::Pushed { system: shop(), checkout, order, view });
    street.commit(vec![LogEvent::TwinDescribed { info: lamp_with(&["W1042-0001"]).into() }]);
    street
}

fn request(twin: TwinId, serial: &Serial) -> Request {
    Request::Bind { twin, purchase: PurchaseId([1; 16]), serial: serial.clone(), certificate: "a.b".to_owned() }
}

fn says() -> Certified {
    let line = LineId::new("li_1").unwrap();
    Certified {
        order: order("ord_1"),
        line,
        serial: serial(),
        design: Some(design()),
        made: Some(Timestamp(1_600_000_000_000)),
    }
}

impl Street {
    fn binding(&self, device: Fingerprint, request: &Request) -> Result<Binding, Refusal> {
        let decision = decide(&self.state, &self.hot, self.now, &metaverse(device), request)?;
        match &decision.effects[..] {
            [crate::Effect::Certify(binding)] => Ok(binding.as_ref().clone()),
            other => panic!("{other:?}"),
        }
    }

    fn bind(&mut self, answer: Result<Certified, NotCertified>) -> Result<Product, Refusal> {
        let binding = self.binding(OWNER, &request(lamp(), &serial()))?;
        let decision = certified(&self.state, self.now, &binding, &answer)?;
        match self.act(decision) {
            Some(Response::Product(product)) => Ok(product),
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn the_lamp_that_was_bought_is_the_lamp_that_stands_there() {
    let mut street = delivered();
    let product = street.bind(Ok(says())).unwrap();
    assert_eq!((&product.twin, &product.serial, product.design), (&lamp(), &serial(), Some(design())));
    // Again: it is so already, and no certificate is needed.
    assert_eq!(street.ask(OWNER, &request(lamp(), &serial())), Ok(Response::Product(product)));
    street.restart();
    assert_eq!(street.state.product_twins.get(&lamp()), Some(&serial()));
    street.ask(OWNER, &Request::Unbind { serial: serial() }).unwrap();
    assert!(street.state.products.is_empty() && street.state.product_twins.is_empty());
    assert_eq!(street.ask(OWNER, &Request::Unbind { serial: serial() }).unwrap_err().code, RefusalCode::NotFound);
    street.bind(Ok(says())).unwrap();
}

#[test]
fn products_are_listed_page_by_page_and_only_one_s_own() {
    let mut street = Street::new();
    let all: Vec<Serial> = (0..260).map(|number| Serial::new(format!("W-{number:03}")).unwrap()).collect();
    for (number, serial) in all.iter().enumerate() {
        // Every fifth is the guest's.
        let whose = UserId::slug(if number % 5 == 0 { GUEST_ROLE } else { OWNER_ROLE });
        let twin = TwinId::new(format!("home/lamp_{number}")).unwrap();
        let (line, since) = (LineId::new("li_1").unwrap(), street.now);
        let purchase = PurchaseId([1; 16]);
        let product = Product { purchase, line, serial: serial.clone(), twin, design: None, since };
        street.commit(vec![LogEvent::ProductBound { user: whose, product }]);
    }
    street.restart();
    for (device, of) in [(OWNER, 208), (GUEST, 52)] {
        for limit in [0, 1, 7, 1_000] {
            let (mut after, mut seen) = (None, Vec::new());
            loop {
                let answer = street.ask(device, &Request::Products { after: after.clone(), limit }).unwrap();
                let Response::Products(page) = answer else { panic!("{answer:?}") };
                assert!(page.len() <= [50, 1, 7, 200][[0, 1, 7, 1_000].iter().position(|one| *one == limit).unwrap()]);
                let Some(last) = page.last() else { break };
                after = Some(last.serial.clone());
                seen.extend(page.into_iter().map(|product| product.serial));
            }
            let due = all.iter().enumerate().filter(|(number, _)| (device == GUEST) == (number % 5 == 0));
            let due: Vec<Serial> = due.map(|(_, serial)| serial.clone()).collect();
            assert_eq!((seen.len(), seen == due), (of, true), "by {limit}");
        }
    }
}

#[test]
fn what_is_forged_and_what_is_another_s_sound_alike() {
    let others: [fn(&mut Certified); 4] = [
        |said| said.order = order("ord_2"),
        |said| said.line = LineId::new("li_2").unwrap(),
        |said| said.serial = Serial::new("W1042-0002").unwrap(),
        |said| said.design = None,
    ];
    let mut words = vec![delivered().bind(Err(NotCertified::Forged)).unwrap_err()];
    for change in others {
        let mut said = says();
        change(&mut said);
        words.push(delivered().bind(Ok(said)).unwrap_err());
    }
    assert!(words.iter().all(|refusal| *refusal == words[0] && refusal.code == RefusalCode::Forbidden), "{words:?}");
    let away = NotCertified::Unavailable { reason: "it is away".to_owned() };
    assert_eq!(delivered().bind(Err(away)).unwrap_err().code, RefusalCode::Unavailable);
}

#[test]
fn a_product_is_bound_once() {
    let mut street = delivered();
    let other = TwinId::new("home/lamp_2").unwrap();
    let twin = TwinInfo { id: other.clone(), ..lamp_with(&["W1042-0001", "W1042-0002"]) };
    street.commit(vec![LogEvent::TwinDescribed { info: twin.into() }]);
    // Both were on their way when the first was bound.
    let late = street.binding(OWNER, &request(other.clone(), &serial())).unwrap();
    street.bind(Ok(says())).unwrap();
    let refusal = certified(&street.state, street.now, &late, &Ok(says())).unwrap_err();
    assert_eq!(refusal.code, RefusalCode::Conflict);
    assert_eq!(street.binding(OWNER, &request(other, &serial())).unwrap_err().code, RefusalCode::Conflict);
    let second = Serial::new("W1042-0002").unwrap();
    assert_eq!(street.binding(OWNER, &request(lamp(), &second)).unwrap_err().code, RefusalCode::Conflict);
}

#[test]
fn who_has_not_bought_it_or_does_not_manage_the_twin_binds_nothing() {
    let mut street = delivered();
    let code = |street: &Street, device, request: &Request| street.binding(device, request).unwrap_err().code;
    assert_eq!(code(&street, GUEST, &request(lamp(), &serial())), RefusalCode::NotFound);
    assert_eq!(code(&street, OWNER, &request(lamp(), &Serial::new("X-1").unwrap())), RefusalCode::NotFound);
    assert_eq!(code(&street, OWNER, &request(TwinId::new("home/none").unwrap(), &serial())), RefusalCode::NotFound);
    let long =
        Request::Bind { twin: lamp(), purchase: PurchaseId([1; 16]), serial: serial(), certificate: "x".repeat(5_000) };
    assert_eq!(code(&street, OWNER, &long), RefusalCode::Invalid);
    // The device says another number, or none.
    let binding = street.binding(OWNER, &request(lamp(), &serial())).unwrap();
    for serials in [&[][..], &["W1042-0009"]] {
        street.commit(vec![LogEvent::TwinDescribed { info: lamp_with(serials).into() }]);
        assert_eq!(code(&street, OWNER, &request(lamp(), &serial())), RefusalCode::NotFound);
        let late = certified(&street.state, street.now, &binding, &Ok(says())).unwrap_err();
        assert_eq!(late.code, RefusalCode::NotFound, "while its certificate was looked at");
    }
}

#[test]
fn who_is_not_there_any_more_has_no_products() {
    let mut street = delivered();
    let binding = street.binding(OWNER, &request(lamp(), &serial())).unwrap();
    street.bind(Ok(says())).unwrap();
    street.commit(vec![LogEvent::UserRemoved { user: user(), by: UserId::slug("console") }]);
    assert!(street.state.products.is_empty() && street.state.product_twins.is_empty());
    assert!(certified(&street.state, street.now, &binding, &Ok(says())).is_err());
}
