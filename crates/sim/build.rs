//! Embeds the rendered camera pictures of `assets/camera` if they are all there.
//!
//! They are rendered by another tool; without them the sim draws flat ones and still builds.

use std::error::Error;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

/// In the order of the slots in `camera.rs`.
const NAMES: [&str; 4] = ["empty", "friend", "courier", "neighbour"];

fn main() -> Result<(), Box<dyn Error>> {
    let here = PathBuf::from(std::env::var("CARGO_MANIFEST_DIR")?);
    let out = PathBuf::from(std::env::var("OUT_DIR")?);
    let assets = here.join("../../assets");
    let camera = assets.join("camera");
    let watched = if camera.is_dir() { &camera } else { &assets };
    println!("cargo:rerun-if-changed={}", watched.display());
    println!("cargo:rerun-if-changed=build.rs");
    let files = NAMES.map(|name| camera.join(format!("{name}.jpg")));
    std::fs::write(out.join("pictures.rs"), table(&files)?)?;
    Ok(())
}

fn table(files: &[PathBuf]) -> Result<String, Box<dyn Error>> {
    if !files.iter().all(|file| file.is_file()) {
        return Ok("[None; 4]\n".to_owned());
    }
    let mut text = String::from("[\n");
    for file in files {
        let path: &Path = &file.canonicalize()?;
        writeln!(text, "    Some(include_bytes!({path:?}).as_slice()),")?;
    }
    text.push_str("]\n");
    Ok(text)
}
