use std::{
    path::PathBuf,
    time::{Duration, Instant},
};

use bevy::{input::ButtonState, prelude::*};
use vestibule_hud::find_button;
use vestibule_sim::{Guest, PhysicalHand};
use vestibule_world::scene::WorldState;

use super::{
    check, hands, legs,
    picture::{Drawn, Taking, draw},
    report::{StepReport, TourReport, picture_name},
    script::{Deed, Expectation, Step, Tour},
};

/// Seconds that a deed may take: the longest walk in a house, on a slow machine.
const DEED_LIMIT: Duration = Duration::from_secs(60);
/// Seconds that the world may take to load.
const LOAD_LIMIT: Duration = Duration::from_secs(240);
/// How long a button is looked for.
const BUTTON_LIMIT: Duration = Duration::from_secs(10);

/// Plays a tour and ends the app with its verdict.
#[derive(Clone, Debug)]
pub struct TourPlugin {
    /// The tour.
    pub tour: Tour,
    /// Where pictures and `tour.json` go; `None`: nowhere.
    pub folder: Option<PathBuf>,
    /// The seed of the simulated home, for the report.
    pub seed: u64,
}

/// How the tour went; there from the start, complete when `done`.
#[derive(Resource, Clone, Debug, Default)]
pub struct TourVerdict {
    /// The report so far.
    pub report: TourReport,
    /// Whether the tour is over.
    pub done: bool,
}

/// The physical side of the simulated home; `None` where real devices are connected.
#[derive(Resource, Clone)]
pub(crate) struct Physical(pub(crate) Option<PhysicalHand>);

/// The camera's pictures of the simulated guests.
pub(super) fn guests() -> impl Iterator<Item = (&'static str, bytes::Bytes)> {
    [("friend", Guest::Friend), ("courier", Guest::Courier), ("neighbour", Guest::Neighbour)]
        .into_iter()
        .map(|(name, guest)| (name, vestibule_sim::picture(Some(guest))))
        .chain([("nobody", vestibule_sim::picture(None))])
}

#[derive(Debug)]
enum Now {
    Loading,
    Deed { index: usize, since: Instant, frame: u32, aim: Aim },
    Expecting { since: Instant },
    Picturing { taking: Taking },
}

#[derive(Resource, Debug)]
struct Run {
    plugin: TourPlugin,
    step: usize,
    now: Now,
    began: Instant,
    current: Option<StepReport>,
    /// When the last deed began that is a cause: a press, a ring, a power cut.
    cause: Option<Instant>,
}

impl Plugin for TourPlugin {
    fn build(&self, app: &mut App) {
        let report = TourReport {
            title: self.tour.title.clone(),
            software: concat!("vestibule ", env!("CARGO_PKG_VERSION")).to_owned(),
            seed: self.seed,
            ..default()
        };
        let run =
            Run { plugin: self.clone(), step: 0, now: Now::Loading, began: Instant::now(), current: None, cause: None };
        app.insert_resource(TourVerdict { report, done: false }).insert_resource(run).add_systems(First, drive);
    }
}

fn drive(world: &mut World) {
    if world.resource::<TourVerdict>().done {
        return;
    }
    let Some(mut run) = world.remove_resource::<Run>() else { return };
    run.advance(world);
    world.insert_resource(run);
}

impl Run {
    fn step(&self) -> Option<&Step> {
        self.plugin.tour.step.get(self.step)
    }

    fn advance(&mut self, world: &mut World) {
        match &mut self.now {
            Now::Loading => self.load(world),
            Now::Deed { .. } => self.deed(world),
            Now::Expecting { since } => {
                let since = *since;
                self.expect(world, since);
            }
            Now::Picturing { taking } => {
                if let Some(result) = taking.advance(world) {
                    draw(world, Drawn::Nothing);
                    self.finish_step(world, result.err());
                }
            }
        }
    }

    fn load(&mut self, world: &mut World) {
        match world.resource::<State<WorldState>>().get() {
            WorldState::Ready => {
                draw(world, Drawn::Nothing);
                self.begin_step();
            }
            WorldState::Failed => self.abort(world, "the world could not be loaded"),
            WorldState::Loading if self.began.elapsed() > LOAD_LIMIT => {
                self.abort(world, "the world takes too long to load")
            }
            WorldState::Loading => {}
        }
    }

    fn begin_step(&mut self) {
        let Some(step) = self.step() else { return };
        let (name, plays) = (step.name.clone(), step.plays.clone());
        info!("tour step {}: {name}", self.step + 1);
        self.current = Some(StepReport {
            number: self.step + 1,
            name,
            plays,
            expected: Vec::new(),
            observed: Vec::new(),
            ok: true,
            ms: 0,
            picture: None,
        });
        self.cause = None;
        self.now = Now::Deed { index: 0, since: Instant::now(), frame: 0, aim: None };
    }

    fn deed(&mut self, world: &mut World) {
        let Now::Deed { index, since, frame, aim } = &mut self.now else { return };
        let Some(deed) = self.plugin.tour.step.get(self.step).and_then(|step| step.deeds.get(*index)) else {
            self.now = Now::Expecting { since: Instant::now() };
            return;
        };
        if *frame == 0 && deed.is_cause() {
            self.cause = Some(Instant::now());
        }
        let outcome = perform(world, deed, *frame, since.elapsed(), aim);
        *frame += 1;
        match outcome {
            Ok(true) => {
                *index += 1;
                (*since, *frame, *aim) = (Instant::now(), 0, None);
            }
            Ok(false) if since.elapsed() < DEED_LIMIT => {}
            Ok(false) => {
                let place = legs::feet(world).unwrap_or_default();
                let words = format!("gave up on {deed:?} after {} s, standing at {place:.2}", DEED_LIMIT.as_secs());
                self.fail(world, words);
            }
            Err(reason) => self.fail(world, reason),
        }
    }

    /// A deed could not be done: the step has failed, its picture shows where.
    fn fail(&mut self, world: &mut World, reason: String) {
        for control in [vestibule_input::Control::Forward, vestibule_input::Control::Run] {
            hands::set(world, control, ButtonState::Released);
        }
        if let Some(report) = &mut self.current {
            report.expected.push("everything written can be done".to_owned());
            report.observed.push(reason);
            report.ok = false;
        }
        self.take_picture(world);
    }

    fn expect(&mut self, world: &mut World, since: Instant) {
        let Some(step) = self.plugin.tour.step.get(self.step).cloned() else { return };
        let observations: Vec<_> = step.expect.iter().map(|e: &Expectation| check::observe(world, e)).collect();
        let ok = observations.iter().all(|o| o.ok);
        if !ok && since.elapsed().as_secs_f64() < step.within {
            return;
        }
        if let Some(report) = &mut self.current {
            report.fill(&observations);
            let cause = self.cause.unwrap_or(since);
            report.ms = u64::try_from(cause.elapsed().as_millis()).unwrap_or(u64::MAX);
        }
        if step.picture || !ok { self.take_picture(world) } else { self.finish_step(world, None) }
    }

    fn take_picture(&mut self, world: &mut World) {
        let Some((folder, report)) = self.plugin.folder.as_ref().zip(self.current.as_mut()) else {
            return self.finish_step(world, None);
        };
        let name = picture_name(report.number, &report.name);
        let path = folder.join(&name);
        report.picture = Some(name);
        draw(world, Drawn::Whole);
        self.now = Now::Picturing { taking: Taking::new(path) };
    }

    fn finish_step(&mut self, world: &mut World, picture_error: Option<String>) {
        let Some(mut report) = self.current.take() else { return };
        if let Some(error) = picture_error {
            report.expected.push("a picture is written".to_owned());
            report.observed.push(error);
            report.ok = false;
        }
        let word = if report.ok { "ok" } else { "FAILED" };
        info!("tour step {} {word} after {} ms: {}", report.number, report.ms, report.observed.join("; "));
        world.resource_mut::<TourVerdict>().report.steps.push(report);
        self.step += 1;
        if self.step().is_some() { self.begin_step() } else { self.end(world) }
    }

    fn abort(&mut self, world: &mut World, reason: &str) {
        error!("the tour ends: {reason}");
        let (expected, observed) = (vec!["the world is there".to_owned()], vec![reason.to_owned()]);
        world.resource_mut::<TourVerdict>().report.steps.push(StepReport {
            number: 0,
            name: "load the world".to_owned(),
            plays: None,
            expected,
            observed,
            ok: false,
            ms: u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX),
            picture: None,
        });
        self.end(world);
    }

    fn end(&self, world: &mut World) {
        let mut verdict = world.resource_mut::<TourVerdict>();
        verdict.done = true;
        verdict.report.ok = verdict.report.steps.iter().all(|step| step.ok);
        let mut ok = verdict.report.ok;
        if let Some(folder) = &self.plugin.folder
            && let Err(error) = verdict.report.write(folder)
        {
            error!("{}: {error}", folder.display());
            ok = false;
        }
        world.write_message(if ok { AppExit::Success } else { AppExit::from_code(1) });
    }
}

/// One frame of a deed. `Ok(true)`: done. `Err`: it cannot be done.
fn perform(world: &mut World, deed: &Deed, frame: u32, lasting: Duration, aim: &mut Aim) -> Result<bool, String> {
    match deed {
        Deed::Walk(to) => legs::walk(world, to),
        Deed::Look(at) => legs::look(world, at, legs::BREAST),
        Deed::LookDown(at) => legs::look(world, at, 0.0),
        Deed::Press(control) => match frame {
            0 => bound(hands::set(world, *control, ButtonState::Pressed), *control).map(|()| false),
            1 => bound(hands::set(world, *control, ButtonState::Released), *control).map(|()| false),
            // One frame for whoever reads it.
            _ => Ok(frame > 2),
        },
        Deed::Hold(control, seconds) => {
            let over = lasting.as_secs_f64() >= *seconds;
            let state = if over { ButtonState::Released } else { ButtonState::Pressed };
            if frame == 0 || over {
                bound(hands::set(world, *control, state), *control)?;
            }
            Ok(over)
        }
        Deed::Click(label) => click(world, label, (frame, lasting), aim),
        Deed::Draw(label, by) => hands::draw_handle(world, label, Vec3::from(*by), frame),
        Deed::Type(text) => Ok(hands::write(world, text, frame)),
        Deed::Wait(seconds) => Ok(lasting.as_secs_f64() >= *seconds),
        physical => {
            let Some(Physical(Some(hand))) = world.get_resource::<Physical>().cloned() else {
                return Err(format!("{physical:?} needs the simulated home, and real devices are connected"));
            };
            act(&hand, physical).map(|()| true)
        }
    }
}

fn bound(yes: bool, control: vestibule_input::Control) -> Result<(), String> {
    if yes { Ok(()) } else { Err(format!("no key is bound to {control:?}")) }
}

/// The frame in which a button was in sight, and where.
type Aim = Option<(u32, Vec2)>;

fn click(world: &mut World, label: &str, (frame, lasting): (u32, Duration), aim: &mut Aim) -> Result<bool, String> {
    // The pointer finds only what was laid out for a view that is drawn.
    draw(world, Drawn::Panels);
    if frame < 3 {
        return Ok(false);
    }
    if aim.is_none() {
        let Some(button) = find_button(world, label) else {
            // People wait a moment for what is about to be there.
            return if lasting < BUTTON_LIMIT { Ok(false) } else { Err(format!("no button says {label:?}")) };
        };
        if let Some((over, lines)) = hands::out_of_sight(world, button) {
            hands::scroll(world, over, lines, frame);
            return Ok(false);
        }
        *aim = hands::on_panel(world, button).map(|place| (frame, place));
    }
    let Some((first, position)) = *aim else { return Err(format!("the button {label:?} is nowhere on the screen")) };
    let piece = usize::try_from(frame - first).unwrap_or_default();
    let Some(action) = hands::CLICK.get(piece) else {
        draw(world, Drawn::Nothing);
        return Ok(true);
    };
    hands::point(world, position, *action);
    Ok(false)
}

fn act(hand: &PhysicalHand, deed: &Deed) -> Result<(), String> {
    let words = |error: vestibule_sim::SimError| error.to_string();
    match deed {
        Deed::Ring(guest) => hand.ring(guest.parse::<Guest>().map_err(words)?),
        Deed::GuestLeaves(_) => hand.guest_leaves(),
        Deed::Jam(stuck) => hand.jam_door(*stuck),
        Deed::CutPower(device) => hand.cut_power(device).map_err(words)?,
        Deed::RestorePower(device) => hand.restore_power(device).map_err(words)?,
        Deed::TurnLock(lock) => hand.turn_lock(*lock),
        Deed::PushDoor(percent) => hand.push_door(*percent),
        Deed::StopBroker(true) => hand.stop_broker().map_err(words)?,
        Deed::StopBroker(false) => hand.start_broker().map_err(words)?,
        other => return Err(format!("{other:?} is not done at the physical side")),
    }
    Ok(())
}
