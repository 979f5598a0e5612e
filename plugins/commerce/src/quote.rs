//! What it costs to have a design made: its package is given, then the manufacturer is asked. Pure.

use serde_json::json;
use vestibule_model::{CallId, Json, Money, SystemId, TwinId};
use vestibule_twin::{DesignPackage, Giving, KnownPurchases, ManagePurchases, ShopQuote};
use vestibule_ucp::{FabricationQuote, moment};

use crate::{
    desk::{Around, Effect},
    glance::{Glance, Measuring},
    ids::Ids,
    read,
};

/// How far it is.
#[derive(Clone, Debug)]
enum Stage {
    /// The design is being written as a package.
    Packing,
    /// The package is on its way to the enabler.
    Giving,
    /// The package is there; the manufacturer is let see what it may.
    Showing,
    /// The manufacturer has been asked.
    Asked(CallId),
    /// It has answered.
    Quoted(Box<FabricationQuote>),
    /// There is none, for this reason.
    None(String),
}

/// A quote, or why there is none.
#[derive(Clone, Debug)]
pub(crate) struct Quote {
    quantity: u32,
    package: Option<DesignPackage>,
    /// The place that it may see.
    place: Option<Measuring>,
    glance: Glance,
    stage: Stage,
}

impl Quote {
    /// Asks for so many of the open design. What `before` lets the manufacturer see is taken back with this one's.
    pub(crate) fn begin(quantity: u32, place: Option<Measuring>, before: Option<Self>) -> (Self, Effect) {
        let glance = before.map(|before| before.glance).unwrap_or_default();
        (Self { quantity: quantity.max(1), package: None, place, glance, stage: Stage::Packing }, Effect::Package)
    }

    /// Whether a twin is seen for this, and not because the person shares it anyway.
    pub(crate) fn lends(&self, twin: &TwinId) -> bool {
        self.glance.lends(twin)
    }

    /// The design has been written, or cannot be made.
    pub(crate) fn packaged(&mut self, packed: &Result<DesignPackage, String>) -> Option<Effect> {
        if !matches!(self.stage, Stage::Packing) {
            return None;
        }
        match packed {
            Ok(package) => {
                self.package = Some(package.clone());
                self.stage = Stage::Giving;
                Some(Effect::Manage(ManagePurchases::Give(package.package.clone())))
            }
            Err(why) => {
                self.stage = Stage::None(why.clone());
                None
            }
        }
    }

    /// What is to be asked next, of whomever.
    pub(crate) fn follow(&mut self, system: &SystemId, around: &Around<'_>, ids: &mut Ids) -> Vec<Effect> {
        self.given(around.purchases);
        // It sees something right before it is asked, and until it has answered.
        let seen = self.place.clone().filter(|_| matches!(self.stage, Stage::Showing | Stage::Asked(_)));
        self.glance.want(seen);
        let mut effects = Vec::new();
        match self.glance.follow(system, around) {
            Ok(effect) => effects.extend(effect),
            Err(why) => self.stage = Stage::None(why),
        }
        if matches!(self.stage, Stage::Showing) && self.glance.is_ready() {
            effects.extend(self.ask(system, ids));
        }
        effects
    }

    fn given(&mut self, known: &KnownPurchases) {
        let package = self.package.as_ref().filter(|_| matches!(self.stage, Stage::Giving));
        match package.and_then(|package| known.given.get(&package.package.hash)) {
            None | Some(Giving::Under(..)) => {}
            Some(Giving::There) => self.stage = Stage::Showing,
            Some(Giving::Refused(why) | Giving::Lost(why) | Giving::NotSent(why)) => {
                self.stage = Stage::None(format!("The design could not be handed over: {why}"));
            }
        }
    }

    /// The package is there: the manufacturer is asked.
    fn ask(&mut self, system: &SystemId, ids: &mut Ids) -> Option<Effect> {
        let package = self.package.as_ref()?;
        let input = json!({
            "package": package.package.hash, "design": package.design, "process": package.process,
            "material": package.material, "colour": package.colour,
            "infill_percent": package.infill_percent, "quantity": self.quantity,
        });
        let input = Json::of(&input).ok()?;
        let call = ids.call();
        self.stage = Stage::Asked(call);
        Some(Effect::Call { call, system: system.clone(), service: "quote", input })
    }

    pub(crate) const fn waits_for(&self) -> Option<CallId> {
        if let Stage::Asked(call) = self.stage { Some(call) } else { None }
    }

    /// Takes what the manufacturer answered.
    pub(crate) fn take(&mut self, answer: Result<Json, String>) {
        self.stage = match answer.and_then(|json| read::answer::<FabricationQuote>(&json)) {
            Ok(quote) if self.is_for(&quote) => Stage::Quoted(Box::new(quote)),
            Ok(_) => Stage::None("It quotes another design than it was asked about.".to_owned()),
            Err(why) => Stage::None(why),
        };
    }

    fn is_for(&self, quote: &FabricationQuote) -> bool {
        let asked = self.package.as_ref();
        asked.is_some_and(|asked| asked.design.0 == quote.line.design && asked.package.hash == quote.line.package)
    }

    /// As screens show it; nothing before it is known what it is about.
    pub(crate) fn view(&self) -> ShopQuote {
        let quote = if let Stage::Quoted(quote) = &self.stage { Some(quote) } else { None };
        let money = |amount| quote.map(|quote| Money::new(amount, quote.currency));
        let parts = quote.iter().flat_map(|quote| &quote.price_parts);
        let parts = parts.filter_map(|part| Some((read::words(&part.display_text), money(part.amount.get())?)));
        ShopQuote {
            design: self.package.as_ref().map(|package| package.design),
            name: self.package.as_ref().map(|package| package.name.clone()).unwrap_or_default(),
            quantity: self.quantity,
            item: quote.map(|quote| quote.item.id.to_string()),
            price: quote.and_then(|quote| money(quote.item.price.get())),
            parts: parts.collect(),
            lead_s: quote.map_or(0, |quote| quote.lead_time_s),
            findings: quote.map(|quote| read::findings(&quote.findings)).unwrap_or_default(),
            fit: quote.map(|quote| read::fit(&quote.findings)).unwrap_or_default(),
            until: quote.and_then(|quote| moment(&quote.expires_at)),
            busy: match self.stage {
                Stage::Packing => Some("writing the design".to_owned()),
                Stage::Giving => Some("handing the design over".to_owned()),
                Stage::Showing => Some("letting it see what was measured".to_owned()),
                Stage::Asked(_) => Some("the manufacturer looks at it".to_owned()),
                Stage::Quoted(_) | Stage::None(_) => None,
            },
            problem: if let Stage::None(why) = &self.stage { Some(why.clone()) } else { None },
        }
    }
}
