//! What is brought to the house.

use serde_json::Value;
use vestibule_sim::{Goods, Guest, SimError};

use crate::observer::{Observer, home, until};

#[tokio::test(flavor = "multi_thread")]
async fn what_is_unpacked_describes_itself_and_obeys() {
    let home = home(1.0).await;
    let hand = home.hand();
    let observer = Observer::connect(&home, "observer", "#").await;
    let config = "homeassistant/device/lamp_w1042_0001/config";
    assert_eq!(hand.unpack("W1042-0001").unwrap(), "lamp_w1042_0001");
    let said = observer.wait_from(0, config, |s| (s.topic == config).then(|| s.payload.clone())).await;
    let said: Value = serde_json::from_slice(&said).unwrap();
    assert_eq!(said["dev"]["sn"], "W1042-0001");
    observer.wait(0, "home/lamp_w1042_0001/availability", "online").await;
    observer.send("home/lamp_w1042_0001/set", r#"{"state":"ON","brightness":200}"#).await;
    until("the new lamp shines", || hand.light("lamp_w1042_0001").is_some_and(|lamp| lamp.brightness == 200)).await;
    // Once more is the same lamp; another one is another device.
    let announced = hand.published().configs;
    assert_eq!(hand.unpack("W1042-0001").unwrap(), "lamp_w1042_0001");
    assert_eq!(hand.unpack("W1042-0002").unwrap(), "lamp_w1042_0002");
    until("the other is there", || hand.connected("lamp_w1042_0002").unwrap_or(false)).await;
    assert_eq!(hand.published().configs, announced + 1);
    assert!(matches!(hand.unpack("w/+/#"), Err(SimError::Serial(_))));
    let mark = observer.mark();
    hand.cut_power("lamp_w1042_0001").unwrap();
    observer.wait(mark, "home/lamp_w1042_0001/availability", "offline").await;
    home.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_courier_rings_and_a_parcel_lies_there_until_it_is_unpacked() {
    let home = home(1.0).await;
    let hand = home.hand();
    hand.deliver("ord_1", vec![Goods::read("W1-1"), Goods::read("unobtainium=3")]).unwrap();
    assert_eq!(hand.door().guest, Some(Guest::Courier));
    assert_eq!(hand.parcels().len(), 1);
    hand.unpack("W1-1").unwrap();
    // Nobody keeps such here.
    assert_eq!(hand.put_away(), 0);
    assert_eq!(hand.parcels()[0].goods, [Goods::read("unobtainium=3")]);
    hand.guest_leaves();
    assert_eq!(hand.unpacked(), ["W1-1"]);
    assert_eq!(hand.take_out("ord_2"), []);
    assert_eq!(hand.take_out("ord_1"), [Goods::read("unobtainium=3")]);
    assert!(hand.parcels().is_empty());
    for count in 0..64 {
        hand.deliver(&format!("ord_{count}"), vec![Goods::read("x")]).unwrap();
    }
    hand.guest_leaves();
    assert!(matches!(hand.deliver("ord_64", Vec::new()), Err(SimError::Full { .. })));
    assert_eq!(hand.door().guest, None, "nobody rings for what does not fit");
    home.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn after_the_home_has_stopped_nothing_appears_any_more() {
    let home = home(1.0).await;
    let hand = home.hand();
    home.stop().await;
    hand.unpack("W1-1").unwrap();
    assert!(!hand.connected("lamp_w1_1").unwrap());
}
