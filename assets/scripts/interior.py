"""What stands in the rooms from the start. `s` batches are solid for a walker, `d` batches are only looked at."""
import math
import random

from furniture import (bookshelf, books, cushion, dining_chair, dining_table, leaf, plant, pot, rug, throw_pillow, vase)
from mesh import box, cylinder, ellipsoid, lathe, quad, rbox, rotate, smooth_normals, translate, tube
from plan import *


def picture(d, at, turn, w, h, cell, frame="oak"):
    """A framed print on a wall; `turn` 0 faces south (-Y). `cell` picks one of four prints."""
    u, v = (cell % 2) * .5, .5 - (cell // 2) * .5
    with d.at(translate(*at), rotate("z", turn)):
        t = .018
        for lo, hi in (((-w / 2, -h / 2), (w / 2, -h / 2 + t)), ((-w / 2, h / 2 - t), (w / 2, h / 2)),
                       ((-w / 2, -h / 2 + t), (-w / 2 + t, h / 2 - t)), ((w / 2 - t, -h / 2 + t), (w / 2, h / 2 - t))):
            box(d, (lo[0], -.03, lo[1]), (hi[0], -.001, hi[1]), frame, .003)
        x, z = w / 2 - t, h / 2 - t
        quad(d, [(-x, -.012, -z), (x, -.012, -z), (x, -.012, z), (-x, -.012, z)], "pal:#f7f3ea")
        m = min(w, h) * .10
        x, z = x - m, z - m
        cu, cv = .005, .005
        quad(d, [(-x, -.014, -z), (x, -.014, -z), (x, -.014, z), (-x, -.014, z)], "posters",
             uv=[(u + cu, v + cv), (u + .5 - cu, v + cv), (u + .5 - cu, v + .5 - cv), (u + cu, v + .5 - cv)])


def curtain(d, at, turn, width, height, mat="linen", folds=9, depth=.05):
    """Hanging folds, two-sided by modelling both faces. Local x along the wall, room towards -Y."""
    n = folds * 6
    with d.at(translate(*at), rotate("z", turn)):
        verts, faces = [], []
        for z, amp in ((height, .55), (height * .5, .9), (0.0, 1.1)):
            for i in range(n + 1):
                t = i / n
                verts.append((t * width + .012 * math.sin(i * 1.7), -depth * amp * (math.sin(t * folds * 2 * math.pi)), z))
        m = n + 1
        for r in range(2):
            for i in range(n):
                faces.append((r * m + i, (r + 1) * m + i, (r + 1) * m + i + 1, r * m + i + 1))
        nrm = smooth_normals(verts, faces)
        d.add(verts, faces, mat, n=nrm, grain=2)
        d.add(verts, [f[::-1] for f in faces], mat, n=-nrm, grain=2)


def curtain_pair(d, side, at, o, z0, z1, mat="linen", reach=.55):
    """Curtains either side of a window, on an oak rod."""
    from shell import frame, local
    x0, x1 = local(side, o["a0"], o["a1"])
    d.stack.append(d.stack[-1] @ frame(side, at))
    curtain(d, (x0 - reach + .08, -.13, z0), 0, reach, z1 - z0, mat)
    curtain(d, (x1 - .08, -.13, z0), 0, reach, z1 - z0, mat)
    tube(d, [(x0 - reach, -.13, z1 + .02), (x1 + reach, -.13, z1 + .02)], .013, "oak", 10)
    for x in (x0 - reach, x1 + reach):
        ellipsoid(d, (x, -.13, z1 + .02), (.026, .026, .026), "oak", 10, 7)
    d.stack.pop()


def cabinet(s, x0, x1, z0, z1, y_back, depth, n, handle="top", mat="cabinet"):
    """A row of `n` fronts facing south, shadow gaps between them, brass handles."""
    y = y_back - depth
    box(s, (x0, y + .02, z0), (x1, y_back, z1), mat, .003)
    w = (x1 - x0) / n
    for i in range(n):
        a, c = x0 + w * i + .003, x0 + w * (i + 1) - .003
        rows = [(z0, z1)] if handle != "drawers" else [(z0, z0 + (z1 - z0) * .62), (z0 + (z1 - z0) * .62, z1)]
        for lo, hi in rows:
            box(s, (a, y, lo + .003), (c, y + .019, hi - .003), mat, .004)
            box(s, (a + .05, y - .004, lo + .055), (c - .05, y + .004, hi - .055), mat, .003) if hi - lo > .3 else None
            hz = hi - .06 if handle != "bottom" else lo + .06
            tube(s, [(a + .12, y - .03, hz), (c - .12, y - .03, hz)], .007, "brass", 8)
            for hx in (a + .14, c - .14):
                tube(s, [(hx, y, hz), (hx, y - .03, hz)], .005, "brass", 6, caps=False)


def kitchen(s, d):
    yb = Y1 - .002
    cabinet(s, -.1, 2.1, .10, .87, yb, .60, 4, "drawers")
    cabinet(s, 2.1, 3.29, .10, .87, yb, .60, 2)
    cabinet(s, 3.885, 4.48, .10, .87, yb, .60, 1)
    box(s, (-.1, yb - .55, 0), (4.48, yb, .10), "black_metal", .002)
    rbox(s, (-.1, yb - .63, .87), (4.5, yb, .91), .008, "worktop", 2)
    quad(s, [(-.1, yb - .001, .91), (4.5, yb - .001, .91), (4.5, yb - .001, 1.115), (-.1, yb - .001, 1.115)], "splash_tile")
    for a, c in ((-.1, 1.02), (2.98, 4.5)):
        quad(s, [(a, yb - .001, 1.115), (c, yb - .001, 1.115), (c, yb - .001, 1.55), (a, yb - .001, 1.55)], "splash_tile")
    cabinet(s, 3.1, 4.48, 1.55, 2.35, yb, .34, 3, "bottom")
    # open shelves left of the window
    for z in (1.5, 1.86):
        box(s, (-.05, yb - .24, z), (.85, yb, z + .028), "oak", .004)
        for k in range(7):
            x = .03 + k * .12
            if (k + int(z * 10)) % 3:
                lathe(d, [(0, 0), (.03, 0), (.043, .075), (.039, .075), (.028, .008), (0, .008)],
                      ("palg:#e8e2d6", "palg:#c7765a", "palg:#7f9a8e")[k % 3], 12, (x, yb - .12, z + .028))
            else:
                for j in range(4):
                    cylinder(d, (x, yb - .12, z + .028 + j * .014), .055, .011, "palg:#efe9dd", 16)
    # sink and tap under the window
    box(d, (1.62, yb - .50, .905), (2.22, yb - .12, .915), "steel", .004)
    quad(d, [(1.66, yb - .46, .9155), (2.18, yb - .46, .9155), (2.18, yb - .16, .9155), (1.66, yb - .16, .9155)], "pal:#6f7274")
    tube(d, [(1.92, yb - .08, .91), (1.92, yb - .08, 1.18), (1.92, yb - .11, 1.26), (1.92, yb - .18, 1.28), (1.92, yb - .25, 1.25),
             (1.92, yb - .26, 1.2)], .012, "brass", 10)
    for k, x in enumerate((1.2, 1.32, 2.78)):  # herbs on the sill
        with d.at(translate(x + .08, Y1 + .05, 1.12)):
            herb(d, k)
    lathe(d, [(0, 0), (.12, 0), (.17, .07), (.16, .07), (.11, .012), (0, .012)], "pal:#c9a272", 20, (2.62, yb - .33, .91))
    for k in range(5):
        a = k * 1.26
        ellipsoid(d, (2.62 + .07 * math.cos(a), yb - .33 + .07 * math.sin(a), .97), (.038, .038, .036),
                  ("palg:#d98a2f", "palg:#c94f35", "palg:#a9b54a")[k % 3], 12, 8)
    with d.at(translate(1.25, yb - .06, .92), rotate("x", 12)):
        rbox(d, (-.14, -.02, 0), (.14, 0, .36), .008, "walnut", 2)


def herb(d, seed):
    pot(d, .055, .09, ("pal:#e8e2d6", "pal:#cf8a63", "pal:#7f9a8e")[seed])
    rng = random.Random(seed)
    for k in range(16):
        leaf(d, (0, 0, .06), k * 2.4, rng.uniform(.07, .13), .018, rng.uniform(.8, 1.5), ("leaf_a", "leaf_b")[k % 2], .5, 3)


def island(s, d):
    x0, x1, y0, y1 = 1.35, 3.45, 1.35, 2.15
    box(s, (x0 + .04, y0 + .28, .08), (x1 - .04, y1 - .02, .87), "cabinet", .004)
    n = 34
    for i in range(n):  # fluted oak towards the dining table
        x = x0 + .06 + (x1 - x0 - .12) * (i + .5) / n
        tube(s, [(x, y0 + .28, .08), (x, y0 + .28, .87)], .028, "oak", 5, caps=False)
    box(s, (x0 + .08, y0 + .32, 0), (x1 - .08, y1 - .06, .08), "black_metal", .002)
    rbox(s, (x0, y0, .87), (x1, y1, .915), .01, "worktop", 2)
    for x in (1.8, 2.4, 3.0):
        with s.at(translate(x, y0 - .02, 0)):
            stool(s)
    vase(d, (3.1, 1.8, .915), .24, "palg:#e8dfd0", 7)
    rbox(d, (2.2, 1.6, .915), (2.62, 1.88, .935), .008, "walnut", 2)
    ellipsoid(d, (2.4, 1.74, .97), (.14, .065, .05), "pal:#c8925a", 16, 10)


def stool(s):
    for k in range(4):
        a = math.radians(45 + 90 * k)
        tube(s, [(.20 * math.cos(a), .20 * math.sin(a), 0), (.13 * math.cos(a), .13 * math.sin(a), .63)], [.012, .016], "oak", 8)
    pts = [(.176 * math.cos(math.radians(a)), .176 * math.sin(math.radians(a)), .22) for a in range(0, 361, 24)]
    tube(s, pts, .008, "brass", 6, caps=False)
    lathe(s, [(0, .62), (.15, .62), (.175, .64), (.175, .66), (.155, .68), (0, .67)], "walnut", 24)


def dining(s, d):
    with d.at(translate(1.9, -1.75, 0)):
        rug(d, 3.0, 2.3)
    with s.at(translate(1.9, -1.75, 0)):
        dining_table(s)
        for x, y, a in ((-.62, .62, 180), (0.02, .64, 184), (.64, .61, 178), (-.6, -.63, 0), (0, -.62, 4), (.62, -.63, -3)):
            with s.at(translate(x, y, 0), rotate("z", a)):
                dining_chair(s)
    rbox(d, (1.62, -2.2, .75), (2.18, -1.3, .756), .002, "linen", 1)
    vase(d, (1.9, -1.75, .756), .22, "palg:#6f8791", 8)
    for x in (1.45, 2.35):
        cylinder(d, (x, -1.75, .75), .035, .02, "brass", 14)
        tube(d, [(x, -1.75, .77), (x, -1.75, .98)], [.011, .009], "pal:#f4eee0", 8)
    pendant(d, (1.9, -1.75, 1.62), CEIL, .30, "pal:#d8b68a")
    # sideboard on the hall wall, bookshelf in the east
    with s.at(translate(PX1 + .002, -2.1, 0), rotate("z", -90)):
        sideboard(s, d)
    picture(d, (PX1 + .001, -2.1, 1.62), 90, .95, .95, 0)
    with s.at(translate(X1, .45, 0), rotate("z", 90)):
        bookshelf(s, 1.3, 2.05, 5, 11)
    with d.at(translate(4.0, -3.35, 0)):
        plant(d, 1.7, 7, "pal:#e8e2d6")
    with d.at(translate(-.65, -3.45, 0)):
        plant(d, 1.3, 4, "pal:#7f9a8e")
    curtain_pair(d, "S", Y0, SOUTH[2], .02, 2.5, "linen", .6)
    picture(d, (X1 - .001, -.75, 1.6), -90, .6, .8, 2, "black_metal")


def sideboard(s, d):
    w, dp = .80, .42
    for x in (-w + .1, w - .1):
        for y in (.07, dp - .07):
            tube(s, [(x, y, 0), (x, y, .18)], [.012, .018], "oak", 8)
    rbox(s, (-w, 0, .18), (w, dp, .80), .01, "oak", 2)
    for k in range(3):
        x0 = -w + .02 + k * (2 * w - .04) / 3
        box(s, (x0 + .004, dp, .205), (x0 + (2 * w - .04) / 3 - .004, dp + .014, .775), "oak", .005)
        ellipsoid(s, (x0 + (.06 if k else .45), dp + .03, .52), (.014, .014, .014), "brass", 10, 7)
    saved, d.stack = d.stack, s.stack  # the little things stand on it but are not solid
    vase(d, (-.55, .2, .80), .26, "palg:#e8dfd0", 6)
    books(d, .1, .2, .80, flat=4, seed=6)
    lathe(d, [(0, 0), (.09, 0), (.09, .012), (.012, .02), (.012, .22), (0, .22)], "brass", 18, (.56, .2, .80))
    lathe(d, [(.15, .22), (.155, .22), (.10, .42), (.0, .43)], "shade", 22, (.56, .2, .80))
    d.stack = saved


def pendant(d, low, ceiling, r, mat="palg:#2f4a4a"):
    """A dome pendant: its rim at `low`; the bulb is a lamp node's, or missing."""
    x, y, z = low
    h = r * .75
    lathe(d, [(r, 0), (r * 1.015, .004), (r * .95, h * .35), (r * .70, h * .75), (r * .28, h), (.03, h * 1.06), (.03, h * 1.25), (0, h * 1.25)],
          mat, 28, (x, y, z))
    lathe(d, [(0, h * .98), (r * .27, h * .96), (r * .68, h * .72), (r * .93, h * .33), (r, 0)], "pal:#fbf4e4", 28, (x, y, z))
    tube(d, [(x, y, z + h * 1.2), (x, y, ceiling)], .004, "black_metal", 6, caps=False)
    cylinder(d, (x, y, ceiling - .025), .055, .025, "black_metal", 16)


def paper_lantern(d, at, ceiling, r):
    """A ribbed rice-paper globe, open below so that the light's origin hangs free."""
    prof = []
    for k in range(0, 25):
        a = math.radians(-58 + k * 126 / 24)
        prof.append((r * math.cos(a) * (1 + .012 * (-1) ** k), r * math.sin(a) * .92))
    lathe(d, prof, "shade", 30, at)
    tube(d, [(at[0], at[1], at[2] + r * .8), (at[0], at[1], ceiling)], .004, "black_metal", 6, caps=False)
    cylinder(d, (at[0], at[1], ceiling - .025), .055, .025, "frame_white", 16)


def hall(s, d):
    with d.at(translate(-2.3, -1.3, 0), rotate("z", 90)):
        rug(d, 2.6, .95, "rug_hall")
    box(d, (-2.75, -3.78, 0), (-1.95, -3.25, .012), "pal:#4a4038", .004)
    # console with mirror
    with s.at(translate(PX0 - .002, -1.15, 0), rotate("z", 90)):
        w, dp = .55, .30
        rbox(s, (-w, 0, .76), (w, dp, .79), .012, "oak", 2)
        box(s, (-w + .05, .02, .66), (w - .05, dp - .03, .76), "oak", .004)
        for x in (-w + .06, w - .06):
            for y in (.04, dp - .05):
                tube(s, [(x, y, 0), (x, y, .70)], [.011, .018], "oak", 8)
        box(s, (-w + .08, .04, .18), (w - .08, dp - .05, .198), "oak", .003)
        for k in (-.26, .26):
            ellipsoid(s, (k, dp - .015, .71), (.012, .012, .012), "brass", 10, 7)
        saved, d.stack = d.stack, s.stack
        basket(d, (-.22, .15, .198), .15, .2)
        books(d, .2, .15, .198, flat=4, seed=12)
        vase(d, (-.36, .15, .79), .24, "palg:#c7765a", 7)
        lathe(d, [(0, 0), (.07, 0), (.10, .03), (.095, .03), (.06, .008), (0, .008)], "palg:#7f9a8e", 20, (.12, .16, .79))
        d.stack = saved
    with d.at(translate(PX0 - .002, -1.15, 1.50), rotate("z", 90), rotate("x", -90)):  # round mirror
        lathe(d, [(0, .0), (.36, .0), (.372, .008), (.372, .024), (.352, .028), (.348, .014)], "oak", 44)
        lathe(d, [(.35, .012), (0, .012)], "mirror", 44)
    # bench and coats in the nook below the landing
    box(s, (X0 + .02, Y0 + .05, .42), (STAIR_X1 - .06, Y0 + .45, .46), "oak", .006)
    for x in (X0 + .06, STAIR_X1 - .12):
        box(s, (x, Y0 + .07, 0), (x + .05, Y0 + .43, .42), "oak", .006)
    rbox(s, (X0 + .05, Y0 + .07, .46), (STAIR_X1 - .09, Y0 + .44, .51), .024, "cloth_mustard", 2, .008)
    for k, x in enumerate((-4.3, -4.02, -3.72)):
        for o in (0, .11):
            rbox(d, (x + o - .04, Y0 + .13, 0), (x + o + .04, Y0 + .38, .07), .03, ("pal:#7a4b33", "pal:#e8e2d6", "pal:#30454a")[k], 2)
    throw_pillow(d, (-4.25, Y0 + .14, .50), .38, "cloth_terracotta", 14, 176)
    coats(d)
    with s.at(translate(-4.1, 3.5, 0)):
        pot(s, .21, .36, "pal:#e8e2d6")
    with d.at(translate(-4.1, 3.5, 0)):
        plant(d, 1.75, 9, "pal:#e8e2d6")
    box(s, (-3.55, Y1 - .42, .40), (-1.95, Y1 - .02, .44), "oak", .006)  # seat under the north window
    for x in (-3.5, -2.05):
        box(s, (x, Y1 - .4, 0), (x + .05, Y1 - .04, .40), "oak", .006)
    rbox(s, (-3.5, Y1 - .40, .44), (-2.0, Y1 - .03, .50), .026, "cloth_blue", 2, .008)
    throw_pillow(d, (-3.25, Y1 - .12, .49), .40, "linen", 14, 4)
    picture(d, (X0 + .001, 3.0, 1.6), 90, .7, .7, 1)
    for k, (y, z, w, h, c) in enumerate(((.45, 1.5, .42, .56, 3), (-.2, 1.95, .42, .56, 1), (-.85, 2.38, .42, .56, 0))):
        picture(d, (X0 + .001, y, z + .45), 90, w, h, c, "black_metal")  # climbing with the stairs


def basket(d, at, r, h):
    prof = [(0, 0), (r * .8, 0)] + [(r * (.85 + .15 * k / 12) + (.006 if k % 2 else 0), h * k / 12) for k in range(13)] + \
           [(r * .93, h), (r * .8, .02), (0, .02)]
    lathe(d, prof, "pal:#c39a66", 22, at)


def coats(d):
    box(d, (X0, -3.75, 1.66), (X0 + .02, -2.98, 1.74), "oak", .004)
    for k, y in enumerate((-3.62, -3.38, -3.12)):
        tube(d, [(X0 + .02, y, 1.70), (X0 + .08, y, 1.70), (X0 + .09, y, 1.72)], .009, "brass", 8)
        c = ("cloth_forest", "cloth_mustard", "cloth_grey")[k]
        from mesh import loft
        lo = .72 + .1 * k
        loft(d, [((X0 + .10, y, lo), .075, .15), ((X0 + .10, y, lo + .3), .072, .135), ((X0 + .10, y, 1.40), .07, .13),
                 ((X0 + .10, y, 1.58), .06, .12), ((X0 + .09, y, 1.66), .035, .06), ((X0 + .085, y, 1.70), .012, .02)], c, 16)


def landing(s, d):
    with d.at(translate(-2.25, -.9, FLOOR2), rotate("z", 90)):
        rug(d, 3.0, .9, "rug_hall")
    with s.at(translate(PX0, .55, FLOOR2), rotate("z", 90)):
        bookshelf(s, 1.5, 1.15, 3, 21)
    with d.at(translate(-1.42, .15, FLOOR2 + 1.15)):
        vase(d, (0, 0, 0), .26, "palg:#6f8791", 7)
    for k in range(3):
        picture(d, (PX0 - .001, .1 + k * .45, FLOOR2 + 1.72), -90, .36, .46, (3, 0, 2)[k], "oak")
    with s.at(translate(-4.0, 3.3, FLOOR2), rotate("z", -135)):
        from furniture import armchair
        armchair(s, "cloth_blue")
    with d.at(translate(-3.2, 3.5, FLOOR2)):
        plant(d, 1.1, 12, "pal:#cf8a63")
    curtain_pair(d, "N", Y1, NORTH2[0], FLOOR2 + .02, 5.35, "linen", .4)


def bedroom(s, d):
    z = FLOOR2
    with s.at(translate(2.6, BY1 + .02, z)):  # headboard against the lounge wall, foot towards the window
        rbox(s, (-.86, 0, .1), (.86, .09, 1.05), .03, "cloth_blue", 2)
        box(s, (-.83, .06, .16), (.83, 2.06, .30), "oak", .01)
        for x in (-.76, .70):
            for y in (.15, 1.9):
                box(s, (x, y, 0), (x + .06, y + .06, .18), "oak", .006)
        rbox(s, (-.80, .09, .28), (.80, 2.04, .50), .06, "linen", 3)
        rbox(s, (-.83, .62, .34), (.83, 2.07, .57), .07, "linen", 3, .02)
        rbox(s, (-.84, 1.25, .40), (.84, 2.08, .59), .06, "cloth_mustard", 3, .015)
        for x in (-.42, .42):
            rbox(s, (x - .34, .12, .50), (x + .34, .52, .64), .065, "linen", 3, .03)
            throw_pillow(s, (x, .44, .56), .40, "cloth_forest" if x < 0 else "cloth_terracotta", 30, 180)
    with s.at(translate(1.45, BY1 + .02, z)):
        nightstand(s, d)
    with s.at(translate(3.8, BY1 + .02, z)):
        nightstand(s, d)
    cabinet(s, -1.05, .55, z + .08, z + 2.3, Y1 - .002, .58, 3, mat="white_wood")
    with d.at(translate(2.6, 2.75, z)):
        rug(d, 2.6, 1.5)
    curtain_pair(d, "N", Y1, NORTH2[1], z + .02, 5.4, "cloth_blue", .5)
    picture(d, (2.6, BY1 + .001, z + 1.62), 180, .8, .8, 0)
    with d.at(translate(4.1, 3.5, z)):
        plant(d, 1.2, 15, "pal:#7f9a8e")


def nightstand(s, d):
    rbox(s, (-.22, 0, .22), (.22, .36, .52), .012, "oak", 2)
    box(s, (-.19, .36, .26), (.19, .372, .48), "oak", .005)
    ellipsoid(s, (0, .385, .37), (.013, .013, .013), "brass", 10, 7)
    for x in (-.17, .17):
        for y in (.04, .32):
            tube(s, [(x, y, 0), (x, y, .22)], [.010, .015], "oak", 8)
    saved, d.stack = d.stack, s.stack
    books(d, .07, .15, .52, flat=2, seed=3)
    d.stack = saved


def lounge(s, d):
    z = FLOOR2
    # chimney breast with a fireplace on the east wall, between its windows
    x0 = X1 - .38
    y0, y1 = -2.15, -.75
    box(s, (x0, y0, z), (X1, y0 + .32, z + 2.7), "wall_white", .004)
    box(s, (x0, y1 - .32, z), (X1, y1, z + 2.7), "wall_white", .004)
    box(s, (x0, y0 + .32, z + .95), (X1, y1 - .32, z + 2.7), "wall_white", .001)
    box(s, (X1 - .03, y0 + .3, z), (X1, y1 - .3, z + .97), "brick_dark", .001)
    for y in (y0 + .32, y1 - .32):
        box(s, (x0 + .01, y - .006, z), (X1, y + .006, z + .95), "brick_dark", .001)
    box(s, (x0 - .05, y0 - .04, z), (X1, y1 + .04, z + .05), "plinth", .008)
    box(s, (x0 - .11, y0 - .1, z + 1.15), (X1, y1 + .1, z + 1.21), "oak", .01)
    cylinder(d, (X1 - .2, -1.45, z + .05), .17, .03, "black_metal", 20)
    for k in range(4):
        a = math.radians(45 * k + 10)
        with d.at(translate(X1 - .2, -1.45, z + .12 + .045 * (k % 2)), rotate("z", math.degrees(a))):
            tube(d, [(-.19, 0, 0), (.19, 0, .02)], [.04, .034], "bark", 8)
    with d.at(translate(x0 + .13, -1.9, z + 1.21)):
        vase(d, (0, 0, 0), .24, "palg:#30454a", 6)
    books(d, x0 + .02, -1.1, z + 1.21, flat=3, seed=14)
    picture(d, (x0 - .001, -1.45, z + 1.86), -90, .95, .95, 1)
    # window seat below the west part of the south window: panel box with cushions
    curtain_pair(d, "S", Y0, SOUTH2[2], z + .02, 5.42, "linen", .62)
    for o in EAST2:
        curtain_pair(d, "E", X1, o, z + .02, 5.38, "linen", .34)
    box(s, (PX1, -1.95, z + .11), (PX1 + .012, BY0, z + .95), "white_wood", .003)  # wainscot on the hall wall
    for k in range(5):
        a, c = -1.9 + k * .62, -1.9 + k * .62 + .56
        for lo, hi in (((a, .2), (c, .23)), ((a, .84), (c, .87)), ((a, .2), (a + .03, .87)), ((c - .03, .2), (c, .87))):
            box(s, (PX1 + .012, lo[0], z + lo[1]), (PX1 + .026, hi[0], z + hi[1]), "white_wood", .004)
    box(s, (PX1, -1.97, z + .95), (PX1 + .03, BY0, z + .985), "white_wood", .006)
    picture(d, (1.0, BY0 - .001, z + 1.6), 0, .8, 1.05, 3)
    picture(d, (2.0, BY0 - .001, z + 1.6), 0, .8, 1.05, 2)
    with d.at(translate(-.7, .8, z)):
        plant(d, 1.5, 18, "pal:#cf8a63")
