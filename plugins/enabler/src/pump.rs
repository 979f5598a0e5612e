//! Moves bytes between links and sessions, and hands the news on.

use bevy::prelude::*;
use vestibule_protocol::News;
use vestibule_twin::{EnablerLink, LinkState};

use crate::{
    Connected, Disconnected, EnablerConnection, Settings,
    actuate::Answers,
    mirror::{Mirror, Mirroring},
    purchases::Told,
};

/// Milliseconds of the app's own monotonic clock, as sessions want them.
pub(crate) fn now_ms(time: &Time<Real>) -> u64 {
    u64::try_from(time.elapsed().as_millis()).unwrap_or(u64::MAX)
}

pub(crate) fn receive(
    mut commands: Commands,
    mut connections: Query<(Entity, &mut EnablerConnection)>,
    time: Res<Time<Real>>,
    settings: Res<Settings>,
    mut mirror: ResMut<Mirror>,
    mut mirroring: Mirroring,
    mut answers: Answers,
    mut shown: ResMut<EnablerLink>,
) {
    let now = now_ms(&time);
    for (entity, mut connection) in &mut connections {
        let EnablerConnection { name, link, session: Some(session) } = &mut *connection else { continue };
        for _ in 0..settings.0.max_news {
            let Some(event) = link.poll() else { break };
            session.handle(event, now);
        }
        session.tick(now);
        for _ in 0..settings.0.max_news {
            let Some(news) = session.poll_news() else { break };
            answers.known.notice(name, &news);
            match news {
                News::Connected(welcome) => {
                    shown.set_if_neq(EnablerLink { state: state_of(welcome.user.is_some()), name: name.clone() });
                    commands.entity(entity).insert(Connected { welcome }).remove::<Disconnected>();
                    answers.known.clock(session.enabler_time(now), time.elapsed_secs_f64());
                    answers.known.regain(name);
                }
                News::Disconnected { reason, retry_ms } => {
                    #[expect(clippy::cast_precision_loss, reason = "seconds for people")]
                    let retry_s = retry_ms.map(|millis| millis as f32 / 1000.0);
                    let state = match retry_s {
                        Some(retry_in_s) => LinkState::Lost { reason: reason.clone(), retry_in_s },
                        None => LinkState::Refused { reason: reason.clone() },
                    };
                    shown.set_if_neq(EnablerLink { state, name: name.clone() });
                    commands.entity(entity).insert(Disconnected { reason, retry_s }).remove::<Connected>();
                    mirror.lose(entity);
                    answers.known.lose();
                    answers.leases.lose();
                }
                News::Answer { id, answer } => {
                    answers.known.clock(session.enabler_time(now), time.elapsed_secs_f64());
                    answers.take(entity, id, answer);
                }
                News::Command(update) => answers.update(update),
                News::System(view) => answers.known.system(*view),
                News::Lease(update) => answers.leases.take(update),
                News::Call(update) => answers.known.call(update),
                News::Deauthorized(system) => answers.known.deauthorized(&system),
                News::Purchase(update) => answers.known.bought(name, Told::Purchase(update)),
                News::Product(product) => answers.known.bought(name, Told::Product(product)),
                News::Unbound(serial) => answers.known.bought(name, Told::Unbound(serial)),
                News::Step(step) => answers.known.step(&step),
                other => mirror.take(entity, other, session, &mut mirroring, &settings, time.elapsed_secs_f64()),
            }
        }
    }
    mirror.publish(&mut commands, &mirroring);
}

fn state_of(known: bool) -> LinkState {
    if known {
        LinkState::Connected
    } else {
        LinkState::Refused {
            reason:
                "this device is not paired with the enabler: ask for a code with `vestibule-enabler pair`, then start \
                     with --pair CODE"
                    .to_owned(),
        }
    }
}

pub(crate) fn send(mut connections: Query<&mut EnablerConnection>) {
    for mut connection in &mut connections {
        let EnablerConnection { link, session: Some(session), .. } = &mut *connection else { continue };
        while let Some(command) = session.poll_link() {
            if link.send(command.clone()).is_err() {
                session.unsend(command);
                break;
            }
        }
    }
}
