//! Checkout sessions and orders: what is asked, decided by the rules, written within one transaction.

use rand::Rng as _;
use sqlx::SqliteConnection;
use vestibule_model::Timestamp;
use vestibule_ucp::{
    Checkout, CheckoutComplete, CheckoutCreate, CheckoutStatus, Confirmed, Extension as _, Id, Message,
    OrderConfirmation, Severity, Status, Trouble, UcpMeta, code, name,
};

use crate::{
    app::{App, Asker, Work},
    rules::{
        Broken,
        checkout::{Priced, count},
        order::{NotCanceled, Placing, Record},
        session::{Pending, Session, Shelf, Sold, Stage, Unwritten},
        with_path,
    },
    said::Said,
    store::{StoreError, hook, order, pay, session, shelf},
};

/// How long a bank takes that is slow, in milliseconds.
const SLOW_MS: u64 = 2_000;

/// 128 bits that nobody guesses.
pub(crate) fn secret() -> String {
    let bytes: [u8; 16] = rand::rng().random();
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A new id of the form of a UUID.
pub(crate) fn new_uuid() -> String {
    vestibule_ucp::uuid(rand::rng().random())
}

fn checkout_meta(asker: &Asker) -> UcpMeta {
    UcpMeta {
        capabilities: Some(asker.active.for_answer(name::CHECKOUT)),
        payment_handlers: Some(asker.active.handlers.clone()),
        ..UcpMeta::new().with_status(Status::Success)
    }
}

fn order_meta(asker: &Asker) -> UcpMeta {
    UcpMeta { capabilities: Some(asker.active.for_answer(name::ORDER)), ..UcpMeta::new().with_status(Status::Success) }
}

/// A session with what it costs now.
struct Counted {
    session: Session,
    shelf: Shelf,
    priced: Priced,
}

impl Counted {
    async fn of(
        app: &App,
        connection: &mut SqliteConnection,
        session: Session,
        now: Timestamp,
    ) -> Result<Self, StoreError> {
        let items = session.lines.iter().map(|line| line.item.as_str());
        let shelf = shelf::look(connection, &app.book, items).await?;
        let priced = count(&session, &shelf, &app.book, now)?;
        Ok(Self { session, shelf, priced })
    }

    fn checkout(&self, app: &App, ucp: UcpMeta) -> Result<Checkout, StoreError> {
        let Some(sold) = &self.session.sold else {
            return Ok(self.priced.checkout(&self.session, &app.book, ucp, &app.base)?);
        };
        // What was sold is told as it was agreed to, with who and where as long as that is known.
        let mut checkout: Checkout = serde_json::from_value(sold.checkout.clone())?;
        checkout.ucp = ucp;
        checkout.buyer = self.session.buyer.clone();
        let methods = checkout.fulfillment.as_mut().and_then(|one| one.methods.as_mut());
        if let Some(method) = methods.and_then(|all| all.first_mut()) {
            method.destinations = Some(self.session.destinations.clone());
        }
        Ok(checkout)
    }

    fn say(&self, app: &App, asker: &Asker) -> Result<Said, StoreError> {
        Ok(Said::ok(&self.checkout(app, checkout_meta(asker))?))
    }

    /// The session with a word on why it was not completed.
    fn not_completed(&self, app: &App, asker: &Asker, why: Message) -> Result<Said, StoreError> {
        let mut checkout = self.checkout(app, checkout_meta(asker))?;
        checkout.status = CheckoutStatus::Incomplete;
        checkout.messages.get_or_insert_default().push(why);
        Ok(Said::ok(&checkout))
    }
}

fn expire(session: &mut Session, now: Timestamp) {
    if session.has_expired(now) {
        session.stage = Stage::Canceled;
    }
}

/// Opens a session.
pub(crate) async fn open(work: Work<'_>, said: CheckoutCreate) -> Result<Said, StoreError> {
    let Work { app, connection, asker, now } = work;
    if !session::has_room(connection, &asker.platform, now).await? {
        return Ok(Said::trouble(Trouble::RateLimited));
    }
    let id = Id::new(format!("chk_{}", secret())).map_err(Broken::from)?;
    let mut opened = Session::new(id, &asker.platform, now);
    if let Some(refused) = write(app, connection, &mut opened, &said).await? {
        return Ok(refused);
    }
    session::save(connection, &opened, None).await?;
    let counted = Counted::of(app, connection, opened, now).await?;
    Ok(Said { status: 201, ..counted.say(app, asker)? })
}

/// Writes what was said into a session; what is answered instead where that cannot be.
async fn write(
    app: &App,
    connection: &mut SqliteConnection,
    session: &mut Session,
    said: &CheckoutCreate,
) -> Result<Option<Said>, StoreError> {
    let items = said.line_items.iter().map(|line| line.item.id.as_str());
    let shelf = shelf::look(connection, &app.book, items).await?;
    match session.write(said, &shelf) {
        Ok(()) => Ok(None),
        Err(Unwritten::Broken(broken)) => Err(broken.into()),
        Err(Unwritten::NoItem(at)) => {
            let mut refused = vestibule_ucp::Refused::because(code::ITEM_UNAVAILABLE, "");
            let (path, text) = (format!("$.line_items[{at}]"), "This is not sold here.");
            refused.messages = vec![with_path(code::ITEM_UNAVAILABLE, &path, text, Severity::Unrecoverable)];
            Ok(Some(Said::ok(&refused)))
        }
    }
}

/// A session as it is now.
pub(crate) async fn look(
    app: &App,
    connection: &mut SqliteConnection,
    asker: &Asker,
    id: &str,
) -> Result<Said, StoreError> {
    let now = app.clock.now();
    let Some(mut session) = session::load(connection, id, Some(&asker.platform)).await? else {
        return Ok(Said::not_found("session"));
    };
    expire(&mut session, now);
    Counted::of(app, connection, session, now).await?.say(app, asker)
}

/// A session of this platform that is not over; what is answered instead where there is none.
async fn open_session(work: &mut Work<'_>, id: &str) -> Result<Result<Session, Said>, StoreError> {
    let Some(mut session) = session::load(work.connection, id, Some(&work.asker.platform)).await? else {
        return Ok(Err(Said::not_found("session")));
    };
    expire(&mut session, work.now);
    Ok(match session.stage {
        Stage::Completed => Err(Said::trouble(Trouble::SessionCompleted)),
        Stage::Canceled => Err(Said::trouble(Trouble::SessionCanceled)),
        _ => Ok(session),
    })
}

/// Replaces what a session says.
pub(crate) async fn update(mut work: Work<'_>, id: String, said: CheckoutCreate) -> Result<Said, StoreError> {
    let mut session = match open_session(&mut work, &id).await? {
        Ok(session) => session,
        Err(said) => return Ok(said),
    };
    let Work { app, connection, asker, now } = work;
    // What the bank works on stays what it is.
    if session.stage != Stage::InProgress {
        if let Some(refused) = write(app, connection, &mut session, &said).await? {
            return Ok(refused);
        }
        session::save(connection, &session, None).await?;
    }
    Counted::of(app, connection, session, now).await?.say(app, asker)
}

/// Ends a session.
pub(crate) async fn cancel(mut work: Work<'_>, id: String) -> Result<Said, StoreError> {
    let mut session = match open_session(&mut work, &id).await? {
        Ok(session) => session,
        Err(said) => return Ok(said),
    };
    let Work { app, connection, asker, now } = work;
    (session.stage, session.pending) = (Stage::Canceled, None);
    session::save(connection, &session, None).await?;
    Counted::of(app, connection, session, now).await?.say(app, asker)
}

/// Buys what a session holds: all of it, for exactly what was agreed to, or nothing.
pub(crate) async fn complete(mut work: Work<'_>, id: String, said: CheckoutComplete) -> Result<Said, StoreError> {
    let session = match open_session(&mut work, &id).await? {
        Ok(session) => session,
        Err(said) => return Ok(said),
    };
    let Work { app, connection, asker, now } = work;
    let mut counted = Counted::of(app, connection, session, now).await?;
    if !counted.priced.is_ready() || counted.session.stage == Stage::InProgress {
        return counted.say(app, asker);
    }
    // What waits for its payer is asked anew: whatever becomes of this, the page of before is over.
    let waits = counted.session.stage == Stage::Challenged;
    (counted.session.stage, counted.session.pending) = (Stage::Open, None);
    if waits {
        session::save(connection, &counted.session, None).await?;
    }
    match Confirmed::of(&said.more) {
        Ok(Some(confirmed)) if !confirmed.is(&counted.checkout(app, checkout_meta(asker))?) => {
            let text = "This is not what was confirmed.";
            let why = with_path(code::CONFIRMATION_OUTDATED, "$.totals", text, Severity::Recoverable);
            return counted.not_completed(app, asker, why);
        }
        Ok(_) => {}
        Err(error) => return Ok(Said::invalid(error)),
    }
    let token = match token(app, connection, &counted, &said, now).await? {
        Ok(token) => token,
        Err(why) => return counted.not_completed(app, asker, why),
    };
    let ucp = order_meta(asker);
    let pending =
        Pending { token: token.token.clone(), secret: secret(), ucp: ucp.clone(), total: counted.priced.total };
    match token.card.as_str() {
        "sandbox-challenge" => {
            (counted.session.stage, counted.session.pending) = (Stage::Challenged, Some(pending));
            session::save(connection, &counted.session, None).await?;
        }
        "sandbox-slow" => {
            (counted.session.stage, counted.session.pending) = (Stage::InProgress, Some(pending));
            session::save(connection, &counted.session, Some(now.plus(SLOW_MS))).await?;
        }
        "sandbox-ok" => place(app, connection, &mut counted, &token, ucp, now).await?,
        card => return counted.not_completed(app, asker, declined(card)),
    }
    let mut checkout = counted.checkout(app, checkout_meta(asker))?;
    // With what it was paid is said; what proves it is not.
    let instruments = said.payment.selected().cloned().map(|one| vestibule_ucp::Instrument { credential: None, ..one });
    let instruments = Some(instruments.into_iter().collect());
    checkout.payment = Some(vestibule_ucp::Payment { instruments, more: vestibule_ucp::More::new() });
    Ok(Said::ok(&checkout))
}

fn declined(card: &str) -> Message {
    let (code, text) = match card {
        "sandbox-insufficient" => (code::PAYMENT_DECLINED, "There is not enough in this account."),
        "sandbox-declined" => (code::PAYMENT_DECLINED, "The bank said no."),
        _ => (code::PAYMENT_FAILED, "Nobody knows this card."),
    };
    with_path(code, "$.payment", text, Severity::Recoverable)
}

/// The token that pays for this, or why there is none.
async fn token(
    app: &App,
    connection: &mut SqliteConnection,
    counted: &Counted,
    said: &CheckoutComplete,
    now: Timestamp,
) -> Result<Result<pay::Token, Message>, StoreError> {
    let failed = |text: &str| Ok(Err(with_path(code::PAYMENT_FAILED, "$.payment", text, Severity::Recoverable)));
    let Some(instrument) = said.payment.selected() else { return failed("Nothing was selected to pay with.") };
    let known = app.profile.ucp.handler(instrument.handler_id.as_str()).is_some();
    let token = instrument.credential.as_ref().and_then(vestibule_ucp::Credential::token);
    let Some(token) = token.filter(|_| known && instrument.kind == "sandbox") else {
        return failed("This way of paying is not taken here.");
    };
    let Some(token) = pay::find(connection, token).await? else { return failed("This token is not known, or used.") };
    if token.session != counted.session.id.as_str() || token.until <= now {
        return failed("This token is for another session, or has ended.");
    }
    if token.currency != app.book.currency.to_string() || token.amount < counted.priced.total {
        return failed("This token is not for what this costs.");
    }
    Ok(Ok(token))
}

/// The session becomes an order: goods are taken, money is held, its platform will be told.
async fn place(
    app: &App,
    connection: &mut SqliteConnection,
    counted: &mut Counted,
    token: &pay::Token,
    ucp: UcpMeta,
    now: Timestamp,
) -> Result<(), StoreError> {
    for line in &counted.session.lines {
        if counted.shelf.get(line.item.as_str()).is_some_and(|ware| ware.made.is_none()) {
            shelf::take(connection, line.item.as_str(), line.quantity).await?;
        }
    }
    let number = order::next_number(connection).await?;
    let id = counted.session.id.as_str().replacen("chk_", "ord_", 1);
    let accept_ms = app.book.pace.accept_s.saturating_mul(1000);
    let placing = Placing {
        id: Id::new(id).map_err(Broken::from)?,
        label: format!("{}-{number}", app.book.label),
        ucp,
        base: &app.base,
        // Nobody is charged more than this can cost, whatever they agreed to.
        authorized: token.amount.min(counted.priced.most),
        due: now.plus(accept_ms.div_ceil(app.speed)),
        now,
    };
    let Counted { session, shelf, priced } = counted;
    let record = Record::place(session, priced, shelf, &app.book, placing)?;
    (session.stage, session.pending) = (Stage::Completed, None);
    let confirmation = OrderConfirmation {
        id: record.id.clone(),
        label: Some(record.label.clone()),
        permalink_url: record.permalink.clone(),
        more: vestibule_ucp::More::new(),
    };
    let checkout = frozen(app, session, priced, &confirmation)?;
    session.sold = Some(Sold { order: confirmation, checkout });
    // An order stands on its session: that one first.
    session::save(connection, session, None).await?;
    let buyer = session.buyer.clone().unwrap_or_default();
    let person = order::Person { buyer, destination: session.goes_to().cloned().unwrap_or_default() };
    order::insert(connection, &record, number, &token.token, &person, now).await?;
    hook::ring(connection, record.id.as_str(), &new_uuid(), now).await?;
    hook::post(connection, record.id.as_str()).await
}

/// What was agreed to, without who and where.
fn frozen(
    app: &App,
    session: &Session,
    priced: &Priced,
    confirmation: &OrderConfirmation,
) -> Result<serde_json::Value, StoreError> {
    let mut checkout = priced.checkout(session, &app.book, UcpMeta::new(), &app.base)?;
    (checkout.buyer, checkout.context) = (None, None);
    let methods = checkout.fulfillment.iter_mut().flat_map(|one| one.methods.iter_mut().flatten());
    methods.for_each(|method| method.destinations = None);
    checkout.order = Some(confirmation.clone());
    Ok(serde_json::to_value(checkout)?)
}

/// The payer, or the bank, has said yes: the session becomes an order, or is open again where it is not the same any
/// more. Whether there is an order now.
pub(crate) async fn settle(
    app: &App,
    connection: &mut SqliteConnection,
    id: &str,
    proof: Option<&str>,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let Some(mut session) = session::load(connection, id, None).await? else { return Ok(false) };
    expire(&mut session, now);
    let wanted = if proof.is_some() { Stage::Challenged } else { Stage::InProgress };
    let Some(pending) = session.pending.take().filter(|_| session.stage == wanted) else { return Ok(false) };
    if proof.is_some_and(|proof| proof != pending.secret) {
        return Ok(false);
    }
    session.stage = Stage::Open;
    let mut counted = Counted::of(app, connection, session, now).await?;
    let token = pay::find(connection, &pending.token).await?;
    match token {
        Some(token) if counted.priced.is_ready() && counted.priced.total == pending.total => {
            place(app, connection, &mut counted, &token, pending.ucp, now).await?;
            Ok(true)
        }
        _ => {
            session::save(connection, &counted.session, None).await?;
            Ok(false)
        }
    }
}

/// The snapshot of an order, as anybody but its buyer may not see it.
pub(crate) async fn snapshot(
    connection: &mut SqliteConnection,
    id: &str,
    platform: Option<&str>,
) -> Result<Option<vestibule_ucp::Order>, StoreError> {
    let Some(record) = order::load(connection, id, platform).await? else { return Ok(None) };
    let person = order::person(connection, id).await?;
    Ok(Some(record.snapshot(person.as_ref().map(|person| &person.destination.address))?))
}

/// Cancels an order, where nobody has worked on it yet.
pub(crate) async fn cancel_order(work: Work<'_>, id: String) -> Result<Said, StoreError> {
    let Work { connection, asker, now, .. } = work;
    let Some(mut record) = order::load(connection, &id, Some(&asker.platform)).await? else {
        return Ok(Said::not_found("order"));
    };
    let had = (record.events.len(), record.adjustments.len());
    let lines = record.lines.clone();
    match record.cancel(now) {
        Ok(()) => {}
        Err(NotCanceled::TooLate(why)) => return Ok(Said::refused(code::NOT_CANCELLABLE, why)),
        Err(NotCanceled::Broken(broken)) => return Err(broken.into()),
    }
    if record.events.len() > had.0 {
        for line in lines.iter().filter(|line| line.made.is_none()) {
            shelf::put_back(connection, line.item.id.as_str(), line.total).await?;
        }
        order::save(connection, &record, had, now).await?;
        hook::ring(connection, &id, &new_uuid(), now).await?;
    }
    match snapshot(connection, &id, Some(&asker.platform)).await? {
        Some(order) => Ok(Said::ok(&order)),
        None => Ok(Said::not_found("order")),
    }
}

/// The same for whoever signs, once.
pub(crate) async fn tokenize_once(work: Work<'_>, asked: vestibule_ucp::TokenizeRequest) -> Result<Said, StoreError> {
    tokenize(work.app, work.connection, &asked).await
}

/// Something to pay with, for one session.
pub(crate) async fn tokenize(
    app: &App,
    connection: &mut SqliteConnection,
    asked: &vestibule_ucp::TokenizeRequest,
) -> Result<Said, StoreError> {
    /// A token is good for as long as the answer with it is repeated.
    const GOOD_MS: u64 = vestibule_ucp::KEPT_MS;
    let session = asked.binding.get("checkout_id").and_then(serde_json::Value::as_str).unwrap_or_default();
    let now = app.clock.now();
    let open = session::load(connection, session, None).await?.filter(|session| session.stage != Stage::Completed);
    if open.is_none() {
        return Ok(Said::not_found("session"));
    }
    if !pay::has_room(connection, session).await? {
        return Ok(Said::trouble(Trouble::RateLimited));
    }
    let token = pay::Token {
        token: format!("tok_{}", secret()),
        session: session.to_owned(),
        amount: asked.amount.get(),
        currency: asked.currency.to_string(),
        card: asked.card.clone(),
        until: now.plus(GOOD_MS),
    };
    pay::keep(connection, &token).await?;
    let answer = vestibule_ucp::TokenizeAnswer { token: token.token, expires_at: token.until.to_utc() };
    Ok(Said::ok(&answer))
}
