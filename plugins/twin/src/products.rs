//! From what was delivered to its twin: what can be done with each product, and why not. Pure.

use vestibule_model::{DesignHash, LineId, PurchaseId, Serial, TwinId, TwinInfo};

use crate::KnownPurchases;

/// How a twin's identities name its serial number.
const SERIAL: &str = "serial";
/// Digits of a design's hash in the key of its model: as many as a folder of designs needs.
const KEY_DIGITS: usize = 16;

/// The key in the catalogue of the model that a design of one's own is shown by.
#[must_use]
pub fn design_model_key(design: &DesignHash) -> String {
    let digits: String = design.to_string().chars().take(KEY_DIGITS).collect();
    format!("design_{digits}")
}

/// One product that came, and what can become of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProductRow {
    /// The purchase that it came with.
    pub purchase: PurchaseId,
    /// The line of its order.
    pub line: LineId,
    /// Its serial number.
    pub serial: Serial,
    /// What it is called.
    pub title: String,
    /// What it was made to.
    pub design: Option<DesignHash>,
    /// Its manufacturer's certificate, where it came with the order.
    pub certificate: Option<String>,
    /// The twin that it is.
    pub twin: Option<TwinId>,
    /// The twin whose device says that it is this one.
    pub device: Option<TwinId>,
    /// The enabler was asked and has not answered.
    pub asking: bool,
    /// Why it cannot be bound to `device` now, for a person; none: it can.
    pub bind_why_not: Option<String>,
    /// Why it cannot be kept as a thing without electronics, for a person; none: it can.
    pub keep_why_not: Option<String>,
    /// Why the enabler refused it last.
    pub problem: Option<String>,
}

impl KnownPurchases {
    /// What was delivered and has a serial number, with what can be done about it. `twins` are those that the person sees.
    #[must_use]
    pub fn product_rows<'a>(&self, twins: impl Iterator<Item = &'a TwinInfo> + Clone) -> Vec<ProductRow> {
        let rows = self.delivered().map(|(update, line, serial, certificate)| {
            let lines = update.order.iter().flat_map(|order| &order.lines);
            let about = lines.into_iter().find(|known| known.id == *line);
            let row = ProductRow {
                purchase: update.id,
                line: line.clone(),
                serial: serial.clone(),
                title: about.map_or_else(|| serial.to_string(), |line| line.title.clone()),
                design: about.and_then(|line| line.design),
                certificate: certificate.map(str::to_owned),
                twin: self.products.get(serial).map(|product| product.twin.clone()),
                device: device(serial, twins.clone()),
                asking: self.binding.contains(serial),
                bind_why_not: None,
                keep_why_not: None,
                problem: self.not_bound.get(serial).map(|refusal| refusal.message.clone()),
            };
            ProductRow { bind_why_not: row.why_not_bound(), keep_why_not: row.why_not_kept(), ..row }
        });
        rows.collect()
    }

    /// The product that a typed or scanned text names; none: nothing of that number was delivered.
    #[must_use]
    pub fn scanned<'a>(&self, text: &str, twins: impl Iterator<Item = &'a TwinInfo> + Clone) -> Option<ProductRow> {
        let serial = Serial::new(text.trim().to_ascii_uppercase()).ok()?;
        self.product_rows(twins).into_iter().find(|row| row.serial == serial)
    }
}

/// The twin whose device tells this serial number. A thing without electronics only repeats what it was kept as.
fn device<'a>(serial: &Serial, twins: impl Iterator<Item = &'a TwinInfo>) -> Option<TwinId> {
    let tells = |info: &&TwinInfo| info.physical_ids.iter().any(|id| id.kind == SERIAL && id.value == serial.as_str());
    let found = twins.filter(tells).find(|info| info.id.system().as_str() != "things");
    found.map(|info| info.id.clone())
}

impl ProductRow {
    fn why_not(&self) -> Option<String> {
        if let Some(twin) = &self.twin {
            return Some(format!("It is {twin} already."));
        }
        self.asking.then(|| "The enabler has been asked and has not answered yet.".to_owned())
    }

    fn why_not_bound(&self) -> Option<String> {
        self.why_not().or_else(|| match (&self.device, &self.certificate) {
            (None, _) => {
                Some(format!("No device here says that it is {}: unpack it and give it power first.", self.serial))
            }
            (Some(_), None) => Some("Its order came without a certificate.".to_owned()),
            (Some(_), Some(_)) => None,
        })
    }

    fn why_not_kept(&self) -> Option<String> {
        self.why_not().or_else(|| match (&self.device, &self.certificate) {
            (Some(device), _) => Some(format!("It has electronics: it can be bound to {device}.")),
            (None, None) => Some("Its order came without a certificate.".to_owned()),
            (None, Some(_)) => None,
        })
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use vestibule_model::{
        Carrying, CheckoutId, ContentHash, Money, OrderId, OrderLine, OrderView, PhysicalId, Product, PurchaseState,
        PurchaseUpdate, Refusal, RefusalCode, SnapshotMark, SystemId, Timestamp, UserId,
    };

    use super::*;

    fn serial() -> Serial {
        Serial::new("W1042-0001").unwrap()
    }

    fn known(fulfilled: u32, certificate: bool) -> KnownPurchases {
        let euro = Money::new(100, "EUR".parse().unwrap());
        let certificates = certificate.then(|| (serial(), "a.b".to_owned())).into_iter().collect::<BTreeMap<_, _>>();
        let line = OrderLine {
            id: LineId::new("li_1").unwrap(),
            item: "made".to_owned(),
            title: "Lamp".to_owned(),
            price: euro,
            ordered: 1,
            total: 1,
            fulfilled,
            design: Some(DesignHash(ContentHash([0xab; 32]))),
            serials: vec![serial()],
            certificates,
            making: None,
            carrying: Carrying::Delivered,
            measured: None,
        };
        let mark = SnapshotMark { events: 1, adjustments: 0, last: None, digest: ContentHash([0; 32]), revision: None };
        let order = OrderView {
            lines: vec![line],
            total: euro,
            refunded: euro,
            notes: Vec::new(),
            expected: None,
            cancellable: false,
            permalink: String::new(),
            mark,
        };
        let update = PurchaseUpdate {
            id: PurchaseId([1; 16]),
            user: UserId::slug("ada"),
            system: SystemId::slug("shop"),
            checkout: CheckoutId::new("chk_1").unwrap(),
            state: PurchaseState::Placed { order: OrderId::new("ord_1").unwrap() },
            total: euro,
            order: Some(order),
            checked: None,
            said: None,
            confirmed: Timestamp(1),
            at: Timestamp(2),
        };
        let mut known = KnownPurchases::default();
        known.take(update);
        known
    }

    fn twin(id: &str, serial: &str) -> TwinInfo {
        let mut info = TwinInfo::new(TwinId::new(id).unwrap(), "Lamp");
        info.physical_ids.push(PhysicalId { kind: "serial".to_owned(), value: serial.to_owned() });
        info
    }

    #[test]
    fn what_has_a_device_is_bound_and_what_has_none_is_kept() {
        let (lamp, other) = (twin("home/lamp", "W1042-0001"), twin("home/other", "W1042-0002"));
        let rows = known(1, true).product_rows([&other, &lamp].into_iter());
        let [row] = &rows[..] else { panic!("{rows:?}") };
        assert_eq!((row.device.as_ref(), &row.bind_why_not), (Some(&lamp.id), &None));
        assert!(row.keep_why_not.as_deref().unwrap().contains("home/lamp"));
        let rows = known(1, true).product_rows([&other].into_iter());
        assert_eq!((rows[0].device.as_ref(), &rows[0].keep_why_not), (None, &None));
        assert!(rows[0].bind_why_not.as_deref().unwrap().contains("W1042-0001"));
        // A thing that was kept tells its own number, and is no device.
        let shelf = twin("things/W1042-0001", "W1042-0001");
        assert_eq!(known(1, true).product_rows([&shelf].into_iter())[0].device, None);
    }

    #[test]
    fn what_cannot_be_done_says_why() {
        let lamp = twin("home/lamp", "W1042-0001");
        let rows = |known: &KnownPurchases| known.product_rows([&lamp].into_iter());
        assert!(rows(&known(0, true)).is_empty(), "it has not come");
        assert!(rows(&known(1, false))[0].bind_why_not.as_deref().unwrap().contains("certificate"));
        let mut asked = known(1, true);
        asked.binding.insert(serial());
        assert!(rows(&asked)[0].bind_why_not.as_deref().unwrap().contains("not answered"));
        let mut bound = known(1, true);
        bound.not_bound.insert(serial(), Refusal::new(RefusalCode::Forbidden, "no"));
        assert_eq!(rows(&bound)[0].problem.as_deref(), Some("no"));
        let (purchase, line, twin) = (PurchaseId([1; 16]), LineId::new("li_1").unwrap(), lamp.id.clone());
        let product = Product { purchase, line, serial: serial(), twin, design: None, since: Timestamp(3) };
        bound.products.insert(serial(), product);
        let row = &rows(&bound)[0];
        assert!(row.twin.is_some() && row.bind_why_not.is_some() && row.keep_why_not.is_some());
    }

    #[test]
    fn a_number_is_found_as_people_type_it() {
        let known = known(1, true);
        assert_eq!(known.scanned(" w1042-0001\n", std::iter::empty()).map(|row| row.serial), Some(serial()));
        assert_eq!(known.scanned("W1042-0002", std::iter::empty()), None);
        assert_eq!(known.scanned("no such thing", std::iter::empty()), None);
    }

    #[test]
    fn a_design_s_model_is_found_by_its_hash() {
        assert_eq!(design_model_key(&DesignHash(ContentHash([0xab; 32]))), "design_abababababababab");
    }
}
