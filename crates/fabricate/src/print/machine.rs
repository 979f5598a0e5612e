use serde::{Deserialize, Serialize};

use crate::design::MaterialKind;

/// How a machine makes things.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Process {
    /// Layers of molten plastic.
    Filament,
    /// Powder that is melted in its bed, which carries what hangs over.
    Powder,
    /// Resin that light hardens.
    Resin,
}

/// A machine, and what it can do.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Machine {
    /// Which; stable.
    pub id: String,
    /// What people call it.
    pub name: String,
    /// How it makes things.
    pub process: Process,
    /// What fits: width, height and depth, in the design's frame (Y is up).
    pub build_mm: [f64; 3],
    /// The thinnest wall that holds.
    pub wall_mm: f64,
    /// The smallest thing that comes out at all.
    pub feature_mm: f64,
    /// The narrowest gap that stays open.
    pub gap_mm: f64,
    /// How far a surface may lean from upright and still carry itself.
    pub overhang_degrees: f64,
    /// How far it goes from one support to the next through the air.
    pub bridge_mm: f64,
    /// How high a layer is.
    pub layer_mm: f64,
    /// What it works with.
    pub materials: Vec<MaterialKind>,
    /// Whether it can build supports that are broken off later.
    pub supports: bool,
}

impl Machine {
    /// How wide the nozzle of a filament printer is: the thinnest wall that holds is two lines.
    #[must_use]
    pub fn nozzle_mm(&self) -> f64 {
        self.wall_mm / 2.0
    }

    /// A filament printer as it stands on a bench.
    #[must_use]
    pub fn desktop() -> Self {
        Self {
            id: "desktop".to_owned(),
            name: "Desktop filament printer".to_owned(),
            process: Process::Filament,
            build_mm: [300.0, 300.0, 300.0],
            wall_mm: 0.8,
            feature_mm: 0.8,
            gap_mm: 0.3,
            overhang_degrees: 50.0,
            bridge_mm: 12.0,
            layer_mm: 0.2,
            materials: vec![MaterialKind::Pla, MaterialKind::Petg],
            supports: true,
        }
    }

    /// A filament printer for furniture.
    #[must_use]
    pub fn large() -> Self {
        Self {
            id: "large".to_owned(),
            name: "Large-format filament printer".to_owned(),
            build_mm: [1_200.0, 1_000.0, 1_000.0],
            wall_mm: 1.6,
            feature_mm: 1.6,
            gap_mm: 0.8,
            bridge_mm: 20.0,
            layer_mm: 0.6,
            ..Self::desktop()
        }
    }

    /// A laser in nylon powder: no supports, and nothing may be enclosed.
    #[must_use]
    pub fn powder() -> Self {
        Self {
            id: "powder".to_owned(),
            name: "Laser sintering".to_owned(),
            process: Process::Powder,
            build_mm: [340.0, 600.0, 340.0],
            wall_mm: 0.7,
            feature_mm: 0.5,
            gap_mm: 0.5,
            overhang_degrees: 90.0,
            bridge_mm: 340.0,
            layer_mm: 0.12,
            materials: vec![MaterialKind::Pa12],
            supports: false,
        }
    }
}
