use std::{collections::BTreeSet, fmt};

use h3o::CellIndex;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};
use thiserror::Error;
use utoipa::{
    ToSchema,
    openapi::{
        RefOr,
        schema::{ObjectBuilder, Schema, SchemaFormat, Type},
    },
};

/// Rings around a cell that can be asked for: 817 cells.
pub const MAX_RING: u8 = 16;

/// A text or number that is no cell.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{0} is no H3 cell: give its index in hexadecimal digits, such as 8828308281fffff")]
pub struct CellError(String);

/// A place on Earth as a cell of the H3 grid: as exact as whoever told it wanted to be, and no more.
///
/// ```
/// use vestibule_model::Cell;
/// let cell: Cell = "8828308281fffff".parse()?;
/// assert_eq!(cell.resolution(), 8);
/// assert_eq!(cell.coarser(5).resolution(), 5, "about 8 km across instead of 500 m");
/// assert!("8828308281ffff0".parse::<Cell>().is_err());
/// # Ok::<(), vestibule_model::CellError>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Cell(CellIndex);

/// Not every text of this form is a cell: which ones are, no pattern says.
impl utoipa::PartialSchema for Cell {
    fn schema() -> RefOr<Schema> {
        let digits = ObjectBuilder::new().schema_type(Type::String).pattern(Some("^[0-9a-fA-F]{15,16}$"));
        digits.format(Some(SchemaFormat::Custom("h3".to_owned()))).examples(["8828308281fffff"]).into()
    }
}

impl ToSchema for Cell {}

impl Cell {
    /// The cell with this index.
    ///
    /// # Errors
    /// [`CellError`] where there is none.
    pub fn new(index: u64) -> Result<Self, CellError> {
        CellIndex::try_from(index).map(Self).map_err(|_| CellError(format!("{index:x}")))
    }

    /// Its index.
    #[must_use]
    pub fn index(self) -> u64 {
        self.0.into()
    }

    /// How exact it is: 0 (a part of a continent) to 15 (about half a metre).
    #[must_use]
    pub fn resolution(self) -> u8 {
        self.0.resolution().into()
    }

    /// The cell of `resolution` that holds it; itself where it is not more exact than that.
    #[must_use]
    pub fn coarser(self, resolution: u8) -> Self {
        let resolution = h3o::Resolution::try_from(resolution.min(self.resolution()));
        Self(resolution.ok().and_then(|resolution| self.0.parent(resolution)).unwrap_or(self.0))
    }
}

impl fmt::Display for Cell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:x}", self.index())
    }
}

impl fmt::Debug for Cell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Cell({self})")
    }
}

impl std::str::FromStr for Cell {
    type Err = CellError;
    fn from_str(text: &str) -> Result<Self, CellError> {
        let no_cell = || CellError(format!("{:?}", text.chars().take(32).collect::<String>()));
        if text.len() > 16 || !text.bytes().all(|digit| digit.is_ascii_hexdigit()) {
            return Err(no_cell());
        }
        let index = u64::from_str_radix(text, 16).map_err(|_| no_cell())?;
        Self::new(index)
    }
}

impl Serialize for Cell {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if serializer.is_human_readable() {
            serializer.collect_str(self)
        } else {
            serializer.serialize_u64(self.index())
        }
    }
}

impl<'de> Deserialize<'de> for Cell {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        if deserializer.is_human_readable() {
            let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
            text.parse().map_err(D::Error::custom)
        } else {
            Self::new(u64::deserialize(deserializer)?).map_err(D::Error::custom)
        }
    }
}

/// A cell, and so many rings of its neighbours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
pub struct Area {
    /// The middle.
    pub cell: Cell,
    /// Rings around it, at most [`MAX_RING`]; 0: the cell alone.
    #[serde(default)]
    pub ring: u8,
}

impl Area {
    /// Its cells; compute once, ask often.
    #[must_use]
    pub fn cells(self) -> AreaCells {
        let disk: BTreeSet<CellIndex> = self.cell.0.grid_disk(u32::from(self.ring.min(MAX_RING)));
        AreaCells { cells: disk.into_iter().map(Cell).collect(), resolution: self.cell.resolution() }
    }
}

/// The cells of an [`Area`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AreaCells {
    cells: BTreeSet<Cell>,
    resolution: u8,
}

impl AreaCells {
    /// Whether what is somewhere in `cell` may be in the area: nobody has to disclose more than `cell` for that.
    ///
    /// A cell that is more exact than the area is in it or not; one that is less exact may hold a part of it.
    #[must_use]
    pub fn may_hold(&self, cell: Cell) -> bool {
        if cell.resolution() >= self.resolution {
            return self.cells.contains(&cell.coarser(self.resolution));
        }
        self.cells.iter().any(|mine| mine.coarser(cell.resolution()) == cell)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn cell(text: &str) -> Cell {
        text.parse().unwrap()
    }

    #[test]
    fn an_area_is_found_at_the_resolution_that_was_disclosed() {
        let middle = cell("8828308281fffff");
        let area = |cell, ring| Area { cell, ring }.cells();
        assert!(area(middle, 0).may_hold(middle) && area(middle.coarser(5), 0).may_hold(middle));
        assert!(area(middle, 0).may_hold(middle.coarser(5)), "it may be in that cell of the larger one");
        let neighbour = area(middle, 1).cells.into_iter().find(|cell| *cell != middle).unwrap();
        assert!(!area(middle, 0).may_hold(neighbour) && area(middle, 1).may_hold(neighbour));
        let far = cell("881fa44121fffff");
        assert!(!area(middle, MAX_RING).may_hold(far) && !area(middle, u8::MAX).may_hold(far.coarser(3)));
        assert_eq!(area(middle, u8::MAX).cells.len(), 817, "whoever asks for more gets the most");
    }

    #[test]
    fn cells_are_texts_for_people_and_numbers_on_the_wire() {
        let middle = cell("8828308281fffff");
        assert_eq!(serde_json::to_string(&middle).unwrap(), "\"8828308281fffff\"");
        assert_eq!(serde_json::from_str::<Cell>("\"8828308281fffff\"").unwrap(), middle);
        assert_eq!(postcard::from_bytes::<Cell>(&postcard::to_stdvec(&middle).unwrap()).unwrap(), middle);
        for bad in ["", "0", "+828308281fffff", "ffffffffffffffff", "8828308281fffff0", "zz"] {
            assert!(bad.parse::<Cell>().is_err(), "{bad}");
        }
        assert!(postcard::from_bytes::<Cell>(&postcard::to_stdvec(&7_u64).unwrap()).is_err());
    }

    proptest! {
        #[test]
        fn no_index_panics(index in any::<u64>(), ring in any::<u8>(), resolution in any::<u8>()) {
            if let Ok(cell) = Cell::new(index) {
                let coarse = cell.coarser(resolution);
                prop_assert!(coarse.resolution() <= cell.resolution());
                let area = Area { cell: coarse, ring: ring % 3 }.cells();
                prop_assert!(area.may_hold(cell));
            }
        }
    }
}
