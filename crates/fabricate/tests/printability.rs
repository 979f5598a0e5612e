//! Designs that have each fault, just above and just below what a machine can do.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

mod common;

use common::{add, amounts, block, body, cut, cylinder, design, evaluate, start};
use vestibule_fabricate::{
    Cancel, Finding, FindingKind, Machine, Solids, Start, check,
    design::{Feature, MaterialKey, Placement, Shape},
};

fn findings(features: Vec<Feature>, machine: &Machine) -> Vec<Finding> {
    check(&evaluate(features), machine, &Cancel::default())
}

fn desktop(features: Vec<Feature>) -> Vec<Finding> {
    findings(features, &Machine::desktop())
}

fn of(findings: &[Finding], kind: &FindingKind) -> Option<Finding> {
    findings.iter().find(|finding| &finding.kind == kind).cloned()
}

fn has(findings: &[Finding], kind: &FindingKind) -> bool {
    of(findings, kind).is_some()
}

#[test]
fn a_plain_block_has_no_fault() {
    assert_eq!(desktop(vec![body("a", block([20.0; 3]), [0.0; 3])]), []);
}

#[test]
fn build_volume() {
    assert_eq!(desktop(vec![body("a", block([300.0, 20.0, 300.0]), [0.0; 3])]), []);
    let found = desktop(vec![body("a", block([302.0, 20.0, 302.0]), [0.0; 3])]);
    let too_large = found.iter().find_map(|finding| match &finding.kind {
        FindingKind::TooLarge { over_mm } if finding.blocks => Some(*over_mm),
        _ => None,
    });
    let over = too_large.unwrap();
    assert!((over[0] - 2.0).abs() < 1e-3 && (over[2] - 2.0).abs() < 1e-3, "{over:?}");
    let machine = Machine { build_mm: [100.0, 100.0, 400.0], ..Machine::desktop() };
    let along = findings(vec![body("a", block([350.0, 20.0, 20.0]), [0.0; 3])], &machine);
    assert!(of(&along, &FindingKind::FitsTurned).is_some_and(|finding| !finding.blocks && finding.measured == 90.0));
    // Across the corner it fits: both sides of the turned one are what it is long and wide.
    let mut slanted = body("a", block([290.0, 20.0, 60.0]), [0.0; 3]);
    slanted.at = Placement::at(0.0, 0.0, 0.0).turned(0.0, 20.0, 0.0);
    let narrow = Machine { build_mm: [300.0, 300.0, 70.0], ..Machine::desktop() };
    let found = findings(vec![slanted], &narrow);
    assert!(has(&found, &FindingKind::FitsTurned), "{found:?}");
}

#[test]
fn walls() {
    let wall = |thick: f64| vec![body("a", block([40.0, 20.0, thick]), [0.0; 3])];
    let found = of(&desktop(wall(0.75)), &FindingKind::ThinWall).unwrap();
    assert!(found.blocks && (found.measured - 0.75).abs() < 1e-3);
    assert_eq!(found.feature.unwrap().as_str(), "a");
    assert!(!found.places[0].triangles.is_empty());
    assert!(!has(&desktop(wall(0.85)), &FindingKind::ThinWall));
    // A tube: round walls too.
    let tube = |wall: f64| {
        vec![body("a", cylinder(15.0, 20.0, 96), [0.0; 3]), cut("b", cylinder(15.0 - wall, 30.0, 96), [0.0, -5.0, 0.0])]
    };
    assert!(has(&desktop(tube(0.7)), &FindingKind::ThinWall));
    assert!(!has(&desktop(tube(0.9)), &FindingKind::ThinWall));
}

#[test]
fn gaps() {
    let slot = |wide: f64| {
        vec![body("a", block([20.0; 3]), [0.0; 3]), cut("slot", block([wide, 10.0, 30.0]), [0.0, 12.0, 0.0])]
    };
    assert!(of(&desktop(slot(0.25)), &FindingKind::NarrowGap).unwrap().blocks);
    assert!(!has(&desktop(slot(0.35)), &FindingKind::NarrowGap));
}

/// A post with an arm that leans out by an angle from upright.
fn leaning(degrees: f64) -> Vec<Feature> {
    let mut arm = add("arm", "a", block([10.0, 40.0, 10.0]), [0.0, 10.0, 0.0]);
    arm.at = Placement::at(0.0, 10.0, 0.0).turned(0.0, 0.0, -degrees);
    vec![body("a", block([20.0; 3]), [0.0; 3]), arm]
}

#[test]
fn overhangs() {
    assert!(has(&desktop(leaning(52.0)), &FindingKind::Overhang));
    assert!(!has(&desktop(leaning(48.0)), &FindingKind::Overhang));
    let bare = Machine { supports: false, ..Machine::desktop() };
    let found = of(&findings(leaning(60.0), &bare), &FindingKind::Overhang).unwrap();
    assert!(found.blocks && (found.measured - 60.0).abs() < 0.1, "{}", found.measured);
    assert!(!of(&desktop(leaning(60.0)), &FindingKind::Overhang).unwrap().blocks);
    assert!(!has(&findings(leaning(60.0), &Machine::powder()), &FindingKind::Overhang));
    // From post to post the plastic goes through the air; out into nothing it does not.
    let gate = |wide: f64| {
        vec![
            body("a", block([wide + 20.0, 30.0, 10.0]), [0.0; 3]),
            cut("b", block([wide, 20.0, 30.0]), [0.0, -1.0, 0.0]),
        ]
    };
    assert!(!has(&desktop(gate(11.0)), &FindingKind::Overhang));
    assert!(has(&desktop(gate(13.0)), &FindingKind::Overhang));
    let board = vec![body("a", block([20.0; 3]), [0.0; 3]), add("b", "a", block([5.0, 5.0, 20.0]), [12.5, 15.0, 0.0])];
    assert!(has(&desktop(board), &FindingKind::Overhang));
}

#[test]
fn islands() {
    let hanging = |low: f64| {
        vec![
            body("a", block([20.0, 40.0, 20.0]), [0.0; 3]),
            add("b", "a", block([20.0, 5.0, 5.0]), [15.0, 30.0, 0.0]),
            add("c", "a", block([4.0, 35.0 - low, 4.0]), [22.0, low, 0.0]),
        ]
    };
    assert!(has(&desktop(hanging(20.0)), &FindingKind::Island));
    assert!(!has(&desktop(hanging(0.0)), &FindingKind::Island));
}

#[test]
fn small_features() {
    let pin = |radius: f64| {
        vec![body("a", block([20.0, 5.0, 20.0]), [0.0; 3]), add("b", "a", cylinder(radius, 10.0, 24), [0.0, 4.0, 0.0])]
    };
    assert!(of(&desktop(pin(0.35)), &FindingKind::SmallFeature).unwrap().blocks);
    assert!(!has(&desktop(pin(0.45)), &FindingKind::SmallFeature));
}

#[test]
fn cavities() {
    let hollow = vec![body("a", block([20.0; 3]), [0.0; 3]), cut("b", block([5.0; 3]), [0.0, 5.0, 0.0])];
    let found = of(&desktop(hollow.clone()), &FindingKind::Cavity).unwrap();
    assert!(!found.blocks && (found.measured - 125.0).abs() < 1e-3);
    assert!(of(&findings(hollow.clone(), &Machine::powder()), &FindingKind::Cavity).unwrap().blocks);
    let mut open = hollow;
    open.push(cut("c", cylinder(2.0, 10.0, 24), [0.0, -1.0, 0.0]));
    assert!(!has(&findings(open, &Machine::powder()), &FindingKind::Cavity));
}

#[test]
fn what_falls_over() {
    let arm = |long: f64| {
        vec![body("a", block([10.0; 3]), [0.0; 3]), add("b", "a", block([long, 10.0, 10.0]), [long / 2.0, 9.0, 0.0])]
    };
    assert!(has(&desktop(arm(60.0)), &FindingKind::FallsOver));
    assert!(!has(&desktop(arm(8.0)), &FindingKind::FallsOver));
}

#[test]
fn materials_that_are_in_one_place_and_that_a_machine_does_not_know() {
    let two = |at: f64| {
        let mut other = body("b", block([10.0; 3]), [at, 0.0, 0.0]);
        other.material = MaterialKey::new("other").unwrap();
        vec![body("a", block([10.0; 3]), [0.0; 3]), other]
    };
    let found = of(&desktop(two(9.0)), &FindingKind::Overlap).unwrap();
    assert!(found.blocks && (found.measured - 100.0).abs() < 1e-3);
    assert!(!has(&desktop(two(10.0)), &FindingKind::Overlap));
    assert!(of(&findings(two(10.0), &Machine::powder()), &FindingKind::NoMaterial).unwrap().blocks);
}

#[test]
fn a_surface_with_a_hole_is_found() {
    let mut solids: Solids = evaluate(vec![body("a", block([10.0; 3]), [0.0; 3])]);
    let mut mesh = (*solids.bodies[0].mesh).clone();
    mesh.triangles.pop();
    solids.bodies[0].mesh = mesh.into();
    let found = check(&solids, &Machine::desktop(), &Cancel::default());
    assert!(of(&found, &FindingKind::NotClosed).unwrap().blocks);
}

#[test]
fn starting_points_can_be_made() {
    for which in Start::ALL {
        let (_, solids) = start(which);
        let machine = if which == Start::Table { Machine::large() } else { Machine::desktop() };
        let found = check(&solids, &machine, &Cancel::default());
        let blocking: Vec<_> = found.iter().filter(|finding| finding.blocks).collect();
        assert!(blocking.is_empty(), "{which:?}: {blocking:?}");
    }
}

#[test]
fn nobody_waits_for_a_canceled_check() {
    let cancel = Cancel::default();
    cancel.cancel();
    let cone = Shape::Extrusion {
        profile: vestibule_fabricate::design::Profile::Circle { radius: 5.0.into(), sides: 32 },
        height: 0.5.into(),
        twist: 0.0.into(),
        taper: amounts([1.0, 1.0]),
        chamfer: amounts([0.0, 0.0]),
    };
    let solids = evaluate(vec![body("a", cone, [0.0; 3])]);
    assert!(!check(&solids, &Machine::desktop(), &cancel).iter().any(|finding| finding.kind == FindingKind::ThinWall));
    assert_eq!(design(vec![]).features.len(), 0);
}
