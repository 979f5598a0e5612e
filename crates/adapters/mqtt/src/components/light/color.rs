//! Colours between the spaces that devices speak.

/// sRGB of hue (degrees) and saturation (percent), as bright as can be.
pub(super) fn from_hs(hue: f64, saturation: f64) -> [u8; 3] {
    let (hue, saturation) = (hue.rem_euclid(360.0), saturation.clamp(0.0, 100.0) / 100.0);
    let channel = |offset: f64| {
        let k = (offset + hue / 60.0) % 6.0;
        byte(1.0 - saturation * k.min(4.0 - k).clamp(0.0, 1.0))
    };
    [channel(5.0), channel(3.0), channel(1.0)]
}

/// Hue in degrees and saturation in percent.
pub(super) fn to_hs([r, g, b]: [u8; 3]) -> (f64, f64) {
    let [r, g, b] = [f64::from(r), f64::from(g), f64::from(b)];
    let (max, min) = (r.max(g).max(b), r.min(g).min(b));
    let span = max - min;
    if span == 0.0 {
        return (0.0, 0.0);
    }
    let sixth = if r >= max {
        (g - b) / span
    } else if g >= max {
        2.0 + (b - r) / span
    } else {
        4.0 + (r - g) / span
    };
    let three = |number: f64| (number * 1000.0).round() / 1000.0;
    (three((sixth * 60.0).rem_euclid(360.0)), three(span / max * 100.0))
}

/// sRGB of CIE 1931 x and y, as bright as can be (wide-gamut D65, as lamps have it).
pub(super) fn from_xy(x: f64, y: f64) -> [u8; 3] {
    let y = if y.abs() < 1.0e-6 { 1.0e-6 } else { y };
    let (cx, cz) = (x / y, (1.0 - x - y) / y);
    let linear = [
        cx * 1.656_492 - 0.354_851 - cz * 0.255_038,
        -cx * 0.707_196 + 1.655_397 + cz * 0.036_152,
        cx * 0.051_713 - 0.121_364 + cz * 1.011_530,
    ];
    let gamma = |l: f64| {
        let l = l.max(0.0);
        if l <= 0.003_130_8 { 12.92 * l } else { 1.055 * l.powf(1.0 / 2.4) - 0.055 }
    };
    let encoded = linear.map(gamma);
    let max = encoded.iter().copied().fold(0.0, f64::max).max(1.0e-9);
    encoded.map(|channel| byte(channel / max))
}

/// CIE 1931 x and y.
pub(super) fn to_xy(color: [u8; 3]) -> (f64, f64) {
    let [r, g, b] = color.map(|channel| {
        let c = f64::from(channel) / 255.0;
        if c > 0.040_45 { ((c + 0.055) / 1.055).powf(2.4) } else { c / 12.92 }
    });
    let cx = r * 0.664_511 + g * 0.154_324 + b * 0.162_028;
    let cy = r * 0.283_881 + g * 0.668_433 + b * 0.047_685;
    let cz = r * 0.000_088 + g * 0.072_310 + b * 0.986_039;
    let sum = cx + cy + cz;
    let three = |number: f64| (number * 1000.0).round() / 1000.0;
    if sum <= 0.0 { (0.323, 0.329) } else { (three(cx / sum), three(cy / sum)) }
}

/// What a lamp with white diodes shows: its white is added, then all is scaled down to the brightest.
pub(super) fn with_white([r, g, b]: [u8; 3], white: u8) -> [u8; 3] {
    let sums = [r, g, b].map(|channel| f64::from(channel) + f64::from(white));
    let (most, was) = (sums.iter().copied().fold(0.0, f64::max), f64::from(r.max(g).max(b).max(white)));
    if most <= 0.0 { [0; 3] } else { sums.map(|sum| byte(sum / most * was / 255.0)) }
}

/// 0 to 1 as a byte.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped")]
pub(super) fn byte(share: f64) -> u8 {
    (share.clamp(0.0, 1.0) * 255.0).round() as u8
}

/// Kelvin of mireds, and mireds of kelvin.
pub(super) fn reciprocal(number: f64) -> f64 {
    if number <= 0.0 { 0.0 } else { (1.0e6 / number).round() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_survive_a_round_trip() {
        for color in [[255, 0, 0], [0, 255, 0], [0, 0, 255], [255, 255, 255], [255, 128, 0], [12, 255, 200]] {
            let (h, s) = to_hs(color);
            let near = |a: [u8; 3], most| a.iter().zip(color).all(|(a, b)| a.abs_diff(b) <= most);
            assert!(near(from_hs(h, s), 2), "{color:?} {h} {s} {:?}", from_hs(h, s));
            let (x, y) = to_xy(color);
            assert!(near(from_xy(x, y), 12), "{color:?} {x} {y} {:?}", from_xy(x, y));
        }
        assert_eq!(reciprocal(370.0), 2703.0);
    }
}
