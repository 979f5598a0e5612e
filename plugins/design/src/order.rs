//! What a manufacturer takes: the open design as a package, or why it cannot be ordered.

use std::{
    sync::{Arc, Mutex, PoisonError},
    thread,
};

use bevy::prelude::*;
use vestibule_fabricate::{Process, design::MaterialKind, export::write_3mf};
use vestibule_twin::{DesignPackage, DesignPackaged, Given, PackageDesign};

use crate::{
    desk::Desk,
    work::{INFILL_PERCENT, Picture},
};

type Slot = Arc<Mutex<Option<Result<DesignPackage, String>>>>;

/// A package that is being written.
#[derive(Resource, Debug, Default)]
pub(crate) struct Packing(Option<Slot>);

/// Whether it can be made, and how it would be.
fn recipe(desk: &Desk) -> Result<(Arc<Picture>, Process, MaterialKind), String> {
    let open = desk.open.as_ref().ok_or("Open a design first: there is none to order.")?;
    open.ready()?;
    let found = open.found.as_ref().filter(|(number, _)| *number == open.asked);
    let (_, findings) = found.ok_or("It is still being looked at by the machine's rules.")?;
    if let Some(finding) = findings.iter().find(|finding| finding.blocks) {
        return Err(finding.says.clone());
    }
    let picture = open.picture.clone().ok_or("There is nothing to order yet.")?;
    let machine = desk.machines.get(desk.machine).ok_or("No machine is chosen.")?;
    let kind = picture.solids.bodies.first().map(|body| body.material.kind).ok_or("There is nothing to make.")?;
    one_material(&picture, kind)?;
    Ok((picture, machine.process, kind))
}

/// A manufacturer makes a thing of one material.
fn one_material(picture: &Picture, kind: MaterialKind) -> Result<(), String> {
    let all = picture.solids.bodies.iter().all(|body| body.material.kind == kind);
    if all { Ok(()) } else { Err("It is made of several materials, and one order is of one.".to_owned()) }
}

const fn word(process: Process) -> &'static str {
    match process {
        Process::Filament => "fff",
        Process::Powder => "powder",
        Process::Resin => "resin",
    }
}

fn pack(picture: &Picture, process: Process, kind: MaterialKind) -> Result<DesignPackage, String> {
    let mut bytes = Vec::new();
    write_3mf(&picture.solids, &picture.design, &mut bytes)
        .map_err(|error| format!("It cannot be written: {error}."))?;
    let material = serde_json::to_value(kind).ok().and_then(|kind| kind.as_str().map(str::to_owned));
    let colour = picture.solids.bodies.first().map_or([255; 3], |body| body.material.colour);
    let [red, green, blue] = colour;
    Ok(DesignPackage {
        design: picture.solids.design,
        name: picture.design.name.clone(),
        role: picture.design.role.clone(),
        package: Given::new(Given::PACKAGE, bytes),
        process: word(process).to_owned(),
        material: material.ok_or("Its material has no name.")?,
        colour: format!("#{red:02x}{green:02x}{blue:02x}"),
        infill_percent: INFILL_PERCENT,
    })
}

/// Writes the package that was asked for, on a thread of its own, and tells when it is there.
pub(crate) fn package(
    mut asked: MessageReader<PackageDesign>,
    desk: Res<Desk>,
    mut packing: ResMut<Packing>,
    mut packed: MessageWriter<DesignPackaged>,
) {
    let wanted = asked.read().count() > 0;
    if wanted && packing.bypass_change_detection().0.is_none() {
        match recipe(&desk) {
            Ok((picture, process, kind)) => {
                let slot = Slot::default();
                let its = Arc::clone(&slot);
                let work = move || {
                    let done = pack(&picture, process, kind);
                    *its.lock().unwrap_or_else(PoisonError::into_inner) = Some(done);
                };
                match thread::Builder::new().name("package".to_owned()).spawn(work) {
                    Ok(_) => packing.0 = Some(slot),
                    Err(error) => drop(packed.write(DesignPackaged(Err(error.to_string())))),
                }
            }
            Err(why) => drop(packed.write(DesignPackaged(Err(why)))),
        }
    }
    let Some(slot) = packing.bypass_change_detection().0.clone() else { return };
    let done = slot.lock().unwrap_or_else(PoisonError::into_inner).take();
    // Its thread is gone and has said nothing: two hands hold the slot here, this one and the resource's.
    let lost = done.is_none() && Arc::strong_count(&slot) == 2;
    if let Some(done) = done.or_else(|| lost.then(|| Err("It was too much for this computer.".to_owned()))) {
        packing.0 = None;
        packed.write(DesignPackaged(done));
    }
}

#[cfg(test)]
mod tests {
    use bevy::prelude::*;
    use vestibule_fabricate::design::Design;
    use vestibule_twin::{DesignView, EditDesign};

    use super::*;
    use crate::DesignPlugin;

    fn app() -> App {
        let mut app = App::new();
        app.add_plugins((MinimalPlugins, TransformPlugin, AssetPlugin::default(), DesignPlugin::default()));
        app
    }

    /// The next answer.
    fn packed(app: &mut App) -> Result<DesignPackage, String> {
        app.world_mut().write_message(PackageDesign);
        let mut reader = app.world().resource::<Messages<DesignPackaged>>().get_cursor_current();
        let begin = std::time::Instant::now();
        loop {
            app.update();
            let messages = app.world().resource::<Messages<DesignPackaged>>();
            if let Some(DesignPackaged(done)) = reader.read(messages).next() {
                return done.clone();
            }
            assert!(begin.elapsed().as_secs() < 120, "nothing came");
        }
    }

    fn settle(app: &mut App) {
        let begin = std::time::Instant::now();
        while !app.world().resource::<DesignView>().checked {
            app.update();
            assert!(begin.elapsed().as_secs() < 120, "it was never looked at");
        }
    }

    #[test]
    fn what_is_ordered_is_exactly_what_was_designed() {
        let mut app = app();
        assert!(packed(&mut app).unwrap_err().contains("Open a design first"));
        app.world_mut().write_message(EditDesign::Start("hook".to_owned()));
        app.update();
        assert!(packed(&mut app).is_err(), "nobody orders what was not looked at");
        settle(&mut app);
        let one = packed(&mut app).unwrap();
        let hash = app.world().resource::<DesignView>().hash;
        assert_eq!((Some(one.design.0), one.process.as_str(), one.name.as_str()), (hash, "fff", "Hook"));
        let read = vestibule_fabricate::import::read_3mf(&one.package.bytes).unwrap();
        let design: &Design = read.design.as_ref().unwrap();
        assert_eq!(design.hash().unwrap(), one.design);
        assert_eq!(packed(&mut app).unwrap().package.hash, one.package.hash, "the same design is the same package");
    }

    #[test]
    fn what_cannot_be_made_cannot_be_ordered() {
        let mut app = app();
        app.world_mut().write_message(EditDesign::Start("table".to_owned()));
        app.update();
        settle(&mut app);
        let blocks = app.world().resource::<DesignView>().findings.iter().find(|finding| finding.blocks).cloned();
        let blocks = blocks.expect("a table fits into no desktop machine");
        assert_eq!(packed(&mut app).unwrap_err(), blocks.says);
    }
}
