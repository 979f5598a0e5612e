"""All materials by name. A `Spec` says what a surface is; Blender materials are made when first used.

Textures are written to a scratch folder as JPEG so that the exporter embeds those very bytes.
"""
import os
import tempfile
from dataclasses import dataclass
from typing import Callable, Optional

import bpy
import numpy as np

import textures as tx

SCRATCH = os.path.join(tempfile.gettempdir(), "vestibule-textures")


@dataclass
class Spec:
    tex: Optional[Callable] = None      # returns (albedo, height, roughness)
    size: float = 1.0                   # metres covered by one tile
    color: str = "#ffffff"              # tint, sRGB
    rough: float = 0.8
    metal: float = 0.0
    bump: float = 1.0
    alpha: float = 1.0
    emit: float = 0.0
    double: bool = False
    share: Optional[str] = None         # take the textures of this material, tint them with `color`
    normal_px: int = 512


OAK = dict(light="#d8b68a", dark="#a67c50")
SPECS = {
    # floors
    "oak_floor": Spec(lambda: tx.planks(1024, "#d9b88e", "#a9835a"), 1.9, bump=1.0, normal_px=1024),
    "hall_tile": Spec(lambda: tx.tiles(1024, "#e9e4da", "#8f9793", "#b9b2a6", 4), 1.6, bump=0.8),
    "splash_tile": Spec(lambda: tx.tiles(512, "#dfe7e1", "#cfdcd5", "#f1efe9", 8, 31, False, 0.03, 0.12, 0.12), 0.8,
                        bump=0.8),
    # timber
    "oak": Spec(lambda: tx.wood(512, OAK["light"], OAK["dark"]), 0.8, bump=0.8),
    "walnut": Spec(lambda: tx.wood(512, "#8a5f3f", "#4f3222", 4), 0.8, bump=0.8),
    "door_paint": Spec(None, color="#2f4a4a", rough=0.38),
    "white_wood": Spec(None, color="#f3f0ea", rough=0.45),
    "cabinet": Spec(None, color="#5f7568", rough=0.45),
    "worktop": Spec(lambda: tx.tiles(512, "#efece6", "#f2efe9", "#efece6", 1, 33, False, 0.0, 0.22, 0.0), 1.4, bump=0.1),
    # walls
    "wall_white": Spec(lambda: tx.plaster(512), 2.2, "#f6f0e5", 0.92, bump=0.42),
    "wall_sage": Spec(None, 1.6, "#b9c4b0", 0.92, bump=0.9, share="wall_white"),
    "wall_clay": Spec(None, 1.6, "#d8ab8c", 0.92, bump=0.9, share="wall_white"),
    "wall_blue": Spec(None, 1.6, "#8fa5ac", 0.92, bump=0.9, share="wall_white"),
    "ceiling": Spec(None, 1.6, "#fbf9f4", 0.95, bump=0.5, share="wall_white"),
    "brick": Spec(lambda: tx.bricks(1024, ["#a87660", "#b28670", "#9a6a56", "#bb9480", "#a5806e"], "#b9ac9c"), 1.76,
                  bump=0.8, normal_px=512),
    "brick_pale": Spec(lambda: tx.bricks(512, ["#d9cdb9", "#cfc0a8", "#e0d6c5", "#c7b69d"], "#e6dfd2", seed=41), 1.76),
    "brick_dark": Spec(lambda: tx.bricks(512, ["#6f4a40", "#7d5548", "#5f4038", "#86604f"], "#a39a90", seed=43), 1.76),
    "plinth": Spec(None, 1.6, "#7d7a75", 0.9, share="wall_white"),
    "roof": Spec(lambda: tx.pantiles(1024), 1.2, bump=0.35, normal_px=1024),
    "roof_grey": Spec(None, 1.2, "#7d8890", 0.8, bump=0.35, share="roof"),
    # outside
    "grass": Spec(lambda: tx.scatter(1024, 51, 26000, 26, 1.6, ["#6f9440", "#86a84d", "#5b8238", "#9ab65d"], "#3d5a28"),
                  2.2, rough=0.95, bump=0.5),
    "leaves": Spec(lambda: tx.scatter(512, 53, 2600, 26, 8, ["#4f7a3c", "#6b9448", "#3f6a38", "#7ba354"], "#22391f"), 0.9,
                   rough=0.7, bump=0.9, double=True),
    "leaves_light": Spec(None, 0.9, "#fff0a8", rough=0.7, share="leaves", double=True),
    "asphalt": Spec(lambda: tx.asphalt(512), 1.8, rough=0.95),
    "paving": Spec(lambda: tx.bricks(512, ["#b9ada0", "#a99b8d", "#c4b9ab", "#b2a294"], "#8b8378", 6, 6, 61, 0.03), 1.8,
                   bump=0.9),
    "clinker": Spec(lambda: tx.bricks(512, ["#9c5f4c", "#8a5244", "#ab7059", "#7d4f45"], "#77695e", 6, 12, 63, 0.05), 1.2,
                    bump=0.9),
    "kerb": Spec(None, 1.6, "#b5b1a9", 0.9, share="wall_white"),
    "bark": Spec(lambda: tx.bark(256), 0.7, rough=0.95),
    # cloth
    "linen": Spec(lambda: tx.weave(256), 0.14, "#e9e1d2", 0.95, bump=0.7),
    "linen_sheer": Spec(None, 0.14, "#f5f0e6", 0.95, share="linen", double=True),
    "cloth_terracotta": Spec(None, 0.14, "#c9744f", 0.95, share="linen"),
    "cloth_mustard": Spec(None, 0.14, "#d6a648", 0.95, share="linen"),
    "cloth_forest": Spec(None, 0.14, "#4d6a5b", 0.95, share="linen"),
    "cloth_blue": Spec(None, 0.14, "#5f7d8e", 0.95, share="linen"),
    "cloth_grey": Spec(None, 0.14, "#a9a59d", 0.95, share="linen"),
    "rug_hall": Spec(lambda: tx.knit_rug(512, "#d9c9ae", "#9a4f3b"), 1.0, rough=0.98),
    "rug_dining": Spec(lambda: tx.knit_rug(512, "#e6dfd0", "#6f8791", 15), 1.0, rough=0.98),
    "posters": Spec(tx.posters, 1.0, rough=0.6),
    # plain
    "brass": Spec(None, color="#c9a25a", rough=0.3, metal=1.0),
    "steel": Spec(None, color="#c4c6c8", rough=0.32, metal=1.0),
    "black_metal": Spec(None, color="#1f2021", rough=0.45, metal=0.4),
    "black_glass": Spec(None, color="#0c0e10", rough=0.08),
    "mirror": Spec(None, color="#e8edf0", rough=0.04, metal=1.0),
    "frame_white": Spec(None, color="#f4f2ed", rough=0.4),
    "shade": Spec(None, 0.14, "#f4e6cc", 0.9, share="linen", double=True),
    "glass": Spec(None, color="#dfeef0", rough=0.03, alpha=0.10, double=True),
    "window_far": Spec(None, color="#35434d", rough=0.08),
    "screen": Spec(None, color="#101418", rough=0.25, emit=0.6),
    "display": Spec(None, color="#9fd8c8", rough=0.3, emit=1.0),
    "leaf_a": Spec(None, color="#3f6b42", rough=0.45, double=True),
    "leaf_b": Spec(None, color="#5c8a50", rough=0.45, double=True),
    "palette": Spec(None, rough=0.62),
    "palette_gloss": Spec(None, rough=0.22),
}
for _room in ("hall", "kitchen", "lounge", "bedroom", "porch"):
    SPECS["lamp_" + _room] = Spec(None, color="#ffe2b0", rough=0.4, emit=2.0)
for _name, _c in (("bell", "#7fd0ff"), ("thermostat", "#ffb066"), ("motion_hall", "#7dffa0"), ("motion_lounge", "#7dffa0"),
                  ("printer", "#ffd27d")):
    SPECS["indicator_" + _name] = Spec(None, color=_c, rough=0.3, emit=1.0)

_made, _images, _cells = {}, {}, {}
GRID = 16


def reset():
    """Forget Blender's side (a new file was opened); texture files on disk stay."""
    _made.clear()
    _images.clear()
    _cells.clear()


def size_of(name):
    return SPECS[name].size if name in SPECS else 1.0


def palette_cell(name):
    """'pal:#rrggbb' (matt) or 'palg:#rrggbb' (glossy): one shared texture instead of a material per colour."""
    kind, colour = name.split(":")
    cell = _cells.setdefault(colour, len(_cells))
    assert cell < GRID * GRID, "palette full"
    u, v = (cell % GRID + 0.5) / GRID, 1 - (cell // GRID + 0.5) / GRID
    return ("palette" if kind == "pal" else "palette_gloss"), (u, v)


def linear(h):
    c = tx.rgb(h)
    return tuple(np.where(c <= 0.04045, c / 12.92, ((c + 0.055) / 1.055) ** 2.4))


def _files(name):
    """Write (once) the textures of a material; returns {albedo, normal, orm: path}."""
    spec = SPECS[name]
    out = {k: os.path.join(SCRATCH, f"{name}_{k}.jpg") for k in ("albedo", "normal", "orm")}
    stamp = os.path.join(SCRATCH, name + ".done")
    if not os.path.exists(stamp):
        os.makedirs(SCRATCH, exist_ok=True)
        albedo, height, rough = spec.tex()
        tx.save(out["albedo"], albedo, 86)
        if height is not None:
            n = len(height)
            step = max(1, n // spec.normal_px)
            small = height.reshape(n // step, step, n // step, step).mean((1, 3))
            tx.save(out["normal"], tx.normal_map(small, spec.bump), 88)
        if rough is not None:
            r = rough[::2, ::2]
            tx.save(out["orm"], np.stack([np.ones_like(r), r, np.zeros_like(r)], -1), 80)
        open(stamp, "w").close()
    return {k: p for k, p in out.items() if os.path.exists(p)}


def _image(path, data):
    if path not in _images:
        img = bpy.data.images.load(path)
        img.colorspace_settings.name = "Non-Color" if data else "sRGB"
        _images[path] = img
    return _images[path]


def get(name):
    if name not in _made:
        _made[name] = _build(name, SPECS[name])
    return _made[name]


def _build(name, spec):
    mat = bpy.data.materials.new(name)
    mat.use_nodes = True
    mat.use_backface_culling = not spec.double
    nt = mat.node_tree
    bsdf = nt.nodes["Principled BSDF"]
    bsdf.inputs["Roughness"].default_value = spec.rough
    bsdf.inputs["Metallic"].default_value = spec.metal
    bsdf.inputs["Base Color"].default_value = (*linear(spec.color), 1)
    if spec.alpha < 1:
        bsdf.inputs["Alpha"].default_value = spec.alpha
        mat.surface_render_method = "BLENDED"
    if spec.emit:
        bsdf.inputs["Emission Color"].default_value = (*linear(spec.color), 1)
        bsdf.inputs["Emission Strength"].default_value = spec.emit
    if spec.tex or spec.share:
        _textured(nt, bsdf, spec, _files(spec.share or name))
    return mat


def _textured(nt, bsdf, spec, files):
    albedo = nt.nodes.new("ShaderNodeTexImage")
    albedo.image = _image(files["albedo"], False)
    if spec.color == "#ffffff":
        nt.links.new(albedo.outputs["Color"], bsdf.inputs["Base Color"])
    else:  # the exporter reads this pattern as texture x baseColorFactor
        m = nt.nodes.new("ShaderNodeMix")
        m.data_type, m.blend_type = "RGBA", "MULTIPLY"
        m.inputs["Factor"].default_value = 1.0
        nt.links.new(albedo.outputs["Color"], m.inputs[6])
        m.inputs[7].default_value = (*linear(spec.color), 1)
        nt.links.new(m.outputs[2], bsdf.inputs["Base Color"])
    if "normal" in files:
        t = nt.nodes.new("ShaderNodeTexImage")
        t.image = _image(files["normal"], True)
        nm = nt.nodes.new("ShaderNodeNormalMap")
        nt.links.new(t.outputs["Color"], nm.inputs["Color"])
        nt.links.new(nm.outputs["Normal"], bsdf.inputs["Normal"])
    if "orm" in files:
        t = nt.nodes.new("ShaderNodeTexImage")
        t.image = _image(files["orm"], True)
        sep = nt.nodes.new("ShaderNodeSeparateColor")
        nt.links.new(t.outputs["Color"], sep.inputs["Color"])
        nt.links.new(sep.outputs["Green"], bsdf.inputs["Roughness"])
        nt.links.new(sep.outputs["Blue"], bsdf.inputs["Metallic"])


def finish_palette():
    """Paint the shared palette texture; call once before rendering or exporting."""
    used = [m for m in ("palette", "palette_gloss") if m in _made]
    if not used:
        return
    from PIL import Image
    import hashlib
    px = np.zeros((GRID * 4, GRID * 4, 3))
    for colour, cell in _cells.items():
        y, x = cell // GRID * 4, cell % GRID * 4
        px[y:y + 4, x:x + 4] = tx.rgb(colour)
    os.makedirs(SCRATCH, exist_ok=True)
    tag = hashlib.sha1(px.tobytes()).hexdigest()[:8]
    path = os.path.join(SCRATCH, f"palette_{tag}.png")
    Image.fromarray((px * 255 + 0.5).astype(np.uint8)).save(path)
    for name in used:
        nt = _made[name].node_tree
        t = nt.nodes.new("ShaderNodeTexImage")
        t.image, t.interpolation = _image(path, False), "Linear"
        nt.links.new(t.outputs["Color"], nt.nodes["Principled BSDF"].inputs["Base Color"])
