//! What has to be refused, how, and that nothing comes of it.

use vestibule_model::{
    ActionId, Effect, Expect, FeatureId, PropertyId, RefusalCode, Right, RoleId, SystemInfo, SystemQuery, TwinId,
    TwinSelector, Value,
};
use vestibule_protocol::{DiiUp, Party, Request};

use crate::{
    Seen, Stage,
    actor::{Actor, Spot, see},
    catalogue::rows,
    stage,
    things::lamp,
    wire::Part,
};

rows! { Refusals:
    "REF.stranger", "Y.4240 MII, DII", "somebody who was never paired asks and registers" => stranger;
    "REF.code", "Y.4240 MII, DII", "a wrong pairing code, the right one, the same again" => codes;
    "REF.role", "Y.4240 DII", "a guest registers as a twin system" => role;
    "REF.party", "Y.4240 MII, DII", "a world says what only twin systems say" => party;
    "REF.elevate", "Y.4240 MII", "a guest opens a pairing code for an owner" => elevate;
    "REF.shadow", "FGMV-29 8.3.1", "a system registers under another one's id" => shadow;
    "REF.foreign", "FGMV-29 8.3.1", "a system describes another one's twin" => foreign;
    "REF.description", "FGMV-29 8.3.1", "a twin is described that contradicts itself" => description;
    "REF.missing", "FGMV-29 8.3.3", "a twin that is not there is asked for" => missing;
    "REF.alike", "requirements 4", "a guest asks for hidden and for missing twins" => alike;
    "REF.input", "FGMV-29 9.2, step 17", "commands with inputs that make no sense" => input;
    "REF.expired", "requirements 2", "a command whose time is over" => expired;
    "REF.revision", "requirements 2", "a command of somebody who saw an older state" => revision;
    "REF.key", "requirements 2", "one idempotency key for two commands" => key;
}

async fn connect(stage: &Stage, actor: &Actor, party: Party) -> Result<Actor, String> {
    let part = Part { party, interest: stage.interest() };
    Actor::connect(stage.transport.as_ref(), actor.key().clone(), part, stage.patience).await
}

/// A refusal, whatever its code; in words.
async fn no(who: &Actor, request: Request) -> Result<String, String> {
    match who.ask(request).await {
        Err(refusal) => Ok(refusal.to_string()),
        other => Err(crate::actor::instead("a refusal", &other)),
    }
}

async fn stranger(stage: &mut Stage) -> Seen {
    let key = stage.transport.stranger()?;
    let mut words = String::new();
    for (party, request) in [
        (Party::Metaverse, Request::DiscoverSystems(SystemQuery::default())),
        (Party::Metaverse, Request::DescribeTwin(stage.home.twin("lamp"))),
        (Party::TwinSystem, Request::Dii(DiiUp::Register(stage.home.info.clone()))),
    ] {
        let part = Part { party, interest: stage.interest() };
        let connected = match stage.transport.connect(&key, part).await {
            Ok(connected) => connected,
            // Not even a greeting: no way in.
            Err(error) => {
                words = error;
                continue;
            }
        };
        if connected.welcome.user.is_some() {
            return Err(format!("it is taken for {:?}", connected.welcome.user));
        }
        match connected.wire.ask(request.clone()).await {
            Err(refusal) if refusal.code == RefusalCode::Unauthenticated => words = refusal.to_string(),
            other => return Err(crate::actor::instead("a refusal (Unauthenticated)", &other)),
        }
    }
    Ok(words)
}

async fn codes(stage: &mut Stage) -> Seen {
    let code = stage::code(&stage.owner, "guest").await?;
    let digits: u32 = code.parse().map_err(|_| format!("{code:?} is no number"))?;
    let wrong = format!("{:06}", (digits + 1) % 1_000_000);
    let name = format!("kit once {}", stage.tag);
    if stage.transport.pair(&wrong, &name).await.is_ok() {
        return Err("a wrong code was taken".to_owned());
    }
    let key = stage.transport.pair(&code, &name).await?;
    let part = Part { party: Party::Metaverse, interest: stage.interest() };
    let once = Actor::connect(stage.transport.as_ref(), key, part, stage.patience).await?;
    let again = stage.transport.pair(&code, &name).await;
    let user = once.user().clone();
    let removed = stage.owner.done(Request::RemoveUser(user)).await;
    match again {
        Ok(_) => Err("a code was taken twice".to_owned()),
        Err(words) => removed.map(|()| format!("wrong and used ones are refused: {words}")),
    }
}

async fn role(stage: &mut Stage) -> Seen {
    let guest = connect(stage, &stage.friend, Party::TwinSystem).await?;
    let id = vestibule_model::SystemId::slug(&format!("kit-{}-thief", stage.tag));
    let info = SystemInfo { id, ..stage.home.info.clone() };
    let refusal = guest.refused(Request::Dii(DiiUp::Register(info)), RefusalCode::Forbidden).await?;
    Ok(refusal.to_string())
}

async fn party(stage: &mut Stage) -> Seen {
    let report = stage.home.says(&Spot::new(&stage.home.twin("lamp"), "light", "on"), Value::Bool(true), u64::MAX);
    for message in [DiiUp::Heartbeat, DiiUp::Gone(stage.home.twin("lamp")), report] {
        no(&stage.owner, Request::Dii(message)).await?;
    }
    let words = no(&stage.guest, Request::Dii(DiiUp::Register(stage.home.info.clone()))).await?;
    let view = stage.owner.twin(&stage.home.twin("lamp")).await?;
    see(view.reachable, words)
}

async fn elevate(stage: &mut Stage) -> Seen {
    let mut words = String::new();
    for role in ["owner", "twin_system"] {
        let request = Request::OpenPairing { role: RoleId::slug(role), user: None };
        words = stage.guest.refused(request, RefusalCode::Forbidden).await?.to_string();
    }
    Ok(words)
}

async fn shadow(stage: &mut Stage) -> Seen {
    let thief = connect(stage, &stage.yard.actor, Party::TwinSystem).await?;
    let message = DiiUp::Register(stage.home.info.clone());
    let refusal = thief.refused(Request::Dii(message), RefusalCode::Conflict).await?;
    let query = SystemQuery { text: Some(stage.home.id().to_string()), online: Some(true), ..SystemQuery::default() };
    let there = stage.owner.systems(query).await?.iter().any(|view| *view.info == stage.home.info);
    see(there, refusal.to_string())
}

async fn foreign(stage: &mut Stage) -> Seen {
    let twin = stage.home.twin("lamp");
    let mut info = lamp(&twin);
    info.name = "Stolen".to_owned();
    let message = DiiUp::Describe(Box::new(info));
    let refusal = stage.yard.actor.refused(Request::Dii(message), RefusalCode::Forbidden).await?;
    let name = stage.owner.twin(&twin).await?.info.name.clone();
    see(name != "Stolen", refusal.to_string())
}

async fn description(stage: &mut Stage) -> Seen {
    let twin = stage.home.twin("impossible");
    let mut info = lamp(&twin);
    let effect = Effect { property: PropertyId::slug("nothing"), expect: Expect::Value(Value::Bool(true)) };
    if let Some(action) = info
        .features
        .get_mut(&FeatureId::slug("light"))
        .and_then(|light| light.actions.get_mut(&ActionId::slug("turn_on")))
    {
        action.effects.push(effect);
    }
    let refusal = stage.home.actor.refused(Request::Dii(DiiUp::Describe(Box::new(info))), RefusalCode::Invalid).await?;
    stage.owner.refused(Request::DescribeTwin(twin), RefusalCode::NotFound).await?;
    Ok(refusal.to_string())
}

async fn missing(stage: &mut Stage) -> Seen {
    let twin = stage.home.twin("nowhere");
    let acts = Request::Actuate(stage.owner.command(&twin, "light", "turn_on"));
    stage.owner.refused(acts, RefusalCode::NotFound).await?;
    let lamp = stage.home.twin("lamp");
    let dances = Request::Actuate(stage.owner.command(&lamp, "light", "dance"));
    stage.owner.refused(dances, RefusalCode::NotFound).await?;
    let refusal = stage.owner.refused(Request::DescribeTwin(twin), RefusalCode::NotFound).await?;
    Ok(refusal.to_string())
}

/// Words about a twin without the twin's name.
fn nameless(words: &str, twin: &TwinId) -> String {
    words.replace(twin.as_str(), "it").replace(twin.local(), "it")
}

async fn alike(stage: &mut Stage) -> Seen {
    let (hidden, missing) = (stage.home.twin("lamp"), stage.home.twin("void"));
    let system = stage.rule("nothing", &stage.friend, TwinSelector::System(stage.home.id().clone()), Right::Read);
    let rule = vestibule_model::Rule { effect: vestibule_model::RuleEffect::Deny, ..system };
    let play = async {
        let mut words = Vec::new();
        for twin in [&hidden, &missing] {
            let refusal = match stage.friend.ask(Request::DescribeTwin(twin.clone())).await {
                Err(refusal) => refusal,
                other => return Err(crate::actor::instead("a refusal", &other)),
            };
            words.push((refusal.code, refusal.rule.clone(), nameless(&refusal.message, twin)));
        }
        see(words[0] == words[1], format!("{}; {}", words[0].2, words[1].2))
    };
    stage.under(rule, play).await
}

async fn input(stage: &mut Stage) -> Seen {
    let lamp = stage.home.twin("lamp");
    let wrong = [
        ("set_brightness", None),
        ("set_brightness", Some(Value::Float(1.5))),
        ("set_brightness", Some(Value::Float(f64::NAN))),
        ("set_brightness", Some(Value::Text("bright".to_owned()))),
        ("set_color", Some(Value::Bool(true))),
        ("turn_on", Some(Value::Bool(true))),
    ];
    let mut commands = Vec::new();
    for (action, input) in wrong {
        let mut command = stage.owner.command(&lamp, "light", action);
        command.input = input;
        commands.push(command.id);
        stage.owner.refused(Request::Actuate(command), RefusalCode::Invalid).await?;
    }
    let executed: usize = commands.iter().map(|command| stage.home.executions(*command)).sum();
    see(executed == 0, format!("{} commands refused, {executed} executed", commands.len()))
}

async fn expired(stage: &mut Stage) -> Seen {
    let mut command = stage.owner.command(&stage.home.twin("lamp"), "light", "turn_on");
    command.not_after = vestibule_model::Timestamp(stage.owner.now().0.saturating_sub(60_000));
    let refusal = stage.owner.refused(Request::Actuate(command), RefusalCode::Expired).await?;
    Ok(refusal.to_string())
}

async fn revision(stage: &mut Stage) -> Seen {
    let spot = Spot::new(&stage.home.twin("lamp"), "light", "on");
    let seen = stage.home.report(&spot, Value::Bool(true)).await?;
    stage.home.report(&spot, Value::Bool(false)).await?;
    let mut command = stage.owner.command(&spot.twin, "light", "turn_on");
    command.expected_revision = Some(seen);
    let refusal = stage.owner.refused(Request::Actuate(command), RefusalCode::RevisionMismatch).await?;
    Ok(refusal.to_string())
}

async fn key(stage: &mut Stage) -> Seen {
    let spot = Spot::new(&stage.home.twin("lamp"), "light", "on");
    let first = stage.owner.command(&spot.twin, "light", "turn_on");
    stage.owner.act(&first).await?;
    stage.home.obey(first.id, &spot, Value::Bool(true)).await?;
    let mut second = stage.owner.command(&spot.twin, "light", "turn_off");
    second.id = first.id;
    let refusal = stage.owner.refused(Request::Actuate(second), RefusalCode::Conflict).await?;
    see(stage.home.executions(first.id) == 1, refusal.to_string())
}
