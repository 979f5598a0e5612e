//! Designing in the world: a thing stands before the person at its true size while they change it.
//!
//! **Does**: follows what people ask for ([`EditDesign`](vestibule_twin::EditDesign)); evaluates designs on one thread of
//! their own, the newest first, while the last picture stays; shows bodies in their colours on a work stand, what a
//! machine could not make where it would fail, and handles that a hand draws; keeps designs in a folder, writes files
//! for others, puts finished things among the furniture, packs what is to be ordered; says all of it in [`DesignView`](vestibule_twin::DesignView).
//!
//! **Does not**: draw windows or read what is typed (`vestibule-hud` does), know how solids are made or priced
//! (`vestibule-fabricate` does), put furniture down (`vestibule-world` does), order anything.
//!
//! ```
//! use bevy::prelude::*;
//! use vestibule_design::DesignPlugin;
//! use vestibule_twin::{DesignView, EditDesign};
//!
//! let mut app = App::new();
//! app.add_plugins((MinimalPlugins, TransformPlugin, AssetPlugin::default(), DesignPlugin::default()));
//! app.world_mut().write_message(EditDesign::Start("hook".to_owned()));
//! app.update();
//! let view = app.world().resource::<DesignView>();
//! assert_eq!((view.open, view.name.as_str()), (true, "Hook"));
//! ```

mod book;
mod change;
mod desk;
mod export;
mod fields;
mod files;
mod hand;
mod handles;
mod held;
mod mesh;
mod order;
mod pictures;
mod place;
mod show;
mod snap;
mod stand;
mod view;
mod words;
mod work;

use std::path::PathBuf;

use bevy::prelude::*;
use vestibule_fabricate::Font;
use vestibule_input::ensure_control_plugin;
use vestibule_twin::{
    AtDesign, Catalogue, DesignView, EditDesign, HoldFurniture, Notify, RoomMeasures, Urgency, ensure_twin_plugin,
};

pub use place::SOURCE;
pub use show::DesignStand;

use desk::{Desk, Effect};
use files::Files;
use work::Work;

/// What happens in each frame in [`Update`], in this order.
#[derive(SystemSet, Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum DesignSystems {
    /// Pointers become requests, requests are followed, and what was computed is taken.
    Follow,
    /// What stands in the world, and what screens read, is brought up to date.
    Show,
}

/// Designing. Own models that stand in the room are loaded from the asset source [`SOURCE`]: whoever gives a folder
/// registers that for the same folder, before Bevy's `AssetPlugin`.
#[derive(Clone, Debug, Default)]
pub struct DesignPlugin {
    /// Where designs and own models are kept; none: nowhere.
    pub folder: Option<PathBuf>,
    /// Where files for others go; none: none are written.
    pub exports: Option<PathBuf>,
    /// A font for texts on things, TrueType or OpenType.
    pub font: Option<&'static [u8]>,
    /// Stands for this person in new designs: random, and another one at each start.
    pub actor: [u8; 16],
}

/// What is on the disk, and on its way there.
#[derive(Resource, Debug, Default)]
struct Kept {
    files: Files,
    folder: Option<PathBuf>,
    exports: Option<PathBuf>,
    own: Vec<place::Own>,
    writing: export::Writing,
    exported: Option<Result<String, String>>,
    /// The own model that is to be taken in hand, once the catalogue has it.
    to_hold: Option<String>,
}

impl Plugin for DesignPlugin {
    fn build(&self, app: &mut App) {
        ensure_twin_plugin(app);
        ensure_control_plugin(app);
        let (files, mut problems) = Files::open(self.folder.clone(), self.actor);
        let (own, problem) = self.folder.as_deref().map(place::open).unwrap_or_default();
        problems.extend(problem);
        let font = self.font.and_then(|bytes| match Font::read(bytes) {
            Ok(font) => Some(font),
            Err(error) => {
                problems.push(format!("The font for texts on things: {error}."));
                None
            }
        });
        for text in problems {
            let title = "A design could not be read".to_owned();
            app.world_mut().write_message(Notify { urgency: Urgency::Problem, title, text, twin: None });
        }
        let (folder, exports) = (self.folder.clone(), self.exports.clone());
        app.init_asset::<Mesh>()
            .init_asset::<StandardMaterial>()
            .init_resource::<Desk>()
            .init_resource::<hand::Hand>()
            .init_resource::<order::Packing>()
            .init_resource::<show::Turning>()
            .init_resource::<show::Ground>()
            .insert_resource(Kept { files, folder, exports, own, ..Kept::default() })
            .insert_resource(pictures::Pictures::new(self.folder.clone(), font.clone()))
            .insert_resource(Work::start(font))
            .configure_sets(Update, (DesignSystems::Follow, DesignSystems::Show).chain())
            .add_systems(
                Update,
                (hand::point, edit, compute, write, order::package).chain().in_set(DesignSystems::Follow),
            )
            .add_systems(
                Update,
                ((show::ground, show::draw, show::mark, show::handles).chain(), tell, offer)
                    .in_set(DesignSystems::Show),
            );
    }
}

/// Follows what was asked for.
fn edit(
    mut wishes: MessageReader<EditDesign>,
    room: Res<RoomMeasures>,
    (mut desk, mut kept): (ResMut<Desk>, ResMut<Kept>),
    mut turning: ResMut<show::Turning>,
    mut notify: MessageWriter<Notify>,
) {
    for wish in wishes.read() {
        let effects = desk.edit(wish, &room, &mut kept.files);
        for effect in effects {
            let done = match effect {
                Effect::Stand => {
                    kept.exported = None;
                    Ok(())
                }
                Effect::Turn(radians) => {
                    turning.0 += radians;
                    Ok(())
                }
                Effect::Keep => {
                    let done = keep(&mut desk, &mut kept);
                    if let Err(text) = &done {
                        let title = "Your design could not be kept".to_owned();
                        notify.write(Notify { urgency: Urgency::Problem, title, text: text.clone(), twin: None });
                    }
                    done
                }
                Effect::Export(format) => begin_export(&desk, &mut kept, format),
                Effect::Place => place(&desk, &mut kept).map(|model| {
                    kept.to_hold = Some(model);
                    // It is in the hand now; as a design it is among those that were kept.
                    desk.open = None;
                }),
            };
            if let Err(why) = done {
                desk.problem = Some(why);
            }
        }
    }
}

fn keep(desk: &mut Desk, kept: &mut Kept) -> Result<(), String> {
    let Some(open) = &mut desk.open else { return Ok(()) };
    if kept.folder.is_none() {
        return Ok(());
    }
    kept.files.keep(&open.id, &mut open.book)?;
    open.kept = true;
    Ok(())
}

fn begin_export(desk: &Desk, kept: &mut Kept, format: vestibule_twin::DesignFormat) -> Result<(), String> {
    let picture = desk.open.as_ref().and_then(|open| open.picture.clone()).ok_or("There is nothing to write yet.")?;
    let folder = kept.exports.clone().ok_or("There is no folder for files here.")?;
    kept.writing.begin(picture, format, folder)?;
    kept.exported = None;
    Ok(())
}

/// The key of the own model that the open design is now.
fn place(desk: &Desk, kept: &mut Kept) -> Result<String, String> {
    let picture = desk.open.as_ref().and_then(|open| open.picture.clone()).ok_or("There is nothing to place yet.")?;
    let folder = kept.folder.clone().ok_or("There is no folder to keep own models in.")?;
    place::keep(&picture, &folder, &mut kept.own).map(|own| own.key)
}

/// Asks the thread for what is to be seen, and takes what it has.
fn compute(work: Res<Work>, time: Res<Time<Real>>, mut desk: ResMut<Desk>) {
    let now = time.elapsed();
    if let Some(job) = desk.bypass_change_detection().job() {
        work.ask(job, now);
        desk.set_changed();
    }
    let answers = work.take(now);
    if desk.bypass_change_detection().take(answers) {
        desk.set_changed();
    }
}

/// Takes the file that was written.
fn write(mut kept: ResMut<Kept>) {
    if let Some(done) = kept.bypass_change_detection().writing.take() {
        kept.exported = Some(done);
    }
}

/// Writes what screens read.
fn tell(
    (desk, kept, hand): (Res<Desk>, Res<Kept>, Res<hand::Hand>),
    (at, mut pictures): (Res<AtDesign>, ResMut<pictures::Pictures>),
    mut drawn: Local<usize>,
    mut view: ResMut<DesignView>,
) {
    if at.0 {
        pictures.bypass_change_detection().begin();
    }
    let ready = pictures.ready();
    if desk.is_changed() || kept.is_changed() || hand.is_changed() || *drawn != ready {
        *drawn = ready;
        let now = view::of(&desk, &kept.files, &pictures, kept.exported.as_ref());
        view.set_if_neq(DesignView { hovered: hand.hovered, ..now });
    }
}

/// Own models are among the furniture, whoever reads the catalogue anew; what is finished is taken in hand.
fn offer(mut kept: ResMut<Kept>, mut catalogue: ResMut<Catalogue>, mut hold: MessageWriter<HoldFurniture>) {
    let missing: Vec<_> = kept.own.iter().filter(|own| catalogue.get(&own.key).is_none()).collect();
    if !missing.is_empty() {
        catalogue.entries.extend(missing.into_iter().map(place::Own::entry));
    }
    let model = kept.bypass_change_detection().to_hold.take();
    hold.write_batch(model.map(|model| HoldFurniture { model }));
}

#[cfg(test)]
mod app_tests;
