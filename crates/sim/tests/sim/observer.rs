//! What the tests look through: a client that remembers, and patience.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use rumqttc::v5::mqttbytes::QoS;
use rumqttc::v5::mqttbytes::v5::Packet;
use rumqttc::v5::{AsyncClient, Event, MqttOptions};
use vestibule_sim::{HomeConfig, SimHome};

/// Longest wait for anything, in real time: generous, since machines are shared.
pub const PATIENCE: Duration = Duration::from_secs(20);

#[derive(Clone, Debug)]
pub struct Seen {
    pub at: Instant,
    pub topic: String,
    pub payload: Vec<u8>,
    pub retained: bool,
}

/// A client that remembers everything it is told.
pub struct Observer {
    client: AsyncClient,
    seen: Arc<Mutex<Vec<Seen>>>,
    task: tokio::task::JoinHandle<()>,
}

impl Drop for Observer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Observer {
    pub async fn connect(home: &SimHome, name: &str, filter: &str) -> Observer {
        let addr = home.broker_addr();
        let mut options = MqttOptions::new(name, addr.ip().to_string(), addr.port());
        options.set_keep_alive(Duration::from_secs(30));
        options.set_max_packet_size(Some(1024 * 1024));
        let (client, mut eventloop) = AsyncClient::new(options, 64);
        client.subscribe(filter, QoS::AtMostOnce).await.unwrap();
        let seen = Arc::new(Mutex::new(Vec::new()));
        let tell = Arc::clone(&seen);
        let (ready, is_ready) = tokio::sync::oneshot::channel();
        let task = tokio::spawn(async move {
            let mut ready = Some(ready);
            while let Ok(event) = eventloop.poll().await {
                match event {
                    Event::Incoming(Packet::SubAck(_)) => {
                        if let Some(ready) = ready.take() {
                            let _ = ready.send(());
                        }
                    }
                    Event::Incoming(Packet::Publish(p)) => tell.lock().unwrap().push(Seen {
                        at: Instant::now(),
                        topic: String::from_utf8(p.topic.to_vec()).unwrap(),
                        payload: p.payload.to_vec(),
                        retained: p.retain,
                    }),
                    _ => {}
                }
            }
        });
        is_ready.await.unwrap();
        Observer { client, seen, task }
    }

    pub fn all(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }

    /// How much was seen so far: what comes later is news.
    pub fn mark(&self) -> usize {
        self.seen.lock().unwrap().len()
    }

    pub async fn wait_from<T>(&self, mark: usize, what: &str, find: impl Fn(&Seen) -> Option<T>) -> T {
        let started = Instant::now();
        loop {
            if let Some(found) = self.all()[mark..].iter().find_map(&find) {
                return found;
            }
            if started.elapsed() > PATIENCE {
                let last: Vec<_> = self.all()[mark..].iter().map(|s| s.topic.clone()).collect();
                panic!("never saw {what}; saw {last:?}");
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// Waits for this payload on this topic, and says when it came.
    pub async fn wait(&self, mark: usize, topic: &str, payload: &str) -> Seen {
        let what = format!("{payload} on {topic}");
        let hit = |s: &Seen| (s.topic == topic && s.payload == payload.as_bytes()).then(|| s.clone());
        self.wait_from(mark, &what, hit).await
    }

    pub async fn send(&self, topic: &str, payload: &str) {
        self.client.publish(topic, QoS::AtLeastOnce, false, payload.to_owned()).await.unwrap();
    }

    /// Values of a topic from a mark on.
    pub fn values(&self, mark: usize, topic: &str) -> Vec<String> {
        let all = self.all();
        let on = all[mark..].iter().filter(|s| s.topic == topic);
        on.map(|s| String::from_utf8_lossy(&s.payload).into_owned()).collect()
    }
}

pub async fn home(time_scale: f64) -> SimHome {
    let home = SimHome::start(HomeConfig { time_scale, ..HomeConfig::default() }).await.unwrap();
    home.ready(PATIENCE).await.unwrap();
    home
}

pub async fn until(what: &str, holds: impl Fn() -> bool) {
    let started = Instant::now();
    while !holds() {
        assert!(started.elapsed() < PATIENCE, "never came true: {what}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}
