//! Rings that somebody was not there for.

use super::*;

fn press(after: u64) -> Occurrence {
    let (twin, feature, event) = (lamp(), light(), EventKind::slug("press"));
    Occurrence { twin, feature, event, details: BTreeMap::new(), at: START.plus(after) }
}

async fn rung(peer: &mut Peer1) -> Occurrence {
    peer.wait(|event| if let Event::Occurred(event) = event { Some(event) } else { None }).await
}

/// All rings up to the end of a synchronization and what follows at once.
async fn all(peer: &mut Peer1) -> Vec<u64> {
    let mut rings = Vec::new();
    while let Ok(Some(next)) = timeout(Duration::from_millis(300), peer.outgoing.recv()).await {
        if let Outgoing::Event(event) = next
            && let Event::Occurred(ring) = *event
        {
            rings.push(ring.at.since(START));
        }
    }
    rings
}

#[tokio::test]
async fn a_ring_while_nobody_was_there_is_told_with_its_age() {
    let house = House::new().await;
    let system = house.with_lamp().await;
    house.clock.advance(60_000);
    system.say(DiiUp::Occurred(press(1))).await;
    let mut owner = house.watching().await;
    assert_eq!(rung(&mut owner).await, press(1), "the moment is that of the ring");
    // Another window of the same user knows already; a ring is told once.
    let mut second = house.watching().await;
    assert!(all(&mut second).await.is_empty());
    system.say(DiiUp::Occurred(press(2))).await;
    assert_eq!((rung(&mut owner).await, rung(&mut second).await), (press(2), press(2)));
}

#[tokio::test]
async fn a_ring_that_a_breaking_connection_swallowed_is_told_again() {
    let house = House::new().await;
    let system = house.with_lamp().await;
    let owner = house.watching().await;
    system.say(DiiUp::Occurred(press(0))).await;
    house.clock.advance(60_000);
    system.say(DiiUp::Occurred(press(60_000))).await;
    drop(owner);
    while house.hub.status().await.sessions > 1 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let mut owner = house.watching().await;
    assert_eq!(all(&mut owner).await, [60_000], "the one of a minute ago has arrived");
}
