//! A shape's solid, before it is placed.

use manifold_rust::{
    cross_section::CrossSection,
    linalg::{Vec2, Vec3},
    manifold::Manifold,
    types::Polygons,
};

use crate::{
    design::{Amount, Anchor, Profile, Segment, Shape},
    text::Font,
};

/// Into how many pieces a whole turn of a rounded corner goes.
const ROUND: i32 = 32;
/// How far a twisted extrusion turns between two rows of points.
const TWIST_STEP: f64 = 5.0;
/// The tangent of a quarter of the angle of what nearly is a whole circle.
const MOST_BULGE: f64 = 20.0;
/// Of less than 12°.
const FLAT: f64 = 0.05;
/// Triangles of a letter, about.
const LETTER: usize = 400;
/// Joins of the kernel's offsets.
const ROUND_JOIN: i32 = 1;
const MITER_JOIN: i32 = 2;
/// How far a corner may reach out before it is cut: never, at the angles that a profile has.
const MITER_LIMIT: f64 = 100.0;

/// The solid of a shape in its own frame, or why there is none. Hulls are made where their features are.
pub(crate) fn leaf(shape: &Shape, font: Option<&Font>) -> Result<Manifold, String> {
    match shape {
        Shape::Block { size, round, anchor } => block(numbers(size), round.number(), *anchor),
        Shape::Cylinder { low, high, height, sides } => {
            let made = Manifold::cylinder(height.number(), low.number(), high.number(), i32::from(*sides));
            Ok(upright(&made))
        }
        Shape::Ball { radius, sides } => Ok(upright(&Manifold::sphere(radius.number(), i32::from(*sides)))),
        Shape::Ring { radius, tube, sides } => {
            let circle = CrossSection::circle(tube.number(), i32::from(*sides));
            let moved = circle.translate(Vec2::new(radius.number(), 0.0));
            Ok(upright(&Manifold::revolve(&moved.to_polygons(), i32::from(*sides), 360.0)))
        }
        Shape::Extrusion { profile, height, twist, taper, chamfer } => {
            let area = area(profile)?;
            let chamfer = numbers(chamfer);
            if chamfer == [0.0, 0.0] {
                return extrude(&area, height.number(), twist.number(), numbers(taper));
            }
            if twist.number() != 0.0 || numbers(taper) != [1.0, 1.0] {
                return Err("chamfers, and twist or taper, do not go together".to_owned());
            }
            chamfered(&area, height.number(), chamfer)
        }
        Shape::Revolution { profile, angle, sides } => {
            let angle = angle.number();
            if angle <= 0.0 {
                return Err("it turns by nothing".to_owned());
            }
            Ok(upright(&Manifold::revolve(&area(profile)?.to_polygons(), i32::from(*sides), angle.min(360.0))))
        }
        Shape::Text { text, height, depth, spread } => {
            let font = font.ok_or("there is no font")?;
            let mut area = font.area(text, height.number()).map_err(|error| error.to_string())?;
            if spread.number() != 0.0 {
                area = area.offset_with_params(spread.number(), ROUND_JOIN, MITER_LIMIT, ROUND);
            }
            extrude(&area, depth.number(), 0.0, [1.0, 1.0])
        }
        Shape::Hull { .. } => Err("a hull of nothing".to_owned()),
    }
}

/// How many triangles a shape will have, about: what is far too large is not made to find that out.
pub(crate) fn triangles(shape: &Shape) -> usize {
    match shape {
        Shape::Block { .. } | Shape::Hull { .. } => 0,
        Shape::Cylinder { sides, .. } => 4 * usize::from(*sides),
        Shape::Ball { sides, .. } => usize::from(*sides).pow(2) / 2,
        Shape::Ring { sides, .. } => 2 * usize::from(*sides).pow(2),
        Shape::Extrusion { profile, twist, .. } => 2 * points(profile) * (rows(twist.number()) + 1),
        Shape::Revolution { profile, sides, .. } => 2 * points(profile) * usize::from(*sides),
        Shape::Text { text, .. } => LETTER * text.chars().count(),
    }
}

/// How many points an outline has, about.
fn points(profile: &Profile) -> usize {
    match profile {
        Profile::Rect { round, .. } => {
            if round.number() == 0.0 {
                4
            } else {
                4 + ROUND.unsigned_abs() as usize
            }
        }
        Profile::Circle { sides, .. } | Profile::Polygon { sides, .. } => usize::from(*sides),
        Profile::Path { segments, holes } => {
            let of = |segment: &Segment| match segment {
                Segment::Line { .. } => 1,
                Segment::Arc { bulge, .. } => pieces_of(bulge.number().abs().min(MOST_BULGE)),
            };
            std::iter::once(segments).chain(holes).flatten().map(of).sum()
        }
        // Corners become round.
        Profile::Offset { of, .. } => 2 * points(of) + 32,
    }
}

fn rows(twist: f64) -> usize {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "ten turns at most")]
    let rows = (twist.abs() / TWIST_STEP).ceil() as usize;
    rows.max(1)
}

fn numbers<const N: usize>(amounts: &[Amount; N]) -> [f64; N] {
    std::array::from_fn(|n| amounts[n].number())
}

/// The kernel's solids stand along Z, ours along Y.
fn upright(solid: &Manifold) -> Manifold {
    solid.rotate(-90.0, 0.0, 0.0)
}

fn block(size: [f64; 3], round: f64, anchor: Anchor) -> Result<Manifold, String> {
    let [x, y, z] = size;
    let middle = if round == 0.0 {
        Manifold::cube(Vec3::new(x, y, z), true)
    } else {
        if round * 2.0 >= x.min(y).min(z) {
            return Err("its edges are rounder than it is thick".to_owned());
        }
        let ball = Manifold::sphere(round, ROUND);
        let mut corners = Vec::with_capacity(8);
        for corner in 0..8_u8 {
            let at = |axis: u8, size: f64| {
                let far = size / 2.0 - round;
                if corner & (1 << axis) == 0 { -far } else { far }
            };
            corners.push(ball.translate(Vec3::new(at(0, x), at(1, y), at(2, z))));
        }
        Manifold::hull_manifolds(&corners)
    };
    Ok(match anchor {
        Anchor::Middle => middle,
        Anchor::Foot => middle.translate(Vec3::new(0.0, y / 2.0, 0.0)),
        Anchor::Corner => middle.translate(Vec3::new(x / 2.0, y / 2.0, z / 2.0)),
    })
}

fn extrude(area: &CrossSection, height: f64, twist: f64, taper: [f64; 2]) -> Result<Manifold, String> {
    if (taper[0] == 0.0) != (taper[1] == 0.0) {
        return Err("it ends in a line".to_owned());
    }
    let between = i32::try_from(rows(twist) - 1).unwrap_or(i32::MAX);
    Ok(Manifold::extrude(&area.to_polygons(), height, between, twist, Vec2::new(taper[0], taper[1])))
}

/// A convex profile whose edges at its ends are taken off: the hull of four outlines.
fn chamfered(area: &CrossSection, height: f64, [low, high]: [f64; 2]) -> Result<Manifold, String> {
    let outlines = area.to_polygons();
    let hull = CrossSection::hull_cross_sections(std::slice::from_ref(area));
    if outlines.len() != 1 || hull.area() - area.area() > 1e-6 * area.area() {
        return Err("a chamfer needs a profile without hollows".to_owned());
    }
    if low + high > height {
        return Err("its chamfers are higher than it is".to_owned());
    }
    let shrunk = |by: f64| area.offset_with_params(-by, MITER_JOIN, MITER_LIMIT, 0).to_polygons();
    let levels = [(shrunk(low), 0.0), (outlines.clone(), low), (outlines, height - high), (shrunk(high), height)];
    if levels.iter().any(|(outlines, _)| outlines.is_empty()) {
        return Err("its chamfers take all of it".to_owned());
    }
    let points = levels
        .iter()
        .flat_map(|(outlines, z)| outlines.iter().flatten().map(move |point| Vec3::new(point.x, point.y, *z)));
    Ok(Manifold::hull(&points.collect::<Vec<_>>()))
}

/// The area that a profile encloses.
fn area(profile: &Profile) -> Result<CrossSection, String> {
    let area = match profile {
        Profile::Rect { size, round } => {
            let ([x, y], round) = (numbers(size), round.number());
            if round * 2.0 >= x.min(y) {
                return Err("its corners are rounder than it is wide".to_owned());
            }
            let sharp = CrossSection::square_vec2(Vec2::new(x, y), true);
            if round == 0.0 {
                sharp
            } else {
                let inner = CrossSection::square_vec2(Vec2::new(x - 2.0 * round, y - 2.0 * round), true);
                inner.offset_with_params(round, ROUND_JOIN, MITER_LIMIT, ROUND)
            }
        }
        Profile::Circle { radius, sides } | Profile::Polygon { sides, radius } => {
            CrossSection::circle(radius.number(), i32::from(*sides))
        }
        Profile::Path { segments, holes } => {
            let outline = enclosed(segments);
            let holes: Polygons = holes.iter().map(|hole| outlined(hole)).collect();
            outline.difference(&CrossSection::from_polygons_fill(holes))
        }
        Profile::Offset { of, by } => area_of_offset(&area(of)?, by.number()),
    };
    if area.is_empty() { Err("its profile encloses nothing".to_owned()) } else { Ok(area) }
}

fn area_of_offset(area: &CrossSection, by: f64) -> CrossSection {
    if by == 0.0 { area.clone() } else { area.offset_with_params(by, ROUND_JOIN, MITER_LIMIT, ROUND) }
}

fn enclosed(segments: &[Segment]) -> CrossSection {
    CrossSection::from_polygons_fill(vec![outlined(segments)])
}

/// The points of an outline, counter-clockwise.
fn outlined(segments: &[Segment]) -> Vec<Vec2> {
    let place = |segment: &Segment| match segment {
        Segment::Line { to } | Segment::Arc { to, .. } => numbers(to),
    };
    let mut points: Vec<[f64; 2]> = Vec::new();
    for segment in segments {
        match (segment, points.last().copied()) {
            (Segment::Arc { to, bulge }, Some(from)) => arc(from, numbers(to), bulge.number(), &mut points),
            _ => points.push(place(segment)),
        }
    }
    // The first segment only says where the outline begins; as an arc it says how the end comes back to it.
    if let (Some(Segment::Arc { to, bulge }), Some(last)) = (segments.first(), points.last().copied())
        && segments.len() > 1
    {
        arc(last, numbers(to), bulge.number(), &mut points);
        points.pop();
    }
    let next = points.iter().cycle().skip(1);
    let twice: f64 = points.iter().zip(next).map(|(a, b)| a[0] * b[1] - b[0] * a[1]).sum();
    if twice < 0.0 {
        points.reverse();
    }
    points.into_iter().map(|[x, y]| Vec2::new(x, y)).collect()
}

/// Halves an arc until its pieces turn by less than 12°. Needs no sine, so every machine gets the same points.
fn arc(from: [f64; 2], to: [f64; 2], bulge: f64, points: &mut Vec<[f64; 2]>) {
    let bulge = bulge.clamp(-MOST_BULGE, MOST_BULGE);
    if bulge.abs() < FLAT {
        points.push(to);
        return;
    }
    let (dx, dy) = (to[0] - from[0], to[1] - from[1]);
    let top = [f64::midpoint(from[0], to[0]) + bulge / 2.0 * dy, f64::midpoint(from[1], to[1]) - bulge / 2.0 * dx];
    let half = halved(bulge);
    arc(from, top, half, points);
    arc(top, to, half, points);
}

/// The tangent of half the angle.
fn halved(bulge: f64) -> f64 {
    bulge / (1.0 + (1.0 + bulge * bulge).sqrt())
}

/// Into how many pieces an arc goes.
fn pieces_of(bulge: f64) -> usize {
    if bulge < FLAT { 1 } else { 2 * pieces_of(halved(bulge)) }
}
