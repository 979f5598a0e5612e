"""Porch, gardens, street, and the neighbours opposite."""
import math
import random

import numpy as np

from furniture import leaf, plant, pot
from mesh import box, cylinder, ellipsoid, lathe, outward, prism, quad, rbox, rotate, smooth_normals, translate, tube
from plan import *
from shell import flat

FRONT = Y0 - WALL


def porch(s, d):
    x0, x1, y = -3.35, -1.12, -5.75
    box(s, (x0, y, GROUND - .1), (x1, FRONT, -.02), "paving", .012)
    for x in (x0 + .12, x1 - .12):
        box(s, (x - .05, y + .10, -.02), (x + .05, y + .20, 2.45), "oak", .008)
        box(s, (x - .07, y + .08, -.02), (x + .07, y + .22, .12), "kerb", .006)
        with s.at(translate(x, y + .15, 2.1), rotate("x", 0)):
            tube(s, [(0, 0, -.1), (0, .42, .36)], .03, "oak", 8)
    box(s, (x0, y + .08, 2.42), (x1, y + .22, 2.56), "oak", .008)
    for x in (x0 + .12, x1 - .12):
        box(s, (x - .05, y + .2, 2.44), (x + .05, FRONT, 2.56), "oak", .006)
    with s.at(translate(0, y - .12, 2.55), rotate("x", 13)):
        run = 1.72
        rows = 5
        for r in range(rows):
            a, c = run * r / rows, run * (r + 1) / rows + .03
            quad(s, [(x0 - .15, a, .075), (x1 + .15, a, .075), (x1 + .15, c, .045), (x0 - .15, c, .045)], "roof")
            quad(s, [(x0 - .15, a, .04), (x1 + .15, a, .04), (x1 + .15, a, .075), (x0 - .15, a, .075)], "roof")
        box(s, (x0 - .15, 0, -.02), (x1 + .15, run, .04), "white_wood", .004)
        for x in (x0 - .15, x1 + .13):
            box(s, (x, -.01, -.03), (x + .02, run, .09), "frame_white", .004)
    with d.at(translate(x0 + .42, FRONT - .35, -.02)):
        plant(d, 1.15, 31, "pal:#5a6a6a")
    box(d, (-2.75, FRONT - .75, -.02), (-1.97, FRONT - .15, -.005), "pal:#5b4a3a", .004)


def bush(b, at, radii, seed, mat="leaves", leaves=260, seg=14, card=.2):
    """A lumpy core with leaf cards stuck on it; cards take the core's normals so that light falls softly."""
    rng = np.random.default_rng(seed)
    ph = rng.random(6) * 6.28

    def bump(u):
        return 1 + .10 * math.sin(5 * u[0] + ph[0]) + .09 * math.sin(6 * u[1] + ph[1]) + .08 * math.sin(7 * u[2] + ph[2])
    verts, faces, rings = [], [], seg // 2 + 2
    for j in range(rings + 1):
        p = math.pi * j / rings - math.pi / 2
        for i in range(seg):
            a = 2 * math.pi * i / seg
            u = np.array([math.cos(p) * math.cos(a), math.cos(p) * math.sin(a), math.sin(p)])
            verts.append(np.array(at) + u * radii * bump(u))
    for j in range(rings):
        for i in range(seg):
            k = (i + 1) % seg
            faces.append((j * seg + i, j * seg + k, (j + 1) * seg + k, (j + 1) * seg + i))
    b.add(verts, faces, mat, n=smooth_normals(verts, faces))
    if leaves:
        cards(b, leaves, seed, mat, lambda u: (np.array(at) + u * radii * bump(u), u / np.array(radii)), card)


def cards(b, count, seed, mat, place, size=.17):
    rng = np.random.default_rng(seed + 1)
    verts, faces, norms, uv = [], [], [], []
    for k in range(count):
        u = rng.standard_normal(3)
        u /= np.linalg.norm(u)
        at, n = place(u)
        n = n / np.linalg.norm(n)
        t = np.cross(n, rng.standard_normal(3))
        t /= np.linalg.norm(t)
        o = np.cross(n, t) + n * rng.uniform(-.3, .9)
        o /= np.linalg.norm(o)
        s = size * rng.uniform(.6, 1.2)
        c = np.array(at) + n * .01
        verts += [c - t * s * .1, c + o * s * .45 + t * s * .35, c + o * s, c + o * s * .45 - t * s * .35]
        norms += [n] * 4
        faces.append((4 * k, 4 * k + 1, 4 * k + 2, 4 * k + 3))
        a = rng.random(2)
        uv += [a, a + (.06, .03), a + (.12, 0), a + (.06, -.03)]
    b.add(verts, faces, mat, n=norms, uv=uv)


def hedge(b, x0, x1, y0, y1, h, seed, leaves=420):
    """A clipped hedge: rounded box with cards on its skin."""
    c, half = np.array([(x0 + x1) / 2, (y0 + y1) / 2, GROUND + h / 2]), np.array([(x1 - x0) / 2, (y1 - y0) / 2, h / 2])
    rbox(b, c - half, c + half, .10, "leaves", 2)

    def place(u):
        v = u / np.abs(u).max()
        if v[2] < -.9:
            v[2] = 1
        n = np.where(np.abs(v) > .999, np.sign(v), 0.0)
        jitter = np.random.default_rng(int(abs(u[0]) * 1e9)).uniform(-1, 1, 3)
        v = np.where(n != 0, v * .99, jitter)
        return c + v * half, n + .35 * v
    cards(b, leaves, seed, "leaves", place, .14)


def tree(trunk, crown, x, y, h, seed, mat="leaves", spread=1.5, leaves=2100):
    rng = random.Random(seed)
    z = GROUND
    tube(trunk, [(x, y, z - .1), (x + .05, y, z + h * .25), (x - .04, y + .05, z + h * .5), (x, y, z + h * .72)],
         [.19, .13, .10, .05], "bark", 10)
    blobs = [(0, 0, .74, 1.0)] + [(math.cos(k * 1.6 + seed) * .62, math.sin(k * 1.6 + seed) * .62, rng.uniform(.56, .72), rng.uniform(.58, .75))
                                  for k in range(4)] + [(.1, -.1, .92, .66)]
    for k, (dx, dy, f, r) in enumerate(blobs):
        at = (x + dx * spread, y + dy * spread, z + h * f)
        tube(trunk, [(x, y, z + h * .42), at], [.06, .02], "bark", 6, caps=False)
        bush(crown, at, np.array([1, 1, .82]) * r * spread * .8, seed * 10 + k, mat, leaves // len(blobs), 12, .26)


def ground(s):
    """Flat pieces meet edge to edge (no overlaps, so no flicker)."""
    px0, px1 = -2.95, -1.77
    far = 60
    for x0, x1, y0, y1 in ((-far, px0, PAVEMENT_Y, FRONT - .05), (px1, far, PAVEMENT_Y, FRONT - .05),
                           (-far, X0 - WALL, FRONT - .05, far), (X1 + WALL, far, FRONT - .05, far),
                           (X0 - WALL, X1 + WALL, Y1 + WALL, far), (-far, far, -far, FAR_Y - 1.8)):
        flat(s, x0, x1, y0, y1, GROUND, "grass")
    flat(s, px0, px1, PAVEMENT_Y, -5.75, GROUND + .004, "clinker")
    for x in (px0, px1):
        box(s, (x - .04, PAVEMENT_Y, GROUND - .1), (x + .04, -5.75, GROUND + .02), "kerb", .008)
    flat(s, -far, far, ROAD_Y + .15, PAVEMENT_Y, GROUND, "paving")
    flat(s, -far, far, FAR_Y - 1.8, FAR_Y - .15, GROUND, "paving")
    flat(s, -far, far, FAR_Y, ROAD_Y, GROUND - .12, "asphalt")
    for y0, y1 in ((ROAD_Y, ROAD_Y + .15), (FAR_Y - .15, FAR_Y)):
        for k in range(-15, 15):
            box(s, (k * 2.0, y0, GROUND - .16), (k * 2.0 + 1.99, y1, GROUND + .005), "kerb", .012)
    for k in range(-8, 8):
        flat(s, k * 3.4, k * 3.4 + 1.6, (ROAD_Y + FAR_Y) / 2 - .05, (ROAD_Y + FAR_Y) / 2 + .05, GROUND - .115, "pal:#d9d7d0")


def garden(s, d, leaves):
    for k, (x0, x1) in enumerate(((-8.5, -5.8), (-5.8, -3.25), (-1.47, 1.8), (1.8, 5.1), (5.1, 8.5))):
        hedge(leaves, x0, x1, PAVEMENT_Y + .08, PAVEMENT_Y + .62, .85, 40 + k)
    for k, x in enumerate((-8.8, 8.3)):
        hedge(leaves, x, x + .5, PAVEMENT_Y + .1, 1.0, 1.3, 60 + k, 260)
        hedge(leaves, x, x + .5, 1.0, 14, 1.7, 62 + k, 260)
    hedge(leaves, -8.8, 8.8, 14, 14.6, 2.0, 66, 320)
    tree(d, leaves, 4.6, -7.2, 4.6, 3, "leaves_light", 1.35)
    tree(d, leaves, -6.9, -6.6, 5.4, 5, "leaves", 1.5)
    tree(d, leaves, 1.0, 11.0, 6.0, 8, "leaves", 1.9)
    for k, (x, y, r) in enumerate(((-4.3, -4.75, .42), (-.75, -4.7, .40), (.1, -4.75, .34), (.9, -4.7, .42), (2.0, -4.72, .36),
                                   (2.9, -4.75, .44), (3.9, -4.7, .38))):
        bush(leaves, (x, y, GROUND + r * .6), (r, r * .8, r * .85), 80 + k, ("leaves", "leaves_light")[k % 2], 260, 10, .13)
        rng = random.Random(k)
        for j in range(7):  # flowers
            a, b_ = rng.uniform(0, 6.28), rng.uniform(.4, 1.2)
            p = (x + r * math.cos(a) * math.cos(b_), y + r * .8 * math.sin(a) * math.cos(b_), GROUND + r * .6 + r * .92 * math.sin(b_))
            ellipsoid(d, p, (.035, .035, .028), ("pal:#e8e2f0", "pal:#d98a9f", "pal:#8f7fc0")[k % 3], 7, 5)
    mailbox(s, d)
    for k in range(5):  # stepping lights along the path
        cylinder(d, (-1.6, -6.2 - k * .62, GROUND), .03, .28, "black_metal", 10)
        cylinder(d, (-1.6, -6.2 - k * .62, GROUND + .28), .045, .03, "black_metal", 12)
    bench(s)


def bench(s):
    with s.at(translate(2.6, -5.9, GROUND)):
        for k in range(4):
            box(s, (-.75, -.2 + .105 * k, .42), (.75, -.11 + .105 * k, .45), "oak", .006)
        for k in range(3):
            box(s, (-.75, .24, .55 + .12 * k), (.75, .265, .64 + .12 * k), "oak", .006)
        for x in (-.65, .65):
            for p in ([(x, -.18, 0), (x, -.18, .42)], [(x, .16, 0), (x, .18, .42), (x, .28, .9)], [(x, -.18, .40), (x, .2, .40)]):
                tube(s, p, .018, "black_metal", 8)


def mailbox(s, d):
    x, y = -1.2, PAVEMENT_Y + .35
    with s.at(translate(-3.15, PAVEMENT_Y + .85, GROUND)):
        box(s, (-.04, -.04, 0), (.04, .04, 1.05), "oak", .006)
        rbox(s, (-.14, -.17, 1.0), (.14, .17, 1.3), .05, "palg:#b5533c", 3)
        box(s, (.139, -.11, 1.19), (.146, .11, 1.215), "black_metal", .002)
        box(s, (-.08, -.174, 1.05), (.08, -.168, 1.14), "brass", .002)


def street_lamp(s, d):
    x, y = 3.4, ROAD_Y + .45
    lathe(s, [(.10, 0), (.10, .02), (.075, .05), (.065, .8), (.05, .85), (.042, 3.6), (.06, 3.62), (.06, 3.68), (.03, 3.7)],
          "black_metal", 14, (x, y, GROUND))
    lathe(d, [(.09, 3.70), (.16, 4.06)], "pal:#f6ecd2", 6, (x, y, GROUND), sharp=True)
    lathe(s, [(.19, 4.06), (.20, 4.08), (.11, 4.20), (.03, 4.26), (.03, 4.34), (0, 4.36)], "black_metal", 12, (x, y, GROUND))


def neighbour(b, x, brick, roof, door, w=7.6, flip=1):
    """A simple facade seen from across the street; gable to the front for variety when `flip` < 0."""
    y, z0, eaves, dp = NEIGHBOUR_Y, GROUND, 5.4, 8.0
    x0, x1 = x - w / 2, x + w / 2
    box(b, (x0, y - dp, z0 - .1), (x1, y, eaves), brick, .004)
    ridge, core = eaves + 3.4, (x, y - dp / 2, eaves)
    if flip < 0:
        for yy in (y, y - dp):
            outward(b, [(x0, yy, eaves), (x, yy, ridge), (x1, yy, eaves)], core, brick)
        for s in (-1, 1):
            e = x + s * (w / 2 + .4)
            ez = eaves - .4 * 3.4 / (w / 2)
            pts = [(e, y + .35, ez), (e, y - dp, ez), (x, y - dp, ridge + .02), (x, y + .35, ridge + .02)]
            outward(b, pts, core, roof, uv=[(0, 0), (7, 0), (7, 4.3), (0, 4.3)])
            under = [(px, py, pz - .14) for px, py, pz in pts]
            outward(b, under, (x, y, 20), "frame_white")
            outward(b, [pts[0], under[0], under[3], pts[3]], core, "frame_white")
    else:
        mid, e = y - dp / 2, .4
        ez = eaves - e * 3.4 / (dp / 2)
        for yy in (y + e, y - dp - e):
            outward(b, [(x0 - .2, yy, ez), (x1 + .2, yy, ez), (x1 + .2, mid, ridge), (x0 - .2, mid, ridge)], core, roof,
                    uv=[(0, 0), (6.6, 0), (6.6, 4.4), (0, 4.4)])
        box(b, (x0 - .2, y + e - .03, ez - .16), (x1 + .2, y + e, ez), "frame_white", .004)
        for s, xx in ((-1, x0), (1, x1)):
            tri = [(xx, y, eaves), (xx, mid, ridge), (xx, y - dp, eaves)]
            outward(b, tri, core, brick)
        box(b, (x + 1.6, mid + .4, ridge - 1.2), (x + 2.3, mid + 1.0, ridge + .9), brick, .01)
    dx = x - w * .3
    with b.at(translate(dx, y, z0)):
        box(b, (-.58, -.02, 0), (.58, .05, 2.35), "frame_white", .006)
        box(b, (-.47, .03, .05), (.47, .065, 2.15), "pal:" + door, .006)
        box(b, (-.2, .06, 1.45), (.2, .07, 1.95), "window_far", .003)
        box(b, (-.9, -.02, -.05), (.9, .9, .02), "paving", .01)
        box(b, (-.85, -.02, 2.45), (.85, .7, 2.55), "frame_white", .01)
    for wx, ww, wz, wh in ((x + w * .18, 2.6, .65, 1.6), (x + w * .24, 1.5, 3.2, 1.5), (x - w * .27, 1.5, 3.2, 1.5)) + \
                          (((x, 1.0, 6.0, 1.1),) if flip < 0 else ()):
        with b.at(translate(wx, y, z0 + wz)):
            box(b, (-ww / 2 - .07, -.02, -.07), (ww / 2 + .07, .035, wh + .07), "frame_white", .005)
            n = max(1, round(ww / .85))
            for k in range(n):
                a, c = -ww / 2 + ww * k / n + .025, -ww / 2 + ww * (k + 1) / n - .025
                quad(b, [(c, .036, .02), (a, .036, .02), (a, .036, wh - .02), (c, .036, wh - .02)], "window_far")
                cw = (c - a) * .24
                if k == 0:
                    quad(b, [(a + cw, .037, .02), (a, .037, .02), (a, .037, wh - .02), (a + cw, .037, wh - .02)], "pal:#d9d3c6")
                if k == n - 1:
                    quad(b, [(c, .037, .02), (c - cw, .037, .02), (c - cw, .037, wh - .02), (c, .037, wh - .02)], "pal:#d9d3c6")
            box(b, (-ww / 2 - .12, -.02, -.13), (ww / 2 + .12, .09, -.07), "kerb", .006)


def opposite(b, leaves, trunks):
    neighbour(b, -11.5, "brick_pale", "roof_grey", "#3f5f6a", flip=1)
    neighbour(b, -2.2, "brick_dark", "roof", "#b08a3c", flip=-1)
    neighbour(b, 7.2, "brick_pale", "roof", "#7a3f38", flip=-1)
    neighbour(b, 16.6, "brick", "roof_grey", "#39513f", flip=1)
    neighbour(b, -21, "brick_dark", "roof", "#5c4a6a", flip=-1)
    for k, (x0, x1) in enumerate(((-14.8, -9.6), (-6.3, -3.2), (-1.8, 2.4), (3.4, 5.6), (7.6, 11.2), (13, 20))):
        hedge(leaves, x0, x1, FAR_Y - 2.6, FAR_Y - 2.0, .8, 120 + k, 200)
    tree(trunks, leaves, 2.5, -20.6, 5.2, 13, "leaves", 1.5, 1000)
    tree(trunks, leaves, -7.0, -20.3, 5.8, 17, "leaves_light", 1.6, 1000)
    tree(trunks, leaves, 12.2, -20.4, 5.5, 19, "leaves", 1.6, 1000)
    for k in range(16):  # a soft green horizon all round
        a = k / 16 * 2 * math.pi
        if math.sin(a) > -.92:
            bush(leaves, (46 * math.cos(a), -4 + 44 * math.sin(a), 1.0), (9.5, 7, 4.2 + (k % 3)), 200 + k, ("leaves", "leaves_light")[k % 2], 700, 14, 1.1)
    for x, y in ((-15.5, -3), (15.8, -2)):  # the neighbours on our own side
        box(b, (x - 3.6, y - 3.4, GROUND - .1), (x + 3.6, y + 4, 5.4), "brick_dark" if x < 0 else "brick_pale", .004)
        for s in (-1, 1):
            pts = [(x - 3.9, y - s * 4 + .3, 5.1), (x + 3.9, y - s * 4 + .3, 5.1), (x + 3.9, y + .3, 8.6), (x - 3.9, y + .3, 8.6)]
            outward(b, pts, (x, y, 3), "roof_grey" if x < 0 else "roof", uv=[(0, 0), (6.6, 0), (6.6, 4.4), (0, 4.4)])
        for s in (-1, 1):
            tri = [(x + s * 3.6, y - 3.4, 5.4), (x + s * 3.6, y + 4, 5.4), (x + s * 3.6, y + .3, 8.5)]
            outward(b, tri, (x, y, 3), "brick_dark" if x < 0 else "brick_pale")
