//! Where a feature can be taken hold of in the world, and what that changes.

use super::field::{FeatureField, Field, ParamField, Path, Scalar};
use crate::{
    design::{
        Amount, Anchor, Axis, Design, DesignError, Expression, Feature, FeatureKey, Param, Profile, Repeat, Shape, Use,
        check_whole, range,
    },
    solid::{Movement, placed},
};

/// Something to take hold of.
#[derive(Clone, Debug, PartialEq)]
pub struct Handle {
    /// What it looks like.
    pub kind: HandleKind,
    /// Where it is, in millimetres, in the design's frame.
    pub at: [f64; 3],
    /// Where it is drawn to; for a ring, the axis that it turns about (a right hand's thumb). One long.
    pub along: [f64; 3],
    /// The field that it drives: the feature's own, or the parameter that its formula reads.
    pub field: Field,
    /// The field's value now.
    pub value: f64,
    /// By how much the value changes for each millimetre that it is drawn along its axis, or each degree that it is turned.
    pub rate: f64,
    /// The least that the field may be.
    pub least: f64,
    /// The most that the field may be.
    pub most: f64,
    /// What it is drawn to without fine control.
    pub step: f64,
}

/// What a handle looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HandleKind {
    /// An arrow that moves all of it.
    Arrow,
    /// A point on a face that changes a size.
    Face,
    /// A ring that turns it.
    Ring,
}

impl Handle {
    /// The field's value after it was drawn by so many millimetres, or turned by so many degrees: within its bounds, at a
    /// whole step unless it is `fine`.
    #[must_use]
    pub fn drawn(&self, by: f64, fine: bool) -> f64 {
        let value = self.value + by * self.rate;
        let value = if fine || self.step <= 0.0 { value } else { (value / self.step).round() * self.step };
        // A millionth is the finest that a design knows.
        let settled = (value * 1e6).round() / 1e6;
        if self.least <= self.most { settled.clamp(self.least, self.most) } else { self.value }
    }

    /// What is set then.
    #[must_use]
    pub fn scalar(&self, by: f64, fine: bool) -> Scalar {
        self.drawn(by, fine).into()
    }
}

/// The handles of a feature: arrows along X, Y and Z, rings about its own axes, points for its sizes.
///
/// # Errors
/// [`DesignError`] where it is no design.
pub fn handles(design: &Design, key: &FeatureKey) -> Result<Vec<Handle>, DesignError> {
    let resolved = design.resolve()?;
    let pair = design.features.iter().zip(resolved.features()).find(|(feature, _)| feature.key == *key);
    let Some((feature, numbers)) = pair else { return Ok(Vec::new()) };
    let mut found = Found { design, key, place: placed(&numbers.at), handles: Vec::new() };
    found.moves(feature, numbers);
    found.sizes(feature, numbers);
    found.steps(feature, numbers);
    Ok(found.handles)
}

struct Found<'a> {
    design: &'a Design,
    key: &'a FeatureKey,
    place: Movement,
    handles: Vec<Handle>,
}

const X: [f64; 3] = [1.0, 0.0, 0.0];
const Y: [f64; 3] = [0.0, 1.0, 0.0];
const Z: [f64; 3] = [0.0, 0.0, 1.0];

impl Found<'_> {
    /// A handle for an amount: for the field itself, or for the parameter that its formula reads. `rate` is what the
    /// amount changes by for a millimetre or a degree. A formula that no parameter moves has none.
    fn add(&mut self, look: (HandleKind, [f64; 3], [f64; 3]), amount: &Amount, rate: f64, used: Use, at: FeatureField) {
        let (kind, at_place, along) = look;
        let (field, value, rate, (least, most), step) = match amount {
            Amount::Value(value) => {
                let (least, most) = range(used);
                (Field::Feature(self.key.clone(), at), *value, rate, (least, most), 1.0)
            }
            Amount::Formula(formula) => {
                let Some((key, param, slope)) = self.driven(formula) else { return };
                let field = Field::Param(key, ParamField::Value);
                (field, param.value, rate / slope, (param.least, param.most), param.step)
            }
        };
        self.handles.push(Handle { kind, at: at_place, along, field, value, rate, least, most, step });
    }

    /// The parameter that moves a formula most, and how much a unit of it does.
    fn driven(&self, formula: &Expression) -> Option<(crate::design::ParamKey, Param, f64)> {
        let now = formula.value(&self.design.params).ok()?;
        let slopes = self.design.params.iter().filter_map(|(key, param)| {
            if !formula.names().any(|name| name == key.as_str()) {
                return None;
            }
            let mut params = self.design.params.clone();
            // A whole step: what is rounded does not move by less.
            let by = if param.value + param.step.abs() <= param.most { param.step.abs() } else { -param.step.abs() };
            params.get_mut(key)?.value += by;
            let slope = (formula.value(&params).ok()? - now) / by;
            (slope.is_finite() && slope.abs() > 1e-9).then(|| (key.clone(), param.clone(), slope))
        });
        slopes.max_by(|(.., one), (.., other)| one.abs().total_cmp(&other.abs()))
    }

    /// A point and a direction of the feature's own frame.
    fn face(&self, at: [f64; 3], along: [f64; 3]) -> (HandleKind, [f64; 3], [f64; 3]) {
        (HandleKind::Face, self.place.point(at), self.place.direction(along))
    }

    fn part(&mut self, path: &str, amount: &Amount, look: (HandleKind, [f64; 3], [f64; 3]), rate: f64, used: Use) {
        self.add(look, amount, rate, used, FeatureField::Part(Path::known(path)));
    }

    fn moves(&mut self, feature: &Feature, numbers: &Feature) {
        let origin = self.place.point([0.0; 3]);
        let [x, y, _] = [0, 1, 2].map(|axis| numbers.at.turn[axis].number());
        // About its own X, then about its own Y as that then is, and so on.
        let only =
            |turn: [f64; 3]| placed(&crate::design::Placement::at(0.0, 0.0, 0.0).turned(turn[0], turn[1], turn[2]));
        let rings = [X, only([x, 0.0, 0.0]).direction(Y), only([x, y, 0.0]).direction(Z)];
        for (axis, along) in [(Axis::X, X), (Axis::Y, Y), (Axis::Z, Z)] {
            let at = axis as usize;
            let arrow = (HandleKind::Arrow, origin, along);
            self.add(arrow, &feature.at.position[at], 1.0, Use::Offset, FeatureField::Position(axis));
            let ring = (HandleKind::Ring, origin, rings[at]);
            self.add(ring, &feature.at.turn[at], 1.0, Use::Angle, FeatureField::Turn(axis));
        }
    }

    fn sizes(&mut self, feature: &Feature, numbers: &Feature) {
        match (&feature.shape, &numbers.shape) {
            (Shape::Block { size, .. }, Shape::Block { size: now, anchor, .. }) => self.block(size, now, *anchor),
            (Shape::Cylinder { low, high, height, .. }, Shape::Cylinder { low: l, high: h, height: up, .. }) => {
                let up = up.number();
                self.part("height", height, self.face([0.0, up, 0.0], Y), 1.0, Use::Size);
                self.part("low", low, self.face([l.number(), 0.0, 0.0], X), 1.0, Use::Optional);
                self.part("high", high, self.face([h.number(), up, 0.0], X), 1.0, Use::Optional);
            }
            (Shape::Ball { radius, .. }, Shape::Ball { radius: now, .. }) => {
                self.part("radius", radius, self.face([now.number(), 0.0, 0.0], X), 1.0, Use::Size);
            }
            (Shape::Ring { radius, tube, .. }, Shape::Ring { radius: r, tube: t, .. }) => {
                let (r, t) = (r.number(), t.number());
                self.part("radius", radius, self.face([r, 0.0, 0.0], X), 1.0, Use::Size);
                self.part("tube", tube, self.face([r, t, 0.0], Y), 1.0, Use::Size);
            }
            (Shape::Extrusion { profile, height, .. }, Shape::Extrusion { profile: now, height: up, .. }) => {
                self.part("height", height, self.face([0.0, 0.0, up.number()], Z), 1.0, Use::Size);
                self.profile("profile", profile, now);
            }
            (Shape::Revolution { profile, .. }, Shape::Revolution { profile: now, .. }) => {
                self.profile("profile", profile, now);
            }
            (Shape::Text { height, depth, .. }, Shape::Text { height: h, depth: d, .. }) => {
                let (h, d) = (h.number(), d.number());
                self.part("height", height, self.face([0.0, h / 2.0, d], Y), 2.0, Use::Size);
                self.part("depth", depth, self.face([0.0, 0.0, d], Z), 1.0, Use::Size);
            }
            _ => {}
        }
    }

    fn block(&mut self, size: &[Amount; 3], now: &[Amount; 3], anchor: Anchor) {
        let now = [0, 1, 2].map(|axis| now[axis].number());
        // Where its low corner is, as a part of its size.
        let low: [f64; 3] = match anchor {
            Anchor::Middle => [0.5; 3],
            Anchor::Foot => [0.5, 0.0, 0.5],
            Anchor::Corner => [0.0; 3],
        };
        for (axis, along) in [X, Y, Z].into_iter().enumerate() {
            let middle: [f64; 3] = std::array::from_fn(|other| now[other] * (0.5 - low[other]));
            let mut far = middle;
            far[axis] = now[axis] * (1.0 - low[axis]);
            // A block that grows to both sides grows by two for each.
            self.part(&format!("size.{axis}"), &size[axis], self.face(far, along), 1.0 / (1.0 - low[axis]), Use::Size);
        }
    }

    fn profile(&mut self, path: &str, profile: &Profile, now: &Profile) {
        match (profile, now) {
            (Profile::Rect { size, .. }, Profile::Rect { size: now, .. }) => {
                let [x, y] = [0, 1].map(|axis| now[axis].number());
                self.part(&format!("{path}.size.0"), &size[0], self.face([x / 2.0, 0.0, 0.0], X), 2.0, Use::Size);
                self.part(&format!("{path}.size.1"), &size[1], self.face([0.0, y / 2.0, 0.0], Y), 2.0, Use::Size);
            }
            (
                Profile::Circle { radius, .. } | Profile::Polygon { radius, .. },
                Profile::Circle { radius: now, .. } | Profile::Polygon { radius: now, .. },
            ) => {
                let at = self.face([now.number(), 0.0, 0.0], X);
                self.part(&format!("{path}.radius"), radius, at, 1.0, Use::Size);
            }
            (Profile::Offset { of, .. }, Profile::Offset { of: now, .. }) => {
                self.profile(&format!("{path}.of"), of, now);
            }
            _ => {}
        }
    }

    /// The last one of a row drives how far they stand apart.
    fn steps(&mut self, feature: &Feature, numbers: &Feature) {
        let (Some(Repeat::Line { step, .. }), Some(Repeat::Line { count, step: now })) =
            (&feature.repeat, &numbers.repeat)
        else {
            return;
        };
        let times = check_whole(count.number()).saturating_sub(1);
        if times == 0 {
            return;
        }
        #[expect(clippy::cast_precision_loss, reason = "at most 2,000")]
        let times = times as f64;
        let origin = self.place.point([0.0; 3]);
        let last: [f64; 3] = std::array::from_fn(|axis| origin[axis] + times * now[axis].number());
        for (axis, along) in [X, Y, Z].into_iter().enumerate().filter(|(axis, _)| now[*axis].number() != 0.0) {
            let field = FeatureField::Times(Path::known(&format!("step.{axis}")));
            self.add((HandleKind::Face, last, along), &step[axis], 1.0 / times, Use::Offset, field);
        }
    }
}
