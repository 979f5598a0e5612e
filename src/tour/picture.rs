//! Pictures of what the person sees.

use std::{
    path::PathBuf,
    sync::{Arc, Mutex},
};

use bevy::{
    camera::{RenderTarget, visibility::RenderLayers},
    prelude::*,
    render::view::screenshot::{Screenshot, ScreenshotCaptured},
};

/// Frames that are rendered before one is kept: shaders, textures and shadows of a new view settle in them.
const SETTLE: u32 = 6;

/// What the person's view is rendered to, where that is not a window.
#[derive(Resource, Clone, Debug)]
pub struct ViewTarget {
    /// The image; `None`: the primary window.
    pub image: Option<Handle<Image>>,
}

#[derive(Debug)]
enum Phase {
    Settle(u32),
    Waiting,
}

/// A picture on its way to a file.
#[derive(Debug)]
pub(super) struct Taking {
    path: PathBuf,
    phase: Phase,
    result: Arc<Mutex<Option<Result<(), String>>>>,
}

impl Taking {
    pub(super) fn new(path: PathBuf) -> Self {
        Self { path, phase: Phase::Settle(SETTLE), result: Arc::default() }
    }

    /// One frame. `Some`: it is written, or it cannot be.
    pub(super) fn advance(&mut self, world: &mut World) -> Option<Result<(), String>> {
        match &mut self.phase {
            Phase::Settle(0) => {
                let target = world.get_resource::<ViewTarget>().and_then(|view| view.image.clone());
                let screenshot = target.map_or_else(Screenshot::primary_window, Screenshot::image);
                let (path, result) = (self.path.clone(), self.result.clone());
                world.spawn(screenshot).observe(move |captured: On<ScreenshotCaptured>| {
                    let written = write(&captured.image, &path);
                    if let Ok(mut slot) = result.lock() {
                        *slot = Some(written);
                    }
                });
                self.phase = Phase::Waiting;
                None
            }
            Phase::Settle(left) => {
                *left -= 1;
                None
            }
            Phase::Waiting => self.result.lock().ok().and_then(|mut slot| slot.take()),
        }
    }
}

fn write(image: &Image, path: &PathBuf) -> Result<(), String> {
    let picture = image.clone().try_into_dynamic().map_err(|error| error.to_string())?;
    picture.to_rgb8().save(path).map_err(|error| format!("{}: {error}", path.display()))
}

/// How much of a view is drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Drawn {
    /// Nothing: nobody looks.
    Nothing,
    /// What lies over the world, for a pointer that is to find it.
    Panels,
    /// All of it.
    Whole,
}

/// Offscreen, a view is drawn only while somebody looks, and only what they look at: software rendering is slow.
pub(super) fn draw(world: &mut World, drawn: Drawn) {
    let offscreen = world.get_resource::<ViewTarget>().is_some_and(|view| view.image.is_some());
    let mut cameras = world.query::<(Entity, &mut Camera, &RenderTarget, Has<RenderLayers>)>();
    let mut changed = Vec::new();
    for (entity, mut camera, target, bare) in cameras.iter_mut(world) {
        if !offscreen || !matches!(target, RenderTarget::Image(_)) {
            continue;
        }
        let active = drawn != Drawn::Nothing;
        if camera.is_active != active {
            camera.is_active = active;
        }
        if active && bare != (drawn == Drawn::Panels) {
            changed.push(entity);
        }
    }
    for camera in changed {
        let mut camera = world.entity_mut(camera);
        // A camera of no layer sees nothing of the world; what is laid out over it has no layers.
        if drawn == Drawn::Panels {
            camera.insert(RenderLayers::none())
        } else {
            camera.remove::<RenderLayers>()
        };
    }
}
