//! Values, ages and names as people say them.

use vestibule_twin::model::{ActionId, FeatureInfo, FeatureKind, PropertyId, Value};

/// How long ago something was, `seconds` before now.
pub(crate) fn age(seconds: f64) -> String {
    let whole = seconds.max(0.0);
    let count = |unit: f64, name: &str| format!("{:.0} {name} ago", (whole / unit).floor());
    match whole {
        s if s < 2.0 => "just now".to_owned(),
        s if s < 60.0 => count(1.0, "s"),
        s if s < 3600.0 => count(60.0, "min"),
        s if s < 86_400.0 => count(3600.0, "h"),
        s if s < 172_800.0 => "yesterday".to_owned(),
        _ => count(86_400.0, "days"),
    }
}

/// About how long `ms` are.
pub(crate) fn span(ms: u64) -> String {
    match ms.div_ceil(1_000) {
        s @ 0..120 => format!("{s} s"),
        s @ 120..7_200 => format!("{} min", s / 60),
        s @ 7_200..172_800 => format!("{} h", s / 3_600),
        s => format!("{} days", s / 86_400),
    }
}

/// A number with as many digits as help, and its unit.
pub(crate) fn number(value: f64, unit: Option<&str>) -> String {
    let digits = if value.abs() >= 100.0 {
        0
    } else if value.abs() >= 1.0 {
        1
    } else {
        2
    };
    let mut text = format!("{value:.digits$}");
    if text.contains('.') {
        text.truncate(text.trim_end_matches('0').trim_end_matches('.').len());
    }
    if text == "-0" {
        "0".clone_into(&mut text);
    }
    match unit {
        Some(unit) if !unit.is_empty() => format!("{text} {unit}"),
        _ => text,
    }
}

/// The words for yes and no, by what a sensor senses (Home Assistant's device classes).
fn bool_words(info: &FeatureInfo) -> (&'static str, &'static str) {
    if info.kind != FeatureKind::BinarySensor {
        return ("on", "off");
    }
    match info.class.as_deref().unwrap_or_default() {
        "door" | "window" | "opening" | "garage_door" => ("open", "closed"),
        "motion" | "moving" | "vibration" => ("motion", "still"),
        "occupancy" | "presence" => ("somebody there", "nobody there"),
        "problem" => ("problem", "no problem"),
        "moisture" => ("wet", "dry"),
        "smoke" | "gas" | "carbon_monoxide" | "safety" | "tamper" => ("alarm", "quiet"),
        "battery" => ("low", "good"),
        "lock" => ("unlocked", "locked"),
        "connectivity" => ("connected", "disconnected"),
        "plug" | "power" => ("power", "no power"),
        _ => ("yes", "no"),
    }
}

/// Whether the number 0 to 1 of this property is shown in percent.
fn is_share(info: &FeatureInfo, property: &str) -> bool {
    info.kind == FeatureKind::Light && property == "brightness"
}

/// The unit that people read with a property.
pub(crate) fn unit<'a>(info: &'a FeatureInfo, property: &PropertyId) -> Option<&'a str> {
    let own = info.properties.get(property).and_then(|p| p.unit.as_deref());
    own.or(match (info.kind, property.as_str()) {
        (FeatureKind::Cover, "position") => Some("%"),
        (FeatureKind::Light, "color_temp") => Some("K"),
        (FeatureKind::Climate, "target" | "current") => Some("°C"),
        _ => None,
    })
}

/// A value of a feature's property.
pub(crate) fn value(info: &FeatureInfo, property: &PropertyId, value: &Value) -> String {
    match value {
        Value::Bool(yes) => {
            let (on, off) = bool_words(info);
            (if *yes { on } else { off }).to_owned()
        }
        Value::Text(text) => text.replace('_', " "),
        Value::Blob(blob) => format!("picture, {} kB", blob.size.div_ceil(1024)),
        Value::Color(_) => value.to_string(),
        Value::Int(_) | Value::Float(_) => {
            let raw = value.as_f64().unwrap_or_default();
            if is_share(info, property.as_str()) {
                format!("{:.0} %", raw * 100.0)
            } else if info.kind == FeatureKind::Cover && property.as_str() == "position" {
                format!("{raw:.0} % open")
            } else {
                number(raw, unit(info, property))
            }
        }
    }
}

/// `set_color_temp` as `Color temp`.
pub(crate) fn plain(id: &str) -> String {
    let words = id.strip_prefix("set_").unwrap_or(id).replace(['_', '.', '-', ':'], " ");
    let mut chars = words.chars();
    chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
}

/// What a button or slider for an action says.
pub(crate) fn action(info: &FeatureInfo, action: &ActionId) -> String {
    match action.as_str() {
        "set" | "press" if !info.name.is_empty() => info.name.clone(),
        "set_color" => "Colour".to_owned(),
        "set_color_temp" => "Warmth".to_owned(),
        other => plain(other),
    }
}

/// What a row for a property says.
pub(crate) fn property(property: &PropertyId) -> String {
    match property.as_str() {
        "color" => "Colour".to_owned(),
        "color_temp" => "Warmth".to_owned(),
        other => plain(other),
    }
}

/// What the thing should have reported after an action, in the past: `the door did not say that it opened`.
pub(crate) fn done(action: &ActionId) -> String {
    match action.as_str() {
        "open" => "it opened".to_owned(),
        "close" => "it closed".to_owned(),
        "stop" => "it stopped".to_owned(),
        "lock" => "it locked".to_owned(),
        "unlock" => "it unlocked".to_owned(),
        "turn_on" => "it turned on".to_owned(),
        "turn_off" => "it turned off".to_owned(),
        other if other.starts_with("set") => "it changed".to_owned(),
        other => format!("it did \"{}\"", other.replace('_', " ")),
    }
}

/// What a feature is, for the card's second line.
pub(crate) const fn kind(kind: FeatureKind) -> &'static str {
    match kind {
        FeatureKind::Lock => "lock",
        FeatureKind::Cover => "cover",
        FeatureKind::Event => "event",
        FeatureKind::Camera => "camera",
        FeatureKind::Image => "image",
        FeatureKind::BinarySensor | FeatureKind::Sensor => "sensor",
        FeatureKind::Light => "light",
        FeatureKind::Switch => "switch",
        FeatureKind::Climate => "climate",
        FeatureKind::Button => "button",
        FeatureKind::Number | FeatureKind::Select => "setting",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::feature;

    #[test]
    fn ages_are_short_and_true() {
        let table = [
            (0.4, "just now"),
            (3.9, "3 s ago"),
            (59.9, "59 s ago"),
            (60.0, "1 min ago"),
            (3599.0, "59 min ago"),
            (7200.0, "2 h ago"),
            (90_000.0, "yesterday"),
            (400_000.0, "4 days ago"),
            (-5.0, "just now"),
        ];
        for (seconds, text) in table {
            assert_eq!(age(seconds), text, "{seconds}");
        }
    }

    #[test]
    fn values_read_as_people_say_them() {
        let table = [
            (FeatureKind::Light, "brightness", Value::Float(0.8), "80 %"),
            (FeatureKind::Light, "color_temp", Value::Int(2700), "2700 K"),
            (FeatureKind::Light, "on", Value::Bool(true), "on"),
            (FeatureKind::Light, "color", Value::Color([255, 128, 0]), "#ff8000"),
            (FeatureKind::Cover, "position", Value::Int(35), "35 % open"),
            (FeatureKind::Climate, "current", Value::Float(21.46), "21.5 °C"),
            (FeatureKind::Climate, "target", Value::Float(20.0), "20 °C"),
            (FeatureKind::Lock, "state", Value::Text("not_fully_locked".to_owned()), "not fully locked"),
            (FeatureKind::Sensor, "value", Value::Float(-0.001), "0"),
            (FeatureKind::Sensor, "value", Value::Float(1234.56), "1235"),
        ];
        for (kind, property, given, text) in table {
            assert_eq!(value(&feature("Thing", kind), &PropertyId::slug(property), &given), text);
        }
        let mut door = feature("Contact", FeatureKind::BinarySensor);
        door.class = Some("door".to_owned());
        assert_eq!(value(&door, &PropertyId::slug("on"), &Value::Bool(true)), "open");
    }

    #[test]
    fn actions_have_names() {
        let lock = feature("Lock", FeatureKind::Lock);
        assert_eq!(action(&lock, &ActionId::slug("turn_on")), "Turn on");
        assert_eq!(action(&lock, &ActionId::slug("set_brightness")), "Brightness");
        assert_eq!(action(&feature("Restart", FeatureKind::Button), &ActionId::slug("press")), "Restart");
    }
}
