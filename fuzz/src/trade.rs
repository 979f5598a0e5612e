//! Hostile bytes of merchants, platforms and cookbooks; see `targets.rs`.

use serde::{Serialize, de::DeserializeOwned};
use vestibule_kitchen::{Dish, DishId, KitchenRules, Limits, Table, plan};
use vestibule_model::Timestamp;
use vestibule_ucp::{
    Certificate, Check, Checkout, CheckoutComplete, CheckoutCreate, CheckoutUpdate, Endpoint, Envelope,
    FabricationQuote, FabricationQuoteRequest, Newer, Order, OrderIds, Parts, Profile, SearchAnswer, SearchRequest,
    Side, Signed, SigningKey, negotiate, newer, read, read_agent, read_answer, sign_request, verify_request,
    verify_response, write,
};

use crate::targets::{NOW, messages};

/// A message of the Universal Commerce Protocol, taken for each kind that there is.
pub fn ucp(bytes: &[u8]) {
    again::<CheckoutCreate>(bytes);
    again::<CheckoutUpdate>(bytes);
    again::<CheckoutComplete>(bytes);
    again::<FabricationQuoteRequest>(bytes);
    again::<FabricationQuote>(bytes);
    again::<SearchRequest>(bytes);
    again::<SearchAnswer>(bytes);
    if let Some(checkout) = again::<Checkout>(bytes)
        && checkout.may_complete().is_ok()
    {
        assert!(checkout.totals.check_sum().is_ok(), "nothing is completed whose sum is wrong");
    }
    if let Some(order) = again::<Order>(bytes) {
        assert_eq!(newer(&OrderIds::of(&order), &order), Newer::Same);
    }
    let _ = read_answer::<Checkout>(bytes);
    let sides = (Profile::read(bytes, Side::Business), Profile::read(bytes, Side::Platform));
    if let (Ok((business, _)), Ok((platform, _))) = sides
        && let Ok(active) = negotiate(&business, &platform)
    {
        assert!(active.capabilities.keys().all(|name| active.has(name.as_str())));
    }
}

/// What was read is written and read as the same.
fn again<T: Serialize + DeserializeOwned + Check>(bytes: &[u8]) -> Option<T> {
    let message: T = read(bytes).ok()?;
    let first = write(&message).expect("what was read is written");
    let read: T = read(&first).expect("what was written is read");
    assert_eq!(write(&read).expect("it is written again"), first);
    Some(message)
}

/// What is around messages: headers with signatures, one's profile, a webhook's envelope, certificates, addresses.
pub fn signed(bytes: &[u8]) {
    let key = SigningKey::from_bytes("merchant-1", &[7; 32]).expect("a key");
    let texts: Vec<String> =
        messages(bytes).take(8).map(|(_, text)| String::from_utf8_lossy(text).into_owned()).collect();
    let [agent, input, signature, digest, path, body, id, certificate] =
        std::array::from_fn(|at| texts.get(at).map_or("", String::as_str));
    let headers = [
        ("ucp-agent", agent),
        ("signature-input", input),
        ("signature", signature),
        ("content-digest", digest),
        ("content-type", "application/json"),
        ("webhook-id", id),
        ("webhook-timestamp", "1700000000"),
    ];
    let parts = Parts {
        subject: "POST".into(),
        authority: "127.0.0.1:7801",
        path,
        headers: &headers,
        body: body.as_bytes(),
        ..Parts::default()
    };
    let keys = [key.jwk()];
    let _ = (verify_request(&parts, &keys, &[], NOW), verify_response(&parts, &keys, NOW), read_agent(agent));
    let _ = (Envelope::read(&parts, NOW), Certificate::peek(certificate));
    if let Ok(endpoint) = Endpoint::new(agent) {
        assert_eq!(Endpoint::new(endpoint.as_str()), Ok(endpoint));
    }
    assert!(Certificate::read(certificate, &[]).is_err(), "nobody vouches for it");
    signs(&Parts { headers: &headers[4..5], ..parts }, &key);
}

/// Whatever we sign is verified by who gets it, and not once a byte of it is another.
fn signs(parts: &Parts<'_>, key: &SigningKey) {
    let Ok(signed) = sign_request(parts, key, NOW) else { return };
    let verify = |body: &[u8], signed: &Signed| {
        let mut headers = parts.headers.to_vec();
        for (name, value) in signed.headers() {
            headers.push((name, value));
        }
        verify_request(&Parts { headers: &headers, body, ..*parts }, &[key.jwk()], &[], NOW)
    };
    assert_eq!(verify(parts.body, &signed).expect("our own"), "merchant-1");
    if !parts.body.is_empty() {
        assert!(verify(&parts.body[1..], &signed).is_err());
    }
}

/// A page or a file with recipes, and a meal of what is in it.
pub fn recipe(bytes: &[u8]) {
    let (text, table) = (String::from_utf8_lossy(bytes), Table::shipped());
    let Ok(found) = vestibule_kitchen::read(&text, &Limits::default(), table) else { return };
    let dishes: Vec<_> = (found.recipes.iter().zip(0..))
        .take(8)
        .map(|(recipe, at)| Dish::of(DishId(at), recipe, 4, Timestamp(NOW.0 + 3_600_000)))
        .collect();
    let plan = plan(&dishes, &[], &[], &KitchenRules::default(), table, NOW);
    for why in plan.orders() {
        let needed: i64 = why.needed.iter().map(|(_, amount)| amount.number()).sum();
        assert_eq!(why.order.number(), needed, "nothing is there, so all of {} is ordered", why.ingredient);
    }
}
