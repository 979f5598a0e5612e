//! Batches that are decided while another one is being written.

use rand::{Rng, SeedableRng, rngs::StdRng};
use tokio::task::{JoinHandle, yield_now};

use super::*;

fn system(number: usize) -> SystemId {
    SystemId::slug(&format!("system-{number}"))
}

async fn systems(house: &House, count: usize) -> Vec<Peer1> {
    let mut peers = Vec::new();
    for number in 0..count {
        let peer = Peer1::open(&house.hub, Peer::Local(system(number))).await;
        peer.say(DiiUp::Register(SystemInfo::new(system(number), SystemKind::DigitalTwin, "One of many"))).await;
        peers.push(peer);
    }
    peers
}

fn twin(number: usize) -> TwinId {
    TwinId::of(&system(number), "lamp")
}

/// Describes a system's lamp by this name and does not wait for the answer.
fn describe(peer: &Peer1, number: usize, name: &str) -> JoinHandle<Response> {
    let info = TwinInfo { name: name.to_owned(), ..lamp_info(twin(number)) };
    let (session, request) = (peer.session.clone(), Request::Dii(DiiUp::Describe(Box::new(info))));
    tokio::spawn(async move { session.request(request).await })
}

/// Long enough for everything that can happen to happen: this runtime has one thread and its clock stands still.
async fn settle() {
    for _ in 0..64 {
        yield_now().await;
    }
}

fn is_written(log: &MemoryLog, name: &str) -> bool {
    let quoted = format!("\"{name}\"");
    log.lines().iter().any(|line| String::from_utf8_lossy(&line.payload).contains(&quoted))
}

async fn name_of(owner: &Peer1, number: usize) -> String {
    match owner.ask(Request::DescribeTwin(twin(number))).await {
        Response::Twins(views) => views[0].info.name.clone(),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn nothing_is_answered_before_it_is_written_and_questions_see_what_is() {
    let house = House::new().await;
    let peers = systems(&house, 4).await;
    let owner = Arc::new(house.owner().await);
    assert_eq!(describe(&peers[0], 0, "before").await.unwrap(), Response::Done);
    house.log.set_held(true);
    let lines = house.log.lines().len();
    let first = describe(&peers[0], 0, "first");
    settle().await;
    let later: Vec<_> = (1..4).map(|number| describe(&peers[number], number, "later")).collect();
    // Of the same system: it comes after what it said before.
    let second = describe(&peers[0], 0, "second");
    let asks = owner.clone();
    let question = tokio::spawn(async move { name_of(&asks, 0).await });
    settle().await;
    let waiting = later.iter().chain([&first, &second]);
    assert!(waiting.into_iter().all(|waits| !waits.is_finished()) && !question.is_finished());
    assert_eq!(house.log.lines().len(), lines);
    house.log.set_held(false);
    for answer in later.into_iter().chain([first, second]) {
        assert_eq!(answer.await.unwrap(), Response::Done);
    }
    assert_ne!(question.await.unwrap(), "before", "it was asked after the first was on its way");
    assert_eq!(name_of(&owner, 0).await, "second");
    assert_eq!(house.hub.status().await.head.sequence, house.log.lines().len() as u64);
    house.log.verify().await.unwrap();
}

/// The disk did write the first and said that it did not: what was decided on top of it is not written behind it.
#[tokio::test]
async fn what_was_decided_on_top_falls_with_what_it_stands_on() {
    let house = House::new().await;
    let peers = systems(&house, 3).await;
    let owner = house.owner().await;
    house.log.set_held(true);
    let first = describe(&peers[0], 0, "first");
    settle().await;
    let later: Vec<_> = (1..3).map(|number| describe(&peers[number], number, "later")).collect();
    settle().await;
    house.log.lie_once();
    house.log.set_held(false);
    for answer in later.into_iter().chain([first]) {
        let Response::Refused(refusal) = answer.await.unwrap() else { panic!("not refused") };
        assert_eq!(refusal.code, RefusalCode::Storage);
    }
    assert!(is_written(&house.log, "first") && !is_written(&house.log, "later"));
    assert_eq!(describe(&peers[1], 1, "again").await.unwrap(), Response::Done);
    assert_eq!((name_of(&owner, 0).await, name_of(&owner, 1).await), ("first".to_owned(), "again".to_owned()));
    assert_eq!(owner.refused(Request::DescribeTwin(twin(2))).await.code, RefusalCode::NotFound);
    house.log.verify().await.unwrap();
}

/// A disk that is slow, full and lies, at any moment: what is acknowledged is in the log, what is refused is not unless
/// the disk lied, and whoever reads the log finds what the hub says.
#[tokio::test]
async fn whatever_the_disk_does_the_log_is_what_was_told() {
    const SYSTEMS: usize = 5;
    for seed in 0..30 {
        let mut rng = StdRng::seed_from_u64(seed);
        let house = House::new().await;
        let peers = systems(&house, SYSTEMS).await;
        let mut asked: Vec<Vec<(String, JoinHandle<Response>)>> = (0..SYSTEMS).map(|_| Vec::new()).collect();
        let mut lies = false;
        for step in 0..80 {
            match rng.random_range(0..12) {
                0 => house.log.set_held(true),
                1 | 2 => house.log.set_held(false),
                3 => house.log.set_full(rng.random_bool(0.3)),
                4 if seed % 2 == 0 => {
                    lies = true;
                    house.log.lie_once();
                }
                5 | 6 => settle().await,
                _ => {
                    let number = rng.random_range(0..SYSTEMS);
                    let name = format!("step {step}");
                    let answer = describe(&peers[number], number, &name);
                    asked[number].push((name, answer));
                }
            }
        }
        house.log.set_full(false);
        house.log.set_held(false);
        let mut newest = Vec::new();
        for answers in asked {
            let mut last = None;
            for (name, answer) in answers {
                match answer.await.unwrap() {
                    Response::Done => {
                        assert!(is_written(&house.log, &name), "seed {seed}: {name} was acknowledged");
                        last = Some(name);
                    }
                    Response::Refused(refusal) => {
                        assert_eq!(refusal.code, RefusalCode::Storage, "seed {seed}: {refusal}");
                        assert!(lies || !is_written(&house.log, &name), "seed {seed}: {name} was refused");
                    }
                    other => panic!("{other:?}"),
                }
            }
            newest.push(last);
        }
        let owner = house.owner().await;
        // A lie that nobody has heard yet is heard now; what it wrote is taken over with it.
        while describe(&peers[0], 0, "last").await.unwrap() != Response::Done {}
        newest[0] = Some("last".to_owned());
        for (number, newest) in newest.into_iter().enumerate().filter(|_| !lies) {
            if let Some(newest) = newest {
                assert_eq!(name_of(&owner, number).await, newest, "seed {seed}");
            }
        }
        house.log.verify().await.unwrap();
        let again = House::start(Arc::new(MemoryLog::of(house.log.lines(), house.log.kept_names()))).await;
        let owner_again = again.owner().await;
        for number in 0..SYSTEMS {
            let asks = Request::DescribeTwin(twin(number));
            let (now, then) = (owner.ask(asks.clone()).await, owner_again.ask(asks).await);
            let name = |response: &Response| match response {
                Response::Twins(views) => Some(views[0].info.clone()),
                _ => None,
            };
            assert_eq!(name(&now), name(&then), "seed {seed}");
        }
    }
}
