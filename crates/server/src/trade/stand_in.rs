//! A bound merchant that does not register itself is registered by whoever speaks to it: P1.1 to P1.10 in its place.

use std::{sync::Arc, time::Duration};

use tokio::{
    sync::mpsc,
    time::{MissedTickBehavior, interval, sleep},
};
use vestibule_adapter_ucp::UcpTrade;
use vestibule_model::{RefusalCode, SystemId, SystemInfo};
use vestibule_protocol::{AuthorizationAnswer, Event, Request, Response, SiiDown, SiiUp};

use crate::{HubHandle, Outgoing, Peer, SessionHandle};

/// Merchants that are systems of their own have so long to say so first.
const FIRST: Duration = Duration::from_secs(5);
/// Before it is tried again: somebody else is it, the hub was busy, or the session ended.
const AGAIN: Duration = Duration::from_secs(60);

/// Between two looks at a merchant of which it is not known yet what it offers. Its profile is asked for less often where
/// it stays away.
const LOOK: Duration = Duration::from_secs(10);

/// Stands in for a merchant until this is dropped.
pub(super) async fn stand_in(hub: HubHandle, trade: Arc<UcpTrade>, system: SystemId) {
    sleep(FIRST).await;
    loop {
        if let Some(why) = once(&hub, &trade, &system).await {
            tracing::debug!(%system, why, "nobody stands in for this merchant");
        }
        sleep(AGAIN).await;
    }
}

/// Returns when the session has ended, or why there was none.
async fn once(hub: &HubHandle, trade: &UcpTrade, system: &SystemId) -> Option<String> {
    let (info, known) = trade.describe(system).await?;
    let (session, outgoing) = match hub.open(Peer::LocalThirdParty(system.clone())).await {
        Ok(opened) => opened,
        Err(error) => return Some(error.to_string()),
    };
    match register(&session, info).await {
        // It has registered itself.
        Response::Refused(refusal) if refusal.code == RefusalCode::Conflict => return Some(refusal.to_string()),
        Response::Refused(refusal) => {
            tracing::warn!(%system, %refusal, "a bound merchant could not be registered");
            return Some(refusal.to_string());
        }
        _ => tracing::info!(%system, "a bound merchant is registered"),
    }
    tokio::select! {
        () = serve(&session, outgoing) => {}
        () = learn(&session, trade, system, known) => {}
    }
    None
}

async fn register(session: &SessionHandle, info: SystemInfo) -> Response {
    session.request(Request::Sii(SiiUp::Register(Box::new(info)))).await
}

/// What a merchant offers that was away at first is said when it is known; goes on for ever.
async fn learn(session: &SessionHandle, trade: &UcpTrade, system: &SystemId, mut known: bool) {
    let mut looks = interval(LOOK);
    looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    looks.tick().await;
    while !known {
        looks.tick().await;
        if let Some((info, true)) = trade.describe(system).await {
            let answer = register(session, info).await;
            known = !matches!(answer, Response::Refused(_));
        }
    }
    std::future::pending().await
}

/// A merchant of this protocol has no accounts: whoever the enabler lets buy may buy.
async fn serve(session: &SessionHandle, mut outgoing: mpsc::Receiver<Outgoing>) {
    while let Some(news) = outgoing.recv().await {
        match news {
            Outgoing::Event(event) => {
                let Event::Sii(SiiDown::Authorize { inquiry, services, until, .. }) = *event else { continue };
                let answer = AuthorizationAnswer::Granted { services, until, account: None };
                session.request(Request::Sii(SiiUp::Authorized { inquiry, answer })).await;
            }
            Outgoing::Datagram(_) => {}
            Outgoing::Close(_) => return,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeSet, pin::Pin};

    use bytes::Bytes;
    use vestibule_adapter_ucp::{Contents, Merchant, Platform, UcpConfig};
    use vestibule_enabler_core::THIRD_PARTY_ROLE;
    use vestibule_model::{ContentHash, RoleId, ServiceId, Sharing, SystemKind, UserId};
    use vestibule_protocol::{Hello, Party, protocol_hash};
    use vestibule_ucp::{Endpoint, SigningKey};

    use super::*;
    use crate::{Hub, HubConfig};

    struct Nothing;

    impl Contents for Nothing {
        fn get(&self, _: ContentHash) -> Pin<Box<dyn Future<Output = Option<Bytes>> + Send + '_>> {
            Box::pin(async { None })
        }
    }

    /// A merchant that is away: what it offers is not known yet, and is all that there is.
    fn trade() -> Arc<UcpTrade> {
        let key = SigningKey::from_bytes("platform", &[7; 32]).unwrap();
        let platform = Platform::new(&Endpoint::new("http://127.0.0.1:7800").unwrap(), key).unwrap();
        let profile = Endpoint::new("http://127.0.0.1:9/.well-known/ucp").unwrap();
        let merchants = vec![Merchant { system: shop(), profile }];
        let config = UcpConfig { merchants, platform, roots: Vec::new(), pins: None, patience: UcpConfig::PATIENCE };
        Arc::new(UcpTrade::spawn(config, Arc::new(Nothing), mpsc::channel(1).0).unwrap())
    }

    fn shop() -> SystemId {
        SystemId::slug("shop")
    }

    #[tokio::test]
    async fn a_merchant_that_says_nothing_is_registered_and_lets_people_in() {
        let hub = Hub::start(HubConfig::in_memory("test")).await.unwrap();
        let standing = tokio::spawn({
            let (hub, trade) = (hub.clone(), trade());
            async move { once(&hub, &trade, &shop()).await }
        });
        let registered = async {
            while hub.status().await.systems_online == 0 {
                sleep(Duration::from_millis(5)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(30), registered).await.unwrap();
        let (person, _events) = hub.open(Peer::Console).await.unwrap();
        let services: BTreeSet<ServiceId> = [ServiceId::slug("checkout")].into();
        let until = crate::Clock::system().now().plus(60_000);
        let ask = Request::Authorize { system: shop(), services: services.clone(), share: Sharing::default(), until };
        match person.request(ask).await {
            Response::Authorized(agreed) => assert_eq!((agreed.services, agreed.account), (services, None)),
            other => panic!("{other:?}"),
        }
        assert!(!standing.is_finished());
        hub.shutdown().await;
        assert_eq!(standing.await.unwrap(), None);
    }

    #[tokio::test]
    async fn a_merchant_that_registers_itself_is_itself() {
        let hub = Hub::start(HubConfig::in_memory("test")).await.unwrap();
        let role = RoleId::slug(THIRD_PARTY_ROLE);
        hub.enroll([7; 32], UserId::slug("shop"), vec![role]).await.unwrap();
        let (merchant, _events) = hub.open(Peer::Certificate([7; 32])).await.unwrap();
        let hello = Hello { protocol: protocol_hash(), party: Party::ThirdParty, software: "test".to_owned() };
        merchant.request(Request::Hello(hello)).await;
        let info = SystemInfo::new(shop(), SystemKind::ThirdParty, "A shop");
        let registered = merchant.request(Request::Sii(SiiUp::Register(Box::new(info)))).await;
        assert_eq!(registered, Response::Done);
        let why = once(&hub, &trade(), &shop()).await.unwrap();
        assert!(why.contains("registered as shop before"), "{why}");
        assert_eq!(hub.status().await.systems, 1);
        hub.shutdown().await;
    }
}
