//! Lines of purchases and products.

use super::*;

impl Chance {
    fn order(&mut self) -> OrderId {
        OrderId::new(self.one_of(&["ord_1", "ord_2"])).unwrap()
    }

    fn confirmation(&mut self) -> Confirmation {
        let total = Money::new(i64::from(self.byte()), "EUR".parse().unwrap());
        Confirmation {
            id: PurchaseId([self.byte(); 16]),
            system: self.system(),
            checkout: CheckoutId::new(self.one_of(&["chk_1", "chk_2", "chk_3", "chk_4"])).unwrap(),
            shown: CallId([self.byte(); 16]),
            total,
            most: total,
            pay: PayWith { handler: "sandbox".to_owned(), instrument: "sandbox".to_owned() },
            designs: [(LineId::new("li_1").unwrap(), DesignHash(ContentHash([self.byte(); 32])))].into(),
        }
    }

    fn told(&mut self) -> ToldRecord {
        let (code, reason) = ("declined".to_owned(), "nobody lives in Elm Street".to_owned());
        match self.byte() {
            0 => ToldRecord::Placed { order: self.order(), total: Money::new(1, "EUR".parse().unwrap()) },
            1 => ToldRecord::Refused { code, reason },
            2 => ToldRecord::Gone { code, reason },
            3 => ToldRecord::Canceled,
            4 => ToldRecord::CannotCancel { reason },
            _ => {
                let nothing = Money::new(i64::from(self.byte()), "EUR".parse().unwrap());
                let (digest, events) = (ContentHash([self.byte(); 32]), self.byte().into());
                let view = OrderView {
                    lines: Vec::new(),
                    total: nothing,
                    refunded: nothing,
                    notes: Vec::new(),
                    expected: None,
                    cancellable: self.rng.random(),
                    permalink: "https://shop.example/Street".to_owned(),
                    mark: SnapshotMark { events, adjustments: 0, last: None, digest, revision: None },
                };
                ToldRecord::Order { order: self.order(), view: Box::new(view) }
            }
        }
    }

    /// What users buy.
    pub(super) fn buying(&mut self, kind: usize) -> LogEvent {
        let (purchase, user) = (PurchaseId([self.byte(); 16]), self.user());
        let serial = Serial::new(self.one_of(&["W-1", "W-2", "W-3"])).unwrap();
        match kind {
            35 => {
                let contents = [ContentHash([self.byte(); 32])].into();
                let (by, confirmation) = (self.identity(), Box::new(self.confirmation()));
                LogEvent::PurchaseConfirmed { user, by, confirmation, contents }
            }
            36 => {
                let what = *[AskKind::Complete, AskKind::CancelSession, AskKind::Cancel].choose(&mut self.rng).unwrap();
                LogEvent::PurchaseAsked { purchase, user, what, attempt: self.byte().into() }
            }
            37 => LogEvent::PurchaseTold { purchase, user, told: self.told() },
            38 => LogEvent::PurchaseCancelAsked { purchase, user },
            39 => {
                let reason = "nobody lives in Elm Street".to_owned();
                let ends = [
                    PurchaseState::NotPlaced { code: "declined".to_owned(), reason },
                    PurchaseState::Canceled { order: None },
                    PurchaseState::Completed { order: self.order() },
                ];
                LogEvent::PurchaseEnded { purchase, user, state: ends.choose(&mut self.rng).unwrap().clone() }
            }
            40 => {
                let line = LineId::new("li_1").unwrap();
                let product = Product { purchase, line, serial, twin: self.twin(), design: None, since: Timestamp(7) };
                LogEvent::ProductBound { user, product }
            }
            41 => LogEvent::ProductUnbound { user, serial },
            _ => {
                let line = LineId::new("li_1").unwrap();
                let place = Place {
                    space: "home".to_owned(),
                    position: [f32::from(self.byte()); 3],
                    rotation: [0.0, 0.0, 0.0, 1.0],
                };
                let text = || "in Elm Street".to_owned();
                let kept = Kept {
                    name: text(),
                    manufacturer: text(),
                    model: text(),
                    order: self.order().to_string(),
                    made: None,
                    delivered: Timestamp(6),
                    standing: Standing { place, visual: None },
                };
                let twin = thing(&serial);
                let product = Product { purchase, line, serial, twin, design: None, since: Timestamp(7) };
                LogEvent::ProductKept { user, product, kept }
            }
        }
    }
}
