//! The open design and what hands do with it. Knows no file, no entity and no thread: what has to be done outside is
//! said as an [`Effect`].

use std::sync::Arc;

use bevy::prelude::Resource;
use vestibule_fabricate::{
    Finding, Machine, Start,
    design::{Design, Does, Feature, FeatureKey},
    document::UndoStep,
};
use vestibule_twin::{DesignFormat, EditDesign, RoomMeasures};

use crate::{
    book::Book,
    change::Change,
    fields,
    handles::{Handle, Pull},
    held::{Held, draw_field, draw_part},
    work::{Answers, Job, Picture, Report},
};

/// How far a copy stands beside its original, as a part of the whole width.
const BESIDE: f64 = 1.15;

/// Something to be done outside.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Effect {
    /// The open design is to be kept.
    Keep,
    /// Another design stands there now.
    Stand,
    /// It is to be turned, by radians.
    Turn(f32),
    /// It is to be written into a file for others.
    Export(DesignFormat),
    /// It is to be taken in hand.
    Place,
}

/// The open design.
#[derive(Debug)]
pub(crate) struct Open {
    /// Among the kept ones.
    pub id: String,
    pub book: Book,
    pub selected: Option<FeatureKey>,
    /// What a moving hand would make of it.
    pub trial: Option<Design>,
    pub held: Option<Held>,
    /// The last picture that came.
    pub picture: Option<Arc<Picture>>,
    /// Why the newest one cannot be drawn.
    pub undrawable: Option<String>,
    pub report: Option<Report>,
    /// What was found on which job's design; stays until it was looked at anew.
    pub found: Option<(u64, Vec<Finding>)>,
    /// Its first job, and its newest one; 0: none yet.
    pub first: u64,
    pub asked: u64,
    /// What is shown is not what was asked for last.
    pub to_ask: bool,
    /// The finding that is pointed out.
    pub pointed: Option<usize>,
    /// Whether it is in a file as it is.
    pub kept: bool,
}

impl Open {
    fn new(id: String, book: Book, kept: bool) -> Self {
        Self {
            id,
            book,
            selected: None,
            trial: None,
            held: None,
            picture: None,
            undrawable: None,
            report: None,
            found: None,
            first: 0,
            asked: 0,
            to_ask: true,
            pointed: None,
            kept,
        }
    }

    /// What is to be shown: the design, or what the moving hand makes of it.
    pub(crate) fn shown(&self) -> &Design {
        self.trial.as_ref().unwrap_or_else(|| self.book.design())
    }

    /// Whether what is shown is what was asked for last.
    pub(crate) fn is_settled(&self) -> bool {
        let newest = self.picture.as_ref().is_some_and(|picture| picture.number == self.asked);
        newest && self.trial.is_none() && !self.to_ask
    }

    /// The handles of the newest report.
    pub(crate) fn handles(&self) -> &[Handle] {
        self.report.as_ref().map_or(&[], |report| report.handles.as_slice())
    }
}

/// All of it.
#[derive(Resource, Debug)]
pub(crate) struct Desk {
    pub machines: Vec<Machine>,
    pub machine: usize,
    pub open: Option<Open>,
    pub problem: Option<String>,
    /// Whether the hand is to be precise.
    pub fine: bool,
    /// Numbers of jobs.
    jobs: u64,
}

impl Default for Desk {
    fn default() -> Self {
        let machines = vec![Machine::desktop(), Machine::large(), Machine::powder()];
        Self { machines, machine: 0, open: None, problem: None, fine: false, jobs: 0 }
    }
}

/// How one finds a design that was kept, and a name for a new one.
pub(crate) trait Shelf {
    fn read(&mut self, id: &str) -> Result<Book, String>;
    /// The newest steps of a design that memory has no room for; they are the caller's from now on.
    fn older(&mut self, id: &str) -> Vec<UndoStep>;
    /// Who designs here.
    fn actor(&self) -> [u8; 16];
    fn fresh(&self, stem: &str) -> String;
}

impl Desk {
    /// Does what somebody asks for. What cannot be is said in `problem`.
    pub(crate) fn edit(&mut self, wish: &EditDesign, room: &RoomMeasures, shelf: &mut dyn Shelf) -> Vec<Effect> {
        let done = self.follow(wish, room, shelf);
        // A hand that moves says nothing about what went wrong before.
        let quiet = matches!(wish, EditDesign::Drag(_) | EditDesign::Turn(_) | EditDesign::Lock(_));
        match done {
            Ok(effects) => {
                if !quiet {
                    self.problem = None;
                }
                effects
            }
            Err(why) => {
                self.problem = Some(why);
                Vec::new()
            }
        }
    }

    fn follow(&mut self, wish: &EditDesign, room: &RoomMeasures, shelf: &mut dyn Shelf) -> Result<Vec<Effect>, String> {
        match wish {
            EditDesign::Start(id) => {
                let start = Start::named(id).ok_or_else(|| format!("There is nothing to begin with called {id}."))?;
                let book = Book::new(shelf.actor(), &start.design())?;
                self.open = Some(Open::new(shelf.fresh(start.id()), book, false));
                return Ok(vec![Effect::Stand]);
            }
            EditDesign::Open(id) => {
                let book = shelf.read(id)?;
                self.open = Some(Open::new(id.clone(), book, true));
                return Ok(vec![Effect::Stand]);
            }
            EditDesign::Machine(id) => {
                let found = self.machines.iter().position(|machine| machine.id == *id);
                self.machine = found.ok_or("There is no such machine.")?;
                if let Some(open) = &mut self.open {
                    open.to_ask = true;
                }
                return Ok(Vec::new());
            }
            EditDesign::Close => {
                self.open = None;
                return Ok(Vec::new());
            }
            _ => {}
        }
        let fine = self.fine;
        let open = self.open.as_mut().ok_or("Choose something to begin with first.")?;
        match wish {
            EditDesign::Grab(index) => open.grab(*index)?,
            EditDesign::Drag(by) => open.drag(*by, fine, room)?,
            EditDesign::Lock(axis) => {
                if let Some(held) = &mut open.held {
                    held.axis = *axis;
                }
            }
            EditDesign::Drop => return open.drop_it(),
            EditDesign::LetGo => open.let_go(),
            EditDesign::Select(part) => open.select(part.as_deref())?,
            EditDesign::Try { field, value } => {
                let change = Change::Number { field: field.clone(), value: *value };
                let design = open.book.preview(&change)?;
                open.try_out(design);
            }
            EditDesign::Point(finding) => open.pointed = *finding,
            EditDesign::Turn(radians) if radians.is_finite() => return Ok(vec![Effect::Turn(*radians)]),
            EditDesign::Undo | EditDesign::Redo => {
                let effects = open.step(*wish == EditDesign::Undo);
                // Undoing has no end: the file has what memory has not.
                if open.book.undoes().is_none() {
                    open.book.put_below(shelf.older(&open.id));
                }
                return effects;
            }
            EditDesign::Export(format) => {
                open.ready()?;
                return Ok(vec![Effect::Export(*format)]);
            }
            EditDesign::Place => {
                open.ready()?;
                return Ok(vec![Effect::Keep, Effect::Place]);
            }
            wish => {
                if let Some(change) = open.change(wish)? {
                    return open.commit(&change);
                }
            }
        }
        Ok(Vec::new())
    }

    /// The job that is due, where one is.
    pub(crate) fn job(&mut self) -> Option<Job> {
        let machine = self.machines.get(self.machine)?.clone();
        let open = self.open.as_mut().filter(|open| open.to_ask)?;
        self.jobs += 1;
        (open.asked, open.to_ask) = (self.jobs, false);
        // What was wrong with an earlier one says nothing about this one.
        open.undrawable = None;
        if open.first == 0 {
            open.first = self.jobs;
        }
        let whole = open.trial.is_none();
        let (design, selected) = (open.shown().clone(), open.selected.clone());
        Some(Job { number: self.jobs, design, machine, selected, whole })
    }

    /// Takes what the thread has ready; says whether there was anything.
    pub(crate) fn take(&mut self, answers: Answers) -> bool {
        let Some(open) = &mut self.open else { return false };
        let mut news = false;
        match answers.picture {
            // The picture of a design that was put away is nothing for this one.
            Some(Ok(picture)) if (open.first.max(1)..=open.asked).contains(&picture.number) => {
                open.picture = Some(picture);
                open.undrawable = None;
                news = true;
            }
            Some(Err((number, why))) if number == open.asked => {
                open.undrawable = Some(why);
                (open.report, open.found) = (None, None);
                news = true;
            }
            _ => {}
        }
        if let Some(mut report) = answers.report.filter(|report| report.number == open.asked) {
            if let Some(findings) = report.findings.take() {
                open.pointed = open.pointed.filter(|place| *place < findings.len());
                open.found = Some((report.number, findings));
            }
            open.report = Some(report);
            news = true;
        }
        news
    }
}

impl Open {
    /// Why it cannot leave; nothing: it can.
    pub(crate) fn ready(&self) -> Result<(), String> {
        match (&self.undrawable, self.is_settled()) {
            (Some(why), _) => Err(why.clone()),
            (None, false) => Err("It is still being computed.".to_owned()),
            (None, true) => Ok(()),
        }
    }

    /// The change that a wish is, where it is one.
    fn change(&self, wish: &EditDesign) -> Result<Option<Change>, String> {
        let chosen = || self.selected.clone().ok_or_else(|| "Choose a part first.".to_owned());
        let bounds = self.picture.as_ref().map(|picture| picture.solids.bounds());
        Ok(Some(match wish {
            EditDesign::Set { field, value } => Change::Number { field: field.clone(), value: *value },
            EditDesign::Write { field, text } => Change::Text { field: field.clone(), text: text.clone() },
            EditDesign::Colour { material, rgb } => Change::Colour { material: material.clone(), rgb: *rgb },
            EditDesign::Kind { material, kind } => Change::Kind { material: material.clone(), kind: kind.clone() },
            EditDesign::Add(shape) => {
                // Where it is seen: in the middle, in front.
                let at = bounds.map_or([0.0; 3], |bounds| {
                    let [x, y, _] = bounds.middle();
                    [x, y, bounds.high[2]]
                });
                Change::Add { shape: shape.clone(), at }
            }
            EditDesign::Copy => {
                let part = chosen()?;
                Change::Copy { by: self.beside(&part), part }
            }
            EditDesign::Repeat => {
                let part = chosen()?;
                Change::Repeat { by: self.beside(&part), part }
            }
            EditDesign::Cut => Change::Cut { part: chosen()? },
            EditDesign::Mirror => Change::Mirror { part: chosen()? },
            EditDesign::Remove => Change::Remove { part: chosen()? },
            _ => return Ok(None),
        }))
    }

    /// How far to the right a part's like stands: a body's beside everything, another's where it can be seen.
    fn beside(&self, part: &FeatureKey) -> f64 {
        let is_body = |feature: &Feature| feature.key == *part && feature.does == Does::Body;
        if !self.book.design().features.iter().any(is_body) {
            return 20.0;
        }
        let bounds = self.picture.as_ref().map(|picture| picture.solids.bounds());
        bounds.map_or(100.0, |bounds| (bounds.size()[0] * BESIDE).round())
    }

    fn commit(&mut self, change: &Change) -> Result<Vec<Effect>, String> {
        self.trial = None;
        self.held = None;
        self.to_ask = true;
        let Some(done) = self.book.apply(change)? else { return Ok(Vec::new()) };
        if let Some(select) = done.select {
            self.selected = select;
        }
        self.kept = false;
        Ok(vec![Effect::Keep])
    }

    fn step(&mut self, back: bool) -> Result<Vec<Effect>, String> {
        self.let_go();
        let stepped = if back { self.book.undo()? } else { self.book.redo()? };
        if !stepped {
            return Err(if back { "There is nothing to undo." } else { "There is nothing to redo." }.to_owned());
        }
        let design = self.book.design();
        self.selected.take_if(|key| !design.features.iter().any(|feature| feature.key == *key));
        (self.to_ask, self.kept) = (true, false);
        Ok(vec![Effect::Keep])
    }

    fn select(&mut self, part: Option<&str>) -> Result<(), String> {
        let there = |key: &&str| self.book.design().features.iter().any(|feature| feature.key.as_str() == *key);
        let chosen = match part {
            None => None,
            Some(key) => {
                let key = Some(key).filter(there).ok_or("That part is not there any more.")?;
                Some(FeatureKey::new(key).map_err(|error| error.to_string())?)
            }
        };
        if self.selected != chosen {
            self.selected = chosen;
            // Its handle stands elsewhere.
            self.to_ask = true;
        }
        Ok(())
    }

    fn try_out(&mut self, design: Design) {
        if *self.shown() != design {
            self.trial = Some(design);
            self.to_ask = true;
        }
    }

    fn grab(&mut self, index: usize) -> Result<(), String> {
        let handle = self.handles().get(index).cloned().ok_or("That handle is not there any more.")?;
        let says = handle.label.clone();
        let held = Held { index, handle, axis: None, moved: [0.0; 3], change: None, says, snapped: None };
        self.held = Some(held);
        Ok(())
    }

    fn let_go(&mut self) {
        self.held = None;
        if self.trial.take().is_some() {
            self.to_ask = true;
        }
    }

    fn drop_it(&mut self) -> Result<Vec<Effect>, String> {
        let change = self.held.take().and_then(|held| held.change);
        let Some(change) = change else {
            self.let_go();
            return Ok(Vec::new());
        };
        self.commit(&change)
    }

    fn drag(&mut self, by: [f32; 3], fine: bool, room: &RoomMeasures) -> Result<(), String> {
        let Some(held) = self.held.clone().filter(|_| by.iter().all(|mm| mm.is_finite())) else { return Ok(()) };
        let design = self.book.design();
        let drawn = match &held.handle.pull {
            Pull::Field { field, axis, rate } => {
                let mut known = fields::fields(design, self.selected.as_ref()).into_iter();
                let known = known.find(|known| known.id == *field);
                let known = known.ok_or("That number is not there any more.")?;
                draw_field(&held, &known, (*axis, *rate), by, fine, room)
            }
            Pull::Part(part) => draw_part(&held, part, by, fine),
        };
        if let Some(change) = &drawn.change {
            let design = self.book.preview(change)?;
            self.try_out(design);
        }
        self.held = Some(drawn);
        Ok(())
    }
}

#[cfg(test)]
#[path = "desk_tests.rs"]
mod tests;
