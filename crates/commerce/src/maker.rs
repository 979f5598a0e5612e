//! What a manufacturer does with designs: keeps packages, holds them against the design that they say they are, looks
//! whether a machine can make them, and counts what that costs.

use std::{
    collections::BTreeSet,
    io::{Cursor, Read as _, Write as _},
    num::{NonZeroU32, NonZeroU64},
    path::{Path, PathBuf},
    sync::{Arc, mpsc},
    time::Duration,
};

use tokio::sync::{Mutex, Semaphore};
use vestibule_fabricate::{
    Budget, Cancel, Design, DesignHash, Estimate, Evaluator, Finding, FindingKind, Font, Machine, PriceBook, Process,
    SolidError, Solids, check, design::MaterialKind, estimate, export::write_3mf,
};
use vestibule_model::{ContentHash, MAX_ORDER_PIECES, Money, Rounding};
use vestibule_ucp::{FabricationLine, code};

use crate::{
    measures,
    rules::{Broken, book::Book},
    slicer::{self, Slicer, Wanted},
};

/// Packages that are handed over at once: each is held in memory until its signature was checked.
const UPLOADS: usize = 2;
/// Designs that are evaluated at once: one keeps a core busy.
const EVALUATED: usize = 1;
/// Nothing that people make takes longer to be computed.
const PATIENCE: Duration = Duration::from_secs(300);
/// Where the design lies in a package.
const DESIGN: &str = "Metadata/design.json";
/// Bytes of a design's text: more than any that can be read.
const MAX_TEXT: u64 = 4 << 20;
/// Parts of a package: ours have five.
const MAX_PARTS: usize = 64;
/// What each entry of a package's directory begins with.
const DIRECTORY: &[u8] = b"PK\x01\x02";
/// The letters of texts on things: whoever designs here has the same ones.
const FONT: &[u8] = include_bytes!("../../../plugins/hud/fonts/Inter-Regular.otf");
/// Bytes of all packages that are kept.
pub(crate) const MAX_KEPT: i64 = 2 << 30;

/// Nobody could look: it may be made all the same.
pub(crate) const UNAVAILABLE: &str = "unavailable";

/// Why something is not made.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Unmade {
    pub(crate) code: &'static str,
    pub(crate) says: String,
    pub(crate) findings: Vec<Finding>,
}

impl Unmade {
    fn because(code: &'static str, says: impl Into<String>) -> Self {
        Self { code, says: says.into(), findings: Vec::new() }
    }

    fn mismatch(says: impl Into<String>) -> Self {
        Self::because(code::DESIGN_MISMATCH, says)
    }
}

/// What something would cost.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Appraised {
    pub(crate) name: String,
    pub(crate) estimate: Estimate,
    /// Whose time and weight they are: the slicer's, or [`OWN`].
    pub(crate) estimated_by: &'static str,
    /// Along X, Y and Z, in millimetres, as it stands.
    pub(crate) size_mm: [f64; 3],
    pub(crate) findings: Vec<Finding>,
    /// What else is to be said, as findings are told.
    pub(crate) notes: Vec<vestibule_ucp::More>,
}

/// Time and weight by what the solids measure.
const OWN: &str = "own";

/// A manufacturer's workbench.
pub(crate) struct Maker {
    folder: PathBuf,
    prices: PriceBook,
    machines: Vec<Machine>,
    slicer: Option<Slicer>,
    pub(crate) uploads: Arc<Semaphore>,
    /// Held by whoever keeps a file and writes it down, or removes those that are not written down.
    pub(crate) keeping: Mutex<()>,
    bench: Arc<Semaphore>,
}

impl Maker {
    /// One that keeps packages in `folder`.
    ///
    /// # Errors
    /// Where the folder cannot be made.
    pub(crate) fn new(folder: &Path, book: &Book, slicer: Option<Slicer>) -> std::io::Result<Self> {
        std::fs::create_dir_all(folder)?;
        // What was cut off while it was handed over is nothing.
        for entry in std::fs::read_dir(folder)? {
            let entry = entry?;
            if entry.file_name().to_string_lossy().starts_with(".tmp") {
                std::fs::remove_file(entry.path())?;
            }
        }
        let prices = PriceBook::sample(&book.currency.to_string()).map_err(std::io::Error::other)?;
        let machines = vec![Machine::desktop(), Machine::large(), Machine::powder()];
        Ok(Self {
            folder: folder.to_owned(),
            prices,
            machines,
            slicer,
            uploads: Arc::new(Semaphore::new(UPLOADS)),
            keeping: Mutex::default(),
            bench: Arc::new(Semaphore::new(EVALUATED)),
        })
    }

    fn file(&self, package: ContentHash) -> PathBuf {
        self.folder.join(package.to_string())
    }

    /// Keeps a package under its hash; durable when this answers.
    ///
    /// # Errors
    /// What the disk says.
    pub(crate) async fn keep(&self, package: ContentHash, bytes: axum::body::Bytes) -> std::io::Result<()> {
        let (folder, file) = (self.folder.clone(), self.file(package));
        let kept = tokio::task::spawn_blocking(move || {
            if file.exists() {
                return Ok(());
            }
            let mut new = tempfile::NamedTempFile::new_in(&folder)?;
            new.write_all(&bytes)?;
            new.as_file().sync_all()?;
            new.persist(&file).map_err(|error| error.error)?;
            // Its name is durable as well.
            std::fs::File::open(&folder)?.sync_all()
        });
        kept.await.unwrap_or_else(|error| Err(std::io::Error::other(error)))
    }

    /// Drops a package that is not written down. Whoever asks holds `keeping`.
    pub(crate) fn drop_package(&self, package: ContentHash) {
        remove(&self.file(package));
    }

    /// Drops all packages but these. Whoever asks holds `keeping`.
    ///
    /// # Errors
    /// What the disk says.
    pub(crate) async fn drop_others(&self, known: BTreeSet<String>) -> std::io::Result<()> {
        let folder = self.folder.clone();
        let dropped = tokio::task::spawn_blocking(move || {
            for entry in std::fs::read_dir(&folder)? {
                let entry = entry?;
                let name = entry.file_name().to_string_lossy().into_owned();
                if !name.starts_with(".tmp") && !known.contains(&name) {
                    remove(&entry.path());
                }
            }
            Ok::<_, std::io::Error>(())
        });
        dropped.await.unwrap_or_else(|error| Err(std::io::Error::other(error)))
    }

    /// Whether what was handed over is what was designed.
    ///
    /// # Errors
    /// [`Unmade`].
    pub(crate) async fn verify(&self, package: ContentHash, design: ContentHash) -> Result<(), Unmade> {
        self.work(package, move |bytes| opened(bytes, package, design).map(|_| ())).await
    }

    /// Whether it can be made, and what so many of it cost.
    ///
    /// # Errors
    /// [`Unmade`].
    pub(crate) async fn appraise(&self, line: &FabricationLine, quantity: u32) -> Result<Appraised, Unmade> {
        let (line, prices, machines) = (line.clone(), self.prices.clone(), self.machines.clone());
        let (slicer, file) = (self.slicer.clone(), self.file(line.package));
        self.work(line.package, move |bytes| {
            let (design, solids) = opened(bytes, line.package, line.design)?;
            let (mut appraised, machine) = judge(&design, &solids, &line, quantity, &prices, &machines)?;
            if let Some(slicer) = slicer.filter(|_| machine.process == Process::Filament) {
                slice(&slicer, &file, machine, &line, &prices, &mut appraised);
            }
            Ok(appraised)
        })
        .await
    }

    async fn work<T, W>(&self, package: ContentHash, work: W) -> Result<T, Unmade>
    where
        T: Send + 'static,
        W: FnOnce(&[u8]) -> Result<T, Unmade> + Send + 'static,
    {
        let busy = || Unmade::because(UNAVAILABLE, "Everybody is busy. Ask again.");
        let place = self.bench.clone().acquire_owned().await.map_err(|_| busy())?;
        let file = self.file(package);
        let done = tokio::task::spawn_blocking(move || {
            let _place = place;
            work(&std::fs::read(&file).map_err(|error| unread(&error))?)
        });
        done.await.unwrap_or_else(|error| {
            // The kernel gave up on it, and would again; or nobody works here any more.
            Err(if error.is_panic() { Unmade::mismatch("The design cannot be evaluated.") } else { busy() })
        })
    }
}

/// Why a package was not read: what could not be opened at this moment is there all the same.
fn unread(error: &std::io::Error) -> Unmade {
    if error.kind() == std::io::ErrorKind::NotFound {
        return Unmade::because(code::NOT_FOUND, "This package was not handed over, or is not kept any more.");
    }
    tracing::error!(%error, "a package could not be read");
    Unmade::because(UNAVAILABLE, "The package cannot be read now. Ask again.")
}

fn remove(file: &Path) {
    match std::fs::remove_file(file) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            tracing::warn!(%error, "a package could not be removed");
        }
        _ => {}
    }
}

/// Opens a package: its bytes are those that were named, the design in it is the one that was named, and everything
/// else in it is what this design's package has. The same design has the same package, byte by byte: so what a slicer
/// or a viewer sees of it is what was designed, and there is no second reader that could see something else.
fn opened(bytes: &[u8], package: ContentHash, design: ContentHash) -> Result<(Design, Solids), Unmade> {
    if ContentHash::of(bytes) != package {
        return Err(Unmade::mismatch("What is kept is not what was handed over."));
    }
    let text = design_text(bytes)?;
    if ContentHash::of(text.as_bytes()) != design {
        return Err(Unmade::mismatch("The package holds another design than was named."));
    }
    let read = Design::read(&text).map_err(|error| Unmade::mismatch(error.to_string()))?;
    if read.hash().ok() != Some(DesignHash(design)) {
        return Err(Unmade::mismatch("The design is not written as designs are."));
    }
    let font = Font::read(FONT).map_err(|error| Unmade::mismatch(error.to_string()))?;
    let solids = in_time(|cancel| Evaluator::with_font(font).evaluate(&read, &Budget { cancel, ..Budget::default() }));
    let solids = solids.map_err(|error| match error {
        SolidError::Canceled => Unmade::because(UNAVAILABLE, "Its solids take too long to be computed now. Ask again."),
        error => Unmade::mismatch(error.to_string()),
    })?;
    let mut hasher = Hashing(blake3::Hasher::new());
    write_3mf(&solids, &read, &mut hasher).map_err(|error| Unmade::mismatch(error.to_string()))?;
    if ContentHash(*hasher.0.finalize().as_bytes()) == package {
        Ok((read, solids))
    } else {
        Err(Unmade::mismatch("The shape in the package is not the design's."))
    }
}

/// Work that is told to give up after a while: whoever sends a design must not keep the bench from all others.
fn in_time<T>(work: impl FnOnce(Cancel) -> T) -> T {
    let (done, wait) = mpsc::channel::<()>();
    let cancel = Cancel::default();
    let late = cancel.clone();
    let watch = move || {
        if wait.recv_timeout(PATIENCE) == Err(mpsc::RecvTimeoutError::Timeout) {
            late.cancel();
        }
    };
    if let Err(error) = std::thread::Builder::new().name("patience".to_owned()).spawn(watch) {
        tracing::warn!(%error, "nobody looks how long a design takes");
    }
    let made = work(cancel);
    drop(done);
    made
}

/// Writes into nothing but a hash.
struct Hashing(blake3::Hasher);

impl std::io::Write for Hashing {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

fn design_text(bytes: &[u8]) -> Result<String, Unmade> {
    let none = || Unmade::mismatch("There is no design in the package.");
    // Counted here: the reader makes room for as many as the directory has.
    let parts = bytes.windows(DIRECTORY.len()).filter(|window| *window == DIRECTORY).count();
    if parts > MAX_PARTS {
        return Err(Unmade::mismatch("The package has too many parts."));
    }
    let mut archive = zip::ZipArchive::new(Cursor::new(bytes)).map_err(|_| none())?;
    let entry = archive.by_name(DESIGN).map_err(|_| none())?;
    let mut text = String::new();
    // However much it says it is.
    entry.take(MAX_TEXT).read_to_string(&mut text).map_err(|_| none())?;
    Ok(text)
}

/// Has a slicer say what it takes, where there is one; where it does not, our own estimate stays, and that is said.
fn slice(
    slicer: &Slicer,
    file: &Path,
    machine: &Machine,
    line: &FabricationLine,
    prices: &PriceBook,
    appraised: &mut Appraised,
) {
    let hangs_over = appraised.findings.iter().any(|finding| finding.kind == FindingKind::Overhang);
    let sliced = material(line).and_then(|kind| {
        let wanted = Wanted { material: kind, infill_percent: infill(line), hangs_over };
        let sliced = slicer.slice(file, machine, wanted).map_err(|error| error.to_string())?;
        appraised.estimate.sliced(sliced, kind, prices).map_err(|error| error.to_string())
    });
    match sliced {
        Ok(estimate) => (appraised.estimate, appraised.estimated_by) = (estimate, slicer::PROGRAM),
        Err(why) => {
            tracing::warn!(why, "a design could not be sliced");
            let says = format!("The slicer does not take it: {why}. Time and weight are our own estimate.");
            appraised.notes.extend(measures::finding("slicer", 0.0, 0.0, &says));
        }
    }
}

fn material(line: &FabricationLine) -> Result<MaterialKind, String> {
    let kind = serde_json::from_value(serde_json::Value::String(line.material.clone()));
    kind.map_err(|_| "This material is not worked with here.".to_owned())
}

fn infill(line: &FabricationLine) -> u8 {
    line.infill_percent.unwrap_or(20)
}

/// Whether it can be made, on which machine, and what that costs by our own estimate.
fn judge<'a>(
    design: &Design,
    solids: &Solids,
    line: &FabricationLine,
    quantity: u32,
    prices: &PriceBook,
    machines: &'a [Machine],
) -> Result<(Appraised, &'a Machine), Unmade> {
    let unmade = |says: &str| Unmade::because(code::NOT_MANUFACTURABLE, says);
    let process = match line.process.as_str() {
        "filament" | "fff" => Process::Filament,
        "powder" => Process::Powder,
        "resin" => Process::Resin,
        _ => return Err(unmade("Things are not made this way here.")),
    };
    let material = material(line).map_err(|says| unmade(&says))?;
    let pieces = NonZeroU32::new(quantity).filter(|pieces| pieces.get() <= MAX_ORDER_PIECES);
    let pieces =
        pieces.ok_or_else(|| unmade(&format!("1 to {MAX_ORDER_PIECES} pieces are made at once. Order more apart.")))?;
    // What is asked for is what it is made of, whatever it looked like on the screen.
    let mut solids = solids.clone();
    solids.bodies.iter_mut().for_each(|body| body.material.kind = material);
    let mut spoken: Option<Vec<Finding>> = None;
    for machine in machines.iter().filter(|machine| machine.process == process) {
        let findings = in_time(|cancel| {
            let found = check(&solids, machine, &cancel);
            (!cancel.is_canceled()).then_some(found)
        });
        let late = || Unmade::because(UNAVAILABLE, "It takes too long to be looked at now. Ask again.");
        let findings = findings.ok_or_else(late)?;
        if findings.iter().any(|finding| finding.blocks) {
            spoken.get_or_insert(findings);
            continue;
        }
        let estimate = estimate(&solids, machine, infill(line), prices, pieces);
        let appraised = Appraised {
            name: design.name.clone(),
            estimate: estimate.map_err(|error| unmade(&error.to_string()))?,
            estimated_by: OWN,
            size_mm: solids.bounds().size(),
            findings,
            notes: Vec::new(),
        };
        return Ok((appraised, machine));
    }
    match spoken {
        None => Err(unmade("There is no machine for this.")),
        Some(findings) => {
            let says = findings.iter().find(|finding| finding.blocks).map(|finding| finding.says.clone());
            Err(Unmade { findings, ..unmade(&says.unwrap_or_default()) })
        }
    }
}

/// What one piece costs, and what that is made of. What does not divide is rounded up, and said.
///
/// # Errors
/// [`Broken`] where it is beyond counting.
pub(crate) fn priced(estimate: &Estimate) -> Result<(i64, Vec<(&'static str, i64)>), Broken> {
    let pieces = NonZeroU64::from(NonZeroU32::new(estimate.quantity).unwrap_or(NonZeroU32::MIN));
    let of_one = |money: Money, rounding| {
        let share = money.share(1, pieces, rounding).map_err(|error| Broken(error.to_string()))?;
        Ok::<_, Broken>(share.amount)
    };
    let each = of_one(estimate.total, Rounding::Up)?;
    let part = |money| of_one(money, Rounding::Down);
    let mut parts = vec![
        ("Material", part(estimate.material)?),
        ("Machine time", part(estimate.machine)?),
        ("Finishing", part(estimate.finish)?),
        ("Handling", part(estimate.handling)?),
        ("Discount", -part(estimate.discount)?),
    ];
    let rest = each - parts.iter().map(|(_, amount)| amount).sum::<i64>();
    parts.push(("Rounding", rest));
    parts.retain(|(_, amount)| *amount != 0);
    Ok((each, parts))
}

#[cfg(test)]
#[path = "maker_tests.rs"]
mod tests;
