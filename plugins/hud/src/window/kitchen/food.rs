use bevy::prelude::*;
use vestibule_twin::{Cook, KitchenDecision, KitchenFood, KitchenPart, KitchenSource, KitchenWay, OverruleFood};

use super::{Counter, KitchenField, ask, small};
use crate::{
    el::El,
    format, style,
    widgets::{self, Tone},
};

/// How wide the questions are.
const ASKED: f32 = 110.0;

fn answered(key: &'static str, question: &str, answer: El) -> El {
    widgets::answer(key)
        .with(
            El::column("asked", 0.0)
                .node(|node| {
                    node.width = px(ASKED);
                    node.flex_shrink = 0.0;
                })
                .with(El::small("text", question)),
        )
        .with(answer.node(|node| node.flex_shrink = 1.0))
}

fn parts(parts: &[KitchenPart]) -> String {
    let each = parts.iter().map(|part| format!("{} {}", part.dish, part.amount));
    if parts.is_empty() { "nothing".to_owned() } else { each.collect::<Vec<_>>().join(", ") }
}

fn source(number: usize, source: &KitchenSource) -> El {
    let (text, color) = match &source.ignored {
        Some(why) => (format!("{} · {} · does not count: {why}", source.amount, source.place), style::MIND),
        None => {
            let believed = source.confidence / 10;
            #[expect(clippy::cast_precision_loss, reason = "shown in whole seconds")]
            let age = format::age(source.age_ms as f64 / 1_000.0);
            let text = format!("{} · {} · {} {age} · believed {believed} %", source.amount, source.place, source.how);
            (text, style::TEXT)
        }
    };
    El::small(format!("source.{number}"), text).colored(color)
}

fn way(counter: &Counter<'_>, number: usize, way: &KitchenWay) -> El {
    let when = match (way.delivered, way.arrives) {
        (true, _) => "it was delivered and is not put away".to_owned(),
        (false, Some(at)) if at < counter.now() => {
            format!("it was to come by {}", counter.zone.hour(at, counter.now()))
        }
        (false, Some(at)) => format!("by {}", counter.zone.hour(at, counter.now())),
        (false, None) => "nobody knows when".to_owned(),
    };
    El::small(format!("way.{number}"), format!("{} · {when}", way.amount)).colored(style::TEXT)
}

/// Everything about one food, and what a person can decide.
pub(super) fn why(counter: &Counter<'_>, food: &KitchenFood) -> El {
    let lines = |key: &'static str, lines: Vec<El>| {
        let none = lines.is_empty().then(|| El::small("none", "nothing"));
        El::column(key, 2.0).with_all(none).with_all(lines)
    };
    let there = food.sources.iter().enumerate().map(|(number, known)| source(number, known)).collect();
    let coming = food.coming.iter().enumerate().map(|(number, known)| way(counter, number, known)).collect();
    let white = |text: String| El::small("text", text).colored(style::TEXT);
    let by = food.by.map(|by| format!("by {}", counter.zone.hour(by, counter.now())));
    let id = || food.id.clone();
    El::column("why", 5.0)
        .node(|node| {
            node.padding = UiRect::axes(px(12), px(8));
            node.flex_shrink = 0.0;
        })
        .fill(style::BUTTON)
        .with(answered("needed", "needed for", white(parts(&food.needed))))
        .with(answered("there", "there", lines("lines", there)))
        .with(answered("reserved", "spoken for by", white(parts(&food.reserved))))
        .with(answered("coming", "on its way", lines("lines", coming)))
        .with_all(by.map(|by| answered("by", "has to be there", white(by))))
        .with_all(more(food).map(|more| answered("over", "what is bought", white(more))))
        .with(decide(food))
        .with(fields(counter, food, id))
}

/// What packs hold beyond need.
fn more(food: &KitchenFood) -> Option<String> {
    let over = if food.over.is_empty() { String::new() } else { format!(", {} more than that", food.over) };
    (!food.goods.is_empty()).then(|| format!("{} for {}{over}", food.goods, food.order))
}

fn decide(food: &KitchenFood) -> El {
    let choice = |key: &'static str, shown: &str, chosen: bool, by: Option<OverruleFood>| {
        let label = format!("{}: {shown}", food.name);
        let tone = if chosen { Tone::Chosen } else { Tone::Plain };
        small(key, shown, label, ask(Cook::Overrule { ingredient: food.id.clone(), by }), tone)
    };
    let decided = food.decision;
    let by_hand = matches!(decided, KitchenDecision::Have | KitchenDecision::Without | KitchenDecision::Said);
    let (have, without) = (decided == KitchenDecision::Have, decided == KitchenDecision::Without);
    let row = El::row("choices", 6.0)
        .with(choice("reckoned", "as reckoned", !by_hand, None))
        .with(choice("have", "I have it", have, Some(OverruleFood::Have)))
        .with(choice("without", "I do without", without, Some(OverruleFood::Without)));
    answered("decide", "you decide", row)
}

/// What a person said is bought.
pub(super) fn said(food: &KitchenFood) -> Option<String> {
    (food.decision == KitchenDecision::Said).then(|| food.order.clone())
}

/// What a person counted.
pub(super) fn counted(food: &KitchenFood) -> Option<String> {
    food.sources.iter().find(|source| source.how == "counted").map(|source| source.amount.clone())
}

/// Amounts that a person writes.
fn fields(counter: &Counter<'_>, food: &KitchenFood, id: impl Fn() -> String) -> El {
    let field = |key: &'static str, title: &str, text: String, field: KitchenField| {
        El::column(key, 2.0)
            .node(|node| {
                node.flex_grow = 1.0;
                node.flex_basis = px(0);
            })
            .with(El::small("title", title))
            .with(counter.field("field", &format!("{} {title}", food.name), text, field))
    };
    let (said, counted) = (said(food).unwrap_or_default(), counted(food).unwrap_or_default());
    El::row("fields", style::GAP)
        .node(|node| node.align_items = AlignItems::FlexStart)
        .with(field("order", "buy exactly", said, KitchenField::Order(id())))
        .with(field("keep", "has to stay", food.keep.clone(), KitchenField::Keep(id())))
        .with(field("count", "counted by hand", counted, KitchenField::Count(id())))
}
