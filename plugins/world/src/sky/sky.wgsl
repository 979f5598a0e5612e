// The sky: a gradient, the sun's disc or the moon's, soft clouds and stars. Colours are in the picture's units: the
// camera's exposure does not touch them.
#import bevy_pbr::{forward_io::VertexOutput, mesh_view_bindings::view}
#ifdef TONEMAP_IN_SHADER
#import bevy_core_pipeline::tonemapping::tone_mapping
#endif

struct Sky {
    zenith: vec4<f32>,
    horizon: vec4<f32>,
    // Towards the sun; w: 0 night to 1 day.
    sun: vec4<f32>,
    // Towards the moon; w: how much of it is to be seen.
    moon: vec4<f32>,
    // The sun's colour; w: dusk.
    glow: vec4<f32>,
    // Clouds 0 to 1; seconds; stars 0 to 1; unused.
    extra: vec4<f32>,
}

@group(#{MATERIAL_BIND_GROUP}) @binding(0) var<uniform> sky: Sky;

fn hash(p: vec2<f32>) -> f32 {
    let q = fract(p * vec2<f32>(0.3183099, 0.3678794) + vec2<f32>(0.71, 0.113));
    let r = q * 17.0;
    return fract(r.x * r.y * (r.x + r.y) * 13.0);
}

fn noise(p: vec2<f32>) -> f32 {
    let cell = floor(p);
    let f = fract(p);
    let u = f * f * (3.0 - 2.0 * f);
    let low = mix(hash(cell), hash(cell + vec2<f32>(1.0, 0.0)), u.x);
    let high = mix(hash(cell + vec2<f32>(0.0, 1.0)), hash(cell + vec2<f32>(1.0, 1.0)), u.x);
    return mix(low, high, u.y);
}

fn clouds(direction: vec3<f32>) -> f32 {
    let at = direction.xz / (direction.y + 0.12) * 1.4 + vec2<f32>(sky.extra.y * 0.004, 0.0);
    let shape = noise(at) * 0.55 + noise(at * 2.3 + 7.0) * 0.3 + noise(at * 5.1 + 3.0) * 0.15;
    return smoothstep(0.48, 0.82, shape) * smoothstep(0.02, 0.22, direction.y);
}

fn stars(direction: vec3<f32>) -> f32 {
    let at = direction.xz / (1.0 + abs(direction.y)) * 140.0;
    let cell = floor(at);
    let chance = hash(cell);
    let centre = vec2<f32>(hash(cell + 11.0), hash(cell + 37.0)) * 0.6 + 0.2;
    let near = 1.0 - smoothstep(0.0, 0.16, distance(fract(at), centre));
    return select(0.0, near * (chance - 0.93) * 14.0, chance > 0.93);
}

@fragment
fn fragment(in: VertexOutput) -> @location(0) vec4<f32> {
    let direction = normalize(in.world_position.xyz - view.world_position.xyz);
    let up = direction.y;
    var colour = mix(sky.horizon.rgb, sky.zenith.rgb, pow(clamp(up, 0.0, 1.0), 0.45));
    let ground = sky.horizon.rgb * vec3<f32>(0.32, 0.34, 0.30);
    colour = mix(colour, ground, smoothstep(0.0, -0.06, up));

    let to_sun = dot(direction, sky.sun.xyz);
    let above = smoothstep(-0.02, 0.01, up);
    // Dusk glows around the sun, at the horizon.
    colour += sky.glow.rgb * sky.glow.w * pow(max(to_sun, 0.0), 6.0) * (1.0 - smoothstep(0.0, 0.5, up)) * 0.5 * above;
    colour += sky.glow.rgb * pow(max(to_sun, 0.0), 350.0) * sky.sun.w * 0.6;
    colour += sky.glow.rgb * smoothstep(0.99975, 0.99985, to_sun) * 12.0 * above * smoothstep(-0.05, 0.02, sky.sun.y);

    if (sky.extra.z > 0.01 && up > 0.0) {
        colour += vec3<f32>(0.8, 0.88, 1.0) * stars(direction) * sky.extra.z * smoothstep(0.0, 0.2, up) * 0.7;
        let to_moon = dot(direction, sky.moon.xyz);
        colour += vec3<f32>(0.85, 0.9, 1.0) * smoothstep(0.99965, 0.99975, to_moon) * sky.moon.w * 1.2;
        colour += vec3<f32>(0.25, 0.3, 0.4) * pow(max(to_moon, 0.0), 200.0) * sky.moon.w * 0.15;
    }
    if (sky.extra.x > 0.01 && up > 0.0) {
        let lit = mix(vec3<f32>(0.02, 0.025, 0.04), vec3<f32>(1.15, 1.15, 1.15), sky.sun.w);
        let tinted = mix(lit, lit * vec3<f32>(1.0, 0.62, 0.45), sky.glow.w);
        colour = mix(colour, tinted, clouds(direction) * sky.extra.x);
    }
    var out = vec4<f32>(max(colour, vec3<f32>(0.0)), 1.0);
#ifdef TONEMAP_IN_SHADER
    out = tone_mapping(out, view.color_grading);
#endif
    return out;
}
