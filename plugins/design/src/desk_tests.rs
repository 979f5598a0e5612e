use std::{
    thread,
    time::{Duration, Instant},
};

use vestibule_twin::{DesignAxis, RoomMeasure};

use super::*;
use crate::{files::Files, work::Work};

/// A desk with its thread, and a folder that keeps nothing.
struct Room {
    desk: Desk,
    work: Work,
    files: Files,
    measures: RoomMeasures,
    begin: Instant,
}

impl Room {
    fn with(start: &str) -> Self {
        let measures = RoomMeasures::default();
        let work = Work::start(None);
        let mut room = Self { desk: Desk::default(), work, files: Files::default(), measures, begin: Instant::now() };
        assert_eq!(room.ask(EditDesign::Start(start.to_owned())), [Effect::Stand]);
        room.settle();
        room
    }

    fn ask(&mut self, wish: EditDesign) -> Vec<Effect> {
        self.desk.edit(&wish, &self.measures, &mut self.files)
    }

    fn open(&self) -> &Open {
        self.desk.open.as_ref().unwrap()
    }

    /// Until everything that was asked for was looked at.
    fn settle(&mut self) {
        let end = Instant::now() + Duration::from_secs(120);
        loop {
            if let Some(job) = self.desk.job() {
                self.work.ask(job, self.begin.elapsed());
            }
            self.desk.take(self.work.take(self.begin.elapsed()));
            let open = self.open();
            let reported = open.found.as_ref().is_some_and(|(number, _)| *number == open.asked);
            if open.undrawable.is_some() || open.is_settled() && reported || open.trial.is_some() && !open.to_ask {
                return;
            }
            assert!(Instant::now() < end, "nothing came");
            thread::yield_now();
        }
    }

    fn picture(&self) -> Arc<Picture> {
        Arc::clone(self.open().picture.as_ref().unwrap())
    }

    fn handle(&self, label: &str) -> usize {
        self.open().handles().iter().position(|handle| handle.label == label).unwrap()
    }

    fn width(&self) -> f64 {
        self.open().shown().params["width"].value
    }
}

fn set(field: &str, value: f64) -> EditDesign {
    EditDesign::Set { field: field.to_owned(), value }
}

fn width() -> String {
    fields::param_field("width")
}

#[test]
fn an_edit_changes_the_picture_and_undoing_brings_back_the_same_mesh() {
    let mut room = Room::with("shelf");
    let before = room.picture();
    assert_eq!(room.ask(set(&width(), 300.0)), [Effect::Keep]);
    room.settle();
    let after = room.picture();
    assert!((after.solids.bounds().size()[0] - 300.0).abs() < 1e-3);
    assert_ne!(after.solids.design, before.solids.design);
    room.ask(EditDesign::Undo);
    room.settle();
    let again = room.picture();
    assert_eq!(again.solids.design, before.solids.design);
    for (one, other) in again.solids.bodies.iter().zip(&before.solids.bodies) {
        assert_eq!(one.mesh, other.mesh, "bit by bit");
    }
    room.ask(EditDesign::Redo);
    room.settle();
    assert_eq!(room.picture().solids.design, after.solids.design);
    assert!(room.ask(EditDesign::Redo).is_empty());
    assert_eq!(room.desk.problem.as_deref(), Some("There is nothing to redo."));
}

#[test]
fn undoing_goes_all_the_way_back() {
    let mut room = Room::with("shelf");
    let first = room.open().book.design().clone();
    for step in 1..=300_u32 {
        room.ask(set(&width(), 240.0 + f64::from(step)));
    }
    let last = room.open().book.design().clone();
    while room.open().book.undoes().is_some() {
        room.ask(EditDesign::Undo);
    }
    assert_eq!(*room.open().book.design(), first);
    while room.open().book.redoes().is_some() {
        room.ask(EditDesign::Redo);
    }
    assert_eq!(*room.open().book.design(), last);
}

#[test]
fn a_handle_is_drawn_shown_and_only_counts_when_it_is_let_go() {
    let mut room = Room::with("shelf");
    let index = room.handle("Width");
    room.ask(EditDesign::Grab(index));
    // 31 mm on one side are 62 on both: a calm hand means 300.
    room.ask(EditDesign::Drag([31.0, 8.0, -3.0]));
    let held = room.open().held.clone().unwrap();
    assert_eq!((held.says.as_str(), room.width()), ("Width 300 mm", 300.0));
    assert!((held.moved[0] - 30.0).abs() < 1e-3 && held.moved[1] == 0.0, "it follows its number: {:?}", held.moved);
    assert_eq!(room.open().book.design().params["width"].value, 240.0, "nothing counts yet");
    assert!(room.ask(EditDesign::LetGo).is_empty());
    assert_eq!(room.width(), 240.0);
    room.settle();
    let index = room.handle("Width");
    room.ask(EditDesign::Grab(index));
    room.desk.fine = true;
    room.ask(EditDesign::Drag([31.2, 0.0, 0.0]));
    assert_eq!(room.ask(EditDesign::Drop), [Effect::Keep]);
    assert_eq!(room.open().book.design().params["width"].value, 302.0, "a fine hand");
    assert!(room.open().book.undoes().is_some() && room.open().held.is_none());
    room.ask(EditDesign::Undo);
    assert!(room.open().book.undoes().is_none(), "one draw is one step");
}

#[test]
fn a_handle_is_drawn_to_what_stands_in_the_room() {
    let mut room = Room::with("shelf");
    let niche = RoomMeasure { name: "niche".to_owned(), size_mm: [303, 1_000, 200] };
    room.measures = RoomMeasures { measures: vec![niche] };
    let index = room.handle("Width");
    room.ask(EditDesign::Grab(index));
    room.ask(EditDesign::Drag([30.5, 0.0, 0.0]));
    assert_eq!(room.width(), 303.0);
    assert_eq!(room.open().held.as_ref().unwrap().snapped.as_deref(), Some("as the niche"));
}

#[test]
fn a_chosen_part_is_moved_along_one_axis_copied_and_removed() {
    let mut room = Room::with("shelf");
    let parts = room.open().book.design().features.len();
    room.ask(EditDesign::Add("ball".to_owned()));
    room.settle();
    let added = room.open().selected.clone().unwrap();
    let index = room.open().handles().iter().position(|handle| handle.pull == Pull::Part(added.clone())).unwrap();
    room.ask(EditDesign::Grab(index));
    room.ask(EditDesign::Lock(Some(DesignAxis::Y)));
    room.ask(EditDesign::Drag([44.0, 21.0, -30.0]));
    assert_eq!(room.open().held.as_ref().unwrap().moved, [0.0, 20.0, 0.0]);
    assert_eq!(room.ask(EditDesign::Drop), [Effect::Keep]);
    assert_eq!(room.ask(EditDesign::Copy), [Effect::Keep]);
    assert_eq!(room.open().book.design().features.len(), parts + 2);
    assert_ne!(room.open().selected.as_ref(), Some(&added), "the copy is chosen");
    room.ask(EditDesign::Remove);
    assert_eq!(room.open().selected, None);
    assert!(room.ask(EditDesign::Mirror).is_empty());
    assert_eq!(room.desk.problem.as_deref(), Some("Choose a part first."));
    room.ask(EditDesign::Select(Some("nobody".to_owned())));
    assert_eq!(room.desk.problem.as_deref(), Some("That part is not there any more."));
}

#[test]
fn what_cannot_be_drawn_keeps_the_last_picture_and_says_why() {
    let mut room = Room::with("planter");
    let before = room.picture();
    // A hole that takes all of it.
    room.ask(EditDesign::Add("hole".to_owned()));
    let hole = room.open().selected.clone().unwrap();
    for number in ["low", "high"] {
        let field = fields::fields(room.open().book.design(), Some(&hole))
            .into_iter()
            .find(|field| {
                field.part.is_some()
                    && field.label.to_lowercase().contains(if number == "low" { "below" } else { "above" })
            })
            .unwrap();
        room.ask(set(&field.id, 500.0));
    }
    room.settle();
    let why = room.open().undrawable.clone().unwrap();
    assert!(why.contains("takes away all of Pot"), "{why}");
    assert_eq!(room.open().picture.as_ref().unwrap().design.params, before.design.params);
    assert!(room.ask(EditDesign::Export(DesignFormat::Stl)).is_empty());
    assert_eq!(room.desk.problem, Some(why));
    for _ in 0..3 {
        room.ask(EditDesign::Undo);
    }
    room.settle();
    assert_eq!(room.picture().solids.design, before.solids.design);
    assert_eq!(room.ask(EditDesign::Export(DesignFormat::Stl)), [Effect::Export(DesignFormat::Stl)]);
}

#[test]
fn findings_follow_the_machine() {
    let mut room = Room::with("shelf");
    room.ask(set(&width(), 600.0));
    room.settle();
    let blocks = |room: &Room| room.open().found.as_ref().unwrap().1.iter().filter(|found| found.blocks).count();
    assert!(blocks(&room) > 0, "it does not fit onto a desktop printer");
    room.ask(EditDesign::Machine("large".to_owned()));
    room.settle();
    assert_eq!(blocks(&room), 0, "{:?}", room.open().found);
    room.ask(EditDesign::Machine("loom".to_owned()));
    assert_eq!(room.desk.problem.as_deref(), Some("There is no such machine."));
}

#[test]
fn nothing_is_done_without_a_design_and_no_number_is_none() {
    let mut desk = Desk::default();
    let mut files = Files::default();
    assert!(desk.edit(&EditDesign::Undo, &RoomMeasures::default(), &mut files).is_empty());
    assert_eq!(desk.problem.as_deref(), Some("Choose something to begin with first."));
    desk.edit(&EditDesign::Start("spaceship".to_owned()), &RoomMeasures::default(), &mut files);
    assert_eq!(desk.problem.as_deref(), Some("There is nothing to begin with called spaceship."));
    desk.edit(&EditDesign::Start("hook".to_owned()), &RoomMeasures::default(), &mut files);
    assert_eq!(desk.problem, None);
    desk.edit(&set(&fields::param_field("reach"), f64::NAN), &RoomMeasures::default(), &mut files);
    assert_eq!(desk.problem.as_deref(), Some("That is no number."));
}
