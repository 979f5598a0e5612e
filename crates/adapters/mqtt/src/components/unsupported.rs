//! What Home Assistant's components can do and ours cannot: said, not hidden.

use crate::discovery::Fields;

/// Platform, what the name of a field begins with, and why it is left out.
const LEFT_OUT: &[(&str, &str, &str)] = &[
    (
        "lock",
        "code_format",
        "it asks for a code, which would have to be kept with every command: it is shown and cannot be turned from here",
    ),
    ("cover", "tilt_command_topic", "slats are not tilted from here"),
    ("cover", "tilt_status_topic", "how slats are tilted is not read"),
    ("climate", "preset_mode_", "presets are not offered"),
    ("climate", "fan_mode_", "fan modes are not offered"),
    ("climate", "swing_mode_", "swing modes are not offered"),
    ("climate", "swing_horizontal_mode_", "swing modes are not offered"),
    ("climate", "target_humidity_", "humidity is not set from here"),
    ("climate", "current_humidity_topic", "humidity is not read"),
    ("climate", "temperature_low_", "a range of temperatures is not offered"),
    ("climate", "temperature_high_", "a range of temperatures is not offered"),
    ("climate", "power_command_topic", "power is not switched apart from the mode"),
    ("light", "white_command_topic", "its white channel is not set apart"),
    ("light", "color_mode_state_topic", "which of colour and warmth shines is not read"),
];

/// What of a component is not offered, in words for whoever has the device: one line for each kind.
pub(crate) fn unsupported(platform: &str, fields: Fields<'_>) -> Vec<String> {
    let mut said = Vec::new();
    for (_, begin, why) in LEFT_OUT.iter().filter(|(of, _, _)| *of == platform) {
        // Lists of modes and templates are there without a topic too, and mean nothing then.
        let is_asked = |name: &str| name.starts_with(begin) && (name == *begin || name.ends_with("_topic"));
        let asked = fields.map.keys().find(|name| is_asked(name) && fields.has(name));
        said.extend(asked.map(|name| format!("`{name}`: {why}")));
    }
    if platform == "light" {
        let modes = fields.list("supported_color_modes").ok().flatten().unwrap_or_default();
        said.extend(
            modes
                .iter()
                .any(|mode| mode == "white")
                .then(|| "`supported_color_modes`: the mode `white` is not set apart".to_owned()),
        );
    }
    said
}
