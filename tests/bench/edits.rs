//! From a change of a design to its picture in the world: every measure of every design that one can begin with, turned up
//! and down step by step as a person does, in the App that people use, without the time that the last frame takes to draw.

use std::time::{Duration, Instant};

use bevy::prelude::*;
use vestibule_design::DesignPlugin;
use vestibule_twin::{AtDesign, DesignField, DesignView, EditDesign};

/// Steps up, and as many down.
const STEPS: u32 = 4;
/// No edit takes longer.
const PATIENCE: Duration = Duration::from_secs(60);

/// Meshes that were given to be drawn.
#[derive(Resource, Default)]
struct Drawn(usize);

fn watch(mut news: MessageReader<AssetEvent<Mesh>>, mut drawn: ResMut<Drawn>) {
    let is_new = |event: &&AssetEvent<Mesh>| matches!(event, AssetEvent::Added { .. } | AssetEvent::Modified { .. });
    drawn.0 += news.read().filter(is_new).count();
}

fn view(app: &App) -> &DesignView {
    app.world().resource::<DesignView>()
}

/// Goes on until everything of the open design is known.
fn rest(app: &mut App) -> Result<(), String> {
    let begun = Instant::now();
    loop {
        app.update();
        let view = view(app);
        if !view.busy && (view.checked || view.problem.is_some() || view.not_ready.is_some()) {
            break;
        }
        if begun.elapsed() > PATIENCE {
            return Err(format!("{} was not computed within {PATIENCE:?}", view.name));
        }
        std::thread::yield_now();
    }
    // What was given to be drawn is told a frame later.
    app.update();
    app.update();
    Ok(())
}

/// The time from a change to its picture; none: it has none, as nothing changed or nothing can be drawn.
fn edit(app: &mut App, field: &str, value: f64) -> Result<Option<Duration>, String> {
    let before = app.world().resource::<Drawn>().0;
    let begun = Instant::now();
    app.world_mut().write_message(EditDesign::Set { field: field.to_owned(), value });
    app.update();
    while app.world().resource::<Drawn>().0 == before {
        if !view(app).busy {
            return Ok(None);
        }
        if begun.elapsed() > PATIENCE {
            return Err(format!("{field} {value} had no picture within {PATIENCE:?}"));
        }
        app.update();
        std::thread::yield_now();
    }
    let took = begun.elapsed();
    // What it takes to look whether it can be made is no part of it.
    rest(app)?;
    Ok(Some(took))
}

/// Measures and prints.
///
/// # Errors
/// What could not be measured.
pub fn run(font: &'static [u8]) -> Result<(), String> {
    let mut app = App::new();
    app.add_plugins((MinimalPlugins, TransformPlugin, AssetPlugin::default()));
    app.add_plugins(DesignPlugin { folder: None, exports: None, font: Some(font), actor: [5; 16] });
    app.insert_resource(AtDesign(true)).init_resource::<Drawn>().add_systems(Last, watch);
    app.world_mut().spawn((Camera3d::default(), Transform::from_xyz(2.0, 1.6, 1.0)));
    app.update();
    let starts: Vec<(String, String)> =
        view(&app).starts.iter().map(|start| (start.id.clone(), start.name.clone())).collect();
    let mut took = Vec::new();
    for (id, name) in starts {
        app.world_mut().write_message(EditDesign::Start(id));
        rest(&mut app)?;
        let measures = view(&app).fields.iter().filter(|field| field.part.is_none() && field.formula.is_none());
        let measures: Vec<DesignField> = measures.cloned().collect();
        for field in measures {
            for step in (1..=STEPS).map(f64::from).flat_map(|step| [step, -step]) {
                let value = step.mul_add(field.step, field.value).clamp(field.least, field.most);
                took.extend(edit(&mut app, &field.id, value)?.map(|time| (time, name.clone())));
            }
            edit(&mut app, &field.id, field.value)?;
        }
    }
    took.sort();
    let at = |percent: usize| took.get((took.len() * percent).div_ceil(100).saturating_sub(1));
    let (Some(half), Some((p99, slowest)), Some(longest)) = (at(50), at(99), at(100)) else {
        return Err("nothing had a picture".to_owned());
    };
    let millis = |time: &Duration| time.as_secs_f64() * 1e3;
    println!(
        "edit_to_picture {:.2} ms, p99 of {} edits (the {slowest}), p50 {:.2}, longest {:.2}",
        millis(p99),
        took.len(),
        millis(&half.0),
        millis(&longest.0)
    );
    Ok(())
}
