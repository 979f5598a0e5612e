use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use axum::{
    body::{Body, Bytes},
    extract::{Request, State},
    response::Response,
};
use futures_util::StreamExt as _;
use tokio::{sync::OwnedSemaphorePermit, time::timeout};
use vestibule_model::ContentHash;
use vestibule_ucp::{
    Amount, FabricationQuote, FabricationQuoteRequest, Id, Item, More, Package, PricePart, Refused, Status, Trouble,
    UcpMeta, UnsignedAmount, limits, name, read,
};

use super::either;
use crate::{
    app::{App, Asked, Work},
    desk::secret,
    gate::{self, Admitted, Head, Needs},
    maker::{Appraised, MAX_KEPT, Maker, UNAVAILABLE, Unmade, priced},
    measures::{self, Delegation},
    rules::{Broken, session::Made},
    said::Said,
    sii,
    store::{StoreError, design, shelf},
};

const NEEDS: Needs = Needs { capability: name::FABRICATION, signed: true };
/// A package takes no longer: 64 MiB over a slow line.
const UPLOAD: Duration = Duration::from_secs(120);
/// Nor does it come slower than so many bytes a millisecond, once it had a moment to begin.
const SLOWEST: u64 = 64;
const GRACE: Duration = Duration::from_secs(10);
/// A file takes so much of a disk at least.
const BLOCK: usize = 4096;
/// Whoever asks for a price waits no longer.
const PATIENCE: Duration = Duration::from_secs(60);

fn maker(app: &App) -> Result<&Maker, Said> {
    app.maker.as_ref().ok_or_else(|| Said { status: 404, ..Said::invalid("there is nothing here") })
}

/// Keeps a package.
pub(super) async fn hand_over(State(app): State<Arc<App>>, request: Request) -> Response {
    let said = async {
        let maker = maker(&app)?;
        let (parts, content) = request.into_parts();
        let head = Head::new(&parts)?;
        // Places are for whom we know: a stranger would hold one for as long as a package may take.
        gate::knock(&app, &head).await?;
        let place = maker.uploads.clone().try_acquire_owned().map_err(|_| Said::trouble(Trouble::RateLimited))?;
        let admitted = gate::admit_read(&app, &head, package(content).await?, NEEDS).await?;
        let kind = parts.headers.get("content-type").and_then(|kind| kind.to_str().ok()).unwrap_or_default();
        if kind != vestibule_fabricate::export::MEDIA_TYPE {
            return Err(Said { status: 415, ..Said::invalid("a package is model/3mf") });
        }
        let (asked, bytes) = admitted.asked()?;
        // To its end, even where nobody waits for the answer: a file without a row is room that nobody counts.
        let kept = tokio::spawn(keep(app.clone(), asked, bytes, place));
        kept.await.unwrap_or_else(|error| {
            tracing::error!(%error, "a package could not be kept");
            Err(Said::trouble(Trouble::Unavailable))
        })
    };
    either(&app, said.await)
}

/// Reads a package that comes fast enough.
async fn package(content: Body) -> Result<Bytes, Said> {
    let (begun, mut parts, mut bytes) = (Instant::now(), content.into_data_stream(), Vec::<u8>::new());
    loop {
        let come = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        let may_take = GRACE.saturating_add(Duration::from_millis(come / SLOWEST)).min(UPLOAD);
        match timeout(may_take.saturating_sub(begun.elapsed()), parts.next()).await {
            Ok(None) => return Ok(bytes.into()),
            Ok(Some(Ok(part))) if bytes.len() + part.len() <= limits::MAX_DESIGN => bytes.extend_from_slice(&part),
            Ok(Some(_)) => return Err(Said { status: 413, ..Said::invalid("the package is too long, or broke off") }),
            Err(_) => return Err(Said { status: 408, ..Said::invalid("the package is too slow") }),
        }
    }
}

/// Keeps a package's file, and a row that says so. Where no row comes of it, the file goes again.
async fn keep(app: Arc<App>, asked: Asked, bytes: Bytes, _place: OwnedSemaphorePermit) -> Result<Said, Said> {
    let maker = maker(&app)?;
    let package = ContentHash::of(&bytes);
    let size = i64::try_from(bytes.len().max(BLOCK)).unwrap_or(i64::MAX);
    let _keeping = maker.keeping.lock().await;
    let room = app.store.read(|connection| Box::pin(design::kept(connection))).await;
    if room.map_err(|error| app.answered(Err(error)))?.saturating_add(size) > MAX_KEPT {
        return Err(Said::trouble(Trouble::Unavailable));
    }
    // The file first: what the database says is kept is there.
    if let Err(error) = maker.keep(package, bytes).await {
        tracing::error!(%error, "a package could not be kept");
        return Err(Said::trouble(Trouble::Unavailable));
    }
    let said = app.once(asked, move |work| Box::pin(write_down(work, package, size))).await;
    let name = package.to_string();
    let known = app.store.read(move |connection| Box::pin(async move { design::is_kept(connection, &name).await }));
    if let Ok(false) = known.await {
        maker.drop_package(package);
    }
    Ok(said)
}

async fn write_down(work: Work<'_>, package: ContentHash, size: i64) -> Result<Said, StoreError> {
    design::keep(work.connection, &package.to_string(), size, work.now).await?;
    Ok(Said::with(201, &Package { package }))
}

/// What it costs to make something.
pub(super) async fn quote(State(app): State<Arc<App>>, request: Request) -> Response {
    let said = async {
        let maker = maker(&app)?;
        let admitted: Admitted = gate::admit(&app, request, NEEDS).await?;
        let wanted: FabricationQuoteRequest = read(&admitted.body).map_err(Said::invalid)?;
        let colour = wanted.line.colour.strip_prefix('#').unwrap_or_default();
        if colour.len() != 6 || !colour.bytes().all(|digit| digit.is_ascii_hexdigit()) {
            return Err(Said::invalid("a colour is written as #rrggbb"));
        }
        let (asked, _) = admitted.asked()?;
        let appraised = timeout(PATIENCE, maker.appraise(&wanted.line, wanted.quantity.get())).await;
        let mut appraised = appraised.map_err(|_| Said::trouble(Trouble::Unavailable))?;
        if appraised.as_ref().is_err_and(|unmade| unmade.code == UNAVAILABLE) {
            return Err(Said::trouble(Trouble::Unavailable));
        }
        if let (Ok(appraised), Some(delegation)) = (&mut appraised, Delegation::of(&wanted.line.more)) {
            appraised.notes.extend(fit(&app, appraised.size_mm, &delegation).await);
        }
        Ok(app.once(asked, move |work| Box::pin(offer(work, wanted, appraised))).await)
    };
    either(&app, said.await)
}

/// Whether it goes where it is wanted, as far as twins are shared that have measured it.
async fn fit(app: &App, size_mm: [f64; 3], delegation: &Delegation) -> Vec<More> {
    let (gaps, unseen) = sii::gaps(app.enabler().as_deref(), delegation).await;
    let mut findings = measures::findings(size_mm, &gaps);
    findings.extend(unseen.iter().filter_map(measures::unknown));
    findings
}

async fn offer(
    work: Work<'_>,
    wanted: FabricationQuoteRequest,
    appraised: Result<Appraised, Unmade>,
) -> Result<Said, StoreError> {
    let Work { app, connection, asker, now } = work;
    let appraised = match appraised {
        Ok(appraised) => appraised,
        Err(unmade) => {
            let mut refused = Refused::because(unmade.code, unmade.says);
            refused.more.insert("findings".to_owned(), measures::told(&unmade.findings).into());
            return Ok(Said::ok(&refused));
        }
    };
    let (each, parts) = priced(&appraised.estimate)?;
    let until = now.plus(app.book.maker.map_or(0, |maker| maker.quote_s).saturating_mul(1000));
    let mut line = vestibule_ucp::FabricationLine { serial: None, more: More::new(), ..wanted.line };
    let (quantity, machine_s) = (wanted.quantity.get(), appraised.estimate.seconds);
    let made = Made { line: line.clone(), quantity, machine_s, until };
    let id = format!("made_{}", secret());
    let title = format!("{}, made to your design", appraised.name);
    shelf::quote(connection, &id, &title, each, &made).await?;
    design::used(connection, &line.package.to_string(), now).await?;
    for (name, number) in [
        ("volume_mm3", appraised.estimate.volume_mm3),
        ("mass_mg", appraised.estimate.mass_mg),
        ("machine_time_s", machine_s),
    ] {
        line.more.insert(name.to_owned(), number.into());
    }
    line.more.insert("estimated_by".to_owned(), appraised.estimated_by.into());
    let price = UnsignedAmount::new(each).map_err(Broken::from)?;
    let parts = parts.into_iter().map(|(text, amount)| {
        Ok::<_, Broken>(PricePart { display_text: text.to_owned(), amount: Amount::new(amount)? })
    });
    let id = Id::new(id).map_err(Broken::from)?;
    Ok(Said::ok(&FabricationQuote {
        ucp: UcpMeta {
            capabilities: Some(asker.active.for_answer(name::FABRICATION)),
            ..UcpMeta::new().with_status(Status::Success)
        },
        item: Item { id, title, price, image_url: None, more: More::new() },
        currency: app.book.currency,
        lead_time_s: app.book.lead_s(machine_s.saturating_mul(quantity.into())),
        findings: measures::told(&appraised.findings)
            .into_iter()
            .chain(appraised.notes)
            .take(limits::MAX_LINES)
            .collect(),
        expires_at: until.to_utc(),
        price_parts: parts.collect::<Result<_, _>>()?,
        line,
    }))
}
