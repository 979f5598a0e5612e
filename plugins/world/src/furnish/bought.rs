//! A design that stands in the room becomes the twin of what was made to it: the same piece, which is live from then on.

use std::collections::BTreeSet;

use bevy::prelude::*;
use vestibule_twin::{
    FurnitureId, KnownPurchases, Notify, TwinPart, TwinRole, Urgency, design_model_key,
    model::{FeatureKind, Product, TwinId},
};

use super::Furniture;
use crate::{
    twins::Twins,
    world_file::{Piece, PieceTwin, WorldRecord},
};

/// Lumens of a lamp that was designed: the module that goes into one.
const LUMENS: f32 = 450.0;

/// Which pieces are which twins, after products have become twins or are none any more. A product takes the oldest piece
/// of its design that is no twin yet.
pub(super) fn pieces_that_are_twins<'a>(
    before: &[PieceTwin],
    pieces: &[&Piece],
    products: impl Iterator<Item = &'a Product>,
    gone: &BTreeSet<TwinId>,
) -> Vec<PieceTwin> {
    let stays = |one: &&PieceTwin| !gone.iter().any(|twin| twin.as_str() == one.twin);
    let mut after: Vec<PieceTwin> = before.iter().filter(stays).cloned().collect();
    for product in products {
        let twin = product.twin.as_str();
        let (Some(design), false) = (&product.design, after.iter().any(|one| one.twin == twin)) else { continue };
        let key = design_model_key(design);
        let free = |piece: &&&Piece| piece.model == key && after.iter().all(|one| one.piece != piece.id);
        if let Some(id) = pieces.iter().find(free).map(|piece| piece.id) {
            after.push(PieceTwin { piece: id, twin: twin.to_owned() });
        }
    }
    after
}

/// Follows products.
pub(super) fn follow(
    known: Res<KnownPurchases>,
    furniture: Res<Furniture>,
    mut record: ResMut<WorldRecord>,
    mut seen: Local<BTreeSet<TwinId>>,
    mut notify: MessageWriter<Notify>,
) {
    if !known.is_changed() && !furniture.is_changed() {
        return;
    }
    let there: BTreeSet<TwinId> = known.products.values().map(|product| product.twin.clone()).collect();
    let gone = seen.difference(&there).cloned().collect();
    *seen = there;
    let pieces: Vec<&Piece> = furniture.0.pieces().collect();
    let after = pieces_that_are_twins(&record.file.product, &pieces, known.products.values(), &gone);
    if record.file.product == after {
        return;
    }
    record.file.product = after;
    if let Err(error) = record.save() {
        let title = "What you bought could not be noted in your furniture".to_owned();
        notify.write(Notify { urgency: Urgency::Problem, title, text: error.to_string(), twin: None });
    }
}

/// A piece that is a twin is its part, once its model and its twin are known.
pub(super) fn part(
    pieces: Query<(Entity, &FurnitureId, Option<&TwinPart>), With<Children>>,
    record: Res<WorldRecord>,
    twins: Twins,
    mut furniture: ResMut<Furniture>,
    mut commands: Commands,
) {
    if record.file.product.is_empty() && !record.is_changed() {
        return;
    }
    for (entity, id, part) in &pieces {
        let twin = record.file.product.iter().find(|one| one.piece == id.0);
        let twin = twin.and_then(|one| TwinId::new(&one.twin).ok());
        match (twin, part) {
            (Some(twin), None) => {
                let known = twins.get(&twin);
                if known.info.is_none() {
                    continue;
                }
                let shines = known.feature(&[FeatureKind::Light]).is_some();
                let role = if shines { TwinRole::Lamp { lumens: LUMENS } } else { TwinRole::Body };
                commands.entity(entity).insert(TwinPart { twin, role });
            }
            (None, Some(_)) => {
                // It shines no more: the piece comes anew as what it was before.
                commands.entity(entity).despawn();
                furniture.set_changed();
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use vestibule_twin::model::{ContentHash, DesignHash, LineId, PurchaseId, Serial, Timestamp};

    use super::*;

    fn piece(id: u64, model: &str) -> Piece {
        Piece { id, model: model.to_owned(), position: [0.0; 3], yaw: 0.0 }
    }

    fn product(serial: &str, design: u8) -> Product {
        Product {
            purchase: PurchaseId([1; 16]),
            line: LineId::new("li_1").unwrap(),
            serial: Serial::new(serial).unwrap(),
            twin: TwinId::new(format!("home/lamp_{serial}")).unwrap(),
            design: Some(DesignHash(ContentHash([design; 32]))),
            since: Timestamp(1),
        }
    }

    #[test]
    fn two_lamps_of_one_design_are_two_twins_and_other_pieces_stay_furniture() {
        let key = design_model_key(&DesignHash(ContentHash([7; 32])));
        let (sofa, first, second) = (piece(1, "sofa"), piece(2, &key), piece(3, &key));
        let pieces = [&sofa, &first, &second];
        let bought = [product("W-1", 7), product("W-2", 7), product("W-3", 7), product("W-4", 8)];
        let none = BTreeSet::new();
        let one = pieces_that_are_twins(&[], &pieces, bought[..1].iter(), &none);
        assert_eq!(one, [PieceTwin { piece: 2, twin: "home/lamp_W-1".to_owned() }]);
        let all = pieces_that_are_twins(&one, &pieces, bought.iter(), &none);
        assert_eq!(all.iter().map(|one| one.piece).collect::<Vec<_>>(), [2, 3], "no third piece of it stands here");
        // After a start nothing is known of products: what was a twin is one.
        assert_eq!(pieces_that_are_twins(&all, &pieces, [].iter(), &none), all);
        let gone = BTreeSet::from([bought[0].twin.clone()]);
        let left = pieces_that_are_twins(&all, &pieces, [].iter(), &gone);
        assert_eq!(left, [PieceTwin { piece: 3, twin: "home/lamp_W-2".to_owned() }]);
        // A piece that was taken away comes back as the twin that it was.
        assert_eq!(pieces_that_are_twins(&all, &[&sofa], bought[..2].iter(), &none), all);
    }
}
