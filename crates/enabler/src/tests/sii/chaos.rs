//! Systems that fail, hang, repeat themselves and come too late, and an enabler that is killed after every line of its
//! log: nothing that acts each time is asked for twice, exactly what was done is taken back, and every call ends.

use std::collections::VecDeque;

use rand::{Rng, SeedableRng, rngs::StdRng};

use super::*;

/// A system as it may be: what it was asked for comes in order, what it does of it is up to the dice.
#[derive(Default)]
struct Moody {
    inbox: VecDeque<SiiDown>,
    /// Answers on their way.
    outbox: Vec<SiiUp>,
    /// What it did and has not taken back.
    done: BTreeSet<(CallId, StepKey)>,
    /// How often it was asked.
    asked: BTreeMap<(CallId, StepKey, bool), (ServiceId, usize)>,
    undone: BTreeSet<(CallId, StepKey)>,
}

impl Moody {
    fn work(&mut self, rng: &mut StdRng, now: Timestamp) {
        let Some(SiiDown::Invoke(invocation)) = self.inbox.pop_front() else { return };
        let Invocation { call, step, undo, service, not_after, .. } = *invocation;
        self.asked.entry((call, step.clone(), undo)).or_insert((service, 0)).1 += 1;
        if now > not_after {
            return;
        }
        let place = (call, step.clone());
        let mood = rng.random_range(0..10);
        let acts = mood < 8 && !(mood == 7 && undo);
        if acts && undo {
            self.done.remove(&place);
            self.undone.insert(place);
        } else if acts {
            self.done.insert(place);
        }
        let result = if acts {
            CallResult::Done(Answer::new(if mood == 6 { "{".to_owned() } else { format!("\"{step}\"") }))
        } else {
            CallResult::Failed { reason: "no".to_owned() }
        };
        // One in five never answers; some say it twice.
        let times = [1, 1, 1, 2, 0, 1, 1, 1, 1, 0][mood];
        self.outbox.extend(vec![SiiUp::Result { call, step, undo, result }; times]);
    }
}

struct World {
    market: Market,
    systems: BTreeMap<SystemId, Moody>,
    rng: StdRng,
}

impl World {
    fn new(seed: u64, crash: Option<(usize, bool)>) -> Self {
        let mut market = Market::agreed();
        market.crash = crash;
        let systems = [shop(), kitchen()].map(|system| (system, Moody::default())).into();
        Self { market, systems, rng: StdRng::seed_from_u64(seed) }
    }

    fn round(&mut self) {
        let rng = &mut self.rng;
        match rng.random_range(0..12) {
            0 => {
                let names = ["order", "reserve", "tell", "look"];
                let steps = (0..rng.random_range(1..5)).map(|number| {
                    let system = if rng.random() { shop() } else { kitchen() };
                    step(&format!("s{number}"), &system, names[rng.random_range(0..4)])
                });
                let steps = steps.collect();
                let mut call = self.market.call(steps);
                call.not_after = self.market.now.plus(self.rng.random_range(500..8_000));
                let _ = self.market.invoke(&call);
            }
            1 if rng.random_bool(0.3) => {
                let open: Vec<CallId> = self.market.state.open_calls.keys().copied().collect();
                if !open.is_empty() {
                    let call = open[rng.random_range(0..open.len())];
                    let _ = self.market.ask(&metaverse(OWNER), &Request::CancelCall(call));
                }
            }
            2 if rng.random_bool(0.3) => {
                let system = if rng.random() { shop() } else { kitchen() };
                self.market.detach(&system);
                self.market.pass(rng.random_range(0..1_500));
                self.market.attach(&system);
            }
            3..7 => {
                for system in self.systems.values_mut() {
                    system.work(&mut self.rng, self.market.now);
                }
            }
            7..10 => self.answers(),
            _ => self.market.pass(rng.random_range(0..800)),
        }
        self.market.settle();
        for (system, message) in std::mem::take(&mut self.market.told) {
            if let Some(moody) = self.systems.get_mut(&system) {
                moody.inbox.push_back(message);
            }
        }
    }

    fn answers(&mut self) {
        let systems: Vec<SystemId> = self.systems.keys().cloned().collect();
        for system in systems {
            let Some(moody) = self.systems.get_mut(&system) else { continue };
            if moody.outbox.is_empty() {
                continue;
            }
            let message = moody.outbox.swap_remove(self.rng.random_range(0..moody.outbox.len()));
            let _ = self.market.say(&system, message);
        }
    }

    /// Runs to the end; how long the log is.
    fn run(mut self, words: &str) -> usize {
        for _ in 0..60 {
            self.round();
        }
        // Whoever has something to say says it, and time passes until nothing can follow.
        for _ in 0..400 {
            for system in self.systems.values_mut() {
                system.work(&mut self.rng, self.market.now);
            }
            self.answers();
            self.market.pass(50);
            for (system, message) in std::mem::take(&mut self.market.told) {
                if let Some(moody) = self.systems.get_mut(&system) {
                    moody.inbox.push_back(message);
                }
            }
        }
        self.market.pass(600_000);
        self.check(words);
        self.market.log.len()
    }

    fn check(&self, words: &str) {
        let Market { state, log, .. } = &self.market;
        let open: Vec<_> = state.open_calls.keys().map(|id| &state.calls[id]).collect();
        assert!(open.is_empty(), "{words}: every call ends: {open:#?}");
        let mut ended = BTreeSet::new();
        for (_, event) in log {
            if let LogEvent::CallEnded { call, .. } = event {
                assert!(ended.insert(*call), "{words}: ended twice");
            }
        }
        let again = ["reserve", "look", "cancel"];
        for (system, moody) in &self.systems {
            for ((call, step, undo), (service, times)) in &moody.asked {
                let most = if again.contains(&service.as_str()) { 3 } else { 1 };
                assert!(
                    *times <= most,
                    "{words}: {system} was asked {times} times for {service} ({call} {step} {undo})"
                );
            }
        }
        self.check_ends(words, log);
    }

    fn check_ends(&self, words: &str, log: &[(Timestamp, LogEvent)]) {
        let mut calls: BTreeMap<CallId, Collaboration> = BTreeMap::new();
        for (_, event) in log {
            match event {
                LogEvent::CallAccepted { call, .. } => drop(calls.insert(call.id, call.as_ref().clone())),
                LogEvent::CallEnded { call, status, .. } => self.check_end(words, &calls[call], status),
                _ => {}
            }
        }
    }

    fn check_end(&self, words: &str, call: &Collaboration, status: &CallStatus) {
        let kept = match status {
            CallStatus::Failed { kept, .. } | CallStatus::Cancelled { kept } | CallStatus::Expired { kept } => kept,
            _ => &Vec::new(),
        };
        for step in &call.steps {
            let moody = &self.systems[&step.system];
            let place = (call.id, step.key.clone());
            let stays = moody.done.contains(&place);
            if *status == CallStatus::Succeeded {
                assert!(stays, "{words}: {} of {} was not done", step.key, call.id);
                let undo = (call.id, step.key.clone(), true);
                assert!(!moody.asked.contains_key(&undo), "{words}: taken back although all is well");
            } else {
                assert!(
                    !stays || kept.contains(&step.key),
                    "{words}: {} of {} stays and nobody says so",
                    step.key,
                    call.id
                );
            }
        }
    }
}

#[test]
fn moody_systems() {
    for seed in 0..300 {
        World::new(seed, None).run(&format!("seed {seed}"));
    }
}

#[test]
fn killed_after_every_line() {
    for seed in 0..6 {
        let lines = World::new(seed, None).run("uncrashed");
        let begins = Market::agreed().log.len();
        for line in begins..=lines {
            for acts in [false, true] {
                World::new(seed, Some((line, acts))).run(&format!("seed {seed}, killed after {line}, acts: {acts}"));
            }
        }
    }
}
