//! What is found in a catalogue.

use serde_json::json;
use vestibule_ucp::{
    Availability, Id, InfoMessage, LookupAnswer, LookupRequest, Measure, Message, More, PageAnswer, Price, PriceRange,
    Product, SearchAnswer, SearchRequest, UcpMeta, UnitPrice, UnsignedAmount, Variant,
};

use super::{
    Broken,
    book::{Book, Goods, Piece},
    session::Shelf,
};

/// Products of a page, where nobody says how many.
const PAGE: usize = 20;

/// What is found by words: all of them stand in its title, its text or its tags.
///
/// # Errors
/// [`Broken`].
pub(crate) fn search(asked: &SearchRequest, book: &Book, shelf: &Shelf, ucp: UcpMeta) -> Result<SearchAnswer, Broken> {
    let words: Vec<String> =
        asked.query.as_deref().unwrap_or_default().split_whitespace().map(str::to_lowercase).collect();
    let found: Vec<&Goods> = book.products.iter().filter(|goods| words.iter().all(|word| has(goods, word))).collect();
    let page = asked.pagination.clone().unwrap_or_default();
    // What is no place in the list is its end: nothing follows.
    let from = page.cursor.as_deref().map_or(0, |cursor| cursor.parse().unwrap_or(usize::MAX)).min(found.len());
    let limit = page.limit.and_then(|limit| usize::try_from(limit).ok()).unwrap_or(PAGE);
    let limit = limit.clamp(1, vestibule_ucp::limits::MAX_PRODUCTS);
    let to = from.saturating_add(limit).min(found.len());
    let shown = found.get(from..to).unwrap_or_default();
    let products = shown.iter().map(|goods| product(goods, book, shelf)).collect::<Result<_, _>>()?;
    let has_next_page = to < found.len();
    let pagination = PageAnswer {
        cursor: has_next_page.then(|| to.to_string()),
        has_next_page,
        total_count: u64::try_from(found.len()).ok(),
    };
    Ok(SearchAnswer { ucp, products, pagination: Some(pagination), messages: None, more: More::new() })
}

/// Recipes in which all these words stand, as one JSON-LD document.
pub(crate) fn recipes(words: &str, book: &Book) -> serde_json::Value {
    let words: Vec<String> = words.split_whitespace().map(str::to_lowercase).collect();
    let is_meant = |text: &&String| {
        let text = text.to_lowercase();
        words.iter().all(|word| text.contains(word))
    };
    let found = book.recipes.iter().filter(is_meant).filter_map(|text| serde_json::from_str(text).ok());
    json!({"@context": "https://schema.org", "@graph": found.collect::<Vec<serde_json::Value>>()})
}

fn has(goods: &Goods, word: &str) -> bool {
    let texts = [&goods.id, &goods.title, &goods.text].into_iter().chain(&goods.tags);
    texts.chain(goods.items.iter().map(|piece| &piece.text)).any(|text| text.to_lowercase().contains(word))
}

/// What has these ids, of products or items. What there is none of is said.
///
/// # Errors
/// [`Broken`].
pub(crate) fn look_up(asked: &LookupRequest, book: &Book, shelf: &Shelf, ucp: UcpMeta) -> Result<LookupAnswer, Broken> {
    let mut found: Vec<&Goods> = Vec::new();
    let mut messages = Vec::new();
    for id in &asked.ids {
        let is = |goods: &&Goods| goods.id == id.as_str() || goods.items.iter().any(|piece| piece.id == id.as_str());
        match book.products.iter().find(is) {
            Some(goods) if found.iter().any(|known| known.id == goods.id) => {}
            Some(goods) => found.push(goods),
            None => messages.push(Message::Info(InfoMessage {
                content: format!("There is no {id}."),
                code: Some(vestibule_ucp::code::NOT_FOUND.to_owned()),
                path: None,
                content_type: None,
                more: More::new(),
            })),
        }
    }
    let products =
        found.into_iter().map(|goods| looked_up(&asked.ids, goods, book, shelf)).collect::<Result<_, _>>()?;
    Ok(SearchAnswer { ucp, products, pagination: None, messages: Some(messages), more: More::new() })
}

/// A product with those of its items that ids mean: an item's own, or the product's, for which its first item stands. Each
/// says which; no other may be in such an answer.
fn looked_up(ids: &[Id], goods: &Goods, book: &Book, shelf: &Shelf) -> Result<Product, Broken> {
    let mut product = product(goods, book, shelf)?;
    let mut is_first = true;
    product.variants.retain_mut(|variant| {
        let stands_for_all = std::mem::take(&mut is_first);
        let how = |id: &Id| {
            let is_whole = stands_for_all && id.as_str() == goods.id;
            if *id == variant.id { Some("exact") } else { is_whole.then_some("featured") }
        };
        let inputs: Vec<serde_json::Value> =
            ids.iter().filter_map(|id| Some(json!({"id": id, "match": how(id)?}))).collect();
        let is_meant = !inputs.is_empty();
        variant.more.insert("inputs".to_owned(), inputs.into());
        is_meant
    });
    Ok(product)
}

/// A product as it is told.
///
/// # Errors
/// [`Broken`].
pub(crate) fn product(goods: &Goods, book: &Book, shelf: &Shelf) -> Result<Product, Broken> {
    let variants = goods.items.iter().map(|piece| variant(piece, book, shelf)).collect::<Result<Vec<_>, Broken>>()?;
    let prices = || variants.iter().map(|one| one.price.amount);
    let price = |amount: Option<UnsignedAmount>| {
        let amount = amount.ok_or_else(|| Broken("a product without items".to_owned()))?;
        Ok::<_, Broken>(Price { amount, currency: book.currency })
    };
    Ok(Product {
        id: Id::new(goods.id.as_str())?,
        title: goods.title.clone(),
        description: Some(plain(&goods.text)),
        price_range: PriceRange { min: price(prices().min())?, max: price(prices().max())? },
        variants,
        more: More::new(),
    })
}

fn variant(piece: &Piece, book: &Book, shelf: &Shelf) -> Result<Variant, Broken> {
    let ware = shelf.get(&piece.id);
    let amount = ware.map_or(piece.price, |ware| ware.price);
    let in_stock = ware.is_some_and(|ware| ware.left > 0);
    let mut more = More::new();
    if let Some(model) = &piece.model {
        more.insert("media".to_owned(), serde_json::json!([{"type": "model_3d", "url": model}]));
    }
    let status = if in_stock { "in_stock" } else { "out_of_stock" };
    Ok(Variant {
        id: Id::new(piece.id.as_str())?,
        title: piece.title.clone(),
        description: Some(plain(&piece.text)),
        price: Price { amount: UnsignedAmount::new(amount)?, currency: book.currency },
        unit_price: unit_price(piece, amount, book)?,
        availability: Some(Availability {
            available: Some(in_stock),
            status: Some(status.to_owned()),
            more: More::new(),
        }),
        metadata: piece.measured.as_ref().map(super::book::Measured::metadata).transpose()?,
        more,
    })
}

fn unit_price(piece: &Piece, amount: i64, book: &Book) -> Result<Option<UnitPrice>, Broken> {
    let Some(pack) = &piece.pack else { return Ok(None) };
    // A kilogram and a litre are a thousand of what packs are often told in.
    let thousand = |unit: &str| if matches!(unit, "kg" | "l") { 1_000 } else { 1 };
    let measure = u64::from(pack.value) * thousand(&pack.unit);
    let reference = u64::from(pack.reference) * thousand(&pack.reference_unit);
    let measure = measure.try_into().map_err(|_| Broken("a pack without content".to_owned()))?;
    let price = vestibule_model::Money::new(amount, book.currency);
    let price = price.share(reference, measure, vestibule_model::Rounding::HalfUp)?;
    let told = |value: u32, unit: &str| Measure { value: value.into(), unit: unit.to_owned(), more: More::new() };
    Ok(Some(UnitPrice {
        amount: UnsignedAmount::new(price.amount)?,
        currency: book.currency,
        measure: told(pack.value, &pack.unit),
        reference: told(pack.reference, &pack.reference_unit),
        more: More::new(),
    }))
}

fn plain(text: &str) -> More {
    [("plain".to_owned(), text.into())].into_iter().collect()
}

#[cfg(test)]
mod tests {
    use vestibule_ucp::{Check as _, PageRequest};

    use super::{
        super::{book::tests, checkout::tests::shelf},
        *,
    };

    fn asked(query: &str, cursor: Option<&str>, limit: Option<u32>) -> SearchRequest {
        let pagination = Some(PageRequest { cursor: cursor.map(str::to_owned), limit });
        SearchRequest { query: Some(query.into()), pagination, more: More::new() }
    }

    #[test]
    fn words_find_what_has_all_of_them() {
        let book = tests::shop();
        let shelf = shelf(&book);
        let found = |query: &str| -> Vec<String> {
            let answer = search(&asked(query, None, None), &book, &shelf, UcpMeta::new()).unwrap();
            assert_eq!(answer.check(), Ok(()));
            answer.products.iter().map(|product| product.id.to_string()).collect()
        };
        assert_eq!(found("Lamp BLACK"), ["desk_lamp"]);
        assert_eq!(found("light"), ["desk_lamp", "bulb"]);
        assert!(found("submarine").is_empty());
        assert_eq!(found("").len(), book.products.len());
    }

    #[test]
    fn pages_have_everything_once() {
        let book = tests::groceries();
        let shelf = shelf(&book);
        let (mut cursor, mut seen) = (None, Vec::new());
        loop {
            let page = search(&asked("", cursor.as_deref(), Some(2)), &book, &shelf, UcpMeta::new()).unwrap();
            assert_eq!(page.check(), Ok(()));
            seen.extend(page.products.iter().map(|product| product.id.clone()));
            cursor = page.pagination.unwrap().cursor;
            if cursor.is_none() {
                break;
            }
        }
        assert_eq!(seen.len(), book.products.len());
        for strange in ["-1", "x", "999999999999999999999"] {
            let page = search(&asked("", Some(strange), None), &book, &shelf, UcpMeta::new()).unwrap();
            assert!(page.products.is_empty() && page.check().is_ok());
        }
    }

    #[test]
    fn ids_find_products_and_items_once() {
        let book = tests::groceries();
        let ids = ["cheese_50g", "cheese", "none"].map(|id| Id::new(id).unwrap()).to_vec();
        let answer = look_up(&LookupRequest { ids, more: More::new() }, &book, &shelf(&book), UcpMeta::new()).unwrap();
        assert_eq!((answer.products.len(), answer.messages.as_ref().unwrap().len()), (1, 1));
        let cheese = &answer.products[0].variants[0];
        assert_eq!(cheese.unit_price.as_ref().unwrap().amount.get(), 2000, "a kilogram");
        assert!(cheese.metadata.is_some());
    }

    #[test]
    fn each_item_says_which_id_meant_it_and_no_other_is_there() {
        let book = tests::shop();
        let found = |ids: &[&str]| -> Vec<(String, serde_json::Value)> {
            let ids = ids.iter().map(|id| Id::new(*id).unwrap()).collect();
            let asked = LookupRequest { ids, more: More::new() };
            let answer = look_up(&asked, &book, &shelf(&book), UcpMeta::new()).unwrap();
            let items = answer.products.into_iter().flat_map(|product| product.variants);
            items.map(|item| (item.id.to_string(), item.more["inputs"].clone())).collect()
        };
        let exact = |id: &str| json!({"id": id, "match": "exact"});
        let black = || ("desk_lamp_black".to_owned(), json!([exact("desk_lamp_black")]));
        assert_eq!(found(&["desk_lamp_black"]), [black()]);
        let featured = json!({"id": "desk_lamp", "match": "featured"});
        let white = |inputs| ("desk_lamp_white".to_owned(), inputs);
        assert_eq!(found(&["desk_lamp"]), [white(json!([featured]))], "one stands for all");
        let both = json!([featured, exact("desk_lamp_white")]);
        assert_eq!(found(&["desk_lamp", "desk_lamp_black", "desk_lamp_white"]), [white(both), black()]);
    }
}
