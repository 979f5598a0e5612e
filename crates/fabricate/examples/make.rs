//! Writes a starting point as 3MF, GLB and STL: `make ID FONT FOLDER`.

use std::{env, error::Error, fs, path::Path};

use vestibule_fabricate::{
    Budget, Evaluator, Font, Start,
    export::{glb, stl, write_3mf},
};

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [id, font, folder] = arguments.as_slice() else { return Err("say which, a font, and a folder".into()) };
    let design = Start::named(id).ok_or("no such starting point")?.design();
    let solids = Evaluator::with_font(Font::read(&fs::read(font)?)?).evaluate(&design, &Budget::default())?;
    let mut package = Vec::new();
    let written = write_3mf(&solids, &design, &mut package)?;
    let to = |extension: &str| Path::new(folder).join(format!("{id}.{extension}"));
    fs::write(to("3mf"), package)?;
    fs::write(to("glb"), glb(&solids)?)?;
    fs::write(to("stl"), stl(&solids)?)?;
    println!("{id} {} mm³ {} bytes {}", solids.volume_mm3(), written.bytes, written.hash);
    Ok(())
}
