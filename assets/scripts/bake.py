"""Bakes soft sky light through the windows (no sun disc, no lamps) into `home_lightmap.png`."""
import os
import tempfile

import bpy
import numpy as np
from PIL import Image

import house
import lightmap
import materials
import scene

LIT = ("walls", "floors", "ceilings", "stairs")
SAMPLES = int(os.environ.get("BAKE_SAMPLES", "112"))
SCALE = 0.25                            # light of a white surface under the open sky is 1.0; the file's white is this
RAW = os.path.join(tempfile.gettempdir(), "vestibule_lightmap_raw.npy")


def run(folder):
    """`BAKE_REUSE=1` skips the long part and only filters the last raw bake again."""
    scene.clean()
    house.build()
    spots = lightmap.last_spots
    if not os.environ.get("BAKE_REUSE"):
        materials.finish_palette()
        for name in ("glass", "blind_lounge"):
            bpy.data.objects.remove(bpy.data.objects[name])
        scene.daylight(sun=0, sky=1.0)
        ramp = next(n for n in bpy.context.scene.world.node_tree.nodes if n.type == "VALTORGB")
        for stop, color in zip(ramp.color_ramp.elements, ((1.0, .98, .95, 1), (.86, .93, 1.0, 1))):
            stop.color = color  # a paler sky than the visible one: rooms should not turn blue
        _bake()
    raw = np.load(RAW)
    light = lightmap.refill(_denoise(lightmap.fill(raw[..., :3], raw[..., 3] > .5, spots)), raw[..., 3] > .5, spots)
    save(light, os.path.join(folder, "home_lightmap.png"))


def _bake():
    image = bpy.data.images.new("lightmap", lightmap.SIZE, lightmap.SIZE, alpha=True, float_buffer=True)
    image.colorspace_settings.name = "Non-Color"
    for mat in bpy.data.materials:
        nt = mat.node_tree
        bsdf = nt.nodes["Principled BSDF"]
        bsdf.inputs["Emission Strength"].default_value = 0
        for link in list(bsdf.inputs["Normal"].links):  # the map is coarser than any bump
            nt.links.remove(link)
        target = nt.nodes.new("ShaderNodeTexImage")
        target.image = image
        nt.nodes.active = target
    bpy.ops.object.select_all(action="DESELECT")
    for name in LIT:
        ob = bpy.data.objects[name]
        ob.data.uv_layers.active = ob.data.uv_layers["Lightmap"]
        ob.select_set(True)
        bpy.context.view_layer.objects.active = ob
    sc = bpy.context.scene
    sc.render.engine = "CYCLES"
    sc.cycles.device, sc.cycles.samples = "CPU", SAMPLES
    sc.cycles.max_bounces = sc.cycles.diffuse_bounces = 8
    sc.cycles.use_adaptive_sampling = False
    sc.cycles.sample_clamp_indirect = 4.0
    sc.render.threads_mode, sc.render.threads = "FIXED", 2
    bpy.ops.object.bake(type="DIFFUSE", pass_filter={"DIRECT", "INDIRECT"}, margin=0, use_clear=True)
    np.save(RAW, np.array(image.pixels[:], np.float32).reshape(lightmap.SIZE, lightmap.SIZE, 4))


def _denoise(px):
    """Blender's Open Image Denoise through the compositor."""
    scene.clean()
    n = lightmap.SIZE
    image = bpy.data.images.new("raw", n, n, alpha=False, float_buffer=True)
    image.colorspace_settings.name = "Non-Color"
    image.pixels.foreach_set(np.dstack([px, np.ones((n, n), np.float32)]).ravel())
    image.pack()
    sc = bpy.context.scene
    sc.use_nodes = True
    nt = sc.node_tree
    nt.nodes.clear()
    src, den, out = (nt.nodes.new("CompositorNode" + k) for k in ("Image", "Denoise", "Composite"))
    src.image, den.use_hdr = image, True
    nt.links.new(src.outputs[0], den.inputs[0])
    nt.links.new(den.outputs[0], out.inputs[0])
    scene.camera((0, 0, 0), (0, 1, 0))
    sc.render.engine, sc.cycles.samples = "CYCLES", 1
    sc.render.resolution_x = sc.render.resolution_y = n
    sc.render.resolution_percentage = 100
    path = os.path.join(tempfile.gettempdir(), "vestibule_lightmap.exr")
    sc.render.image_settings.file_format, sc.render.image_settings.color_depth = "OPEN_EXR", "32"
    sc.render.filepath = path
    bpy.ops.render.render(write_still=True)
    done = bpy.data.images.load(path)
    done.colorspace_settings.name = "Non-Color"
    return np.array(done.pixels[:], np.float32).reshape(n, n, 4)[..., :3]


def save(light, path):
    """sRGB-coded 8 bit with half a step of dither. Half the colour is taken out: lawn and sage wall tint a room more
    than an eye that is used to the room would notice."""
    grey = light @ np.array([.2126, .7152, .0722], np.float32)
    light = grey[..., None] + .45 * (light - grey[..., None])
    x = np.clip(light[::-1] / SCALE, 0, 1)
    s = np.where(x <= .0031308, x * 12.92, 1.055 * x ** (1 / 2.4) - .055)
    dither = np.random.default_rng(1).random(s.shape[:2])[..., None]
    Image.fromarray(np.floor(np.clip(s * 255 + dither, 0, 255)).astype(np.uint8)).save(path, optimize=True)
