//! FGMV-29 P1.15 to P1.19: whether a thing goes where its buyer wants it. A quote's request names the twins that the buyer
//! shares for it; the enabler shows them while that call runs, and only what is shared and may be read.

use serde::Deserialize;
use serde_json::{Value, json};
use vestibule_fabricate::Finding;
use vestibule_model::{CallId, Pseudonym, TwinId};
use vestibule_ucp::{More, NAMESPACE, limits};

/// Twins that are asked for at most: a thing stands in one place.
pub(crate) const MOST: usize = 4;
/// Differences that nobody sees, in millimetres: points are kept with seven digits.
const SAME_MM: f64 = 1e-3;
/// What is measured, in the order of X, Y and Z.
const WORDS: [&str; 3] = ["width", "height", "depth"];

/// Whose twins may be asked for, and while which call runs.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub(crate) struct Delegation {
    pub(crate) user: Pseudonym,
    pub(crate) call: CallId,
    pub(crate) twins: Vec<TwinId>,
}

impl Delegation {
    /// What a request says of it; `None`: nothing is shared, or it is not of the shape.
    pub(crate) fn of(more: &More) -> Option<Self> {
        let said = more.get(&format!("{NAMESPACE}.delegation"))?;
        Self::deserialize(said).ok().filter(|delegation| !delegation.twins.is_empty() && delegation.stays_below())
    }

    /// Whether its names lead nowhere else: dots may be in a name, and alone they go up in an address.
    fn stays_below(&self) -> bool {
        let mut names = self.twins.iter().flat_map(|twin| twin.as_str().split('/')).chain([self.user.as_str()]);
        names.all(|name| name != "." && name != "..")
    }

    /// Where the enabler shows its twins, below its address.
    pub(crate) fn paths(&self) -> impl Iterator<Item = (&TwinId, String)> {
        let Self { user, call, twins } = self;
        twins.iter().take(MOST).map(move |twin| (twin, format!("/v1/sii/users/{user}/twins/{twin}?call={call}")))
    }
}

/// A free place, as a twin has measured it, in millimetres; `None`: it does not say.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Gap {
    twin: TwinId,
    mm: [Option<f64>; 3],
}

/// What a twin says of a free place: numbers `width`, `height` and `depth` of its feature `gap`, or features `gap_width`,
/// `gap_height` and `gap_depth`, in millimetres, centimetres or metres. `None`: nothing of it.
pub(crate) fn gap(twin: &TwinId, shown: &Value) -> Option<Gap> {
    let mm = WORDS.map(|word| {
        let own = shown.pointer(&format!("/info/features/gap/properties/{word}")).map(|_| ("gap".to_owned(), word));
        let (feature, property) = own.or_else(|| number_of(shown, word))?;
        measured(shown, &feature, property)
    });
    mm.iter().any(Option::is_some).then(|| Gap { twin: twin.clone(), mm })
}

/// The one property of a feature that has the measure's name.
fn number_of<'a>(shown: &'a Value, word: &str) -> Option<(String, &'a str)> {
    let feature = format!("gap_{word}");
    let properties = shown.pointer(&format!("/info/features/{feature}/properties"))?.as_object()?;
    properties.keys().next().filter(|_| properties.len() == 1).map(|property| (feature, property.as_str()))
}

fn measured(shown: &Value, feature: &str, property: &str) -> Option<f64> {
    let unit = shown.pointer(&format!("/info/features/{feature}/properties/{property}/unit"))?.as_str()?;
    let mm = match unit {
        "mm" => 1.0,
        "cm" => 10.0,
        "m" => 1_000.0,
        _ => return None,
    };
    let value = shown.pointer(&format!("/readings/{feature}/{property}/value"))?.as_f64()?;
    Some(value * mm).filter(|mm| mm.is_finite() && *mm > 0.0)
}

/// What is to be said of a thing of this size, along X, Y and Z: nothing stops anybody from buying it all the same.
pub(crate) fn findings(size_mm: [f64; 3], gaps: &[Gap]) -> Vec<More> {
    gaps.iter().flat_map(|gap| in_gap(size_mm, gap)).collect()
}

/// Each measure that is too large; or that it fits, with all that was measured.
fn in_gap(size_mm: [f64; 3], gap: &Gap) -> Vec<More> {
    let axes = WORDS.into_iter().zip(size_mm).zip(gap.mm);
    let measured: Vec<_> = axes.filter_map(|((word, size), limit)| Some((word, size, limit?))).collect();
    let is_over = |(_, size, limit): &&(&str, f64, f64)| *size > *limit + SAME_MM;
    let over = measured.iter().filter(is_over).filter_map(|(word, size, limit)| {
        let says = format!(
            "Its {word} is {size:.0} mm, and {} has measured {limit:.0} mm: it does not fit there by {:.0} mm.",
            gap.twin,
            (size - limit).ceil()
        );
        finding("does_not_fit", *size, *limit, &says)
    });
    let over: Vec<More> = over.collect();
    let tightest =
        measured.iter().min_by(|(_, one, of_one), (_, other, of_other)| (of_one - one).total_cmp(&(of_other - other)));
    match tightest {
        Some((_, size, limit)) if over.is_empty() => {
            let each: Vec<String> =
                measured.iter().map(|(word, size, limit)| format!("{word} {size:.0} of {limit:.0} mm")).collect();
            let says = format!("It fits there: {}, as {} has measured.", each.join(", "), gap.twin);
            finding("fits", *size, *limit, &says).into_iter().collect()
        }
        _ => over,
    }
}

/// Said where a twin was shared and could not be seen.
pub(crate) fn unknown(twin: &TwinId) -> Option<More> {
    finding(
        "fit_unknown",
        0.0,
        0.0,
        &format!("What {twin} has measured could not be seen: nobody looked whether it fits."),
    )
}

/// Findings as they are told. A machine finds the same on each body, and people read it once: all its places, and the
/// worst measure.
pub(crate) fn told(findings: &[Finding]) -> Vec<More> {
    let mut once: Vec<(Finding, usize)> = Vec::new();
    for finding in findings {
        match once.iter_mut().find(|(other, _)| (&other.says, other.blocks) == (&finding.says, finding.blocks)) {
            Some((other, bodies)) => {
                // Nearer to its limit on the side of what is good is better.
                let worse = (finding.measured - finding.limit).abs() > (other.measured - other.limit).abs();
                if worse {
                    (other.measured, other.limit) = (finding.measured, finding.limit);
                }
                other.places.extend(finding.places.iter().cloned());
                other.feature = other.feature.take().filter(|feature| Some(feature) == finding.feature.as_ref());
                *bodies += 1;
            }
            None => once.push((finding.clone(), 1)),
        }
    }
    let object = |(mut finding, bodies): (Finding, usize)| {
        if bodies > 1 {
            finding.says = format!("{} (On {bodies} parts of it.)", finding.says);
        }
        match serde_json::to_value(finding) {
            Ok(Value::Object(object)) => Some(object),
            _ => None,
        }
    };
    once.into_iter().take(limits::MAX_LINES).filter_map(object).collect()
}

/// Something to be said of a thing that does not keep it from being made.
pub(crate) fn finding(kind: &str, measured: f64, limit: f64, says: &str) -> Option<More> {
    let finding = json!({"kind": kind, "blocks": false, "measured": measured, "limit": limit, "places": [],
        "feature": null, "says": says});
    finding.as_object().cloned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn twin() -> TwinId {
        TwinId::new("home/lounge_room").unwrap()
    }

    fn shown() -> Value {
        json!({
            "info": {"features": {
                "gap": {"properties": {"width": {"unit": "mm"}, "height": {"unit": "m"}, "depth": {"unit": "inch"}}},
                "gap_depth": {"properties": {"value": {"unit": "cm"}}},
            }},
            "readings": {
                "gap": {"width": {"value": 803.0}, "height": {"value": 2.4}, "depth": {"value": 12.0}},
                "gap_depth": {"value": {"value": 25}},
            },
        })
    }

    #[test]
    fn what_is_wider_than_the_gap_is_said() {
        let gap = gap(&twin(), &shown()).unwrap();
        assert_eq!(gap.mm, [Some(803.0), Some(2_400.0), None], "an inch is not known here");
        let says = |size| -> Vec<String> {
            let all = findings(size, std::slice::from_ref(&gap));
            all.iter().map(|one| one["says"].as_str().unwrap().to_owned()).collect()
        };
        let fits = "It fits there: width 803 of 803 mm, height 2399 of 2400 mm, as home/lounge_room has measured.";
        assert_eq!(says([803.0, 2_399.0, 9_999.0]), [fits], "what nobody measured is not said");
        assert_eq!(findings([803.0, 2_399.0, 1.0], std::slice::from_ref(&gap))[0]["kind"], "fits");
        let all = says([923.2, 10.0, 10.0]);
        assert_eq!(all.len(), 1);
        let wide = &all[0];
        assert!(wide.contains("width is 923 mm") && wide.contains("803 mm") && wide.contains("by 121 mm"), "{wide}");
        assert_eq!(says([900.0, 2_500.0, 10.0]).len(), 2);
        assert!(findings([900.0; 3], &[]).is_empty());
    }

    #[test]
    fn a_sensor_for_each_measure_does_as_well_and_what_makes_no_sense_is_nothing() {
        let mut only = shown();
        only["info"]["features"].as_object_mut().unwrap().remove("gap");
        assert_eq!(gap(&twin(), &only).unwrap().mm, [None, None, Some(250.0)]);
        for value in [json!(-3), json!("wide"), json!(null), json!(0)] {
            only["readings"]["gap_depth"]["value"]["value"] = value;
            assert_eq!(gap(&twin(), &only), None);
        }
        for text in ["null", "[]", "{\"info\": {\"features\": 7}}"] {
            assert_eq!(gap(&twin(), &serde_json::from_str(text).unwrap()), None);
        }
    }

    #[test]
    fn a_delegation_is_read_or_is_none() {
        let of = |said: Value| {
            Delegation::of(&json!({(format!("{NAMESPACE}.delegation")): said}).as_object().cloned().unwrap())
        };
        let user = "u-00112233445566778899aabbccddeeff";
        let good = json!({"user": user, "call": "05".repeat(16), "twins": ["home/lounge_room", "home/a", "home/b", "home/c", "home/d"]});
        let paths: Vec<String> = of(good.clone()).unwrap().paths().map(|(_, path)| path).collect();
        assert_eq!(paths.len(), MOST);
        assert_eq!(paths[0], format!("/v1/sii/users/{user}/twins/home/lounge_room?call={}", "05".repeat(16)));
        for (member, value) in [
            ("user", json!("../../x")),
            ("call", json!("1?x=")),
            ("user", json!("..")),
            ("twins", json!([])),
            ("twins", json!(["home/.."])),
            ("twins", json!(["../x"])),
        ] {
            let mut bad = good.clone();
            bad[member] = value;
            assert_eq!(of(bad), None, "{member}");
        }
        assert_eq!(Delegation::of(&More::new()), None);
    }
}
