"""Geometry without operators: shapes are appended to a `Batch` with world-scale UVs and exact normals.

Why not Blender operators: thousands of small parts (slats, books, balusters) are built in milliseconds this way,
and each vertex normal can be chosen, so a 44-triangle box looks like a rounded one.
Frame: Blender's (Z up, +Y away from the street). The exporter turns it into glTF's.
"""
import math
import random

import bpy
import numpy as np

import materials


def translate(x, y, z):
    m = np.eye(4)
    m[:3, 3] = (x, y, z)
    return m


def rotate(axis, degrees):
    a = math.radians(degrees)
    c, s = math.cos(a), math.sin(a)
    m = np.eye(4)
    i, j = {"x": (1, 2), "y": (2, 0), "z": (0, 1)}[axis]
    m[i, i] = m[j, j] = c
    m[i, j], m[j, i] = -s, s
    return m


def scale(s):
    return np.diag([s, s, s, 1.0])


class Batch:
    """One mesh in the making. `at()` pushes a placement, as a context manager."""

    def __init__(self, name):
        self.name = name
        self.verts, self.faces, self.loop_n, self.loop_uv, self.face_mat = [], [], [], [], []
        self.count, self.loop_uv2 = 0, None
        self.stack = [np.eye(4)]
        self.rng = random.Random(name)

    def at(self, *matrices):
        m = self.stack[-1]
        for k in matrices:
            m = m @ k
        return _Placed(self, m)

    def add(self, v, faces, mat, n=None, uv=None, grain=None, jitter=False):
        """Append faces. `n`: vertex normals (None = flat). `uv`: one per corner (None = box projection in metres)."""
        v = np.asarray(v, float)
        corner = [i for f in faces for i in f]
        fn = np.array([_newell(v[list(f)]) for f in faces])
        if n is not None:  # a face whose winding disagrees with its normals would be culled: turn it round
            n = np.asarray(n, float)
            faces = [f if n[list(f)].mean(0) @ g >= 0 else f[::-1] for f, g in zip(faces, fn)] if uv is None else faces
            corner = [i for f in faces for i in f]
        if n is None:
            loops_n = np.repeat(fn, [len(f) for f in faces], axis=0)
        else:
            loops_n = np.asarray(n, float)[corner]
        if mat.startswith("pal"):
            mat, cell = materials.palette_cell(mat)
            uv = np.tile(cell, (len(corner), 1))
        elif uv is None:
            uv = _project(v, faces, fn, materials.size_of(mat), grain)
            if jitter:
                uv = uv + np.array([self.rng.random(), self.rng.random()])
        m = self.stack[-1]
        self.verts.append(v @ m[:3, :3].T + m[:3, 3])
        rot = m[:3, :3] / np.cbrt(abs(np.linalg.det(m[:3, :3])))
        self.loop_n.append(loops_n @ rot.T)
        self.loop_uv.append(np.asarray(uv, float))
        self.faces += [tuple(i + self.count for i in f) for f in faces]
        self.face_mat += [mat] * len(faces)
        self.count += len(v)

    def build(self, origin=(0, 0, 0), parent=None, extras=None, collection=None):
        """Make the object; `origin` is where its pivot lies, in the batch's frame."""
        me = bpy.data.meshes.new(self.name)
        ob = bpy.data.objects.new(self.name, me)
        (collection or bpy.context.scene.collection).objects.link(ob)
        verts = np.concatenate(self.verts) - np.array(origin)
        me.from_pydata(verts.tolist(), [], self.faces)
        names = sorted(set(self.face_mat))
        for name in names:
            me.materials.append(materials.get(name))
        me.polygons.foreach_set("material_index", [names.index(m) for m in self.face_mat])
        layer = me.uv_layers.new(name="UVMap")
        layer.data.foreach_set("uv", np.concatenate(self.loop_uv).ravel())
        if self.loop_uv2 is not None:
            me.uv_layers.new(name="Lightmap").data.foreach_set("uv", self.loop_uv2.ravel())
        normals = np.concatenate(self.loop_n)
        normals /= np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-9)
        me.polygons.foreach_set("use_smooth", [True] * len(self.faces))
        me.normals_split_custom_set(normals.tolist())
        me.update()
        if parent:
            ob.parent = parent
            ob.location = np.array(origin) - np.array(parent.location)
        else:
            ob.location = origin
        for key, value in (extras or {}).items():
            ob[key] = value
        return ob


class _Placed:
    def __init__(self, batch, m):
        self.batch, self.m = batch, m

    def __enter__(self):
        self.batch.stack.append(self.m)
        return self.batch

    def __exit__(self, *_):
        self.batch.stack.pop()


def _newell(p):
    q = np.roll(p, -1, axis=0)
    n = np.cross(p - p.mean(0), q - p.mean(0)).sum(0)
    length = np.linalg.norm(n)
    return n / length if length > 0 else np.array([0.0, 0.0, 1.0])


def _project(v, faces, fn, size, grain):
    """Box projection: U horizontal (or along the grain), V up, one unit per `size` metres."""
    out = []
    for f, n in zip(faces, fn):
        p = v[list(f)]
        axis = int(np.argmax(np.abs(n)))
        u, w = {0: (1, 2), 1: (0, 2), 2: (0, 1)}[axis]
        if grain is not None and grain == w:
            u, w = w, u
        out.append(p[:, [u, w]])
    return np.concatenate(out) / size


def smooth_normals(v, faces):
    """Area-weighted vertex normals, welded by position so that seams do not show."""
    v = np.asarray(v, float)
    key = {}
    weld = [key.setdefault(tuple(k), len(key)) for k in np.round(v, 5)]
    acc = np.zeros((len(key), 3))
    for f in faces:
        p = v[list(f)]
        n = np.cross(p - p.mean(0), np.roll(p, -1, axis=0) - p.mean(0)).sum(0)
        for i in f:
            acc[weld[i]] += n
    acc /= np.maximum(np.linalg.norm(acc, axis=1, keepdims=True), 1e-9)
    return acc[weld]


# ---------------------------------------------------------------- shapes

def quad(b, pts, mat, uv=None, **kw):
    """A single-sided quad, counter-clockwise seen from its front."""
    b.add(pts, [(0, 1, 2, 3)], mat, uv=uv, **kw)


def outward(b, pts, inside, mat, uv=None):
    """A flat face turned so that it looks away from the point `inside`."""
    p = np.asarray(pts, float)
    if _newell(p) @ (p.mean(0) - np.asarray(inside, float)) < 0:
        p, uv = p[::-1], uv[::-1] if uv else None
    b.add(p, [tuple(range(len(p)))], mat, uv=uv)


def box(b, lo, hi, mat, bevel=0.004, jitter=True):
    """A box with chamfered edges whose shading reads as rounded: every vertex keeps its own face's normal."""
    lo, hi = np.minimum(lo, hi).astype(float), np.maximum(lo, hi).astype(float)
    grain = int(np.argmax(hi - lo))
    c, h = (lo + hi) / 2, (hi - lo) / 2
    r = min(bevel, float(h.min()) * 0.45)
    verts, norms, index = [], [], {}
    for axis in range(3):
        for s in (-1, 1):
            for su in (-1, 1):
                for sw in (-1, 1):
                    u, w = (axis + 1) % 3, (axis + 2) % 3
                    p = np.zeros(3)
                    p[axis], p[u], p[w] = s * h[axis], su * (h[u] - r), sw * (h[w] - r)
                    n = np.zeros(3)
                    n[axis] = s
                    signs = [0, 0, 0]
                    signs[axis], signs[u], signs[w] = s, su, sw
                    index[(axis, tuple(signs))] = len(verts)
                    verts.append(c + p)
                    norms.append(n)
    faces = _box_faces(index) if r > 1e-6 else _box_faces(index)[:6]
    b.add(verts, faces, mat, n=norms, grain=grain, jitter=jitter)


def _box_faces(index):
    faces = []
    for axis in range(3):
        u, w = (axis + 1) % 3, (axis + 2) % 3
        for s in (-1, 1):
            ring = []
            for su, sw in ((-1, -1), (1, -1), (1, 1), (-1, 1)):
                k = [0, 0, 0]
                k[axis], k[u], k[w] = s, su, sw
                ring.append(index[(axis, tuple(k))])
            faces.append(tuple(ring if s > 0 else ring[::-1]))
    for axis in range(3):
        u, w = (axis + 1) % 3, (axis + 2) % 3
        for su in (-1, 1):
            for sw in (-1, 1):
                k0, k1 = [0, 0, 0], [0, 0, 0]
                k0[axis], k1[axis] = -1, 1
                for k in (k0, k1):
                    k[u], k[w] = su, sw
                a, d = tuple(k0), tuple(k1)
                ring = [index[(u, a)], index[(u, d)], index[(w, d)], index[(w, a)]]
                faces.append(tuple(ring if su * sw < 0 else ring[::-1]))
    for sx in (-1, 1):
        for sy in (-1, 1):
            for sz in (-1, 1):
                k = (sx, sy, sz)
                ring = [index[(0, k)], index[(1, k)], index[(2, k)]]
                faces.append(tuple(ring if sx * sy * sz > 0 else ring[::-1]))
    return faces


def rbox(b, lo, hi, r, mat, seg=2, bulge=0.0):
    """A box with really round edges (soft furniture). `bulge` puffs the faces like a cushion."""
    lo, hi = np.minimum(lo, hi).astype(float), np.maximum(lo, hi).astype(float)
    c, h = (lo + hi) / 2, (hi - lo) / 2
    r = min(r, float(h.min()) * 0.98)
    inner = h - r
    verts, faces = [], []
    steps = [math.tan(math.radians(45 * k / seg)) for k in range(seg + 1)]
    lines = []
    for a in range(3):
        t = [-(inner[a] + r * s) for s in steps[::-1]] + [inner[a] + r * s for s in steps]
        if bulge:
            t = t[:seg + 1] + [-inner[a] / 2, 0.0, inner[a] / 2] + t[seg + 1:]
        lines.append(t)
    for axis in range(3):
        u, w = (axis + 1) % 3, (axis + 2) % 3
        for s in (-1, 1):
            base, nu = len(verts), len(lines[u])
            for y in lines[w]:
                for x in lines[u]:
                    p = np.zeros(3)
                    p[axis], p[u], p[w] = s * h[axis], x, y
                    q = np.clip(p, -inner, inner)
                    d = p - q
                    d /= max(np.linalg.norm(d), 1e-9)
                    out = q + r * d
                    if bulge:
                        out = out + d * bulge * max(0, 1 - (x / h[u]) ** 2) * max(0, 1 - (y / h[w]) ** 2)
                    verts.append(c + out)
            for j in range(len(lines[w]) - 1):
                for i in range(nu - 1):
                    k = base + j * nu + i
                    f = (k, k + 1, k + nu + 1, k + nu)
                    faces.append(f if s > 0 else f[::-1])
    b.add(verts, faces, mat, n=smooth_normals(verts, faces))


def lathe(b, profile, mat, seg=16, centre=(0, 0, 0), sharp=False):
    """Revolve (radius, height) pairs, listed bottom to top along the outside, around Z."""
    verts, faces, uv = [], [], []
    size = materials.size_of(mat)
    length = [0.0]
    for (r0, z0), (r1, z1) in zip(profile, profile[1:]):
        length.append(length[-1] + math.hypot(r1 - r0, z1 - z0))
    around = 2 * math.pi * max(p[0] for p in profile)
    for r, z in profile:
        for i in range(seg):
            a = 2 * math.pi * i / seg
            verts.append((centre[0] + r * math.cos(a), centre[1] + r * math.sin(a), centre[2] + z))
    for j in range(len(profile) - 1):
        for i in range(seg):
            k = (i + 1) % seg
            f = (j * seg + i, j * seg + k, (j + 1) * seg + k, (j + 1) * seg + i)
            corners = [(i, j), (i + 1, j), (i + 1, j + 1), (i, j + 1)]
            keep = [m for m in range(4) if not (profile[corners[m][1]][0] < 1e-6 and m in (1, 2))]
            faces.append(tuple(f[m] for m in keep))
            uv += [(corners[m][0] / seg * around / size, length[corners[m][1]] / size) for m in keep]
    n = None if sharp else _lathe_normals(profile, seg)
    b.add(verts, faces, mat, n=n, uv=uv)


def _lathe_normals(profile, seg):
    out = []
    for j in range(len(profile)):
        (r0, z0), (r1, z1) = profile[max(0, j - 1)], profile[min(len(profile) - 1, j + 1)]
        nr, nz = z1 - z0, r0 - r1
        length = math.hypot(nr, nz) or 1.0
        out += [(nr / length * math.cos(2 * math.pi * i / seg), nr / length * math.sin(2 * math.pi * i / seg),
                 nz / length) for i in range(seg)]
    return out


def cylinder(b, centre, r, height, mat, seg=16, bevel=0.003, r_top=None):
    """An upright closed cylinder or cone frustum standing on `centre`."""
    rt = r if r_top is None else r_top
    e = min(bevel, height * 0.3, r * 0.3)
    lathe(b, [(0, 0), (r - e, 0), (r - e, 0), (r, e), (r, e), (rt, height - e), (rt, height - e), (rt - e, height),
              (rt - e, height), (0, height)], mat, seg, centre)


def tube(b, path, radius, mat, seg=8, caps=True):
    """A round bar along a path; `radius` may be a list, one per point."""
    path = [np.array(p, float) for p in path]
    radii = radius if isinstance(radius, (list, tuple)) else [radius] * len(path)
    up = np.array([0.0, 0.0, 1.0])
    verts, norms, faces = [], [], []
    side = None
    for i, p in enumerate(path):
        t = path[min(i + 1, len(path) - 1)] - path[max(i - 1, 0)]
        t /= np.linalg.norm(t)
        if side is None:
            side = np.cross(t, up if abs(t[2]) < 0.9 else np.array([1.0, 0, 0]))
        side = side - t * side.dot(t)
        side /= np.linalg.norm(side)
        other = np.cross(t, side)
        for k in range(seg):
            a = 2 * math.pi * k / seg
            n = side * math.cos(a) + other * math.sin(a)
            verts.append(p + n * radii[i])
            norms.append(n)
    for i in range(len(path) - 1):
        for k in range(seg):
            m = (k + 1) % seg
            faces.append((i * seg + k, i * seg + m, (i + 1) * seg + m, (i + 1) * seg + k))
    b.add(verts, faces, mat, n=norms)
    if caps:
        last = (len(path) - 1) * seg
        b.add(verts, [tuple(range(seg))[::-1], tuple(range(last, last + seg))], mat)


def loft(b, rings, mat, seg=20, caps=True, power=2.0):
    """Skin over elliptical rings (centre, rx, ry), for bodies and cushions. `power` > 2 squares the ring."""
    verts, faces = [], []
    for c, rx, ry in rings:
        for k in range(seg):
            a = 2 * math.pi * k / seg
            ca, sa = math.cos(a), math.sin(a)
            e = 2.0 / power
            verts.append((c[0] + rx * math.copysign(abs(ca) ** e, ca), c[1] + ry * math.copysign(abs(sa) ** e, sa),
                          c[2]))
    for i in range(len(rings) - 1):
        for k in range(seg):
            m = (k + 1) % seg
            faces.append((i * seg + k, i * seg + m, (i + 1) * seg + m, (i + 1) * seg + k))
    if caps:
        last = (len(rings) - 1) * seg
        faces += [tuple(range(seg))[::-1], tuple(range(last, last + seg))]
    b.add(verts, faces, mat, n=smooth_normals(verts, faces))


def ellipsoid(b, centre, radii, mat, seg=16, rings=10, keep=None):
    """A ball. `keep(unit_vector)` may cut faces away (hair shells)."""
    verts, faces = [], []
    for j in range(rings + 1):
        p = math.pi * j / rings - math.pi / 2
        for i in range(seg):
            a = 2 * math.pi * i / seg
            verts.append((math.cos(p) * math.cos(a), math.cos(p) * math.sin(a), math.sin(p)))
    for j in range(rings):
        for i in range(seg):
            k = (i + 1) % seg
            f = (j * seg + i, j * seg + k, (j + 1) * seg + k, (j + 1) * seg + i)
            f = f if 0 < j < rings - 1 else ((f[0], f[2], f[3]) if j == 0 else f[:3])
            if keep is None or keep(np.mean([verts[m] for m in f], axis=0)):
                faces.append(f)
    u = np.array(verts)
    n = u / np.array(radii)
    n /= np.linalg.norm(n, axis=1, keepdims=True)
    b.add(u * np.array(radii) + np.array(centre), faces, mat, n=n)


def prism(b, outline, z0, z1, mat, axis="z", grain=None):
    """Extrude a counter-clockwise polygon. `axis`: x, y or z is the direction it is pulled along."""
    k = len(outline)
    if axis == "z":
        at = lambda p, h: (p[0], p[1], h)
    elif axis == "x":
        at = lambda p, h: (h, p[0], p[1])
    else:
        at = lambda p, h: (p[1], h, p[0])
    v = [at(p, z0) for p in outline] + [at(p, z1) for p in outline]
    faces = [tuple(range(k))[::-1], tuple(range(k, 2 * k))]
    faces += [(i, (i + 1) % k, k + (i + 1) % k, k + i) for i in range(k)]
    b.add(v, faces, mat, grain=grain)
