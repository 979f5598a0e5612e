//! Anything that three people do, in any order.

use super::*;

/// One of three does something, or two of them come together.
#[derive(Clone, Debug)]
enum Deal {
    Turn(usize, Index, f64),
    Add(usize, Index, [f64; 3], bool),
    Remove(usize, Index),
    Move(usize, Index, [f64; 3]),
    Order(usize, Index, Index),
    Copy(usize, Index),
    Formula(usize, Index, Index),
    Undo(usize),
    Redo(usize),
    Send(usize, usize),
}

fn deal() -> impl Strategy<Value = Deal> {
    let who = 0_usize..3;
    let at = || any::<Index>();
    let place = || [-50.0..50.0, -50.0..50.0, -50.0..50.0_f64];
    prop_oneof![
        (who.clone(), at(), 0.0..1.0).prop_map(|(who, at, to)| Deal::Turn(who, at, to)),
        (who.clone(), at(), place(), any::<bool>()).prop_map(|(who, at, to, cut)| Deal::Add(who, at, to, cut)),
        (who.clone(), at()).prop_map(|(who, at)| Deal::Remove(who, at)),
        (who.clone(), at(), place()).prop_map(|(who, at, by)| Deal::Move(who, at, by)),
        (who.clone(), at(), at()).prop_map(|(who, at, after)| Deal::Order(who, at, after)),
        (who.clone(), at()).prop_map(|(who, at)| Deal::Copy(who, at)),
        (who.clone(), at(), at()).prop_map(|(who, at, param)| Deal::Formula(who, at, param)),
        who.clone().prop_map(Deal::Undo),
        who.clone().prop_map(Deal::Redo),
        (who.clone(), who).prop_map(|(from, to)| Deal::Send(from, to)),
    ]
}

/// An edit that somebody thinks of; nothing where there is nothing to edit.
fn edit(of: &Document, deal: &Deal, fresh: &mut dyn FnMut() -> FeatureKey) -> Option<Edit> {
    let design = of.design().unwrap();
    let feature = |at: &Index| (!design.features.is_empty()).then(|| at.get(&design.features).key.clone());
    let param = |at: &Index| at.get(&design.params.keys().collect::<Vec<_>>()).to_string();
    match deal {
        Deal::Turn(_, at, to) => {
            let name = param(at);
            let param = &design.params[name.as_str()];
            of.turning_param(&name, (param.least + to * (param.most - param.least)).round()).ok()
        }
        Deal::Add(_, at, to, cut) => {
            let kind = *at.get(&ShapeKind::ALL);
            let does = match feature(at).filter(|_| *cut) {
                Some(body) => Does::Cut { from: BTreeSet::from([body]) },
                None => Does::Body,
            };
            of.adding(&NewFeature::new(fresh(), kind, does).at(*to)).ok()
        }
        Deal::Remove(_, at) => of.removing(&feature(at)?).ok(),
        Deal::Move(_, at, by) => of.moving(&feature(at)?, *by).ok(),
        Deal::Order(_, at, after) => of.reordering(&feature(at)?, feature(after).as_ref()).ok(),
        Deal::Copy(_, at) => of.copying(&feature(at)?, fresh, [1.0, 0.0, 0.0]).ok(),
        Deal::Formula(_, at, of_param) => {
            let field = Field::Feature(feature(at)?, FeatureField::Position(Axis::Y));
            of.setting(field, format!("={} + 100 / ({} - 20)", param(of_param), param(at)).into()).ok()
        }
        Deal::Undo(_) | Deal::Redo(_) | Deal::Send(..) => None,
    }
}

impl Deal {
    fn who(&self) -> usize {
        match self {
            Self::Turn(who, ..)
            | Self::Add(who, ..)
            | Self::Remove(who, ..)
            | Self::Move(who, ..)
            | Self::Order(who, ..)
            | Self::Copy(who, ..)
            | Self::Formula(who, ..)
            | Self::Undo(who)
            | Self::Redo(who)
            | Self::Send(who, _) => *who,
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    /// Three people edit and undo, and exchange when they happen to; whatever the order in which all of it comes
    /// together, all have the same design, and it is one.
    #[test]
    fn copies_that_come_together_are_the_same(
        deals in prop::collection::vec(deal(), 1..40),
        order in Just(vec![(0, 1), (0, 2), (1, 0), (1, 2), (2, 0), (2, 1)]).prop_shuffle(),
    ) {
        let mut all = vec![document(1, Start::Shelf)];
        for actor in [2, 3] {
            let next = copy(&mut all[0], actor);
            all.push(next);
        }
        let mut next = 0_u32;
        let mut fresh = || { next += 1; key(&format!("{next:016x}")) };
        for deal in &deals {
            let who = deal.who();
            match deal {
                Deal::Undo(_) => drop(all[who].undo()),
                Deal::Redo(_) => drop(all[who].redo()),
                Deal::Send(_, to) if *to != who => {
                    let heads = all[*to].heads();
                    let changes = all[who].changes_since(&heads);
                    all[*to].merge(&changes).unwrap();
                }
                deal => if let Some(edit) = edit(&all[who], deal, &mut fresh) {
                    // Refused where the result is no design; then nothing is changed.
                    let before = (text(&all[who]), all[who].changes());
                    if all[who].apply(&edit).is_err() {
                        prop_assert_eq!((text(&all[who]), all[who].changes()), before);
                    }
                },
            }
        }
        // Twice: what came to one in the first round goes on in the second.
        for (from, to) in order.iter().chain(&order) {
            let heads = all[*to].heads();
            let changes = all[*from].changes_since(&heads);
            all[*to].merge(&changes).unwrap();
        }
        prop_assert_eq!(text(&all[0]), text(&all[1]));
        prop_assert_eq!(text(&all[0]), text(&all[2]));
        prop_assert_eq!(all[0].left_out(), all[2].left_out());
        let read = copy(&mut all[1], 9);
        prop_assert_eq!(text(&read), text(&all[0]));
    }

    /// Alone, undoing everything and doing it again goes through the same states.
    #[test]
    fn undo_and_redo_are_each_others_inverse(deals in prop::collection::vec(deal(), 1..25)) {
        let mut document = document(1, Start::Shelf);
        let mut states = vec![text(&document)];
        let mut next = 0_u32;
        let mut fresh = || { next += 1; key(&format!("{next:016x}")) };
        for deal in &deals {
            let Some(edit) = edit(&document, deal, &mut fresh) else { continue };
            if document.apply(&edit).is_ok_and(|changed| !changed.fields.is_empty()) {
                states.push(text(&document));
            }
        }
        prop_assert_eq!(document.undo_log().len() + 1, states.len());
        for _ in 0..2 {
            for state in states.iter().rev().skip(1) {
                document.undo().unwrap().unwrap();
                prop_assert_eq!(&text(&document), state);
            }
            for state in states.iter().skip(1) {
                document.redo().unwrap().unwrap();
                prop_assert_eq!(&text(&document), state);
            }
        }
    }

    /// Whatever I take back: each field that somebody else set last is as they left it.
    #[test]
    fn undo_never_touches_foreign_fields(
        mine in prop::collection::vec(deal(), 1..12),
        theirs in prop::collection::vec(deal(), 1..12),
    ) {
        let mut one = document(1, Start::Shelf);
        let mut next = 0_u32;
        let mut fresh = || { next += 1; key(&format!("{next:016x}")) };
        for deal in &mine {
            let Some(edit) = edit(&one, deal, &mut fresh) else { continue };
            drop(one.apply(&edit));
        }
        let mut other = copy(&mut one, 2);
        let mut foreign = BTreeSet::new();
        for deal in &theirs {
            let Some(edit) = edit(&other, deal, &mut fresh) else { continue };
            if let Ok(changed) = other.apply(&edit) {
                foreign.extend(changed.fields);
            }
        }
        send(&mut other, &mut one);
        while !matches!(one.undo(), Ok(None)) {
            for field in &foreign {
                prop_assert_eq!(one.get(field), other.get(field), "{}", field);
            }
        }
        both(&mut one, &mut other);
    }

    /// A byte that is not what was written is refused, or does no harm.
    #[test]
    fn broken_bytes_never_panic(at in any::<Index>(), byte in any::<u8>()) {
        let mut document = document(1, Start::Hook);
        let mut saved = document.save();
        document.apply(&document.turning_param("reach", 50.0).unwrap()).unwrap();
        saved.extend(document.save_incremental());
        let at = at.index(saved.len());
        saved[at] = byte;
        if let Ok(read) = Document::load([2; 16], &saved) {
            text(&read);
        }
        drop(document.merge(&saved));
        text(&document);
    }
}
