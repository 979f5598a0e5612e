//! Many and slow: every queue is bounded, and overload is an answer.

use super::*;

#[tokio::test]
async fn a_receiver_that_is_behind_is_synchronized_anew() {
    let house = House::new().await;
    let system = house.with_lamp().await;
    let mut owner = house.watching().await;
    let press = Occurrence {
        twin: lamp(),
        feature: light(),
        event: EventKind::slug("press"),
        details: BTreeMap::new(),
        at: START,
    };
    for _ in 0..2_000 {
        system.say(DiiUp::Occurred(press.clone())).await;
    }
    assert!(owner.outgoing.len() <= OUTBOX, "nothing grows");
    let mut told = 0;
    owner
        .wait(|event| {
            told += u32::from(matches!(event, Event::Occurred(_)));
            (event == Event::Begin).then_some(())
        })
        .await;
    assert!((1..2_000).contains(&told), "{told}");
    assert!(owner.wait(|event| if let Event::Twin(view) = event { Some(view) } else { None }).await.info.id == lamp());
    owner.wait(|event| (event == Event::Synchronized).then_some(())).await;
    system.say(DiiUp::Occurred(press.clone())).await;
    assert_eq!(owner.event().await, Event::Occurred(press));
}

#[tokio::test]
async fn a_large_house_fits_through_a_small_outbox() {
    let house = House::new().await;
    let system = house.system().await;
    let many = 3 * OUTBOX;
    for number in 0..many {
        let id = TwinId::of(&home(), &format!("lamp{number}"));
        system.say(DiiUp::Describe(Box::new(lamp_info(id)))).await;
    }
    let mut owner = house.owner().await;
    owner.done(Request::Subscribe(Interest::All)).await;
    let mut twins = 0;
    let mut shorts = std::collections::BTreeSet::new();
    owner
        .wait(|event| {
            if let Event::Twin(view) = &event {
                twins += 1;
                assert!(shorts.insert(view.short), "short ids are unique");
            }
            (event == Event::Synchronized).then_some(())
        })
        .await;
    assert_eq!(twins, many);
    let one = TwinId::of(&home(), "lamp7");
    let mut picky = house.owner().await;
    picky.done(Request::Subscribe(Interest::Twins(vec![one.clone()]))).await;
    let mut seen = Vec::new();
    picky
        .wait(|event| {
            if let Event::Twin(view) = &event {
                seen.push(view.info.id.clone());
            }
            (event == Event::Synchronized).then_some(())
        })
        .await;
    assert_eq!(seen, [one]);
}

#[tokio::test]
async fn readings_are_conflated_and_long_ones_go_as_events() {
    let house = House::new().await;
    let system = house.with_lamp().await;
    let mut owner = house.watching().await;
    for revision in 2..5_000 {
        system.say(report("on", Value::Bool(revision % 2 == 0), revision)).await;
    }
    assert!(owner.outgoing.len() <= OUTBOX);
    system.say(report("text", Value::Text("x".repeat(3_000)), 6_000)).await;
    let (index, reading) = owner
        .wait(|event| if let Event::Reading { index, reading, .. } = event { Some((index, reading)) } else { None })
        .await;
    assert_eq!((index, reading.revision), (1, 6_000));
    while house.reading(&mut owner, 0).await.revision != 4_999 {}
}

#[tokio::test]
async fn too_much_at_once_is_refused_and_the_rest_is_answered() {
    let house = House::new().await;
    let owner = house.owner().await;
    let asks = (0..MOST_IN_FLIGHT + 50).map(|_| owner.session.request(Request::Rules));
    let answers = futures_join(asks.collect()).await;
    let refused =
        answers.iter().filter(|answer| matches!(answer, Response::Refused(r) if r.code == RefusalCode::Overloaded));
    assert_eq!(refused.count(), 50);
    assert_eq!(answers.iter().filter(|answer| matches!(answer, Response::Rules(_))).count(), MOST_IN_FLIGHT);
}

/// Polls all at once.
async fn futures_join(futures: Vec<impl Future<Output = Response>>) -> Vec<Response> {
    let mut futures: Vec<_> = futures.into_iter().map(Box::pin).collect();
    let mut answers = Vec::new();
    std::future::poll_fn(|context| {
        futures.retain_mut(|future| match future.as_mut().poll(context) {
            std::task::Poll::Ready(answer) => {
                answers.push(answer);
                false
            }
            std::task::Poll::Pending => true,
        });
        if futures.is_empty() { std::task::Poll::Ready(()) } else { std::task::Poll::Pending }
    })
    .await;
    answers
}

#[tokio::test]
async fn a_closed_session_is_forgotten() {
    let house = House::new().await;
    let owner = house.owner().await;
    let system = house.with_lamp().await;
    assert_eq!(house.hub.status().await.sessions, 2);
    let Peer1 { session, outgoing, .. } = owner;
    drop(outgoing);
    session.close();
    let Peer1 { session, outgoing: _outgoing, .. } = system;
    session.close();
    for _ in 0..1_000 {
        if house.hub.status().await.sessions == 0 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    let status = house.hub.status().await;
    assert_eq!((status.sessions, status.systems_online, status.systems), (0, 0, 1));
    house.hub.clone().shutdown().await;
    assert!(!house.hub.status().await.running);
    assert!(matches!(house.hub.open(Peer::Certificate(OWNER)).await, Err(HubError::Stopped)));
}
