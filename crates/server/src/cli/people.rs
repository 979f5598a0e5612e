//! `vestibule-enabler grant|revoke|users|token`: who may do what, from a terminal.

use std::{
    io::{Read, Write},
    path::{Path, PathBuf},
};

use clap::{Args, Subcommand};
use vestibule_enabler_core::token::{attenuate, inspect};
use vestibule_model::{
    ActionId, Delegation, FeatureId, Fingerprint, Limits, Login, Right, RoleId, Rule, RuleEffect, RuleId, Subject,
    SystemId, Timestamp, TokenId, TwinId, TwinSelector, UserId, UserInfo,
};
use vestibule_protocol::{Request, Response, TokenView};

use super::{CliError, strange};
use crate::{
    Clock,
    net::control::{Answer, Question, ask},
};

/// What is typed after `grant`.
#[derive(Debug, Args)]
pub(super) struct Grant {
    /// The data folder of a running enabler.
    #[arg(long, env = "VESTIBULE_DATA")]
    data: PathBuf,
    /// Who: a user, role:NAME, or anyone.
    #[arg(value_parser = subject)]
    who: Subject,
    /// What: see, anything, manage, or the name of an action.
    #[arg(value_parser = right)]
    may: Right,
    /// Which twin: home/front_door, 'home/*' for those of a system, '*' for all.
    #[arg(value_parser = selector)]
    twin: TwinSelector,
    /// Only this feature of it.
    #[arg(long)]
    feature: Option<FeatureId>,
    /// Until when: 2026-11-20T18:00:00Z, or for how long: 90m, 12h, 7d.
    #[arg(long, value_parser = moment)]
    until: Option<Timestamp>,
    /// How urgent it makes them, for leases.
    #[arg(long)]
    priority: Option<u8>,
    /// Take the right instead, whatever else gives it.
    #[arg(long)]
    deny: bool,
    /// What to call the rule; one of the same name is replaced.
    #[arg(long)]
    id: Option<RuleId>,
}

/// What is typed after `revoke`.
#[derive(Debug, Args)]
pub(super) struct Revoke {
    /// The data folder of a running enabler.
    #[arg(long, env = "VESTIBULE_DATA")]
    data: PathBuf,
    /// A rule's name, a token or its id, or a device's id.
    what: String,
}

/// What is typed after `users`.
#[derive(Debug, Args)]
pub(super) struct Users {
    /// The data folder of a running enabler.
    #[arg(long, env = "VESTIBULE_DATA", global = true)]
    data: Option<PathBuf>,
    #[command(subcommand)]
    order: Option<UsersOrder>,
}

#[derive(Debug, Subcommand)]
enum UsersOrder {
    /// Users, their devices, and tokens that have not ended (the same as without a word).
    List {
        /// As JSON.
        #[arg(long)]
        json: bool,
    },
    /// Add a user or change one. What single devices were given at pairing ends with it.
    Set {
        /// Their id.
        user: UserId,
        /// Their name; the id unless told.
        #[arg(long)]
        name: Option<String>,
        /// What they may be; may be given often.
        #[arg(long = "role")]
        roles: Vec<RoleId>,
        /// The OpenID provider that vouches for them: https://id.example.
        #[arg(long, value_name = "URL", requires = "subject")]
        issuer: Option<String>,
        /// What that provider calls them (`sub`).
        #[arg(long, value_name = "ID", requires = "issuer")]
        subject: Option<String>,
    },
    /// Take a user away, with all their devices and rules. Their connections end at once.
    Remove {
        /// Their id.
        user: UserId,
    },
}

/// What is typed after `token`.
#[derive(Debug, Subcommand)]
pub(super) enum Token {
    /// Sign a token with which somebody acts as far as the limits say.
    Mint {
        /// The data folder of a running enabler.
        #[arg(long, env = "VESTIBULE_DATA")]
        data: PathBuf,
        /// What to call whoever bears it.
        guest: String,
        #[command(flatten)]
        limits: LimitArgs,
    },
    /// Narrow a token. Needs no enabler: whoever has a token can.
    Attenuate {
        /// The token; '-' reads it from standard input, where no list of processes shows it.
        token: String,
        #[command(flatten)]
        limits: LimitArgs,
    },
    /// Say what a token says, without checking who signed it.
    Show {
        /// The token; '-' reads it from standard input.
        token: String,
    },
}

#[derive(Debug, Args)]
pub(super) struct LimitArgs {
    /// Only this twin, 'home/*' for those of a system; may be given often.
    #[arg(long = "twin", value_parser = selector)]
    twins: Vec<TwinSelector>,
    /// Only this feature; may be given often.
    #[arg(long = "feature")]
    features: Vec<FeatureId>,
    /// Only this action (and to see); may be given often.
    #[arg(long = "action", conflicts_with = "see")]
    actions: Vec<ActionId>,
    /// Nothing but to see.
    #[arg(long)]
    see: bool,
    /// Until when: 2026-11-20T18:00:00Z, or for how long: 90m, 12h, 7d.
    #[arg(long, value_parser = moment)]
    until: Option<Timestamp>,
    /// For leases: priority at most.
    #[arg(long)]
    priority: Option<u8>,
    /// Only on connections with this certificate.
    #[arg(long)]
    device: Option<Fingerprint>,
}

impl From<LimitArgs> for Limits {
    fn from(args: LimitArgs) -> Self {
        let LimitArgs { twins, features, actions, see, until, priority, device } = args;
        let some = |given: bool| given.then_some(());
        Self {
            twins: some(!twins.is_empty()).map(|()| twins),
            features: some(!features.is_empty()).map(|()| features),
            actions: some(see || !actions.is_empty()).map(|()| actions),
            until,
            priority,
            device,
        }
    }
}

fn subject(text: &str) -> Result<Subject, String> {
    let words = |error: vestibule_model::IdError| error.to_string();
    match text.split_once(':') {
        Some(("role", role)) => RoleId::new(role).map(Subject::Role).map_err(words),
        None if text == "anyone" => Ok(Subject::Anyone),
        _ => UserId::new(text).map(Subject::User).map_err(words),
    }
}

fn right(text: &str) -> Result<Right, String> {
    match text {
        "see" => Ok(Right::Read),
        "anything" => Ok(Right::ActAny),
        "manage" => Ok(Right::Manage),
        action => ActionId::new(action).map(Right::Act).map_err(|error| error.to_string()),
    }
}

fn selector(text: &str) -> Result<TwinSelector, String> {
    match text.split_once('/') {
        None if text == "*" => Ok(TwinSelector::All),
        Some((system, "*")) => SystemId::new(system).map(TwinSelector::System).map_err(|error| error.to_string()),
        _ => TwinId::new(text).map(TwinSelector::Twin).map_err(|error| error.to_string()),
    }
}

/// A moment in UTC, or so long from now.
fn moment(text: &str) -> Result<Timestamp, String> {
    if let Some(moment) = Timestamp::from_utc(text) {
        return Ok(moment);
    }
    let (number, unit) = text.split_at(text.len() - text.chars().last().map_or(0, char::len_utf8));
    let unit = match unit {
        "m" => 60_000,
        "h" => 3_600_000,
        "d" => 86_400_000,
        _ => 0,
    };
    match number.parse::<u64>().ok().and_then(|number| number.checked_mul(unit)).filter(|millis| *millis > 0) {
        Some(millis) => Ok(Clock::system().now().plus(millis)),
        None => Err("write a moment in UTC as 2026-11-20T18:00:00Z, or how long from now as 90m, 12h or 7d".to_owned()),
    }
}

/// Asks the running enabler as its own program.
async fn request(data: &Path, request: Request) -> Result<Response, CliError> {
    match ask(data, &Question::Ask { request: Box::new(request) }).await? {
        Answer::Said { response } => Ok(*response),
        _ => Err(strange()),
    }
}

async fn done(data: &Path, order: Request, words: &str) -> Result<(), CliError> {
    match request(data, order).await? {
        Response::Done => Ok(writeln!(std::io::stdout(), "{words}")?),
        _ => Err(strange()),
    }
}

pub(super) async fn grant(args: Grant) -> Result<(), CliError> {
    let Grant { data, who, may, twin, feature, until, priority, deny, id } = args;
    let effect = if deny { RuleEffect::Deny } else { RuleEffect::Allow };
    let mut rule = Rule { id: RuleId::slug("-"), who, twins: twin, feature, right: may, effect, until, priority };
    // Named by its words: to grant the same again, until another time, is to change it.
    rule.id = id.unwrap_or_else(|| RuleId::slug(&rule.to_string().replace([' ', '/', ','], "-").replace("--", "-")));
    let words = format!("{}: {rule}", rule.id);
    done(&data, Request::SetRule(rule), &words).await
}

pub(super) async fn revoke(args: Revoke) -> Result<(), CliError> {
    let Revoke { data, what } = args;
    if let Ok(device) = what.parse::<Fingerprint>() {
        return done(&data, Request::RevokeDevice(device), "The device is not known any more.").await;
    }
    let whole = || inspect(&what).ok().and_then(|grant| grant.ids.last().copied());
    if let Some(id) = what.parse::<TokenId>().ok().or_else(whole) {
        return done(&data, Request::RevokeToken(id), "The token and whatever was made from it are void.").await;
    }
    let rule = RuleId::new(&what).map_err(|_| CliError::Words(format!("{what:?} names no rule, token or device")))?;
    done(&data, Request::RemoveRule(rule), "The rule is taken away.").await
}

pub(super) async fn users(args: Users) -> Result<(), CliError> {
    let data = args.data.ok_or_else(|| CliError::Words("say whose users: --data FOLDER".to_owned()))?;
    match args.order.unwrap_or(UsersOrder::List { json: false }) {
        UsersOrder::List { json } => list(&data, json).await,
        UsersOrder::Set { user, name, roles, issuer, subject } => {
            let name = name.unwrap_or_else(|| user.to_string());
            let words = format!("{user} is known.");
            let login = match issuer.zip(subject) {
                Some((issuer, subject)) => Some(Login { issuer, subject }),
                None => login_of(&data, &user).await?,
            };
            done(&data, Request::SetUser(UserInfo { id: user, name, roles, login }), &words).await
        }
        UsersOrder::Remove { user } => {
            let words = format!("{user} is not known any more.");
            done(&data, Request::RemoveUser(user), &words).await
        }
    }
}

/// Nobody loses their login because something else of them is changed.
async fn login_of(data: &Path, user: &UserId) -> Result<Option<Login>, CliError> {
    let Response::People(people) = request(data, Request::Users).await? else { return Err(strange()) };
    Ok(people.users.into_iter().find(|known| known.info.id == *user).and_then(|known| known.info.login))
}

async fn list(data: &Path, json: bool) -> Result<(), CliError> {
    let Response::People(people) = request(data, Request::Users).await? else { return Err(strange()) };
    let mut out = std::io::stdout().lock();
    if json {
        let text = serde_json::to_string_pretty(&people).map_err(|error| CliError::Words(error.to_string()))?;
        return Ok(writeln!(out, "{text}")?);
    }
    let roles = |roles: &[RoleId]| roles.iter().map(RoleId::as_str).collect::<Vec<_>>().join(", ");
    for user in people.users {
        writeln!(out, "{}  {:?}  {}", user.info.id, user.info.name, roles(&user.info.roles))?;
        if let Some(login) = user.info.login {
            writeln!(out, "    logs in at {} as {:?}", login.issuer, login.subject)?;
        }
        for device in user.devices {
            let until = device.until.map(|until| format!(" until {}", until.to_utc())).unwrap_or_default();
            writeln!(out, "    {}  {:?}  {}{until}", device.id, device.name, roles(&device.roles))?;
        }
    }
    people.tokens.iter().try_for_each(|token| show(&mut out, token))?;
    Ok(())
}

fn show(out: &mut impl Write, token: &TokenView) -> std::io::Result<()> {
    let Limits { twins, features, actions, until, priority, device } = &token.limits;
    let list = |names: Vec<String>| if names.is_empty() { "nothing".to_owned() } else { names.join(", ") };
    let names = |name: &str, of: Option<Vec<String>>| of.map(|of| format!("    {name:<9} {}\n", list(of)));
    let lines = [
        names("twins", twins.as_ref().map(|of| of.iter().map(ToString::to_string).collect())),
        names("features", features.as_ref().map(|of| of.iter().map(ToString::to_string).collect())),
        names("actions", actions.as_ref().map(|of| of.iter().map(ToString::to_string).collect())),
        names("until", until.map(|until| vec![until.to_utc()])),
        names("priority", priority.map(|priority| vec![format!("at most {priority}")])),
        names("device", device.map(|device| vec![device.to_string()])),
    ];
    writeln!(out, "token {}: {} for {}", token.id, token.guest, token.by)?;
    write!(out, "{}", lines.into_iter().flatten().collect::<String>())
}

pub(super) async fn token(order: Token) -> Result<(), CliError> {
    let words = |error: vestibule_enabler_core::token::TokenError| CliError::Words(error.to_string());
    let mut out = std::io::stdout();
    match order {
        Token::Mint { data, guest, limits } => {
            let delegation = Delegation { guest, limits: limits.into() };
            match request(&data, Request::Delegate(delegation)).await? {
                Response::Token(token) => writeln!(out, "{token}")?,
                _ => return Err(strange()),
            }
        }
        Token::Attenuate { token, limits } => {
            let narrowed = attenuate(&given(token)?, rand::random(), &limits.into()).map_err(words)?;
            writeln!(out, "{narrowed}")?;
        }
        Token::Show { token } => {
            let grant = inspect(&given(token)?).map_err(words)?;
            let id = grant.ids.last().copied().unwrap_or(TokenId([0; 16]));
            show(&mut out, &TokenView { id, by: grant.by, guest: grant.guest, limits: grant.limits })?;
        }
    }
    Ok(())
}

fn given(token: String) -> Result<String, CliError> {
    if token != "-" {
        return Ok(token);
    }
    let mut text = String::new();
    // A token is short; whatever else comes there is none.
    std::io::stdin().take(16_384).read_to_string(&mut text)?;
    Ok(text.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_become_rules() {
        assert_eq!(subject("role:guest").unwrap(), Subject::Role(RoleId::slug("guest")));
        assert_eq!(subject("anyone").unwrap(), Subject::Anyone);
        assert_eq!(subject("ada").unwrap(), Subject::User(UserId::slug("ada")));
        assert!(subject("").is_err() && right("a b").is_err() && selector("door").is_err());
        assert_eq!(selector("home/*").unwrap(), TwinSelector::System(SystemId::slug("home")));
        assert_eq!(selector("*").unwrap(), TwinSelector::All);
        assert_eq!(right("unlock").unwrap(), Right::Act(ActionId::slug("unlock")));
        assert_eq!(moment("2026-11-20T18:00:00Z").unwrap().to_utc(), "2026-11-20T18:00:00.000Z");
        assert!(moment("90m").unwrap() > Clock::system().now().plus(80 * 60_000));
        for wrong in ["", "m", "0h", "soon", "9999999999999999999d", "ü"] {
            assert!(moment(wrong).is_err(), "{wrong}");
        }
    }
}
