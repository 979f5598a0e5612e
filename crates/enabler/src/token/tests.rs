//! Tokens against forgers: what is read is what the signatures cover, and it only ever becomes less.

use biscuit_auth::{Algorithm, AuthorizerBuilder, AuthorizerLimits, Biscuit, BlockBuilder, KeyPair, PublicKey};
use proptest::prelude::*;
use std::time::Duration;
use vestibule_model::{ActionId, Fingerprint, SystemId, TokenKey, TwinSelector};

use super::*;

const NOW: Timestamp = Timestamp(1_700_000_000_000);
const HOUR: u64 = 3_600_000;

fn root() -> RootKey {
    RootKey::new([7; 32]).unwrap()
}

fn key() -> Option<TokenKey> {
    Some(root().public().unwrap())
}

fn ada() -> UserId {
    UserId::slug("ada")
}

fn door() -> TwinId {
    TwinId::new("home/door").unwrap()
}

fn ending() -> Limits {
    Limits { until: Some(NOW.plus(HOUR)), ..Limits::default() }
}

fn signed(limits: Limits) -> String {
    mint(&root(), [1; 32], &ada(), NOW, &Delegation { guest: "postman".to_owned(), limits }).unwrap()
}

fn unlock_only() -> Limits {
    Limits {
        twins: Some(vec![TwinSelector::Twin(door())]),
        features: Some(vec![FeatureId::slug("lock")]),
        actions: Some(vec![ActionId::slug("unlock")]),
        priority: Some(3),
        ..Limits::default()
    }
}

#[test]
fn this_guest_this_door_unlock_only_until_six_priority_at_most_three() {
    let token = signed(ending());
    let narrow = attenuate(&token, [2; 32], &Limits { until: Some(NOW.plus(1_000)), ..unlock_only() }).unwrap();
    let grant = read(&narrow, key()).unwrap();
    assert_eq!((grant.by.as_str(), grant.bearer().as_str(), grant.issued), ("ada", "ada:postman", NOW));
    assert_eq!(grant.limits.priority, Some(3));
    assert_eq!(grant.limits.until, Some(NOW.plus(1_000)));
    assert_eq!(grant.ids.len(), 2);
    assert_eq!(grant.ids[0], read(&token, key()).unwrap().ids[0], "what revokes the whole revokes its part");
    let (lock, camera, act) = (FeatureId::slug("lock"), FeatureId::slug("camera"), |a| Right::Act(ActionId::slug(a)));
    assert!(grant.covers(&door(), Some(&lock), &act("unlock")) && grant.covers(&door(), Some(&lock), &Right::Read));
    assert!(grant.covers(&door(), None, &Right::Read), "nobody finds a lock without its door");
    for (feature, right) in [
        (Some(&lock), act("lock")),
        (Some(&camera), Right::Read),
        (Some(&camera), act("unlock")),
        (Some(&lock), Right::ActAny),
        (None, Right::Manage),
        (Some(&lock), Right::Manage),
    ] {
        assert!(!grant.covers(&door(), feature, &right), "{feature:?} {right:?}");
    }
    assert!(!grant.covers(&TwinId::new("home/safe").unwrap(), Some(&lock), &act("unlock")));
    assert_eq!(inspect(&narrow).unwrap(), grant, "anybody can look");
}

#[test]
fn tokens_of_others_and_changed_ones_are_forged() {
    let token = signed(unlock_only().and(&ending()));
    let other = RootKey::new([8; 32]).unwrap();
    let theirs =
        mint(&other, [1; 32], &ada(), NOW, &Delegation { guest: "postman".to_owned(), limits: ending() }).unwrap();
    assert_eq!(read(&theirs, key()), Err(TokenError::Forged), "another enabler's");
    assert_eq!(read(&token, None), Err(TokenError::Forged), "no key, no tokens");
    assert_eq!(read("", key()), Err(TokenError::Forged));
    assert_eq!(read(&"A".repeat(MOST_CHARACTERS + 1), key()), Err(TokenError::TooLong));
    // Whoever has the narrow one does not get back the wide one.
    let narrow = attenuate(&signed(ending()), [2; 32], &unlock_only()).unwrap();
    let container = Biscuit::from_base64(&narrow, public()).unwrap();
    let mut cut = container.container().clone();
    cut.blocks.clear();
    let cut = base64(&cut.to_vec().unwrap());
    assert_eq!(read(&cut, key()), Err(TokenError::Forged));
}

fn public() -> PublicKey {
    PublicKey::from_bytes(&key().unwrap().0, Algorithm::Ed25519).unwrap()
}

/// URL-safe, as biscuits are written.
fn base64(bytes: &[u8]) -> String {
    const LETTERS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let mut text = String::new();
    for chunk in bytes.chunks(3) {
        let group = chunk.iter().fold(0_u32, |all, byte| all << 8 | u32::from(*byte)) << (8 * (3 - chunk.len()));
        for place in 0..4 {
            let letter = LETTERS[(group >> (18 - 6 * place)) as usize & 63];
            text.push(if place <= chunk.len() { char::from(letter) } else { '=' });
        }
    }
    text
}

/// A token as `code` narrows it.
fn with_block(code: &str) -> String {
    let block = BlockBuilder::new().code(code).unwrap();
    let token = Biscuit::from_base64(signed(ending()), public()).unwrap();
    let pair = KeyPair::new_with_algorithm(Algorithm::Ed25519);
    token.append_with_keypair(&pair, block).unwrap().to_base64().unwrap()
}

#[test]
fn what_is_not_understood_is_not_allowed() {
    for code in [
        r#"twin("home/safe");"#,
        r#"delegator("eve");"#,
        r#"right("home/safe") <- delegator("ada");"#,
        r#"check if true;"#,
        r#"check if feature("lock");"#,
        r#"check if action("unlock");"#,
        r#"check if twin("home/door") or action("unlock");"#,
        r#"check if twin($x), $x.starts_with("home/");"#,
        r#"check if priority($p), $p <= 300;"#,
        r#"check if priority($priority), $priority <= 300;"#,
        r#"check if time($time), $time > 2020-01-01T00:00:00Z;"#,
        r#"check all twin("home/door");"#,
        r#"reject if twin("home/door");"#,
        r#"check if twin("home/door") trusting previous;"#,
        r#"check if device("zz");"#,
    ] {
        let read = read(&with_block(code), key());
        assert!(matches!(read, Err(TokenError::Strange(_))), "{code}: {read:?}");
    }
    assert!(read(&with_block(r#"check if time($time), $time <= 2023-11-14T22:13:20Z;"#), key()).is_ok());
    let pair = KeyPair::new_with_algorithm(Algorithm::Ed25519);
    let token = Biscuit::from_base64(signed(ending()), public()).unwrap();
    let request = token.third_party_request().unwrap();
    let foreign = BlockBuilder::new().code(r#"check if twin("home/door");"#).unwrap();
    let block = request.create_block(&pair.private(), foreign).unwrap();
    let foreign = token.append_third_party(pair.public(), block).unwrap().to_base64().unwrap();
    assert!(matches!(read(&foreign, key()), Err(TokenError::Strange(_))), "blocks that others sign");
    // Signed with the right key, but not made by `mint`.
    let endless = Biscuit::builder().code(r#"delegator("ada"); guest("x"); issued(1);"#).unwrap();
    let endless = endless.build(&KeyPair::from(&private())).unwrap().to_base64().unwrap();
    assert!(matches!(read(&endless, key()), Err(TokenError::Strange(_))), "a token has an end");
}

fn private() -> biscuit_auth::PrivateKey {
    biscuit_auth::PrivateKey::from_bytes(&[7; 32], Algorithm::Ed25519).unwrap()
}

#[test]
fn long_ones_are_refused_before_their_signatures_are_checked() {
    let mut token = signed(ending());
    for round in 1..MOST_BLOCKS {
        token =
            attenuate(&token, [u8::try_from(round).unwrap(); 32], &Limits { priority: Some(9), ..Limits::default() })
                .unwrap();
    }
    assert!(read(&token, key()).is_ok());
    let more = Limits { priority: Some(1), ..Limits::default() };
    assert_eq!(attenuate(&token, [99; 32], &more), Err(TokenError::TooLong));
    assert!(matches!(attenuate(&token, [99; 32], &Limits::default()), Err(TokenError::TooLong)));
    let nothing = attenuate(&signed(ending()), [99; 32], &Limits::default());
    assert!(matches!(nothing, Err(TokenError::Unsound(_))), "a narrowing that narrows nothing is a mistake");
    let many = Limits { features: Some((0..33).map(|n| FeatureId::slug(&n.to_string())).collect()), ..ending() };
    let delegation = Delegation { guest: "x".to_owned(), limits: many };
    assert!(matches!(mint(&root(), [1; 32], &ada(), NOW, &delegation), Err(TokenError::Unsound(_))));
    for guest in ["", "a:b", "a b", "quote\"", &"x".repeat(64)] {
        let delegation = Delegation { guest: guest.to_owned(), limits: ending() };
        assert!(mint(&root(), [1; 32], &ada(), NOW, &delegation).is_err(), "{guest}");
    }
}

fn selector() -> impl Strategy<Value = TwinSelector> {
    prop_oneof![
        Just(TwinSelector::All),
        prop_oneof![Just("home"), Just("shop")].prop_map(|system| TwinSelector::System(SystemId::slug(system))),
        twin().prop_map(TwinSelector::Twin),
    ]
}

fn twin() -> impl Strategy<Value = TwinId> {
    prop_oneof![Just("home/door"), Just("home/safe"), Just("shop/till")].prop_map(|id| TwinId::new(id).unwrap())
}

fn feature() -> impl Strategy<Value = FeatureId> {
    prop_oneof![Just("lock"), Just("camera")].prop_map(FeatureId::slug)
}

fn action() -> impl Strategy<Value = ActionId> {
    prop_oneof![Just("unlock"), Just("lock"), Just("look")].prop_map(ActionId::slug)
}

fn limits() -> impl Strategy<Value = Limits> {
    (
        proptest::option::of(proptest::collection::vec(selector(), 0..3)),
        proptest::option::of(proptest::collection::vec(feature(), 0..3)),
        proptest::option::of(proptest::collection::vec(action(), 0..3)),
        proptest::option::of(0..10_u64),
        proptest::option::of(0..5_u8),
        proptest::option::of(0..2_u8),
    )
        .prop_map(|(twins, features, actions, until, priority, device)| Limits {
            twins,
            features,
            actions,
            until: until.map(|hours| NOW.plus(hours * HOUR)),
            priority,
            device: device.map(|byte| Fingerprint([byte; 32])),
        })
}

#[derive(Clone, Debug)]
struct Asked {
    twin: TwinId,
    feature: Option<FeatureId>,
    action: Option<ActionId>,
    hours: u64,
    priority: u8,
    device: u8,
}

fn asked() -> impl Strategy<Value = Asked> {
    let who = (0..12_u64, 0..6_u8, 0..2_u8);
    (twin(), proptest::option::of(feature()), proptest::option::of(action()), who).prop_map(
        |(twin, feature, action, (hours, priority, device))| Asked { twin, feature, action, hours, priority, device },
    )
}

/// Ours.
fn ours(grant: &Grant, asked: &Asked) -> bool {
    let right = asked.action.clone().map_or(Right::Read, Right::Act);
    grant.covers(&asked.twin, asked.feature.as_ref(), &right)
        && grant.limits.until.is_none_or(|until| NOW.plus(asked.hours * HOUR) < until)
        && grant.limits.priority.is_none_or(|most| asked.priority <= most)
        && grant.limits.device.is_none_or(|device| device == Fingerprint([asked.device; 32]))
}

/// The same question to the datalog of the biscuit specification.
fn theirs(token: &str, asked: &Asked) -> bool {
    let feature = asked.feature.as_ref().map_or("whole(true);".to_owned(), |f| format!("feature(\"{f}\");"));
    let action = asked.action.as_ref().map_or("reading(true);".to_owned(), |a| format!("action(\"{a}\");"));
    // To act on the twin as such is nothing that a feature's limit leaves.
    let feature = if asked.feature.is_none() && asked.action.is_some() { String::new() } else { feature };
    let facts = format!(
        "twin(\"{}\"); system(\"{}\"); {feature} {action} time({}); priority({}); device(\"{}\"); allow if true;",
        asked.twin,
        asked.twin.system(),
        NOW.plus(asked.hours * HOUR).to_utc().replace(".000Z", "Z"),
        asked.priority,
        Fingerprint([asked.device; 32]),
    );
    let limits = AuthorizerLimits { max_facts: 100, max_iterations: 10, max_time: Duration::from_secs(5) };
    let token = Biscuit::from_base64(token, public()).unwrap();
    let builder = AuthorizerBuilder::new().code(facts).unwrap().set_limits(limits);
    builder.build(&token).unwrap().authorize().is_ok()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Whatever is added, by whomever: never more than before, and exactly what any other biscuit library says.
    #[test]
    fn narrowing_only_narrows(first in limits(), more in proptest::collection::vec(limits(), 0..4),
                              asks in proptest::collection::vec(asked(), 8)) {
        let first = Limits { until: Some(first.until.unwrap_or(NOW.plus(5 * HOUR))), ..first };
        let mut token = signed(first);
        let mut before = read(&token, key()).unwrap();
        for (round, limits) in (2_u8..).zip(&more) {
            let Ok(next) = attenuate(&token, [round; 32], limits) else { continue };
            let grant = read(&next, key()).unwrap();
            for asked in &asks {
                prop_assert!(!ours(&grant, asked) || ours(&before, asked), "{asked:?} {limits:?}");
                prop_assert_eq!(ours(&grant, asked), theirs(&next, asked), "{:?} {}", asked, next);
            }
            prop_assert!(grant.ids.starts_with(&before.ids));
            (token, before) = (next, grant);
        }
        for asked in &asks {
            prop_assert_eq!(ours(&before, asked), theirs(&token, asked), "{:?}", asked);
        }
    }

    #[test]
    fn a_changed_byte_is_seen(place in any::<prop::sample::Index>(), flip in 1_u8..255) {
        let token = attenuate(&signed(ending()), [2; 32], &unlock_only()).unwrap();
        let mut bytes = Biscuit::from_base64(&token, public()).unwrap().to_vec().unwrap();
        let place = place.index(bytes.len());
        bytes[place] ^= flip;
        let before = read(&token, key()).unwrap();
        if let Ok(after) = read(&base64(&bytes), key()) {
            // The proof's key of a token that nobody narrows any further is no part of what it says.
            prop_assert_eq!(after, before);
        }
    }

    #[test]
    fn garbage_is_no_token(bytes in proptest::collection::vec(any::<u8>(), 0..400), text in ".{0,200}") {
        prop_assert!(read(&base64(&bytes), key()).is_err());
        prop_assert!(read(&text, key()).is_err());
        let _ = inspect(&text);
        let _ = attenuate(&base64(&bytes), [3; 32], &unlock_only());
    }
}
