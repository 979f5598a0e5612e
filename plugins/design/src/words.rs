//! What went wrong with a design, in a person's words. Pure.

use vestibule_fabricate::{
    SolidError,
    design::{Design, DesignError, FeatureKey, ParamUnit},
    document::EditError,
};

use crate::fields::part_name;

/// A number as people write it: no more digits than it has.
pub(crate) fn number(value: f64) -> String {
    let text = format!("{value:.2}");
    let text = text.trim_end_matches('0').trim_end_matches('.');
    if text == "-0" { "0".to_owned() } else { text.to_owned() }
}

/// A number with its unit.
pub(crate) fn with_unit(value: f64, unit: &str) -> String {
    match unit {
        "" => number(value),
        "°" => format!("{}°", number(value)),
        unit => format!("{} {unit}", number(value)),
    }
}

pub(crate) fn of_design(design: &Design, error: &DesignError) -> String {
    let part = |key: &FeatureKey| part_name(design, key);
    match error {
        DesignError::Bounds { param, least, most, .. } => {
            let param = design.params.get(param);
            let (label, unit) = param.map_or(("It", ""), |param| {
                let unit = match param.unit {
                    ParamUnit::Millimetre => "mm",
                    ParamUnit::Degree => "°",
                    ParamUnit::Count => "",
                };
                (param.label.as_str(), unit)
            });
            format!("{label} goes from {} to {}.", with_unit(*least, unit), with_unit(*most, unit))
        }
        DesignError::TooMany { what, most, .. } => format!("There can be at most {most} {what}."),
        DesignError::NoFeature { feature, what, .. } => {
            format!("{} needs a {what} that stands before it.", part(feature))
        }
        DesignError::NoMaterial { feature, .. } => {
            format!("{} is made of nothing that this design has.", part(feature))
        }
        DesignError::NoParam(name) => format!("Nothing here is called {name}."),
        DesignError::Formula { feature, field, why } => {
            format!("The {} of {} cannot be computed: its formula {why}.", plain(field), part(feature))
        }
        DesignError::Value { feature, field, value } => {
            format!("The {} of {} would be {}, which cannot be.", plain(field), part(feature), number(*value))
        }
        DesignError::Twice(key) => format!("Two parts are called {key}."),
        DesignError::Unreadable(why) => format!("It cannot be read: {why}."),
    }
}

pub(crate) fn of_edit(design: &Design, error: &EditError) -> String {
    match error {
        EditError::Design(error) => of_design(design, error),
        EditError::Unknown(_) => "That is not there any more.".to_owned(),
        EditError::Full => "Its history is full: begin a new one with it.".to_owned(),
        other => format!("It cannot be: {other}."),
    }
}

fn plain(field: &str) -> String {
    field.rsplit('.').next().unwrap_or(field).replace('_', " ")
}

pub(crate) fn of_solid(design: &Design, error: &SolidError) -> String {
    let part = |key: &FeatureKey| part_name(design, key);
    match error {
        SolidError::Design(error) => of_design(design, error),
        SolidError::NoBody => "Nothing is left of it: it needs a part that is a body.".to_owned(),
        SolidError::TooLarge => "It has too many pieces to be computed here.".to_owned(),
        SolidError::Canceled => "It was not computed to its end.".to_owned(),
        SolidError::Invalid { feature, why } => format!("{} cannot be made: {why}.", part(feature)),
        SolidError::NotClosed { feature, .. } => format!("The surface of {} has a hole.", part(feature)),
        SolidError::Vanished { body, feature } => format!("{} takes away all of {}.", part(feature), part(body)),
    }
}

#[cfg(test)]
mod tests {
    use vestibule_fabricate::Start;

    use super::*;

    #[test]
    fn numbers_have_the_digits_that_they_have() {
        assert_eq!([1.0, 0.2, -0.001, 12.345].map(number), ["1", "0.2", "0", "12.35"]);
        assert_eq!(with_unit(20.0, "°"), "20°");
        assert_eq!(with_unit(2.0, ""), "2");
    }

    #[test]
    fn bounds_are_said_with_the_label() {
        let mut shelf = Start::Shelf.design();
        let error = shelf.set("width", 5_000.0).unwrap_err();
        assert_eq!(of_design(&shelf, &error), "Width goes from 120 mm to 800 mm.");
    }
}
