use std::{sync::Arc, time::Duration};

use axum::{
    body::Bytes,
    extract::{Request, State},
    response::Response,
};
use tokio::time::timeout;
use vestibule_model::ContentHash;
use vestibule_ucp::{
    Amount, FabricationQuote, FabricationQuoteRequest, Id, Item, More, Package, PricePart, Refused, Status, Trouble,
    UcpMeta, UnsignedAmount, limits, name, read,
};

use super::either;
use crate::{
    app::{App, Work},
    desk::secret,
    gate::{self, Admitted, Head, Needs},
    maker::{Appraised, MAX_KEPT, Maker, Unmade, priced},
    measures::{self, Delegation},
    rules::{Broken, session::Made},
    said::Said,
    sii,
    store::{StoreError, design, shelf},
};

const NEEDS: Needs = Needs { capability: name::FABRICATION, signed: true };
/// A package takes no longer: 64 MiB over a slow line.
const UPLOAD: Duration = Duration::from_secs(120);
/// Whoever asks for a price waits no longer.
const PATIENCE: Duration = Duration::from_secs(60);

fn maker(app: &App) -> Result<&Maker, Said> {
    app.maker.as_ref().ok_or_else(|| Said { status: 404, ..Said::invalid("there is nothing here") })
}

/// Keeps a package.
pub(super) async fn hand_over(State(app): State<Arc<App>>, request: Request) -> Response {
    let said = async {
        let maker = maker(&app)?;
        let Ok(_place) = maker.uploads.try_acquire() else { return Err(Said::trouble(Trouble::RateLimited)) };
        let (parts, content) = request.into_parts();
        let head = Head::new(&parts)?;
        let bytes: Bytes = match timeout(UPLOAD, axum::body::to_bytes(content, limits::MAX_DESIGN)).await {
            Ok(Ok(bytes)) => bytes,
            Ok(Err(_)) => return Err(Said { status: 413, ..Said::invalid("the package is too long, or broke off") }),
            Err(_) => return Err(Said { status: 408, ..Said::invalid("the package is too slow") }),
        };
        let admitted = gate::admit_read(&app, &head, bytes, NEEDS).await?;
        let kind = parts.headers.get("content-type").and_then(|kind| kind.to_str().ok()).unwrap_or_default();
        if kind != vestibule_fabricate::export::MEDIA_TYPE {
            return Err(Said { status: 415, ..Said::invalid("a package is model/3mf") });
        }
        let package = ContentHash::of(&admitted.body);
        let (asked, bytes) = admitted.asked()?;
        let size = i64::try_from(bytes.len()).unwrap_or(i64::MAX);
        let room = app.store.read(|connection| Box::pin(design::kept(connection))).await;
        if room.map_err(|error| app.answered(Err(error)))?.saturating_add(size) > MAX_KEPT {
            return Err(Said::trouble(Trouble::Unavailable));
        }
        // The file first: what the database says is kept is there.
        if let Err(error) = maker.keep(package, bytes).await {
            tracing::error!(%error, "a package could not be kept");
            return Err(Said::trouble(Trouble::Unavailable));
        }
        Ok(app.once(asked, move |work| Box::pin(keep(work, package, size))).await)
    };
    either(&app, said.await)
}

async fn keep(work: Work<'_>, package: ContentHash, size: i64) -> Result<Said, StoreError> {
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
        if appraised.as_ref().is_err_and(|unmade| unmade.code == "unavailable") {
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
