#!/usr/bin/env python3
"""Checks the committed assets with the standard library alone (no Blender): `python3 assets/scripts/check.py`.

Required nodes and extras, triangle and node counts, texture sizes, no external files, and that a walker of 0.35 m
radius gets along every tour line. Exits with 1 and says what is wrong.
"""
import json
import math
import os
import struct
import sys

ASSETS = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
MB = 1 << 20
T = "vestibule_twin"
R = "vestibule_role"
NODES = {
    "front_door_leaf": {T: "home/front_door", R: "leaf", "vestibule_collider": "box", "vestibule_open_angle": None},
    "front_door_bolt": {T: "home/front_door", R: "bolt", "vestibule_travel": None},
    "front_door_screen": {T: "home/front_door", R: "screen"},
    "front_door_bell": {T: "home/front_door", R: "indicator"},
    **{"light_" + k: {T: f"home/{k}_light", R: "lamp", "vestibule_lumens": None}
       for k in ("hall", "kitchen", "lounge", "bedroom", "porch")},
    "blind_lounge": {T: "home/lounge_blinds", R: "blind"},
    "thermostat": {T: "home/thermostat"}, "thermostat_display": {T: "home/thermostat", R: "indicator"},
    "motion_hall": {T: "home/hall_motion", R: "indicator"}, "motion_lounge": {T: "home/lounge_motion", R: "indicator"},
    "coffee_machine": {T: "home/coffee_machine"},
    "fridge": {T: "home/fridge"}, "pantry_shelf": {T: "home/pantry_shelf"},
    **{"pantry_" + k: {T: "home/pantry_shelf", "vestibule_level": f"board_{n + 1}", "vestibule_full": None}
       for n, k in enumerate(("flour", "rice", "sugar", "pasta"))},
    **{"printer_" + k: {"vestibule_making": k} for k in ("lamp", "bar", "piece")},
}
NAMED = {
    "vestibule_spawn": {"default", "lounge", "street"},
    "vestibule_zone": {"hall", "kitchen", "lounge", "bedroom", "garden", "workshop"},
    "vestibule_waypoint": {"hall", "door_inside", "stairs_foot", "stairs_top", "landing", "lounge", "lounge_window", "kitchen",
                           "bedroom", "porch", "street", "workshop"},
    "vestibule_anchor": {"visitor", "device_shelf", "bench", "dish", "doormat", "doormat.2", "doormat.3"},
}
LINES = (("hall", "stairs_foot"), ("stairs_foot", "stairs_top"), ("stairs_top", "landing"), ("landing", "lounge"),
         ("lounge", "lounge_window"), ("hall", "kitchen"), ("hall", "workshop"), ("stairs_foot", "workshop"),
         ("hall", "door_inside"), ("door_inside", "porch"), ("porch", "street"))
FURNITURE = ("sofa", "armchair", "coffee_table", "bookshelf", "floor_lamp", "rug", "plant", "tv_stand", "desk", "dining_chair")
DISHES = ("pasta", "soup", "pancakes", "salad", "tomato_rice", "omelette", "baked_eggs", "rice_pudding")
PEOPLE = ("friend", "courier", "neighbour")
problems = []


def need(ok, text):
    if not ok:
        problems.append(text)
    return ok


class Glb:
    def __init__(self, path):
        self.path = os.path.relpath(path, ASSETS)
        data = open(path, "rb").read()
        magic, version, length = struct.unpack_from("<4sII", data)
        need(magic == b"glTF" and version == 2 and length == len(data), f"{self.path}: not a glTF 2 binary")
        size = struct.unpack_from("<I", data, 12)[0]
        self.doc = json.loads(data[20:20 + size])
        self.bin = data[28 + size:]
        self.size = len(data)
        self.nodes = self.doc.get("nodes", [])
        self.parent = {c: i for i, n in enumerate(self.nodes) for c in n.get("children", [])}
        for thing in self.doc.get("buffers", []) + self.doc.get("images", []):
            need("uri" not in thing, f"{self.path}: refers to an outside file {thing.get('uri')}")

    def read(self, accessor):
        a = self.doc["accessors"][accessor]
        view = self.doc["bufferViews"][a["bufferView"]]
        kind = {5121: "B", 5123: "H", 5125: "I", 5126: "f"}[a["componentType"]]
        width = {"SCALAR": 1, "VEC2": 2, "VEC3": 3, "VEC4": 4}[a["type"]]
        start = view.get("byteOffset", 0) + a.get("byteOffset", 0)
        flat = struct.unpack_from(f"<{a['count'] * width}{kind}", self.bin, start)
        return flat if width == 1 else [flat[i:i + width] for i in range(0, len(flat), width)]

    def triangles_of(self, node):
        for prim in self.doc["meshes"][node["mesh"]]["primitives"] if "mesh" in node else ():
            points, index = self.read(prim["attributes"]["POSITION"]), self.read(prim["indices"])
            for i in range(0, len(index), 3):
                yield points[index[i]], points[index[i + 1]], points[index[i + 2]]

    def count(self):
        acc = self.doc["accessors"]
        return sum(acc[p["indices"]]["count"] // 3 for n in self.nodes if "mesh" in n
                   for p in self.doc["meshes"][n["mesh"]]["primitives"])

    def at(self, i, p, turn=0.0):
        """A point of node `i` in the world; `turn` (degrees about +Y) is applied to the node itself first."""
        if turn:
            c, s = math.cos(math.radians(turn)), math.sin(math.radians(turn))
            p = (c * p[0] + s * p[2], p[1], -s * p[0] + c * p[2])
        while i is not None:
            n = self.nodes[i]
            p = [a * b for a, b in zip(p, n.get("scale", (1, 1, 1)))]
            if "rotation" in n:
                p = spin(n["rotation"], p)
            p = [a + b for a, b in zip(p, n.get("translation", (0, 0, 0)))]
            i = self.parent.get(i)
        return p

    def image_sizes(self):
        for image in self.doc.get("images", []):
            view = self.doc["bufferViews"][image["bufferView"]]
            start = view.get("byteOffset", 0)
            yield image.get("name", "?"), picture_size(self.bin[start:start + view["byteLength"]])


def spin(q, p):
    x, y, z, w = q
    t = [2 * (y * p[2] - z * p[1]), 2 * (z * p[0] - x * p[2]), 2 * (x * p[1] - y * p[0])]
    return [p[0] + w * t[0] + y * t[2] - z * t[1], p[1] + w * t[1] + z * t[0] - x * t[2], p[2] + w * t[2] + x * t[1] - y * t[0]]


def picture_size(data):
    if data[:8] == b"\x89PNG\r\n\x1a\n":
        return struct.unpack_from(">II", data, 16)
    i = 2
    while data[:2] == b"\xff\xd8" and i < len(data) - 9:
        marker, length = data[i + 1], struct.unpack_from(">H", data, i + 2)[0]
        if marker in (0xC0, 0xC1, 0xC2):
            h, w = struct.unpack_from(">HH", data, i + 5)
            return w, h
        i += 2 + length
    return 0, 0


def textures(glb, limit):
    for name, (w, h) in glb.image_sizes():
        need(0 < w <= limit and 0 < h <= limit, f"{glb.path}: texture {name} is {w}x{h}")


# ------------------------------------------------------------------ walking

def clip(poly, lo, hi):
    """The part of a polygon with lo <= y <= hi."""
    for sign, limit in ((1, lo), (-1, -hi)):
        out = []
        for a, b in zip(poly, poly[1:] + poly[:1]):
            da, db = sign * a[1] - limit, sign * b[1] - limit
            if da >= 0:
                out.append(a)
            if (da < 0) != (db < 0):
                t = da / (da - db)
                out.append([a[k] + (b[k] - a[k]) * t for k in range(3)])
        poly = out
    return poly


def gap(poly, x, z):
    """Distance on plan from a point to a polygon; 0 inside."""
    best, inside = math.inf, False
    for a, b in zip(poly, poly[1:] + poly[:1]):
        dx, dz = b[0] - a[0], b[2] - a[2]
        n = dx * dx + dz * dz
        t = max(0.0, min(1.0, ((x - a[0]) * dx + (z - a[2]) * dz) / n)) if n > 1e-12 else 0.0
        best = min(best, math.hypot(a[0] + dx * t - x, a[2] + dz * t - z))
        if (a[2] > z) != (b[2] > z) and x < a[0] + (z - a[2]) / (b[2] - a[2]) * dx:
            inside = not inside
    return 0.0 if inside else best


def ground_at(tris, x, z, from_y):
    """The highest surface under (x, from_y, z)."""
    best = None
    for a, b, c in tris:
        d = (b[2] - c[2]) * (a[0] - c[0]) + (c[0] - b[0]) * (a[2] - c[2])
        if abs(d) < 1e-9:
            continue
        u = ((b[2] - c[2]) * (x - c[0]) + (c[0] - b[0]) * (z - c[2])) / d
        v = ((c[2] - a[2]) * (x - c[0]) + (a[0] - c[0]) * (z - c[2])) / d
        if u >= -1e-6 and v >= -1e-6 and u + v <= 1 + 1e-6:
            y = u * a[1] + v * b[1] + (1 - u - v) * c[1]
            if y <= from_y and (best is None or y > best):
                best = y
    return best


def solids(glb):
    out = []
    for i, n in enumerate(glb.nodes):
        kind = n.get("extras", {}).get("vestibule_collider", "none")
        if kind == "none":
            continue
        turn = n["extras"].get("vestibule_open_angle", 0.0)  # a leaf is judged where it stands when open
        out += [(n["name"], [glb.at(i, p, turn) for p in tri]) for tri in glb.triangles_of(n)]
    return out


def walk(glb, points, radius=0.35, height=1.75, step=0.3):
    """`step`: what a walker's feet climb; below it nothing is in the way (the capsule's round foot gives the rest)."""
    everything = solids(glb)
    for a, b in LINES:
        p, q = points[a], points[b]
        lo = [min(p[k], q[k]) - (0.5 if k != 1 else 0.6) for k in range(3)]
        hi = [max(p[k], q[k]) + (0.5 if k != 1 else 2.2) for k in range(3)]
        near = [(n, t) for n, t in everything
                if all(min(v[k] for v in t) <= hi[k] and max(v[k] for v in t) >= lo[k] for k in range(3))]
        feet, count = p[1], max(2, int(math.dist(p, q) / 0.1))
        for i in range(count + 1):
            x, z = (p[k] + (q[k] - p[k]) * i / count for k in (0, 2))
            ground = ground_at([t for _, t in near], x, z, feet + step)
            if not need(ground is not None and feet - ground < step, f"walk {a} -> {b}: no floor at ({x:.2f}, {z:.2f})"):
                break
            feet = ground
            hit = next((n for n, t in near if gap_of(t, x, z, feet + step + .16, feet + height, radius)), None)
            if not need(hit is None, f"walk {a} -> {b}: {hit} is in the way at ({x:.2f}, {feet:.2f}, {z:.2f})"):
                break
        else:
            need(abs(feet - q[1]) < 0.08, f"walk {a} -> {b}: arrives at height {feet:.2f}, not {q[1]:.2f}")


def gap_of(tri, x, z, lo, hi, radius):
    if any(min(v[k] for v in tri) > w + radius or max(v[k] for v in tri) < w - radius for k, w in ((0, x), (2, z))):
        return False
    poly = clip(list(tri), lo, hi)
    return bool(poly) and gap(poly, x, z) < radius


# ------------------------------------------------------------------ files

def home():
    glb = Glb(os.path.join(ASSETS, "home", "home.glb"))
    named = {n["name"]: (i, n) for i, n in enumerate(glb.nodes)}
    for name, wanted in NODES.items():
        if need(name in named, f"home: node {name} is missing"):
            extras = named[name][1].get("extras", {})
            for key, value in wanted.items():
                need(key in extras and value in (None, extras[key]), f"home: {name} wants {key} = {value}, has {extras.get(key)}")
    for key, wanted in NAMED.items():
        have = {n["extras"][key] for n in glb.nodes if key in n.get("extras", {})}
        need(wanted <= have, f"home: {key} lacks {sorted(wanted - have)}")
    need(glb.parent.get(named["front_door_bolt"][0]) == named["front_door_leaf"][0], "home: the bolt is not a child of the leaf")
    need(len(glb.nodes) < 120, f"home: {len(glb.nodes)} nodes")
    need(glb.count() < 250_000, f"home: {glb.count()} triangles")
    need(glb.size < 16 * MB, f"home: {glb.size / MB:.1f} MB")
    textures(glb, 1024)
    lit = [n for n in glb.nodes if n.get("extras", {}).get("vestibule_lightmap")]
    for n in lit:
        for prim in glb.doc["meshes"][n["mesh"]]["primitives"]:
            need("TEXCOORD_1" in prim["attributes"], f"home: {n['name']} has no second UV layer for its lightmap")
    need(not lit or os.path.exists(os.path.join(ASSETS, "home", "home_lightmap.png")), "home: the lightmap is missing")
    walk(glb, {n["extras"]["vestibule_waypoint"]: n["translation"] for n in glb.nodes if "vestibule_waypoint" in n.get("extras", {})})
    print(f"home.glb: {len(glb.nodes)} nodes, {glb.count()} triangles, {glb.size / MB:.1f} MB, {len(lit)} lightmapped")


def small(folder, names, limit, extras):
    for name in names:
        path = os.path.join(ASSETS, folder, name + ".glb")
        if not need(os.path.exists(path), f"{folder}/{name}.glb is missing"):
            continue
        glb = Glb(path)
        roots = [n for i, n in enumerate(glb.nodes) if i not in glb.parent]
        need(len(roots) == 1, f"{glb.path}: {len(roots)} root nodes")
        for key in extras:
            need(key in roots[0].get("extras", {}), f"{glb.path}: root lacks {key}")
        need(glb.size < limit, f"{glb.path}: {glb.size / MB:.2f} MB")
        textures(glb, 1024)
        print(f"{glb.path}: {glb.count()} triangles, {glb.size / MB:.2f} MB")


def pictures():
    for folder, names, want, limit in (("furniture/thumbs", [n + ".png" for n in FURNITURE], (256, 256), 200_000),
                                       ("camera", [n + ".jpg" for n in ("empty", *PEOPLE)], (640, 480), 80_000)):
        for name in names:
            path = os.path.join(ASSETS, folder, name)
            if need(os.path.exists(path), f"{folder}/{name} is missing"):
                data = open(path, "rb").read()
                need(picture_size(data) == want and len(data) < limit, f"{folder}/{name}: {picture_size(data)}, {len(data)} bytes")


if __name__ == "__main__":
    home()
    small("furniture", FURNITURE, 1.5 * MB, ("vestibule_name", "vestibule_snap"))
    small("dishes", DISHES, .75 * MB, ("vestibule_name",))
    small("parcels", ("parcel",), .1 * MB, ("vestibule_name",))
    small("people", PEOPLE, 3 * MB, ())
    pictures()
    for text in problems:
        print("FAIL", text, file=sys.stderr)
    sys.exit(1 if problems else 0)
