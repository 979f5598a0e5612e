//! The broker that comes and goes, other brokers and older clients; what is refused.

use std::time::Duration;

use vestibule_sim::{Broker, DEVICES, HomeConfig, SimError, SimHome};

use crate::observer::{Observer, PATIENCE, Seen, home, until};

#[tokio::test(flavor = "multi_thread")]
async fn the_broker_can_go_and_come_back() {
    let home = home(1.0).await;
    let hand = home.hand();
    hand.stop_broker().unwrap();
    until("devices notice", || DEVICES.iter().all(|id| !hand.connected(id).unwrap())).await;
    assert!(home.ready(Duration::from_millis(50)).await.is_err());
    hand.start_broker().unwrap();
    home.ready(PATIENCE).await.unwrap();
    let observer = Observer::connect(&home, "observer", "#").await;
    observer.wait(0, "home/thermostat/availability", "online").await;
    home.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_home_on_another_broker_and_a_clean_end() {
    let host = home(1.0).await;
    let addr = host.broker_addr();
    let observer = Observer::connect(&host, "observer", "#").await;
    let external = |port| Broker::External {
        host: "localhost".to_owned(),
        port,
        username: Some("somebody".to_owned()),
        password: Some("anything".to_owned()),
    };
    // Client ids are the devices': two homes on one broker would take them from each other.
    for id in DEVICES {
        host.hand().cut_power(id).unwrap();
    }
    until("the host is dark", || DEVICES.iter().all(|id| !host.hand().connected(id).unwrap())).await;
    let config =
        HomeConfig { broker: external(addr.port()), discovery_prefix: "elsewhere".to_owned(), ..HomeConfig::default() };
    let guest = SimHome::start(config).await.unwrap();
    let document = |s: &Seen| s.topic.starts_with("elsewhere/device/front_door").then_some(());
    observer.wait_from(0, "the guest's document", document).await;
    assert!(matches!(guest.hand().stop_broker(), Err(SimError::NotOurBroker)));
    guest.ready(PATIENCE).await.unwrap();
    let mark = observer.mark();
    guest.stop().await;
    for id in DEVICES {
        let topic = format!("home/{id}/availability");
        let offline = |s: &Seen| {
            let says = String::from_utf8_lossy(&s.payload).contains("offline");
            (s.topic == topic && says).then_some(())
        };
        observer.wait_from(mark, &topic, offline).await;
    }
    host.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn refuses_what_cannot_be() {
    for time_scale in [0.0, -1.0, f64::NAN, f64::INFINITY] {
        let config = HomeConfig { time_scale, ..HomeConfig::default() };
        assert!(matches!(SimHome::start(config).await, Err(SimError::TimeScale(_))));
    }
    let one = home(1.0).await;
    let config = HomeConfig { broker: Broker::Embedded { listen: one.broker_addr() }, ..HomeConfig::default() };
    assert!(matches!(SimHome::start(config).await, Err(SimError::Listen { .. })));
    let config = HomeConfig { broker: "mqtt://nowhere.invalid".parse().unwrap(), ..HomeConfig::default() };
    assert!(matches!(SimHome::start(config).await, Err(SimError::Resolve { .. })));
    one.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn older_clients_are_served_on_the_same_port() {
    let home = home(1.0).await;
    let addr = home.broker_addr();
    let options = rumqttc::MqttOptions::new("older", addr.ip().to_string(), addr.port());
    let (client, mut eventloop) = rumqttc::AsyncClient::new(options, 8);
    let availability = "home/thermostat/availability";
    client.subscribe(availability, rumqttc::QoS::AtLeastOnce).await.unwrap();
    let hears = async {
        loop {
            let event = eventloop.poll().await.unwrap();
            if let rumqttc::Event::Incoming(rumqttc::Packet::Publish(publish)) = event {
                return publish;
            }
        }
    };
    let publish = tokio::time::timeout(PATIENCE, hears).await.unwrap();
    assert_eq!((publish.topic.as_str(), &publish.payload[..]), (availability, &b"online"[..]));
    assert!(publish.retain);
    home.stop().await;
}
