//! What screens read of the open design. Pure.

use vestibule_fabricate::{Finding, Start};
use vestibule_twin::{DesignChoice, DesignFinding, DesignHandle, DesignHeld, DesignTakes, DesignView};

use crate::{
    desk::{Desk, Open},
    fields,
    files::Files,
    handles::{Handle, Pull},
    pictures::Pictures,
};

/// All of it.
pub(crate) fn of(
    desk: &Desk,
    files: &Files,
    pictures: &Pictures,
    exported: Option<&Result<String, String>>,
) -> DesignView {
    let start = |start: Start| DesignChoice {
        id: start.id().to_owned(),
        name: start.design().name,
        picture: pictures.of(start),
    };
    let choice = |id: &str, name: &str| DesignChoice { id: id.to_owned(), name: name.to_owned(), picture: None };
    let view = DesignView {
        starts: Start::ALL.map(start).into(),
        saved: files.saved().iter().map(|saved| choice(&saved.id, &saved.name)).collect(),
        machines: desk.machines.iter().map(|machine| choice(&machine.id, &machine.name)).collect(),
        kinds: fields::kinds(),
        colours: fields::COLOURS.to_vec(),
        machine: desk.machines.get(desk.machine).map(|machine| machine.id.clone()).unwrap_or_default(),
        problem: desk.problem.clone(),
        exported: exported.cloned(),
        ..DesignView::default()
    };
    match &desk.open {
        Some(open) => with_open(view, open, files),
        None => view,
    }
}

fn with_open(view: DesignView, open: &Open, files: &Files) -> DesignView {
    let design = open.shown();
    let bounds = open.picture.as_ref().map(|picture| picture.solids.bounds());
    let report = open.report.as_ref();
    let problem = view.problem.clone().or_else(|| open.undrawable.clone());
    DesignView {
        open: true,
        id: open.id.clone(),
        name: design.name.clone(),
        hash: open.picture.as_ref().map(|picture| picture.solids.design.0),
        parts: fields::parts(design),
        selected: open.selected.as_ref().map(ToString::to_string),
        fields: fields::fields(design, open.selected.as_ref()),
        texts: fields::texts(design, open.selected.as_ref()),
        materials: fields::materials(design),
        handles: open.handles().iter().map(handle).collect(),
        held: open.held.as_ref().map(|held| DesignHeld {
            handle: held.index,
            says: held.says.clone(),
            axis: held.axis,
            snapped: held.snapped.clone(),
        }),
        undo: open.book.undoes(),
        redo: open.book.redoes(),
        findings: open.found.iter().flat_map(|(_, found)| found.iter().map(|found| finding(open, found))).collect(),
        pointed: open.pointed,
        checked: open.found.as_ref().is_some_and(|(number, _)| *number == open.asked) && open.trial.is_none(),
        busy: !open.is_settled() && open.undrawable.is_none(),
        problem,
        size_mm: bounds.map(|bounds| bounds.size()),
        volume_mm3: open.picture.as_ref().map(|picture| picture.solids.volume_mm3()),
        takes: report.and_then(|report| report.takes).map(takes),
        kept: files.path(&open.id).filter(|_| open.kept).map(|path| path.display().to_string()),
        not_ready: open.ready().err(),
        ..view
    }
}

fn handle(handle: &Handle) -> DesignHandle {
    let field = match &handle.pull {
        Pull::Field { field, .. } => Some(field.clone()),
        Pull::Part(_) => None,
    };
    DesignHandle { field, label: handle.label.clone(), at: handle.at, along: handle.along }
}

fn finding(open: &Open, finding: &Finding) -> DesignFinding {
    DesignFinding {
        says: finding.says.clone(),
        blocks: finding.blocks,
        part: finding.feature.as_ref().map(|key| fields::part_name(open.book.design(), key)),
        places: finding.places.iter().map(|place| place.at).collect(),
    }
}

const fn takes(estimate: vestibule_fabricate::Estimate) -> DesignTakes {
    DesignTakes { milligrams: estimate.mass_mg, seconds: estimate.seconds, price: estimate.total }
}
