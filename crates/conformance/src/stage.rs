//! The stage: an owner, two guests, three digital twin systems with their things, three third-party systems, all of
//! them the kit's own.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use vestibule_model::{
    Command, Confirmation, FeatureId, Right, RoleId, Rule, RuleEffect, RuleId, ServiceLevel, Subject, SystemId,
    SystemInfo, SystemKind, TwinId, TwinSelector, UserId, Value,
};
use vestibule_protocol::{DiiUp, Interest, Party, Request, Response, SiiUp};

use crate::{
    actor::{Actor, Spot, instead},
    rows::{
        discovery::{YARD_CELL, yard_charge},
        leases::Wanted,
        procedure1::{Agreed, Called},
        procedure2::{Acquired, Commanded},
        products::Made,
    },
    run::Config,
    system::TwinSystem,
    things::{door, lamp},
    third_party::{ThirdParty, shop},
    wire::{Key, Part, Transport},
};

/// Everybody who takes part in a run.
pub struct Stage {
    /// The way to the enabler.
    pub transport: Arc<dyn Transport>,
    /// The longest wait for anything.
    pub patience: Duration,
    /// Tells this run from others at the same enabler.
    pub tag: String,
    /// An owner.
    pub owner: Actor,
    /// A guest who may see the kit's things.
    pub guest: Actor,
    /// Another one.
    pub friend: Actor,
    /// A twin system with a door and lamps.
    pub home: TwinSystem,
    /// Another one, with a door of the same name.
    pub yard: TwinSystem,
    /// A third one, which registers when procedure P2 is played.
    pub workshop: TwinSystem,
    /// A third-party system that offers services.
    pub shop: ThirdParty,
    /// Another one, which offers the same.
    pub rival: ThirdParty,
    /// A third one, which registers when procedure P1 is played.
    pub market: ThirdParty,
    /// What came of P1.6 to P1.10, and of P1.12 to P1.19.
    pub(crate) agreed: Option<Agreed>,
    pub(crate) called: Option<Called>,
    /// What a guest has bought.
    pub(crate) bought: Option<Confirmation>,
    /// A manufacturer that the kit may order from, and what it has made for the owner.
    pub(crate) merchant: Option<SystemId>,
    pub(crate) made: Option<Made>,
    /// What came of P2.8 to P2.12.
    pub(crate) acquired: Option<Acquired>,
    /// What came of P2.15 to P2.18.
    pub(crate) commanded: Option<Commanded>,
    /// Who has the robot at first, and who waits for it.
    pub(crate) first: Option<Wanted>,
    pub(crate) second: Option<Wanted>,
    /// A command that rows of truth follow one after the other.
    pub(crate) pending: Option<Command>,
}

/// Sets the stage: pairs everybody.
struct Setting<'a> {
    transport: &'a dyn Transport,
    patience: Duration,
    tag: &'a str,
    interest: Interest,
}

impl Setting<'_> {
    async fn connect(&self, key: Key, party: Party) -> Result<Actor, String> {
        let part = Part { party, interest: self.interest.clone() };
        Actor::connect(self.transport, key, part, self.patience).await
    }

    /// Somebody new, paired with a code that the owner asks for.
    async fn pair(&self, owner: &Actor, name: &str, role: &str, party: Party) -> Result<Actor, String> {
        let wrong = |error| format!("{name} (role {role}) cannot be paired and connected: {error}");
        let key = pair(self.transport, owner, role, &format!("kit {name} {}", self.tag)).await.map_err(wrong)?;
        self.connect(key, party).await.map_err(wrong)
    }

    async fn system(&self, owner: &Actor, name: &str, about: SystemInfo) -> Result<TwinSystem, String> {
        let actor = self.pair(owner, name, "twin_system", Party::TwinSystem).await?;
        Ok(TwinSystem::new(actor, about))
    }

    async fn third_party(&self, owner: &Actor, name: &str) -> Result<ThirdParty, String> {
        let actor = self.pair(owner, name, "third_party", Party::ThirdParty).await?;
        let info = shop(system_info(self.tag, name, SystemKind::ThirdParty))?;
        Ok(ThirdParty { actor, info })
    }
}

/// Pairs one more device with a code that the owner asks for.
///
/// # Errors
/// What the enabler said instead.
pub async fn pair(transport: &dyn Transport, owner: &Actor, role: &str, name: &str) -> Result<Key, String> {
    transport.pair(&code(owner, role).await?, name).await
}

/// A pairing code that the owner asks for.
///
/// # Errors
/// What the enabler said instead.
pub async fn code(owner: &Actor, role: &str) -> Result<String, String> {
    match owner.ask(Request::OpenPairing { role: RoleId::slug(role), user: None }).await {
        Ok(Response::Code { digits, .. }) => Ok(digits),
        other => Err(instead("a pairing code", &other)),
    }
}

fn system_info(tag: &str, name: &str, kind: SystemKind) -> SystemInfo {
    let id = SystemId::slug(&format!("kit-{tag}-{name}"));
    let mut info = SystemInfo::new(id, kind, format!("The kit's {name} {tag}"));
    info.properties = BTreeMap::from([("kit".to_owned(), tag.to_owned()), ("part".to_owned(), name.to_owned())]);
    info
}

impl Stage {
    /// Sets the stage for an owner who has paired.
    ///
    /// # Errors
    /// What the enabler did instead, in words.
    pub async fn set(transport: Arc<dyn Transport>, owner: Key, config: &Config) -> Result<Self, String> {
        let patience = config.patience;
        let tag = format!("{:08x}", rand::random::<u32>());
        let [home, yard, workshop] =
            ["home", "yard", "workshop"].map(|name| system_info(&tag, name, SystemKind::DigitalTwin));
        let yard = SystemInfo {
            system_type: "garden".to_owned(),
            place: Some(YARD_CELL.parse().map_err(|error| format!("{YARD_CELL}: {error}"))?),
            charge: Some(yard_charge(500)?),
            level: ServiceLevel { availability_permille: Some(995), ..ServiceLevel::default() },
            ..yard
        };
        let interest = Interest::Systems([&home, &yard, &workshop].map(|info| info.id.clone()).to_vec());
        let setting = Setting { transport: transport.as_ref(), patience, tag: &tag, interest };
        let owner = setting.connect(owner, Party::Metaverse).await?;
        let guest = setting.pair(&owner, "guest", "guest", Party::Metaverse).await?;
        let friend = setting.pair(&owner, "friend", "guest", Party::Metaverse).await?;
        let home = setting.system(&owner, "home", home).await?;
        let yard = setting.system(&owner, "yard", yard).await?;
        let workshop = setting.system(&owner, "workshop", workshop).await?;
        let shop = setting.third_party(&owner, "shop").await?;
        let rival = setting.third_party(&owner, "rival").await?;
        let market = setting.third_party(&owner, "market").await?;
        let stage = Self {
            transport,
            patience,
            tag,
            owner,
            guest,
            friend,
            home,
            yard,
            workshop,
            shop,
            rival,
            market,
            agreed: None,
            called: None,
            bought: None,
            merchant: config.merchant.clone(),
            made: None,
            acquired: None,
            commanded: None,
            first: None,
            second: None,
            pending: None,
        };
        stage.furnish().await?;
        Ok(stage)
    }

    /// Rules and things that all rows start from.
    async fn furnish(&self) -> Result<(), String> {
        for system in [&self.home, &self.yard, &self.workshop] {
            for who in [&self.guest, &self.friend] {
                let id = format!("{}-{}", system.id(), who.user());
                self.set_rule(self.rule(&id, who, TwinSelector::System(system.id().clone()), Right::Read)).await?;
            }
        }
        for system in [&self.home, &self.yard] {
            system.register().await?;
            system.describe(door(&system.twin("door"))).await?;
            system.report(&Spot::new(&system.twin("door"), "lock", "state"), Value::Text("locked".to_owned())).await?;
        }
        self.shop.register().await?;
        self.rival.register().await?;
        for third_party in [&self.shop, &self.rival, &self.market] {
            for who in [&self.guest, &self.friend] {
                let (id, system) = (format!("{}-{}", third_party.id(), who.user()), third_party.id().clone());
                self.set_rule(self.rule(&id, who, TwinSelector::System(system), Right::UseAny)).await?;
            }
        }
        for local in ["lamp", "probe"] {
            let twin = self.home.twin(local);
            self.home.describe(lamp(&twin)).await?;
            self.home.report(&Spot::new(&twin, "light", "on"), Value::Bool(false)).await?;
        }
        Ok(())
    }

    /// What every party of the kit is interested in.
    #[must_use]
    pub fn interest(&self) -> Interest {
        Interest::Systems([&self.home, &self.yard, &self.workshop].map(|system| system.id().clone()).to_vec())
    }

    /// A rule that lets somebody do something, about all features.
    #[must_use]
    pub fn rule(&self, id: &str, who: &Actor, twins: TwinSelector, right: Right) -> Rule {
        Rule {
            id: RuleId::slug(&format!("kit-{}-{id}", self.tag)),
            who: Subject::User(who.user().clone()),
            twins,
            feature: None,
            right,
            effect: RuleEffect::Allow,
            until: None,
            priority: None,
        }
    }

    /// A rule that takes something from somebody.
    #[must_use]
    pub fn ban(&self, id: &str, who: &Actor, twin: &TwinId, feature: Option<&str>, right: Right) -> Rule {
        let rule = self.rule(id, who, TwinSelector::Twin(twin.clone()), right);
        Rule { feature: feature.map(FeatureId::slug), effect: RuleEffect::Deny, ..rule }
    }

    /// Sets a rule.
    ///
    /// # Errors
    /// What the enabler said instead.
    pub async fn set_rule(&self, rule: Rule) -> Result<(), String> {
        self.owner.done(Request::SetRule(rule)).await
    }

    /// Plays something while a rule holds, and takes the rule away whatever came of it.
    ///
    /// # Errors
    /// What went wrong first.
    pub async fn under<T>(&self, rule: Rule, play: impl Future<Output = Result<T, String>>) -> Result<T, String> {
        let id = rule.id.clone();
        self.set_rule(rule).await?;
        let played = play.await;
        let removed = self.owner.done(Request::RemoveRule(id)).await;
        let played = played?;
        removed.map(|()| played)
    }

    /// Takes away what the kit has brought, as far as the enabler lets it.
    pub async fn strike(self) {
        if let Some(Made { serial, .. }) = self.made.clone() {
            // It is unbound already where all went well.
            let _ = self.owner.ask(Request::Unbind { serial }).await;
        }
        if let Some(system) = self.merchant.clone() {
            let _ = self.owner.ask(Request::Deauthorize { system }).await;
        }
        for system in [&self.home, &self.yard, &self.workshop] {
            // What does not go stays without harm: everything has the run's own name.
            let _ = system.tell(DiiUp::Complete { twins: Vec::new() }).await;
        }
        for third_party in [&self.shop, &self.rival, &self.market] {
            let _ = third_party.tell(SiiUp::Deregister).await;
        }
        if let Ok(Response::Rules(rules)) = self.owner.ask(Request::Rules).await {
            let mine = format!("kit-{}-", self.tag);
            for rule in rules.into_iter().filter(|rule| rule.id.as_str().starts_with(&mine)) {
                let _ = self.owner.ask(Request::RemoveRule(rule.id)).await;
            }
        }
        let systems = [&self.home, &self.yard, &self.workshop].map(|system| system.actor.user().clone());
        let others = [&self.shop, &self.rival, &self.market].map(|system| system.actor.user().clone());
        let people: [UserId; 2] = [self.guest.user().clone(), self.friend.user().clone()];
        for user in people.into_iter().chain(systems).chain(others) {
            let _ = self.owner.ask(Request::RemoveUser(user)).await;
        }
    }
}
