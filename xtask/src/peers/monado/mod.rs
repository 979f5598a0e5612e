//! Monado, an OpenXR runtime: with its null compositor and a simulated headset it runs where there is neither a
//! headset nor a GPU.
//!
//! Its client library is loaded into the program under test and wants a newer C library than an older system has.
//! So service and program are both started by the *runtime folder's own* dynamic linker, with its libraries: the
//! program keeps its files, its user and its environment, and no root, chroot or mount is needed. Two things
//! follow: `current_exe()` is the linker (so assets are named by `BEVY_ASSET_ROOT`), and programs that the program
//! starts in turn are ordinary ones of the host.
//!
//! A test calls it as `cargo xtask monado exec -- PROGRAM ARGS`: the status is the program's, and the service has
//! ended when it returns.

mod exec;
mod fetch;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result, bail};

use super::Variables;

/// Its name on the command line.
pub const NAME: &str = "monado";

/// Fetches it, unless it is here.
pub fn prepare() -> Result<Variables> {
    Ok(vec![("VESTIBULE_MONADO", fetch::whole_folder()?.display().to_string())])
}

/// `cargo xtask monado exec -- PROGRAM ARGS` and `cargo xtask monado where`.
pub fn run(args: &[String]) -> Result<ExitCode> {
    match args.split_first() {
        Some((word, rest)) if word == "exec" => {
            let (program, args) = crate::passed_on(rest).split_first().context("exec what?")?;
            crate::setup::install(&[crate::setup::Purpose::Monado])?;
            let layout = Layout::of(&fetch::whole_folder()?);
            exec::exec(&layout, program, args)
        }
        Some((word, [])) if word == "where" => {
            println!("{}", fetch::folder()?.display());
            Ok(ExitCode::SUCCESS)
        }
        _ => bail!("monado takes `exec -- PROGRAM ARGS` or `where`"),
    }
}

/// Where things are inside the runtime's folder.
struct Layout {
    root: PathBuf,
    /// The folder with nearly all libraries, the dynamic linker among them.
    libraries: PathBuf,
}

impl Layout {
    fn of(root: &Path) -> Self {
        let triplet = format!("usr/lib/{}-linux-gnu", std::env::consts::ARCH);
        Self { root: root.to_owned(), libraries: root.join(triplet) }
    }

    fn linker(&self) -> PathBuf {
        let name = if cfg!(target_arch = "aarch64") { "ld-linux-aarch64.so.1" } else { "ld-linux-x86-64.so.2" };
        self.libraries.join(name)
    }

    /// The folders that the dynamic linker searches: what an installation would have recorded in its cache, in
    /// alternatives (blas, lapack) and in absolute run paths (pulseaudio).
    fn search_path(&self) -> String {
        let inner = ["pulseaudio", "blas", "lapack"].map(|name| self.libraries.join(name));
        let all = [self.libraries.clone(), self.root.join("usr/lib")].into_iter().chain(inner);
        all.map(|folder| folder.display().to_string()).collect::<Vec<_>>().join(":")
    }

    fn service(&self) -> PathBuf {
        self.root.join("usr/bin/monado-service")
    }

    fn runtime_description(&self) -> PathBuf {
        self.root.join("usr/share/openxr/1/openxr_monado.json")
    }

    fn vulkan_description(&self) -> PathBuf {
        self.root.join("usr/share/vulkan/icd.d/lvp_icd.json")
    }

    /// What must be there.
    fn parts(&self) -> Vec<PathBuf> {
        let library = |name: &str| self.libraries.join(name);
        vec![
            self.linker(),
            self.service(),
            self.runtime_description(),
            self.vulkan_description(),
            library("libopenxr_monado.so"),
            library("libopenxr_loader.so"),
            library("libvulkan.so.1"),
            library("libvulkan_lvp.so"),
        ]
    }
}
