//! Rows of a panel and handles in the world.

use super::*;

#[test]
fn rows_name_every_number_and_setting_them_works() {
    for start in Start::ALL {
        let document = document(1, start);
        let design = document.design().unwrap();
        let keys = design.features.iter().map(|feature| Some(&feature.key)).chain([None]);
        for row in keys.flat_map(|key| editable(&design, key)) {
            // Where nothing was ever set there is no mirror.
            assert_eq!(document.get(&row.field), Some(&row.value), "{}", row.field);
            assert_ne!(row.label, "Value", "{}", row.field);
            if let Some(number) = row.number {
                assert!((row.least..=row.most).contains(&number) && row.step > 0.0, "{row:?}");
                let edit = document.setting(row.field.clone(), number.into()).unwrap();
                document.preview(&edit).unwrap();
            }
            if let Unit::Choice(all) = &row.unit {
                let now = if let Scalar::Text(text) = &row.value { text.as_str() } else { "" };
                assert!(all.iter().any(|(id, _)| id == now), "{row:?}");
            }
        }
    }
}

/// A point of a handle is where the surface is, and drawing it moves the surface as far as it was drawn.
#[test]
fn handles_move_what_they_are_on() {
    let evaluate = |design: &Design| common::try_evaluate(design).unwrap().bounds();
    let mut turned = body("a", block([20.0, 30.0, 40.0]), [5.0, 6.0, 7.0]);
    turned.at = turned.at.turned(0.0, 90.0, 0.0);
    let parts = [
        turned,
        body("b", common::cylinder(10.0, 25.0, 64), [100.0, 0.0, 0.0]),
        body("c", ShapeKind::Ball.shape(30.0), [200.0, 0.0, 0.0]),
        body("d", ShapeKind::Extrusion.shape(30.0), [300.0, 0.0, 0.0]),
        body("e", ShapeKind::Ring.shape(30.0), [400.0, 0.0, 0.0]),
    ];
    for part in parts {
        let name = part.key.clone();
        let mut document = Document::new([1; 16], &common::design(vec![part])).unwrap();
        let design = document.design().unwrap();
        let all = handles(&design, &name).unwrap();
        assert_eq!(all.iter().filter(|handle| handle.kind == HandleKind::Ring).count(), 3);
        let faces: Vec<_> = all.iter().filter(|handle| handle.kind == HandleKind::Face).collect();
        assert!(!faces.is_empty());
        let before = evaluate(&design);
        for face in faces {
            let edit = document.setting(face.field.clone(), face.scalar(3.0, true)).unwrap();
            document.apply(&edit).unwrap();
            let after = evaluate(&document.design().unwrap());
            document.undo().unwrap();
            let reach = |bounds: &vestibule_fabricate::Bounds| -> f64 {
                (0..3)
                    .map(|axis| {
                        face.along[axis].max(0.0) * bounds.high[axis] + face.along[axis].min(0.0) * bounds.low[axis]
                    })
                    .sum()
            };
            let at: f64 = (0..3).map(|axis| face.along[axis] * face.at[axis]).sum();
            if name.as_str() == "b" || name.as_str() == "e" {
                // The tube's widest place is outside of its middle; a cone's other end is where it was.
                assert!(reach(&after) - reach(&before) > 2.9, "{face:?}");
                continue;
            }
            assert!((reach(&before) - at).abs() < 1e-3, "{face:?} {before:?}");
            assert!((reach(&after) - at - 3.0).abs() < 1e-3, "{face:?} {after:?}");
        }
    }
}

#[test]
fn handles_of_formulas_drive_their_parameter() {
    let document = document(1, Start::Shelf);
    let all = handles(&document.design().unwrap(), &key("board")).unwrap();
    let width = all.iter().find(|handle| handle.along == [1.0, 0.0, 0.0] && handle.kind == HandleKind::Face).unwrap();
    assert_eq!(width.field, param("width", ParamField::Value));
    assert_eq!((width.value, width.rate, width.step), (240.0, 2.0, 1.0));
    assert_eq!((width.drawn(5.2, false), width.drawn(5.2, true), width.drawn(1e9, false)), (250.0, 250.4, 800.0));
    assert!((width.at[0] - 120.0).abs() < 1e-9);
    assert_eq!(handles(&document.design().unwrap(), &key("nobody")).unwrap(), []);
}
