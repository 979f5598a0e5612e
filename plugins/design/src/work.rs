//! The one thread that evaluates. The newest design wins: what was asked for before is canceled or never begun.

use std::{
    num::NonZeroU32,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    thread,
    time::Duration,
};

use bevy::prelude::{Mesh, Resource};
use vestibule_fabricate::{
    Budget, Cancel, Estimate, Evaluator, Finding, Font, Machine, PriceBook, SolidError, Solids, check,
    design::{Design, FeatureKey},
    estimate,
};

use crate::{
    handles::{self, Handle},
    mesh, words,
};

/// How full a filament part is inside.
pub(crate) const INFILL_PERCENT: u8 = 15;
/// A picture that is nearly ready is worth more than the next one that has not begun: so long it may go on after a newer
/// one was asked for. Without this, a hand that keeps moving would never see anything.
const GRACE: Duration = Duration::from_millis(120);

/// What is to be evaluated.
#[derive(Clone, Debug)]
pub(crate) struct Job {
    /// Greater than all before.
    pub number: u64,
    pub design: Design,
    pub machine: Machine,
    pub selected: Option<FeatureKey>,
    /// Also what is found on it, what it takes and where it has handles: not while a hand moves it.
    pub whole: bool,
}

/// Something to be seen.
#[derive(Clone, Debug)]
pub(crate) struct Picture {
    pub number: u64,
    pub design: Design,
    pub solids: Solids,
    /// For each body: what is drawn, and for each triangle of it which one of the body's it is.
    pub meshes: Vec<(Mesh, Vec<u32>)>,
}

/// What can be said of it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Report {
    pub number: u64,
    pub takes: Option<Estimate>,
    pub handles: Vec<Handle>,
    /// What was found on it; looking takes longest, and so this comes with a second report.
    pub findings: Option<Vec<Finding>>,
}

/// What came of a job.
#[derive(Clone, Debug, Default)]
pub(crate) struct Answers {
    pub picture: Option<Result<Arc<Picture>, (u64, String)>>,
    pub report: Option<Report>,
}

#[derive(Default)]
struct Slot {
    next: Option<Job>,
    /// What is being worked on, since when, and whether its picture is still to come.
    now: Option<(Cancel, Duration, bool)>,
    /// The newest of each; older ones that nobody took are no loss.
    answers: Answers,
    over: bool,
}

#[derive(Default)]
struct Shared {
    slot: Mutex<Slot>,
    news: Condvar,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Slot> {
        self.slot.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The thread, as the App sees it.
#[derive(Resource)]
pub(crate) struct Work(Arc<Shared>);

impl Work {
    /// Starts the thread.
    pub(crate) fn start(font: Option<Font>) -> Self {
        let shared = Arc::new(Shared::default());
        let its = Arc::clone(&shared);
        // Nobody waits for its end: it ends when there is nobody to work for.
        drop(thread::Builder::new().name("design".to_owned()).spawn(move || run(&its, font.as_ref())));
        Self(shared)
    }

    /// Has this evaluated, and nothing that was asked for before. `now`: since the start of the program.
    pub(crate) fn ask(&self, job: Job, now: Duration) {
        let mut slot = self.0.lock();
        if let Some((cancel, since, drawing)) = &slot.now
            && (!drawing || now.saturating_sub(*since) > GRACE)
        {
            cancel.cancel();
        }
        slot.next = Some(job);
        stamp(&mut slot, now);
        self.0.news.notify_one();
    }

    /// What is ready. Called each frame.
    pub(crate) fn take(&self, now: Duration) -> Answers {
        let mut slot = self.0.lock();
        stamp(&mut slot, now);
        let waited_for = slot.next.is_some();
        if let Some((cancel, since, true)) = &slot.now
            && waited_for
            && now.saturating_sub(*since) > GRACE
        {
            cancel.cancel();
        }
        std::mem::take(&mut slot.answers)
    }
}

/// The thread reads no clock: the first frame that sees a job says when it began.
fn stamp(slot: &mut Slot, now: Duration) {
    if let Some((_, since, _)) = &mut slot.now
        && *since == Duration::MAX
    {
        *since = now;
    }
}

impl Drop for Work {
    fn drop(&mut self) {
        let mut slot = self.0.lock();
        slot.over = true;
        if let Some((cancel, ..)) = &slot.now {
            cancel.cancel();
        }
        self.0.news.notify_one();
    }
}

fn evaluator(font: Option<&Font>) -> Evaluator {
    font.map_or_else(Evaluator::new, |font| Evaluator::with_font(font.clone()))
}

fn run(shared: &Shared, font: Option<&Font>) {
    let mut its = evaluator(font);
    loop {
        let (job, cancel) = {
            let mut slot = shared.lock();
            slot.now = None;
            loop {
                if slot.over {
                    return;
                }
                if let Some(job) = slot.next.take() {
                    let cancel = Cancel::default();
                    slot.now = Some((cancel.clone(), Duration::MAX, true));
                    break (job, cancel);
                }
                slot = shared.news.wait(slot).unwrap_or_else(PoisonError::into_inner);
            }
        };
        // What nobody thought of must not leave the person with a design that never changes again.
        if catch_unwind(AssertUnwindSafe(|| work(shared, &mut its, &job, &cancel))).is_err() {
            its = evaluator(font);
            let why = "It could not be computed: take the last change back.".to_owned();
            shared.lock().answers.picture = Some(Err((job.number, why)));
        }
    }
}

fn work(shared: &Shared, evaluator: &mut Evaluator, job: &Job, cancel: &Cancel) {
    let budget = Budget { cancel: cancel.clone(), ..Budget::default() };
    let solids = match evaluator.evaluate(&job.design, &budget) {
        Ok(solids) => solids,
        Err(SolidError::Canceled) => return,
        Err(error) => {
            let why = words::of_solid(&job.design, &error);
            shared.lock().answers.picture = Some(Err((job.number, why)));
            return;
        }
    };
    let meshes = solids.bodies.iter().map(|body| mesh::surface(&body.mesh)).collect();
    let picture = Picture { number: job.number, design: job.design.clone(), solids, meshes };
    let picture = Arc::new(picture);
    {
        let mut slot = shared.lock();
        slot.answers.picture = Some(Ok(Arc::clone(&picture)));
        if let Some((_, _, drawing)) = &mut slot.now {
            *drawing = false;
        }
        if slot.next.is_some() || !job.whole {
            return;
        }
    }
    let takes = PriceBook::sample("EUR")
        .ok()
        .and_then(|book| estimate(&picture.solids, &job.machine, INFILL_PERCENT, &book, NonZeroU32::MIN).ok());
    let handles = handles::find(evaluator, &job.design, &picture.solids, job.selected.as_ref(), &budget);
    let report = Report { number: job.number, takes, handles, findings: None };
    if cancel.is_canceled() {
        return;
    }
    shared.lock().answers.report = Some(report.clone());
    let findings = check(&picture.solids, &job.machine, cancel);
    if !cancel.is_canceled() {
        shared.lock().answers.report = Some(Report { findings: Some(findings), ..report });
    }
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use vestibule_fabricate::Start;

    use super::*;

    fn job(number: u64, design: Design, whole: bool) -> Job {
        Job { number, design, machine: Machine::desktop(), selected: None, whole }
    }

    fn wait<T>(work: &Work, mut ready: impl FnMut(Answers) -> Option<T>) -> T {
        let begin = Instant::now();
        loop {
            if let Some(found) = ready(work.take(begin.elapsed())) {
                return found;
            }
            assert!(begin.elapsed() < Duration::from_secs(120), "nothing came");
            thread::yield_now();
        }
    }

    #[test]
    fn the_newest_design_wins() {
        let work = Work::start(None);
        let mut shelf = Start::Shelf.design();
        for number in 1..=200_u32 {
            shelf.set("width", 200.0 + f64::from(number)).unwrap();
            work.ask(job(u64::from(number), shelf.clone(), true), Duration::ZERO);
        }
        let mut pictures = 0;
        let report = wait(&work, |answers| {
            pictures += usize::from(answers.picture.is_some());
            answers.report.filter(|report| report.number == 200 && report.findings.is_some())
        });
        assert!(pictures < 200, "what was overtaken was not evaluated");
        assert!(report.takes.is_some() && !report.handles.is_empty());
    }

    #[test]
    fn what_cannot_be_computed_is_said_and_the_next_one_is() {
        let work = Work::start(None);
        work.ask(job(1, Start::HouseNumber.design(), true), Duration::ZERO);
        let why = wait(&work, |answers| answers.picture.and_then(Result::err));
        assert!(why.1.starts_with("Number cannot be made"), "without a font: {}", why.1);
        work.ask(job(2, Start::Hook.design(), false), Duration::ZERO);
        let picture = wait(&work, |answers| answers.picture.and_then(Result::ok));
        assert_eq!((picture.number, picture.meshes.len()), (2, 1));
    }
}
