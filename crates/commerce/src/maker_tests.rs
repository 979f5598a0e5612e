//! What a manufacturer makes of packages.

use vestibule_fabricate::Start;

use super::*;

fn package(design: &Design) -> (Vec<u8>, ContentHash, ContentHash) {
    let solids = Evaluator::new().evaluate(design, &Budget::default()).unwrap();
    let mut bytes = Vec::new();
    let package = write_3mf(&solids, design, &mut bytes).unwrap();
    assert_eq!(package.hash, ContentHash::of(&bytes));
    (bytes, package.hash, design.hash().unwrap().0)
}

fn line(package: ContentHash, design: ContentHash, process: &str, material: &str) -> FabricationLine {
    FabricationLine {
        design,
        package,
        process: process.into(),
        material: material.into(),
        colour: "#ffffff".into(),
        infill_percent: Some(20),
        serial: None,
        more: vestibule_ucp::More::new(),
    }
}

#[test]
fn a_package_is_its_design_and_nothing_else() {
    let (bytes, package, design) = package(&Start::Hook.design());
    assert!(opened(&bytes, package, design).is_ok());
    let code = |done: Result<_, Unmade>| done.map(|_: (Design, Solids)| ()).unwrap_err().code;
    assert_eq!(code(opened(&bytes, design, design)), code::DESIGN_MISMATCH, "other bytes");
    assert_eq!(code(opened(&bytes, package, package)), code::DESIGN_MISMATCH, "another design");
    // The design of one thing around the shape of another.
    let mut longer = Start::Hook.design();
    longer.set("reach", 55.0).unwrap();
    let solids = Evaluator::new().evaluate(&longer, &Budget::default()).unwrap();
    let mut forged = Vec::new();
    {
        let mut archive = zip::ZipWriter::new(Cursor::new(&mut forged));
        archive.start_file(DESIGN, zip::write::SimpleFileOptions::default()).unwrap();
        archive.write_all(Start::Hook.design().canonical().unwrap().as_bytes()).unwrap();
        archive.start_file("3D/3dmodel.model", zip::write::SimpleFileOptions::default()).unwrap();
        archive.write_all(format!("{:?}", solids.bounds()).as_bytes()).unwrap();
        archive.finish().unwrap();
    }
    let refused = opened(&forged, ContentHash::of(&forged), design).unwrap_err();
    assert!(refused.says.contains("shape"), "{refused:?}");
}

#[test]
fn whatever_is_handed_over_is_a_package_or_refused() {
    let (bytes, _, design) = package(&Start::Hook.design());
    for end in (0..bytes.len()).step_by(bytes.len() / 40) {
        assert!(opened(&bytes[..end], ContentHash::of(&bytes[..end]), design).is_err());
    }
    let mut step = bytes.clone();
    for at in (0..bytes.len()).step_by(bytes.len() / 40) {
        step[at] ^= 0x55;
        assert!(opened(&step, ContentHash::of(&step), design).is_err(), "byte {at}");
        step[at] ^= 0x55;
    }
    let many = DIRECTORY.repeat(MAX_PARTS + 1);
    assert!(opened(&many, ContentHash::of(&many), design).unwrap_err().says.contains("too many parts"));
}

#[test]
fn what_can_be_made_has_a_price_whose_parts_are_it() {
    let (bytes, package, design) = package(&Start::Hook.design());
    let (read, solids) = opened(&bytes, package, design).unwrap();
    let book = PriceBook::sample("EUR").unwrap();
    let machines = [Machine::desktop(), Machine::powder()];
    for (quantity, process, material) in [(1, "fff", "pla"), (7, "filament", "petg"), (30, "powder", "pa12")] {
        let line = line(package, design, process, material);
        let made = judge(&read, &solids, &line, quantity, &book, &machines).unwrap().0;
        let (each, parts) = priced(&made.estimate).unwrap();
        assert_eq!(parts.iter().map(|(_, amount)| amount).sum::<i64>(), each);
        assert!(each * i64::from(quantity) >= made.estimate.total.amount);
    }
    for (quantity, process, material) in [
        (0, "fff", "pla"),
        (65, "fff", "pla"),
        (1, "magic", "pla"),
        (1, "fff", "gold"),
        (1, "resin", "resin"),
        (1, "powder", "pla"),
    ] {
        let line = line(package, design, process, material);
        let refused = judge(&read, &solids, &line, quantity, &book, &machines).unwrap_err();
        assert_eq!(refused.code, code::NOT_MANUFACTURABLE, "{process} {material}");
    }
}

#[test]
fn what_is_too_thin_is_said_with_its_place() {
    let mut machine = Machine::desktop();
    machine.wall_mm = 1_000.0;
    let (bytes, package, design) = package(&Start::Hook.design());
    let (read, solids) = opened(&bytes, package, design).unwrap();
    let line = line(package, design, "fff", "pla");
    let refused = judge(&read, &solids, &line, 1, &PriceBook::sample("EUR").unwrap(), &[machine]).unwrap_err();
    assert!(refused.findings.iter().any(|finding| finding.blocks && !finding.places.is_empty()));
    assert!(!refused.says.is_empty());
}

#[test]
fn what_cannot_be_opened_now_is_not_gone() {
    use std::io::{Error, ErrorKind};
    assert_eq!(unread(&ErrorKind::NotFound.into()).code, code::NOT_FOUND);
    // Too many open files; a disk that answers badly.
    for error in [Error::from_raw_os_error(24), Error::from_raw_os_error(5), ErrorKind::PermissionDenied.into()] {
        assert_eq!(unread(&error).code, UNAVAILABLE, "{error}");
    }
}
