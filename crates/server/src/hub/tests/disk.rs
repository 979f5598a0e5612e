//! Disks that are full, lie, or lose their process.

use rand::{Rng, SeedableRng, rngs::StdRng};

use super::*;

#[tokio::test]
async fn a_full_disk_is_said_and_survived() {
    let house = House::new().await;
    let mut system = house.with_lamp().await;
    let mut owner = house.watching().await;
    let first = command(1, "turn_on", START);
    owner.actuate(&first).await;
    assert_eq!(system.execution().await.command, first.id);
    house.log.set_full(true);
    let lines = house.log.lines().len();
    let refusal = owner.refused(Request::Actuate(command(2, "turn_off", START))).await;
    assert_eq!(refusal.code, RefusalCode::Storage);
    assert!(refusal.message.contains("make room"), "{refusal}");
    assert!(house.hub.status().await.storage.is_some());
    // Reading and what things say go on.
    assert!(matches!(owner.ask(Request::DescribeTwin(lamp())).await, Response::Twins(_)));
    system.say(report("on", Value::Bool(true), 2)).await;
    let live = house.light(&mut owner, Truth::Live).await;
    assert_eq!(live.value, Some(Value::Bool(true)));
    assert_eq!(house.log.lines().len(), lines);
    house.log.set_full(false);
    house.clock.advance(2_000);
    assert_eq!(owner.command_status(first.id).await, CommandStatus::Confirmed, "its end is written once there is room");
    assert_eq!(owner.actuate(&command(2, "turn_off", START)).await, CommandStatus::Dispatched);
    assert_eq!(house.hub.status().await.storage, None);
    assert_eq!(system.execution().await.command, CommandId([2; 16]), "what was refused was not executed before");
}

#[tokio::test]
async fn a_disk_that_lies_is_found_out() {
    let house = House::new().await;
    let mut system = house.with_lamp().await;
    let owner = house.owner().await;
    house.log.lie_once();
    let order = command(1, "turn_on", START);
    assert_eq!(owner.refused(Request::Actuate(order.clone())).await.code, RefusalCode::Storage);
    let second = command(2, "turn_off", START);
    assert_eq!(owner.actuate(&second).await, CommandStatus::Dispatched);
    assert_eq!(system.execution().await.command, second.id, "at most once: the other one's chance was lost");
    assert_eq!(owner.actuate(&order).await, CommandStatus::Dispatched, "it is in the log");
    assert_eq!(house.hub.status().await.head.sequence, house.log.lines().len() as u64);
}

/// Whatever was acknowledged is there after a kill, and what is there folds to the same.
#[tokio::test]
async fn nothing_acknowledged_is_lost_at_any_kill() {
    for seed in 0..20 {
        let mut rng = StdRng::seed_from_u64(seed);
        let house = House::new().await;
        let mut acknowledged = Vec::new();
        let mut system = house.with_lamp().await;
        let owner = house.owner().await;
        let kill_after = rng.random_range(1..30);
        for number in 0..kill_after {
            match rng.random_range(0..4) {
                0 => house.log.set_full(rng.random()),
                1 => house.log.lie_once(),
                _ => {}
            }
            let action = if rng.random() { "turn_on" } else { "turn_off" };
            if let Response::Command(update) = owner.ask(Request::Actuate(command(number, action, START))).await {
                acknowledged.push(update.command);
            }
        }
        // Killed: what is in memory is gone, what was written stays.
        let left = (house.log.lines(), house.log.kept_names());
        drop(house);
        let mut executed = Vec::new();
        while let Ok(Outgoing::Event(event)) = system.outgoing.try_recv() {
            if let Event::Dii(DiiDown::Execute(execution)) = *event {
                executed.push(execution.command);
            }
        }
        let house = House::start(Arc::new(MemoryLog::of(left.0, left.1))).await;
        let mut system = house.with_lamp().await;
        let owner = house.owner().await;
        for id in acknowledged {
            let number = id.0[0];
            let statuses = ["turn_on", "turn_off"].map(|action| command(number, action, START));
            let mut known = 0;
            for command in statuses {
                known += u32::from(matches!(owner.ask(Request::Actuate(command)).await, Response::Command(_)));
            }
            assert_eq!(known, 1, "seed {seed}: {id} was acknowledged");
        }
        while let Ok(Outgoing::Event(event)) = system.outgoing.try_recv() {
            if let Event::Dii(DiiDown::Execute(execution)) = *event {
                assert!(!executed.contains(&execution.command), "seed {seed}: executed again after a kill");
            }
        }
    }
}

#[tokio::test]
async fn a_folder_is_read_again_and_has_one_holder() {
    let dir = tempfile::tempdir().unwrap();
    let config = || HubConfig::new(dir.path().join("data"), "test");
    let hub = Hub::start(config()).await.unwrap();
    let error = Hub::start(config()).await.map(|_| ()).unwrap_err();
    assert!(error.to_string().contains("in use by another enabler"), "{error}");
    hub.enroll(OWNER, UserId::slug("owner"), vec![RoleId::slug("owner")]).await.unwrap();
    let head = hub.status().await.head;
    hub.shutdown().await;
    let hub = Hub::start(config()).await.unwrap();
    let status = hub.status().await;
    assert_eq!((status.head, status.devices), (head, 1));
    hub.enroll(OWNER, UserId::slug("owner"), vec![RoleId::slug("owner")]).await.unwrap();
    assert_eq!(hub.status().await.head, head, "what is so already is not written again");
    hub.shutdown().await;
    let file = dir.path().join("data").join(LOG_FILE);
    let mut bytes = std::fs::read(&file).unwrap();
    let at = bytes.windows(10).position(|window| window == b"guests-see").unwrap();
    bytes[at] = b'G';
    std::fs::write(&file, bytes).unwrap();
    let error = Hub::start(config()).await.map(|_| ()).unwrap_err();
    assert!(error.to_string().contains("line 2 of the log was changed"), "{error}");
}
