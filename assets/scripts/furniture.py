"""Furniture: each function draws into a `Batch` round a local origin on the floor, front towards +Y (glTF -Z).

The house reuses them for what stands there from the start; `CATALOGUE` is what a person can add.
Pieces that snap to a wall have their back at y = 0, the others are centred.
"""
import math
import random

from mesh import box, cylinder, ellipsoid, lathe, loft, prism, quad, rbox, rotate, translate, tube


def tapered_leg(b, x, y, h, mat, top=0.024, foot=0.014, splay=0.03):
    cx, cy = (1 if x > 0 else -1), (1 if y > 0 else -1)
    tube(b, [(x + cx * splay, y + cy * splay, 0), (x, y, h)], [foot, top], mat, 10)


def cushion(b, lo, hi, mat, r=0.06, bulge=0.03):
    rbox(b, lo, hi, r, mat, seg=3, bulge=bulge)


def throw_pillow(b, at, size, mat, tilt=-20, turn=0):
    with b.at(translate(*at), rotate("z", turn), rotate("x", tilt)):
        n, verts, faces = 10, [], []
        for s in (-1, 1):
            for j in range(n + 1):
                for i in range(n + 1):
                    u, w = i / n * 2 - 1, j / n * 2 - 1
                    puff = (max(0, (1 - u ** 4) * (1 - w ** 4))) ** 0.6
                    pinch = 1 - 0.07 * (1 - abs(u * w))
                    verts.append((u * size / 2 * pinch, s * 0.075 * puff, size / 2 + w * size / 2 * pinch))
        from mesh import smooth_normals
        for k in range(2):
            for j in range(n):
                for i in range(n):
                    a = k * (n + 1) ** 2 + j * (n + 1) + i
                    f = (a, a + 1, a + n + 2, a + n + 1)
                    faces.append(f if k == 0 else f[::-1])
        b.add(verts, faces, mat, n=smooth_normals(verts, faces))


def sofa(b, cloth="cloth_forest", width=2.1):
    w, d = width / 2, 0.46
    for x in (-w + 0.14, w - 0.14):
        for y in (-d + 0.12, d - 0.12):
            tapered_leg(b, x, y, 0.16, "oak")
    rbox(b, (-w, -d, 0.15), (w, d, 0.30), 0.05, cloth)
    for s in (-1, 1):
        rbox(b, (s * w, -d, 0.17), (s * (w - 0.16), d - 0.02, 0.62), 0.07, cloth, 3, 0.012)
    rbox(b, (-w + 0.03, -d, 0.2), (w - 0.03, -d + 0.2, 0.80), 0.08, cloth, 3, 0.01)
    n = 3 if width > 1.6 else 1
    inner = width - 0.34
    for i in range(n):
        x0 = -inner / 2 + inner * i / n + 0.006
        x1 = -inner / 2 + inner * (i + 1) / n - 0.006
        cushion(b, (x0, -d + 0.18, 0.29), (x1, d + 0.01, 0.45), cloth)
        with b.at(translate(0, -d + 0.17, 0.44), rotate("x", 9)):
            cushion(b, (x0, 0, 0), (x1, 0.15, 0.42), cloth, 0.07, 0.035)
    if n == 3:
        throw_pillow(b, (-w + 0.36, -0.06, 0.46), 0.44, "cloth_mustard", 16, -10)
        throw_pillow(b, (w - 0.38, -0.08, 0.46), 0.42, "linen", 16, 14)
        throw_pillow(b, (w - 0.62, 0.02, 0.46), 0.36, "cloth_terracotta", 20, 4)


def armchair(b, cloth="cloth_terracotta"):
    w, d = 0.36, 0.40
    for s in (-1, 1):  # bent oak frame
        tube(b, [(s * w, 0.36, 0), (s * w, 0.30, 0.32), (s * w, 0.27, 0.56), (s * w, 0.20, 0.60), (s * w, -0.25, 0.57),
                 (s * w, -0.34, 0.54), (s * w, -0.40, 0)], 0.02, "oak", 10)
        tube(b, [(s * w, 0.31, 0.30), (s * w, -0.36, 0.24)], 0.016, "oak", 8)
    for y, z in ((0.30, 0.29), (-0.35, 0.25)):
        tube(b, [(-w, y, z), (w, y, z)], 0.016, "oak", 8)
    with b.at(translate(0, -0.02, 0.30), rotate("x", 5)):
        cushion(b, (-w + 0.03, -0.36, 0), (w - 0.03, 0.36, 0.15), cloth, 0.06, 0.025)
    with b.at(translate(0, -0.30, 0.40), rotate("x", 17)):
        cushion(b, (-w + 0.03, -0.08, 0), (w - 0.03, 0.06, 0.56), cloth, 0.06, 0.03)
    throw_pillow(b, (0, -0.13, 0.47), 0.38, "linen", 20, 3)


def coffee_table(b):
    lathe(b, [(0, .40), (.53, .40), (.53, .40), (.545, .412), (.545, .412), (.545, .426), (.545, .426), (.535, .436),
              (.535, .436), (0, .436)], "oak", 40)
    for k in range(3):
        a = math.radians(90 + 120 * k)
        tube(b, [(.44 * math.cos(a), .44 * math.sin(a), 0), (.28 * math.cos(a), .28 * math.sin(a), .40)], [.015, .026],
             "oak", 10)
    cylinder(b, (0, 0, .15), .30, .016, "oak", 28)
    books(b, -0.20, 0.10, 0.436, flat=3)
    vase(b, (0.18, -0.05, 0.436), 0.20)
    lathe(b, [(0, 0), (.04, 0), (.045, .08), (.04, .08), (.036, .01), (0, .01)], "pal:#e8e2d6", 16, (0.05, 0.26, .436))


def vase(b, at, h, color="palg:#c7765a", stems=5):
    lathe(b, [(0, 0), (.3 * h, 0), (.42 * h, .2 * h), (.44 * h, .45 * h), (.25 * h, .8 * h), (.17 * h, .92 * h),
              (.22 * h, h), (.19 * h, h), (.14 * h, .9 * h), (0, .85 * h)], color, 18, at)
    rng = random.Random(int(h * 1000))
    for k in range(stems):
        a, lean = k * 2.4, 0.25 + 0.2 * rng.random()
        tip = (at[0] + math.cos(a) * lean * h * 1.1, at[1] + math.sin(a) * lean * h * 1.1, at[2] + h * (1.9 + .5 * rng.random()))
        tube(b, [(at[0], at[1], at[2] + h * .8), (at[0] + (tip[0] - at[0]) * .3, at[1] + (tip[1] - at[1]) * .3,
             at[2] + h * 1.3), tip], 0.004, "pal:#7d8a58", 5, caps=False)
        ellipsoid(b, tip, (.022, .022, .045), rng.choice(("pal:#d9c69a", "pal:#c98f5c", "pal:#e6d8b4")), 7, 5)


BOOKS = ("#b5533c", "#2f4f57", "#d6a648", "#e9e1d0", "#5f7d6a", "#7c8fa0", "#3b3a40", "#c98f6b", "#8d5b4c", "#d8cfc0")


def books(b, x, y, z, flat=0, upright=0.0, depth=0.16, seed=1, height=0.25):
    """A pile of `flat` books at (x, y), or an upright row that fills `upright` metres along +X from x."""
    rng = random.Random(seed * 77 + int(abs(x) * 100))
    for k in range(flat):
        t = 0.022 + 0.014 * rng.random()
        with b.at(translate(x, y, z), rotate("z", rng.uniform(-14, 14))):
            box(b, (-.13 + .01 * k, -.09, 0), (.13 - .01 * k, .09, t), "pal:" + rng.choice(BOOKS), 0.003)
        z += t
    end, cursor = x + upright, x
    while upright and cursor < end - 0.02:
        t, h = rng.uniform(.016, .042), height * rng.uniform(.72, 1.0)
        if cursor + t > end:
            break
        dd = depth * rng.uniform(.82, 1.0)
        box(b, (cursor, y, z), (cursor + t - .001, y + dd, z + h), "pal:" + rng.choice(BOOKS), 0.002)
        cursor += t


def bookshelf(b, width=1.1, height=1.95, rows=5, seed=5):
    """Against a wall: back at y = 0."""
    w, d, t = width / 2, 0.32, 0.024
    rng = random.Random(seed)
    for s in (-1, 1):
        box(b, (s * w, 0, 0), (s * (w - t), d, height), "oak", 0.003)
    quad(b, [(w - t, .008, .06), (-w + t, .008, .06), (-w + t, .008, height), (w - t, .008, height)], "oak")
    box(b, (-w + t, 0.02, 0), (w - t, d - .03, .06), "oak", 0.002)
    pitch = (height - .06 - t) / rows
    for r in range(rows + 1):
        z = .06 + pitch * r
        box(b, (-w + t, .004, z), (w - t, d - .004, z + t), "oak", 0.003)
        if r == rows:
            break
        z += t
        x, end = -w + t + .02, w - t - .02
        while x < end - .1:
            kind = rng.random()
            if kind < .62:
                run = min(rng.uniform(.22, .5), end - x)
                books(b, x, .06, z, upright=run, depth=.2, seed=rng.randrange(999), height=pitch * .74)
                x += run + .02
            elif kind < .8 and end - x > .3:
                books(b, x + .15, .16, z, flat=rng.choice((2, 3, 4)), seed=rng.randrange(99))
                x += .31
            else:
                if end - x > .16:
                    vase(b, (x + .09, .16, z), .13, rng.choice(("palg:#e8dfd0", "palg:#c7765a", "palg:#6f8791")), 0)
                x += .2


def floor_lamp(b):
    lathe(b, [(0, 0), (.145, 0), (.15, .006), (.15, .018), (.14, .026), (.02, .03), (0, .03)], "black_metal", 28)
    tube(b, [(0, 0, .02), (0, 0, 1.42), (0, .03, 1.53), (0, .10, 1.60), (0, .20, 1.62), (0, .27, 1.60), (0, .30, 1.54)],
         .011, "brass", 10)
    lathe(b, [(.215, 1.24), (.225, 1.24), (.15, 1.50), (.03, 1.545), (0, 1.55)], "shade", 28, (0, .30, 0))
    lathe(b, [(.22, 1.245), (.145, 1.495), (.0, 1.53)][::-1], "shade", 28, (0, .30, 0))
    ellipsoid(b, (0, .30, 1.36), (.05, .05, .06), "pal:#fff1d6", 14, 9)
    tube(b, [(0, .30, 1.42), (0, .30, 1.53)], .016, "brass", 8)


def rug(b, w=2.4, d=1.7, mat="rug_dining"):
    x, y, z = w / 2, d / 2, 0.014
    uv = [(0, 0), (1, 0), (1, 1), (0, 1)]
    quad(b, [(-x, -y, z), (x, -y, z), (x, y, z), (-x, y, z)], mat, uv=uv)
    for p, q in (((-x, -y), (x, -y)), ((x, -y), (x, y)), ((x, y), (-x, y)), ((-x, y), (-x, -y))):
        quad(b, [(*p, 0), (*q, 0), (*q, z), (*p, z)], "linen")
    rng = random.Random(4)
    for s in (-1, 1):  # fringe on the short sides
        for k in range(int(d / 0.035)):
            yy = -y + 0.018 + k * 0.035
            o = rng.uniform(-.012, .012)
            quad(b, [(s * x, yy - s * .006, .008), (s * (x + .07), yy + o - s * .003, .003), (s * (x + .07), yy + o + s * .003, .003),
                     (s * x, yy + s * .006, .008)], "linen")


def leaf(b, base, azimuth, length, width, lift, mat, droop=1.0, seg=6):
    """A blade arching out of `base`, two-sided by material, folded a little along its middle."""
    ca, sa = math.cos(azimuth), math.sin(azimuth)
    verts, faces, pos = [], [], (0.0, 0.0)
    for i in range(seg + 1):
        t = i / seg
        pitch = lift - droop * t * 1.6
        half = width * math.sin(math.pi * min(1.0, 0.06 + 0.94 * t)) ** 0.8 * (1 - .25 * t)
        for k, fold in ((-1, .25), (0, 0), (1, .25)):
            r, z = pos[0] - math.sin(pitch) * fold * half, pos[1] + math.cos(pitch) * fold * half
            verts.append((base[0] + ca * r - sa * k * half, base[1] + sa * r + ca * k * half, base[2] + z))
        pos = (pos[0] + math.cos(pitch) * length / seg, pos[1] + math.sin(pitch) * length / seg)
    for i in range(seg):
        for k in range(2):
            a = i * 3 + k
            faces.append((a, a + 3, a + 4, a + 1))
    from mesh import smooth_normals
    b.add(verts, faces, mat, n=smooth_normals(verts, faces))


def pot(b, r, h, mat="pal:#cf8a63"):
    lathe(b, [(0, 0), (r * .68, 0), (r * .74, .01), (r, h - .01), (r, h), (r * .93, h), (r * .88, h - .06), (0, h - .06)], mat, 24)
    lathe(b, [(r * .9, h - .05), (0, h - .045)], "pal:#4a382c", 16)


def plant(b, height=1.25, seed=3, pot_mat="pal:#cf8a63"):
    """A rubber plant: broad leaves on two stems."""
    rng = random.Random(seed)
    s = height / 1.25
    pot(b, .20 * s, .34 * s, pot_mat)
    for stem in range(3):
        lean, az = .10 + .09 * stem, stem * 2.1 + rng.random()
        top = (math.cos(az) * lean * s, math.sin(az) * lean * s)
        tip_z = (height * (1.0, .86, .72)[stem]) - .15 * s
        tube(b, [(0, 0, .28 * s), (top[0] * .4, top[1] * .4, tip_z * .6), (top[0], top[1], tip_z)], [.014 * s, .011 * s, .006 * s],
             "pal:#6a5138", 6)
        for k in range(9):
            t = .35 + .65 * k / 8
            at = (top[0] * t, top[1] * t, .28 * s + (tip_z - .28 * s) * t)
            mat = rng.choice(("leaf_a", "leaf_b", "leaf_a"))
            leaf(b, at, k * 2.4 + stem + rng.uniform(-.3, .3), s * rng.uniform(.26, .36), s * rng.uniform(.06, .085),
                 rng.uniform(.5, 1.1), mat, rng.uniform(.7, 1.0))


def tv_stand(b):
    """Against a wall. A television on a low sideboard."""
    w, d = .85, .40
    for x in (-w + .15, w - .15):
        for y in (.08, d - .08):
            tube(b, [(x, y, 0), (x, y, .14)], [.012, .018], "oak", 8)
    box(b, (-w, .0, .14), (w, d, .162), "oak", .003)
    box(b, (-w, .0, .478), (w, d, .50), "oak", .003)
    for s in (-1, 1):
        box(b, (s * w, 0, .16), (s * (w - .022), d, .48), "oak", .003)
    box(b, (-w + .02, 0, .16), (w - .02, .012, .48), "oak", .002)
    for k in range(3):
        x0, x1 = -w + .026 + k * .555, -w + .026 + k * .555 + .54
        if k == 1:
            box(b, (x0, .02, .31), (x1, d - .02, .326), "oak", .002)
            box(b, (x0 + .08, .08, .326), (x1 - .08, d - .06, .38), "black_metal", .006)
            books(b, x0 + .16, .2, .162, flat=3)
            continue
        box(b, (x0, d - .03, .166), (x1, d - .006, .474), "white_wood", .003)
        n = 14
        for i in range(n):  # fluted fronts
            x = x0 + .012 + (x1 - x0 - .024) * (i + .5) / n
            tube(b, [(x, d - .008, .172), (x, d - .008, .468)], .014, "oak", 6)
    box(b, (-.62, .10, .56), (.62, .135, 1.26), "black_metal", .006)
    quad(b, [(-.61, .1361, .572), (-.61, .1361, 1.25), (.61, .1361, 1.25), (.61, .1361, .572)], "black_glass")
    box(b, (-.05, .10, .51), (.05, .13, .6), "black_metal", .004)
    box(b, (-.25, .03, .50), (.25, .23, .512), "black_metal", .004)
    vase(b, (-.72, .2, .50), .16, "palg:#6f8791", 4)


def desk(b):
    """Against a wall: writing desk with drawers, lamp, notebook and pencils."""
    w, d, h = .70, .62, .74
    rbox(b, (-w, 0, h - .03), (w, d, h), .012, "oak", 2)
    for x in (-w + .07, w - .07):
        for y in (.07, d - .07):
            tube(b, [(x + (.03 if x > 0 else -.03), y, 0), (x, y, h - .03)], [.013, .022], "oak", 10)
    box(b, (-w + .08, .05, h - .14), (w - .08, d - .06, h - .03), "white_wood", .003)
    for x0, x1 in ((-w + .09, -.01), (.01, w - .09)):
        box(b, (x0, d - .06, h - .132), (x1, d - .042, h - .036), "white_wood", .004)
        ellipsoid(b, ((x0 + x1) / 2, d - .03, h - .084), (.013, .013, .013), "brass", 10, 7)
    box(b, (-.22, .20, h), (.12, .44, h + .012), "steel", .004)      # laptop
    with b.at(translate(-.05, .20, h + .012), rotate("x", -105 + 90)):
        box(b, (-.17, -.008, 0), (.17, 0, .22), "steel", .003)
    quad(b, [(-.20, .30, h + .0126), (.10, .30, h + .0126), (.10, .20, h + .0126), (-.20, .20, h + .0126)][::-1], "black_metal")
    cylinder(b, (.50, .14, h), .085, .018, "black_metal", 24)
    tube(b, [(.50, .14, h + .01), (.50, .14, h + .26), (.46, .18, h + .38), (.38, .24, h + .42)], .008, "brass", 8)
    lathe(b, [(.075, 0), (.078, 0), (.05, .10), (.012, .125), (0, .125)], "palg:#2f4a4a", 20, (.36, .26, h + .33))
    lathe(b, [(0, .118), (.047, .098), (.073, .002)], "pal:#fff1d6", 20, (.36, .26, h + .33))
    ellipsoid(b, (.36, .26, h + .38), (.028, .028, .034), "pal:#fff1d6", 10, 7)
    lathe(b, [(0, 0), (.036, 0), (.038, .10), (.033, .10), (.031, .01), (0, .01)], "palg:#e8dfd0", 16, (.28, .10, h))
    for k, c in enumerate(("#d6a648", "#b5533c", "#2f4f57")):
        tube(b, [(.28, .10, h + .01), (.265 + .015 * k, .085 + .014 * k, h + .17)], .0036, "pal:" + c, 6)
    books(b, -.48, .2, h, flat=3, seed=8)
    b_chair = translate(-.05, d + .12, 0)
    with b.at(b_chair, rotate("z", 180)):
        dining_chair(b)


def dining_chair(b, seat="cloth_grey"):
    """Wishbone-like: round oak legs, a bent top rail, a padded seat."""
    for s in (-1, 1):
        tube(b, [(s * .215, .20, 0), (s * .20, .19, .44)], [.013, .018], "oak", 10)
        tube(b, [(s * .20, -.23, 0), (s * .185, -.19, .44), (s * .20, -.22, .62), (s * .215, -.20, .72)], [.013, .018, .016, .014],
             "oak", 10)
        tube(b, [(s * .207, .19, .22), (s * .19, -.20, .26)], .009, "oak", 8)
    arc = [(.27 * math.sin(math.radians(a)), -.03 - .23 * math.cos(math.radians(a)), .715 + .02 * math.cos(math.radians(a)))
           for a in range(-100, 101, 10)]
    tube(b, arc, [.012] + [.017] * (len(arc) - 2) + [.012], "oak", 10)
    tube(b, [(0, -.20, .44), (0, -.225, .56)], .014, "oak", 8)
    for s in (-1, 1):
        tube(b, [(0, -.222, .55), (s * .05, -.245, .64), (s * .075, -.25, .725)], .011, "oak", 8)
    rbox(b, (-.225, -.21, .42), (.225, .215, .475), .027, seat, 3, .008)
    for y in (-.18, .18):
        tube(b, [(-.20, y, .40), (.20, y, .40)], .013, "oak", 8)


def dining_table(b, w=2.0, d=.95):
    rbox(b, (-w / 2, -d / 2, .715), (w / 2, d / 2, .75), .015, "oak", 2)
    for x in (-w / 2 + .13, w / 2 - .13):
        for y in (-d / 2 + .12, d / 2 - .12):
            tapered_leg(b, x, y, .72, "oak", .035, .02, .02)
    box(b, (-w / 2 + .15, -d / 2 + .11, .64), (w / 2 - .15, -d / 2 + .13, .715), "oak")
    box(b, (-w / 2 + .15, d / 2 - .13, .64), (w / 2 - .15, d / 2 - .11, .715), "oak")


CATALOGUE = {
    "sofa": (sofa, "Three-seat sofa", "floor"),
    "armchair": (armchair, "Oak armchair", "floor"),
    "coffee_table": (coffee_table, "Round coffee table", "floor"),
    "bookshelf": (bookshelf, "Bookshelf", "wall"),
    "floor_lamp": (floor_lamp, "Arc reading lamp", "floor"),
    "rug": (rug, "Wool rug", "floor"),
    "plant": (plant, "Rubber plant", "floor"),
    "tv_stand": (tv_stand, "Television on a sideboard", "wall"),
    "desk": (desk, "Writing desk", "wall"),
    "dining_chair": (dining_chair, "Dining chair", "floor"),
}
