"""One entry point: `python assets/scripts/build.py [--only house|furniture|food|people|camera|lightmap]`."""
import argparse
import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
ASSETS = os.path.dirname(HERE)


def house():
    import house as h
    import scene
    scene.clean()
    h.build()
    scene.export(os.path.join(ASSETS, "home", "home.glb"))


def furniture():
    import furniture as f
    import scene
    from mesh import Batch
    for name, (draw, title, snap) in f.CATALOGUE.items():
        scene.clean()
        b = Batch(name)
        draw(b)
        ob = b.build(extras={"vestibule_name": title, "vestibule_snap": snap, "vestibule_collider": "box"})
        scene.export(os.path.join(ASSETS, "furniture", name + ".glb"))
        thumbnail(ob, os.path.join(ASSETS, "furniture", "thumbs", name + ".png"))


def food():
    import food as f
    import scene
    from mesh import Batch
    for folder, things in (("dishes", f.DISHES), ("parcels", f.PARCELS)):
        for name, (draw, title) in things.items():
            scene.clean()
            b = Batch(name)
            draw(b)
            b.build(extras={"vestibule_name": title})
            scene.export(os.path.join(ASSETS, folder, name + ".glb"))


def thumbnail(ob, path):
    import numpy as np
    import scene
    pts = np.array([ob.matrix_world @ v.co for v in ob.data.vertices])
    centre, radius = (pts.min(0) + pts.max(0)) / 2, np.linalg.norm(pts.max(0) - pts.min(0)) / 2
    scene.daylight(2.6, 1.0, 45, 320)
    direction = np.array([-.62, .95, .55])  # from the front (+Y), a little from above
    at = centre + direction / np.linalg.norm(direction) * radius * 3.45
    scene.camera(at, centre, 33)
    scene.render(path, 256, 256, 40, transparent=True)


def people():
    import people as p
    import scene
    for name in p.FIGURES:
        scene.clean()
        p.build(name)
        scene.export(os.path.join(ASSETS, "people", name + ".glb"))


def camera():
    import house as h
    import people as p
    import plan
    import scene
    for name in (None, *p.FIGURES):
        scene.clean()
        h.build()
        if name:
            p.build(name, at=(-2.1, -5.2, -.02), turn=-24)
        import materials
        materials.finish_palette()
        scene.daylight(3.0, 1.0, 42, 150)
        scene.camera((-1.70, plan.Y0 - plan.WALL - .06, 1.42), (-2.12, -6.0, 1.22), 92)
        scene.render(os.path.join(ASSETS, "camera", (name or "empty") + ".jpg"), 640, 480, 40, jpeg=85, exposure=.6)


def lightmap():
    import bake
    bake.run(os.path.join(ASSETS, "home"))


STEPS = {"house": house, "furniture": furniture, "food": food, "people": people, "camera": camera}

if __name__ == "__main__":
    args = argparse.ArgumentParser(description=__doc__)
    args.add_argument("--only", choices=[*STEPS, "lightmap"])
    only = args.parse_args().only
    for name, step in STEPS.items():
        if only in (None, name):
            step()
    if only == "lightmap":
        lightmap()
