//! Puts the App together.

use std::time::Duration;

use bevy::{
    app::{AppExit, PluginGroupBuilder, ScheduleRunnerPlugin},
    asset::{RenderAssetUsages, io::AssetSourceBuilder},
    camera::RenderTarget,
    log::LogPlugin,
    prelude::*,
    render::{
        RenderPlugin,
        render_resource::TextureFormat,
        settings::{Backends, WgpuSettings},
    },
    window::{ExitCondition, WindowResolution},
    winit::WinitPlugin,
};
use vestibule_design::DesignPlugin;
use vestibule_hud::{HudPlugin, SettingsFile, TokenFiles};
use vestibule_plugin_commerce::CommercePlugin;
use vestibule_plugin_enabler::EnablerPlugin;
use vestibule_plugin_kitchen::KitchenPlugin;
use vestibule_world::{
    WorldPlugin,
    furnish::FurnishPlugin,
    scene::ScenePlugin,
    sky::{SkyPlugin, SkyQuality, TimeOfDay},
    walk::WalkPlugin,
};

use super::{
    ClientError, Flags,
    backend::{self, Backend},
    courier::CourierPlugin,
    folders::{self, Folders},
    glue::GluePlugin,
    keep::KeepPlugin,
    me::MePlugin,
    measure::MeasurePlugin,
    page::PagePlugin,
};
use crate::{
    VestibulePlugins,
    tour::{Tour, TourPlugin, ViewTarget},
};

/// What the log says unless `RUST_LOG` says otherwise.
const LOG: &str = "warn,vestibule=info,vestibule_world=info,vestibule_xr=info,wgpu=error,naga=error,rumqttd=off,bevy_render::view::window=error";
/// For texts on things that are designed.
const LETTERS: &[u8] = include_bytes!("../../plugins/hud/fonts/Inter-SemiBold.otf");
/// Frames a second without a window: as many as the wire has ticks.
const OFFSCREEN_FRAME: Duration = Duration::from_millis(16);

/// Runs the client until the person leaves or the tour ends.
///
/// # Errors
/// [`ClientError`] where it cannot start. What goes wrong later is told on the screen.
pub fn run(flags: &Flags) -> Result<AppExit, ClientError> {
    let tour = flags.tour.as_deref().map(Tour::find).transpose()?;
    let speed = flags.speed.or(tour.as_ref().and_then(|tour| tour.speed));
    let flags = &Flags { speed, ..flags.clone() };
    let folders = Folders::find(flags)?;
    if let Some(pictures) = &flags.offscreen {
        std::fs::create_dir_all(pictures).map_err(|error| ClientError::Pictures(pictures.clone(), error))?;
    }
    if flags.offscreen.is_none() && !has_display() {
        return Err(ClientError::NoDisplay);
    }
    super::gpu::check()?;
    let backend = Backend::start(flags, &folders)?;
    let mut app = App::new();
    // What was designed and stands in the room is loaded from where it is kept.
    let designs = AssetSourceBuilder::platform_default(&folders.designs.to_string_lossy(), None);
    app.register_asset_source(vestibule_design::SOURCE, designs);
    app.add_plugins(bevy_plugins(flags, &folders));
    let image = flags.offscreen.is_some().then(|| offscreen_image(&mut app, size(flags)));
    add_vestibule(&mut app, flags, &folders, image.as_ref());
    app.insert_resource(ViewTarget { image });
    backend::attach(&mut app, backend);
    if flags.measure {
        app.add_plugins(MeasurePlugin);
    } else if let Some(tour) = tour {
        app.add_plugins(TourPlugin { tour, folder: flags.offscreen.clone(), seed: flags.seed });
    }
    let exit = app.run();
    // A tour's house is its own: nothing of it is kept.
    if flags.tour.is_some() && flags.data.is_none() {
        drop(app);
        let _ = std::fs::remove_dir_all(&folders.data);
    }
    Ok(exit)
}

/// The size of the view. Mesa's software renderer takes a second for a frame of 640x360; one of 1280x720 was not
/// done after five minutes (seen with Mesa 22.3).
fn size(flags: &Flags) -> (u32, u32) {
    flags.size.unwrap_or(if super::gpu::is_software() { (640, 360) } else { (1280, 720) })
}

/// Whether a window can be opened, asked before Bevy asks and panics. On Linux windows are X11's here (Wayland brings
/// its own server for them), and a name in `DISPLAY` says nothing: what counts is who answers.
#[cfg(target_os = "linux")]
fn has_display() -> bool {
    x11rb::rust_connection::RustConnection::connect(None).is_ok()
}

#[cfg(not(target_os = "linux"))]
const fn has_display() -> bool {
    true
}

fn bevy_plugins(flags: &Flags, folders: &Folders) -> PluginGroupBuilder {
    let plugins = DefaultPlugins
        .build()
        .set(AssetPlugin { file_path: folders.assets.to_string_lossy().into_owned(), ..default() })
        .set(LogPlugin { filter: LOG.to_owned(), ..default() });
    let plugins = if flags.xr { vestibule_xr::with_xr(plugins) } else { plugins };
    let (width, height) = size(flags);
    let window =
        Window { title: "Vestibule".to_owned(), resolution: WindowResolution::new(width, height), ..default() };
    if flags.offscreen.is_none() {
        return plugins.set(WindowPlugin { primary_window: Some(window), ..default() });
    }
    let plugins = plugins
        .set(WindowPlugin { primary_window: None, exit_condition: ExitCondition::DontExit, ..default() })
        .disable::<WinitPlugin>()
        .add(ScheduleRunnerPlugin::run_loop(OFFSCREEN_FRAME));
    // A picture is taken once: whatever it needs is compiled before, not meanwhile. OpenXR brings its own renderer.
    if flags.xr {
        plugins
    } else {
        let backends = Some(Backends::PRIMARY);
        let render_creation = WgpuSettings { backends, ..default() }.into();
        plugins.set(RenderPlugin { synchronous_pipeline_compilation: true, render_creation, ..default() })
    }
}

fn offscreen_image(app: &mut App, (width, height): (u32, u32)) -> Handle<Image> {
    let mut image = Image::new_target_texture(width, height, TextureFormat::Rgba8UnormSrgb, None);
    // Cameras ask the main world for the size of what they render to.
    image.asset_usage = RenderAssetUsages::default();
    app.world_mut().resource_mut::<Assets<Image>>().add(image)
}

fn add_vestibule(app: &mut App, flags: &Flags, folders: &Folders, image: Option<&Handle<Image>>) {
    let offscreen = image.is_some();
    let target = image.map_or_else(RenderTarget::default, |image| RenderTarget::Image(image.clone().into()));
    let software = offscreen || super::gpu::is_software();
    // Only the house has a room that waits for furniture; in another world it can stand anywhere.
    let zones = if flags.world == super::flags::HOUSE { vec!["lounge".to_owned()] } else { Vec::new() };
    app.insert_resource(SettingsFile { path: folders.data.join("settings.toml") });
    let (outgoing, held) = (folders.outgoing.clone(), folders.data.join("borrowed.toml"));
    if !offscreen {
        open_clipboard(app);
    }
    app.insert_resource(TokenFiles { outgoing, held, home: folders::home() });
    let enabler = EnablerPlugin {
        key_seed: crate::connect::random(),
        purchases: Some(folders.data.join("purchases.txt")),
        ..default()
    };
    app.add_plugins((VestibulePlugins.set(enabler), MePlugin { folder: folders.data.clone() }));
    app.add_plugins(WorldPlugin {
        scene: ScenePlugin { scene: Some(flags.world.clone()), ..default() },
        walk: WalkPlugin { target, ..default() },
        sky: SkyPlugin {
            time: TimeOfDay { hours: flags.hour.unwrap_or(15.0), speed: 0.0 },
            quality: if software { SkyQuality::Low } else { SkyQuality::High },
        },
        furnish: FurnishPlugin { file: Some(folders.data.join("world.toml")), zones, ..default() },
        ..default()
    });
    let (designs, made) = (Some(folders.designs.clone()), Some(folders.made.clone()));
    app.add_plugins(DesignPlugin {
        folder: designs,
        exports: made,
        font: Some(LETTERS),
        actor: crate::connect::random(),
    });
    let (kept, recipes) = (folders.data.join("kitchen"), folders.assets.join("recipes"));
    app.add_plugins((KitchenPlugin { folder: Some(kept), recipes: Some(recipes) }, PagePlugin));
    app.add_plugins(CourierPlugin { file: folders.data.join("unpacked.txt") });
    app.add_plugins(KeepPlugin { designs: folders.designs.clone() });
    app.add_plugins(CommercePlugin { seed: crate::connect::random() });
    app.add_plugins((HudPlugin, GluePlugin { hour: flags.hour.or(offscreen.then_some(15.0)), software }));
    if flags.xr {
        app.add_plugins(vestibule_xr::XrPlugin).add_systems(Update, super::xr::stand);
    }
}

/// Tokens can be copied and pasted where windows are X11's.
#[cfg(target_os = "linux")]
fn open_clipboard(app: &mut App) {
    match super::clipboard::XClipboard::open(None) {
        Ok(clipboard) => {
            app.insert_resource(vestibule_hud::Clipboard(Box::new(clipboard)));
        }
        Err(error) => warn!("there is no clipboard: {error}"),
    }
}

#[cfg(not(target_os = "linux"))]
const fn open_clipboard(_: &mut App) {}
