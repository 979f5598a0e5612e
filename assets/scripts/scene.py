"""Blender scene plumbing shared by all builders: a clean file, export, and picture taking."""
import math
import os

import bpy
from mathutils import Vector

import materials


def clean():
    bpy.ops.wm.read_factory_settings(use_empty=True)
    materials.reset()


def empty(name, at, extras, scale=(1, 1, 1), turn=0.0):
    ob = bpy.data.objects.new(name, None)
    bpy.context.scene.collection.objects.link(ob)
    ob.location, ob.scale = at, scale
    ob.rotation_euler = (0, 0, math.radians(turn))
    for k, v in extras.items():
        ob[k] = v
    return ob


def export(path):
    materials.finish_palette()
    os.makedirs(os.path.dirname(path), exist_ok=True)
    bpy.ops.export_scene.gltf(
        filepath=path, export_format="GLB", export_yup=True, export_extras=True, export_apply=True, export_cameras=False,
        export_lights=False, export_animations=False, export_skins=False, export_morph=False, export_tangents=False,
        export_image_format="AUTO", export_draco_mesh_compression_enable=False, use_selection=False)


def daylight(sun=3.5, sky=0.9, elevation=38, azimuth=215):
    """Sun from the south-west over the street, and a sky. `azimuth` in degrees, clockwise from north (+Y)."""
    world = bpy.data.worlds.new("sky")
    bpy.context.scene.world = world
    world.use_nodes = True
    nt = world.node_tree
    bg = nt.nodes["Background"]
    ramp = nt.nodes.new("ShaderNodeValToRGB")
    ramp.color_ramp.elements[0].color, ramp.color_ramp.elements[0].position = (0.80, 0.88, 0.95, 1), 0.5
    ramp.color_ramp.elements[1].color, ramp.color_ramp.elements[1].position = (0.25, 0.46, 0.80, 1), 0.85
    coord, sep = nt.nodes.new("ShaderNodeTexCoord"), nt.nodes.new("ShaderNodeSeparateXYZ")
    half = nt.nodes.new("ShaderNodeMath")
    half.operation, half.inputs[1].default_value, half.inputs[2].default_value = "MULTIPLY_ADD", 0.5, 0.5
    nt.links.new(coord.outputs["Generated"], sep.inputs[0])
    nt.links.new(sep.outputs["Z"], half.inputs[0])
    nt.links.new(half.outputs[0], ramp.inputs[0])
    nt.links.new(ramp.outputs[0], bg.inputs["Color"])
    bg.inputs["Strength"].default_value = sky
    if sun:
        light = bpy.data.lights.new("sun", "SUN")
        light.energy, light.angle, light.color = sun, math.radians(1.2), (1.0, 0.93, 0.82)
        ob = bpy.data.objects.new("sun", light)
        bpy.context.scene.collection.objects.link(ob)
        a, e = math.radians(azimuth), math.radians(elevation)
        toward = Vector((math.sin(a) * math.cos(e), math.cos(a) * math.cos(e), math.sin(e)))
        ob.rotation_euler = toward.to_track_quat("Z", "Y").to_euler()


def point_light(at, watts, color=(1.0, 0.82, 0.6), radius=0.06):
    light = bpy.data.lights.new("lamp", "POINT")
    light.energy, light.color, light.shadow_soft_size = watts, color, radius
    ob = bpy.data.objects.new("lamp", light)
    ob.location = at
    bpy.context.scene.collection.objects.link(ob)


def camera(at, look, fov=75):
    cam = bpy.data.cameras.new("cam")
    cam.angle, cam.clip_start = math.radians(fov), 0.02
    ob = bpy.data.objects.new("cam", cam)
    bpy.context.scene.collection.objects.link(ob)
    ob.location = at
    ob.rotation_euler = (Vector(look) - Vector(at)).to_track_quat("-Z", "Y").to_euler()
    bpy.context.scene.camera = ob
    return ob


def render(path, w, h, samples=32, transparent=False, exposure=0.0, jpeg=None):
    sc = bpy.context.scene
    sc.render.engine = "CYCLES"
    sc.cycles.device, sc.cycles.samples, sc.cycles.use_denoising = "CPU", samples, samples > 4
    sc.cycles.max_bounces, sc.cycles.transparent_max_bounces = 6, 8
    sc.render.threads_mode, sc.render.threads = "FIXED", 2
    sc.render.resolution_x, sc.render.resolution_y, sc.render.resolution_percentage = w, h, 100
    sc.render.film_transparent = transparent
    sc.view_settings.view_transform, sc.view_settings.exposure = "AgX", exposure
    sc.view_settings.look = "AgX - Medium High Contrast"
    fmt = sc.render.image_settings
    fmt.file_format = "JPEG" if jpeg else "PNG"
    if jpeg:
        fmt.quality, fmt.color_mode = jpeg, "RGB"
    else:
        fmt.color_mode = "RGBA" if transparent else "RGB"
    sc.render.filepath = path
    bpy.ops.render.render(write_still=True)
