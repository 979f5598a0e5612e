//! Pictures of what the person sees.

use std::{
    path::PathBuf,
    sync::{Arc, Mutex},
};

use bevy::{
    camera::RenderTarget,
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

/// Offscreen, a view is drawn only while somebody looks: for pictures and clicks. Software rendering is slow.
pub(super) fn draw(world: &mut World, yes: bool) {
    let offscreen = world.get_resource::<ViewTarget>().is_some_and(|view| view.image.is_some());
    let mut cameras = world.query::<(&mut Camera, &RenderTarget)>();
    for (mut camera, target) in cameras.iter_mut(world) {
        if offscreen && matches!(target, RenderTarget::Image(_)) && camera.is_active != yes {
            camera.is_active = yes;
        }
    }
}
