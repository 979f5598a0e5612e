"""Dishes at true size, and a parcel. Each stands on a local origin; the eater, or who rings, is on the side of -Y.

Colours only (the shared palette) but for leaves: a dish is a few hundred kilobytes and loads within a frame or two.
"""
import math
import random

import numpy as np

from furniture import leaf
from mesh import box, ellipsoid, lathe, quad, rbox, rotate, smooth_normals, translate, tube
from workshop import frustums, stub


def plate(b, r=.135, colour="palg:#f4f1ea"):
    lathe(b, [(0, .001), (.075, 0), (.082, .004), (r * .97, .018), (r, .021), (r * .985, .023), (.088, .009), (.07, .0075), (0, .0075)], colour, 40)


def both(b, verts, faces, mat):
    """A thin sheet that is seen from both sides."""
    n = smooth_normals(verts, faces)
    b.add(verts, faces, mat, n=n)
    b.add(verts, [f[::-1] for f in faces], mat, n=-n)


def lump(b, at, radii, mat, seed, seg=14, rough=.12):
    """A ball that no machine made."""
    rng = np.random.default_rng(seed)
    p = rng.random(6) * 6.28
    verts, faces, rings = [], [], seg // 2 + 1
    for j in range(rings + 1):
        e = math.pi * j / rings - math.pi / 2
        for i in range(seg):
            a = 2 * math.pi * i / seg
            u = np.array([math.cos(e) * math.cos(a), math.cos(e) * math.sin(a), math.sin(e)])
            k = 1 + rough * (math.sin(4 * u[0] + p[0]) + math.sin(5 * u[1] + p[1]) + math.sin(4 * u[2] + 3 * u[0] + p[2])) / 2
            verts.append(np.array(at) + u * radii * k)
    for j in range(rings):
        for i in range(seg):
            k = (i + 1) % seg
            f = (j * seg + i, j * seg + k, (j + 1) * seg + k, (j + 1) * seg + i)
            faces.append((f[0], f[2], f[3]) if j == 0 else f[:3] if j == rings - 1 else f)
    b.add(verts, faces, mat, n=smooth_normals(verts, faces))


def pasta(b):
    """Spaghetti in a deep plate, tomato sauce, basil, shavings of cheese."""
    lathe(b, [(0, .001), (.062, 0), (.07, .006), (.098, .032), (.134, .040), (.137, .043), (.134, .045), (.098, .038), (.075, .016), (0, .012)],
          "palg:#f4f1ea", 44)
    rng = random.Random(3)
    shades = ("palg:#ecc977", "palg:#e6bd66", "palg:#f0d28a")
    for k in range(56):
        r, turn, start = rng.uniform(.018, .082), rng.uniform(2.2, 5.4), rng.uniform(0, 6.28)
        cx, cy, lift = rng.uniform(-.018, .018), rng.uniform(-.018, .018), rng.uniform(0, .010)
        path = []
        for i in range(17):
            a = start + turn * i / 16
            rr = r * (1 + .18 * math.sin(3 * a + k))
            x, y = cx + rr * math.cos(a), cy + rr * math.sin(a)
            path.append((x, y, .018 + .042 * max(0, 1 - (x * x + y * y) / .0095) + lift + .004 * math.sin(5 * a + k)))
        tube(b, path, .0024, shades[k % 3], 5)
    sauce = ("palg:#a92f1c", "palg:#b83a22", "palg:#9c2917")
    lump(b, (0, .002, .066), (.044, .040, .013), sauce[0], 1, 20, .22)
    for k in range(15):
        a, r = k * 2.4, .022 + .034 * (k / 15)
        lump(b, (r * math.cos(a), r * math.sin(a), .072 - r * .36), (.012, .010, .006), sauce[k % 3], 10 + k, 8, .2)
    for k in range(5):
        leaf(b, (.004 * math.cos(k * 1.3), .004 * math.sin(k * 1.3), .078), k * 1.3, .042, .013, .45, ("leaf_a", "leaf_b")[k % 2], 1.0, 5)
    for k in range(14):
        a, r = k * 2.4 + .5, .012 + .05 * rng.random()
        with b.at(translate(r * math.cos(a), r * math.sin(a), .081 - r * .33), rotate("z", rng.uniform(0, 360)), rotate("x", rng.uniform(-35, 35))):
            both(b, [(-.009, -.0035, 0), (0, -.004, .002), (.009, -.003, 0), (.008, .0035, .0005), (0, .003, .0025), (-.009, .004, .0005)],
                 [(0, 1, 4, 5), (1, 2, 3, 4)], "pal:#f5e8bd")


def soup(b):
    """Pumpkin soup in a bowl on its plate, cream, seeds, bread cubes."""
    plate(b, .115, "palg:#e9e3d6")
    with b.at(translate(0, 0, .008)):
        lathe(b, [(0, .0), (.042, 0), (.044, .006), (.072, .026), (.092, .056), (.096, .066), (.0945, .068), (.0915, .066), (.086, .055), (.07, .03)],
              "palg:#7f9a8e", 44)
        z = .0535
        lathe(b, [(.0865, z), (.080, z + .0012), (0, z + .0012)], "palg:#d8741f", 40)
        n, verts, faces = 44, [], []
        for i in range(n + 1):  # a spiral of cream, thinner outwards
            a, r = i * .26, .008 + .050 * i / n
            w = .0052 * (1 - .75 * i / n)
            verts += [((r - w) * math.cos(a), (r - w) * math.sin(a), z + .0018), (r * math.cos(a), r * math.sin(a), z + .0030),
                      ((r + w) * math.cos(a), (r + w) * math.sin(a), z + .0018)]
        for i in range(n):
            for k in range(2):
                faces.append((i * 3 + k, i * 3 + k + 1, i * 3 + k + 4, i * 3 + k + 3))
        b.add(verts, faces, "palg:#fbf3df", n=np.abs(smooth_normals(verts, faces)) * (0, 0, 1) + (0, 0, .001))
        rng = random.Random(5)
        for k in range(9):
            a, r = 1.1 + .30 * k, .040 + .022 * rng.random()
            with b.at(translate(r * math.cos(a), r * math.sin(a), z - .004), rotate("z", rng.uniform(0, 90)), rotate("x", rng.uniform(-20, 20))):
                rbox(b, (-.008, -.008, 0), (.008, .008, .014), .0025, ("pal:#c98d3f", "pal:#b87a32", "pal:#d9a55a")[k % 3], 1)
        for k in range(13):
            a, r = 3.9 + .19 * k, .028 + .042 * rng.random()
            with b.at(translate(r * math.cos(a), r * math.sin(a), z + .002), rotate("z", rng.uniform(0, 360))):
                ellipsoid(b, (0, 0, 0), (.0062, .0034, .0019), ("palg:#5f7a3a", "palg:#71893f")[k % 2], 9, 6)
        for k in range(6):
            leaf(b, (.012 * math.cos(k), .012 * math.sin(k), z + .003), k * 1.05, .016, .006, .3, "leaf_a", .5, 3)


def pancakes(b):
    """Five of them, butter, syrup that runs, berries."""
    plate(b)
    rng, z = random.Random(8), .0085
    for k in range(5):
        r, x, y = rng.uniform(.059, .062), rng.uniform(-.003, .003), rng.uniform(-.003, .003)
        lathe(b, [(0, 0), (r - .006, 0), (r - .001, .004), (r, .0075), (r - .001, .011), (r - .004, .0138)], "pal:#e9bf74", 36, (x, y, z))
        lathe(b, [(r - .004, .0138), (r - .009, .0152), (0, .0155)], "pal:#b8752f", 36, (x, y, z))
        z += .0152
    lathe(b, [(.052, 0), (.050, .002), (.03, .0035), (0, .0038)], "palg:#7a3d10", 30, (.002, -.002, z - .0006))
    for k in range(9):  # what runs down
        a, down = k * .7 + .2, rng.uniform(.018, .062)
        c, s = math.cos(a), math.sin(a)
        path = [(r * c, r * s, z + h) for r, h in ((.043, .0), (.052, .0004), (.058, -.0012), (.0618, -.007), (.0622, -down))]
        tube(b, path, [.0045, .0055, .0055, .0040, .0034], "palg:#7a3d10", 8)
        ellipsoid(b, path[-1], (.0044, .0044, .0058), "palg:#7a3d10", 10, 7)
    lathe(b, [(0, .0004), (.036, .0004), (.034, .0020), (0, .0026)], "palg:#7a3d10", 26, (.060, -.052, .0085))
    with b.at(translate(-.004, .004, z + .003), rotate("z", 24), rotate("y", 5)):
        rbox(b, (-.015, -.013, 0), (.015, .013, .011), .0035, "palg:#f6dd82", 2)
    for k in range(11):
        a, r = 2.2 + k * .34, .088 + .012 * (k % 3)
        ellipsoid(b, (r * math.cos(a), r * math.sin(a), .018), (.0076, .0076, .0070), ("palg:#3a4675", "palg:#46538a", "palg:#2f3963")[k % 3], 12, 8)
    for k in range(4):
        a, at = 4.9 + k * .36, .094
        with b.at(translate(at * math.cos(a), at * math.sin(a), .021), rotate("z", math.degrees(a) + 90), rotate("x", 24)):
            lump(b, (0, 0, 0), (.0125, .0105, .0125), "palg:#c8272c", 40 + k, 12, .08)
    ellipsoid(b, (.022, -.016, z + .009), (.0078, .0078, .0072), "palg:#3a4675", 12, 8)
    ellipsoid(b, (.030, .002, z + .009), (.0076, .0076, .0070), "palg:#46538a", 12, 8)
    for k in range(3):
        leaf(b, (.02, .012, z + .004), 1.2 + k * 1.5, .028, .009, .6, "leaf_a", .8, 4)


def ruffle(b, at, azimuth, lift, length, width, mat, seed):
    """A leaf of lettuce: a sheet whose edge has more length than its middle."""
    rng = random.Random(seed)
    ph, nu, nv = rng.uniform(0, 6), 9, 5
    verts = []
    for i in range(nv + 1):
        t = i / nv
        for j in range(nu + 1):
            s = j / nu * 2 - 1
            half = width * math.sin(math.pi * (.14 + .78 * t)) ** .7
            edge = abs(s) ** 2 * .8 + .5 * t * t
            wave = .0085 * edge * math.sin(7 * s + 6 * t + ph)
            verts.append((s * half, length * t * (1 - .18 * s * s), .010 * s * s + .018 * t * t + wave))
    faces = [(i * (nu + 1) + j, i * (nu + 1) + j + 1, (i + 1) * (nu + 1) + j + 1, (i + 1) * (nu + 1) + j) for i in range(nv) for j in range(nu)]
    with b.at(translate(*at), rotate("z", azimuth), rotate("x", lift)):
        both(b, verts, faces, mat)


def salad(b):
    """Lettuce, tomatoes, cucumber, olives, white cheese and red onion in a bowl."""
    lathe(b, [(0, 0), (.055, 0), (.058, .008), (.095, .034), (.122, .066), (.126, .074), (.1235, .076), (.119, .073), (.10, .045), (.06, .02), (0, .016)],
          "palg:#c9744f", 44)
    rng = random.Random(12)
    green = ("pal:#86b04c", "pal:#6d9a3f", "pal:#a4c45f", "pal:#5d8a3a")
    for k in range(14):
        a = k * 360 / 14 + rng.uniform(-8, 8)
        r = .044 + .008 * (k % 2)
        ruffle(b, (-r * math.sin(math.radians(a)), r * math.cos(math.radians(a)), .036), a, 26 + 10 * (k % 2), .085, .036, green[k % 4], k)
    for k in range(9):
        a = k * 40 + 12
        ruffle(b, (-.008 * math.sin(math.radians(a)), .008 * math.cos(math.radians(a)), .052), a, 14 + 9 * (k % 3), .066, .032, green[(k + 2) % 4], 40 + k)
    top = lambda r: .094 - r * .22
    for k in range(6):  # tomatoes, cut
        a, r = k * 1.05 + .3, .028 + .034 * (k % 2)
        with b.at(translate(r * math.cos(a), r * math.sin(a), top(r)), rotate("z", k * 70), rotate("x", 30 - 22 * (k % 3))):
            lathe(b, [(0, -.013), (.010, -.010), (.0148, -.003), (.0150, 0)], "palg:#c8321f", 16)
            lathe(b, [(.0150, 0), (.0125, .0006)], "palg:#d9502f", 16)
            lathe(b, [(.0125, .0006), (0, .0008)], "palg:#e8775a", 16)
    for k in range(8):  # cucumber
        a, r = k * .79 + .7, .038 + .030 * ((k * 5) % 3) / 2
        with b.at(translate(r * math.cos(a), r * math.sin(a), top(r) + .002), rotate("z", k * 50), rotate("x", 24 - 12 * (k % 4))):
            frustums(b, [(0, -.0016), (.0165, -.0016), (.0165, .0016)], "palg:#3f6b33", 20)
            frustums(b, [(.0165, .0016), (.0145, .0018)], "palg:#7da35a", 20)
            frustums(b, [(.0145, .0018), (0, .0018)], "palg:#d7e3b0", 20)
    for k in range(6):
        a, r = k * 1.03 + 1.6, .018 + .05 * ((k * 3) % 5) / 5
        lump(b, (r * math.cos(a), r * math.sin(a), top(r) + .006), (.0085, .0070, .0068), "palg:#33283a", 60 + k, 10, .05)
    for k in range(9):
        a, r = k * .7 + .1, .012 + .058 * ((k * 4) % 7) / 7
        with b.at(translate(r * math.cos(a), r * math.sin(a), top(r) + .002), rotate("z", k * 37), rotate("x", 20 - 9 * (k % 5))):
            rbox(b, (-.0075, -.0075, -.004), (.0075, .0075, .010), .0018, "pal:#f8f5ea", 1)
    for k in range(5):
        a, r = k * 1.26 + .9, .044
        with b.at(translate(r * math.cos(a), r * math.sin(a), top(r) + .007), rotate("z", k * 60), rotate("x", 28 - 14 * (k % 3))):
            ring = [((.018 - .002 * (k % 2)) * math.cos(t * .4), .016 * math.sin(t * .4), 0) for t in range(15)]
            tube(b, ring, .0018, "palg:#9a4a78", 6)


def rice(b, at, r, high, count, seed, colours=("pal:#f6f1e2", "pal:#efe7d2", "pal:#fbf8ee")):
    """A mound of grains: a smooth heart, and grains lying on it."""
    rng = random.Random(seed)
    lathe(b, [(r, 0), (r * .93, high * .45), (r * .66, high * .82), (r * .3, high * .98), (0, high)], colours[1], 24, at)
    for _ in range(count):
        u, a = math.sqrt(rng.random()), rng.uniform(0, 6.28)
        x, y, z = r * u * math.cos(a), r * u * math.sin(a), high * math.sqrt(max(0, 1 - u ** 2.4))
        with b.at(translate(at[0] + x, at[1] + y, at[2] + z + .0006), rotate("z", rng.uniform(0, 180)), rotate("y", rng.uniform(-30, 30))):
            ellipsoid(b, (0, 0, 0), (.0036, .0013, .0013), rng.choice(colours), 5, 3)


def tomato_rice(b):
    """Rice with a tomato sauce, in a bowl."""
    lathe(b, [(0, .0), (.048, 0), (.05, .006), (.082, .028), (.104, .052), (.106, .056), (.103, .056), (.078, .034), (.05, .014), (0, .012)],
          "palg:#e9e3d6", 44)
    rice(b, (0, 0, .026), .078, .034, 420, 4)
    lump(b, (.004, -.006, .058), (.044, .038, .009), "palg:#b83a22", 2, 20, .25)
    for k in range(12):
        a, r = k * 2.4, .014 + .034 * k / 12
        lump(b, (.004 + r * math.cos(a), -.006 + r * math.sin(a), .064 - r * .12), (.011, .009, .006), ("palg:#c8452a", "palg:#a92f1c", "palg:#d2603a")[k % 3],
             20 + k, 8, .2)
    for k in range(4):
        leaf(b, (.004, -.004, .068), k * 1.6, .034, .011, .4, ("leaf_a", "leaf_b")[k % 2], 1.0, 5)


def omelette(b):
    """Folded over, a little brown, herbs, and a tomato beside it."""
    plate(b)
    n, m, verts = 22, 10, []
    for i in range(n + 1):
        t = i / n * 2 - 1
        half = .052 * (1 - t * t) ** .5
        for j in range(m + 1):
            s = j / m
            a = math.pi * s
            y = -.030 + half * 1.55 * (1 - math.cos(a)) / 2
            z = .0095 + (.021 * math.sin(a) ** .8 + .002 * math.sin(9 * t + 4 * s)) * (1 - t ** 4) + .004 * s * (1 - t * t)
            verts.append((t * .088, y, z))
    faces = [(i * (m + 1) + j, (i + 1) * (m + 1) + j, (i + 1) * (m + 1) + j + 1, i * (m + 1) + j + 1) for i in range(n) for j in range(m)]
    b.add(verts, faces, "palg:#f0c95a", n=smooth_normals(verts, faces))
    rng = random.Random(7)
    top = lambda x, y: .0315 - 2.6 * x * x - 4 * (y - .006) ** 2
    for k in range(16):
        x, y = rng.uniform(-.055, .055), rng.uniform(-.014, .026)
        with b.at(translate(x, y, top(x, y) + .0012), rotate("z", rng.uniform(0, 180))):
            ellipsoid(b, (0, 0, 0), (.007 * rng.uniform(.4, 1), .004, .0012), "pal:#c9913c", 8, 4)
    for k in range(26):
        x, y = rng.uniform(-.06, .06), rng.uniform(-.016, .028)
        with b.at(translate(x, y, top(x, y) + .0022), rotate("z", rng.uniform(0, 180))):
            ellipsoid(b, (0, 0, 0), (.0026, .0011, .0009), ("pal:#4f7a3c", "pal:#6d9a3f")[k % 2], 5, 3)
    for x, y, turn in ((-.066, -.066, 20), (-.036, -.082, -30), (-.006, -.088, 60)):
        with b.at(translate(x, y, .018), rotate("z", turn), rotate("x", 40)):
            lathe(b, [(0, -.016), (.012, -.012), (.0185, -.003), (.0188, 0)], "palg:#c8321f", 18)
            lathe(b, [(.0188, 0), (.0155, .0007)], "palg:#d9502f", 18)
            lathe(b, [(.0155, .0007), (0, .001)], "palg:#e8775a", 18)
    for k in range(7):
        a = 300 + k * 17
        ruffle(b, (.066, -.058, .011), a, 24, .052, .024, ("pal:#86b04c", "pal:#6d9a3f", "pal:#a4c45f")[k % 3], 70 + k)


def baked_eggs(b):
    """Three eggs in a pan of tomatoes, the pan on a board."""
    rbox(b, (-.15, -.12, 0), (.15, .12, .016), .010, "pal:#8a5f3f", 2)
    with b.at(translate(0, 0, .016)):
        frustums(b, [(0, 0), (.092, 0), (.106, .036), (.110, .038), (.104, .037), (.091, .006), (0, .006)], "palg:#26282a", 40)
        tube(b, [(.10, 0, .030), (.150, 0, .038), (.205, 0, .040)], [.010, .009, .011], "palg:#26282a", 10)
        lathe(b, [(.100, .024), (.06, .0262), (0, .0268)], "palg:#a92f1c", 36)
        for k in range(24):
            a, r = k * 2.4, .090 * math.sqrt((k + 1) / 25)
            lump(b, (r * math.cos(a), r * math.sin(a), .0262), (.012, .010, .0042), ("palg:#b83a22", "palg:#c8452a", "palg:#9c2917")[k % 3], 90 + k, 8, .22)
        for k in range(3):
            a = k * 2.1 + .5
            x, y = .048 * math.cos(a), .048 * math.sin(a)
            lump(b, (x, y, .0285), (.033, .030, .0046), "palg:#fbf7ee", 30 + k, 18, .16)
            ellipsoid(b, (x + .003, y, .0335), (.0135, .0135, .0088), "palg:#f2a92c", 18, 10)
        rng = random.Random(6)
        for k in range(30):
            a, r = rng.uniform(0, 6.28), .09 * math.sqrt(rng.random())
            with b.at(translate(r * math.cos(a), r * math.sin(a), .0345), rotate("z", rng.uniform(0, 180))):
                ellipsoid(b, (0, 0, 0), (.0030, .0013, .0010), ("pal:#4f7a3c", "pal:#6d9a3f")[k % 2], 5, 3)


def rice_pudding(b):
    """In a small bowl on its plate: cinnamon, a spoonful of cherries."""
    plate(b, .095, "palg:#7f9a8e")
    with b.at(translate(0, 0, .008)):
        lathe(b, [(0, 0), (.034, 0), (.036, .005), (.058, .024), (.068, .050), (.0685, .054), (.066, .054), (.056, .030), (.04, .016)], "palg:#efe9dd", 40)
        cream = ("palg:#f7efdc", "palg:#f3e8ce", "palg:#fbf5e8")
        lathe(b, [(.0652, .046), (.045, .0485), (.02, .0515), (0, .052)], cream[0], 36)
        rng = random.Random(11)
        for _ in range(150):
            u, a = math.sqrt(rng.random()) * .060, rng.uniform(0, 6.28)
            with b.at(translate(u * math.cos(a), u * math.sin(a), .0525 - u * .095), rotate("z", rng.uniform(0, 180))):
                ellipsoid(b, (0, 0, 0), (.0034, .0015, .0012), rng.choice(cream), 5, 3)
        for k in range(60):
            a, r = rng.uniform(.6, 3.4), .056 * math.sqrt(rng.random())
            with b.at(translate(r * math.cos(a), r * math.sin(a), .0538 - r * .095), rotate("z", rng.uniform(0, 180))):
                ellipsoid(b, (0, 0, 0), (.0014, .0010, .0006), "pal:#8a4f25", 5, 3)
        lathe(b, [(.020, .0505), (.014, .0530), (0, .0535)], "palg:#7a1626", 20, (-.012, -.020, 0))
        for k in range(6):
            a = k * 1.05
            ellipsoid(b, (-.012 + .012 * math.cos(a), -.020 + .012 * math.sin(a), .0572), (.0072, .0072, .0066), ("palg:#8e1a2c", "palg:#a3223a")[k % 2], 12, 8)


def parcel(b):
    """A carton of 34 x 25 x 20 cm: tape, a label with its bars, arrows that say which side is up."""
    w, d, h = .17, .125, .20
    box(b, (-w, -d, 0), (w, d, h), "pal:#b98b57", .003)
    tape, t = "palg:#d9bd8a", .0006
    quad(b, [(-w + .002, -.024, h + t), (w - .002, -.024, h + t), (w - .002, .024, h + t), (-w + .002, .024, h + t)], tape)
    for s in (-1, 1):
        x = s * (w + t)
        quad(b, [(x, -.024 * s, h - .07), (x, .024 * s, h - .07), (x, .024 * s, h - .001), (x, -.024 * s, h - .001)], tape)
    for y in (-.0008, .0006):  # where the flaps meet, seen through the tape
        quad(b, [(-w, y, h + .0009), (w, y, h + .0009), (w, y + .0006, h + .0009), (-w, y + .0006, h + .0009)], "pal:#8f6a3f")
    with b.at(translate(-.055, .070, h + .0008), rotate("z", 2)):
        label(b)
    for x, y, turn in ((.06, -d - .0008, 0), (-.06, d + .0008, 180)):
        with b.at(translate(x, y, .085), rotate("z", turn)):
            for k in (-.026, .026):
                quad(b, [(k - .007, 0, 0), (k + .007, 0, 0), (k + .007, 0, .036), (k - .007, 0, .036)], "pal:#5d4526")
                b.add([(k - .017, 0, .036), (k + .017, 0, .036), (k, 0, .062)], [(0, 1, 2)], "pal:#5d4526", n=[(0, -1, 0)] * 3)
            quad(b, [(-.046, 0, -.014), (.046, 0, -.014), (.046, 0, -.008), (-.046, 0, -.008)], "pal:#5d4526")


def label(b):
    quad(b, [(-.075, -.042, 0), (.075, -.042, 0), (.075, .042, 0), (-.075, .042, 0)], "pal:#f7f5ef")
    rng, x = random.Random(2), -.066
    while x < .02:
        w = rng.choice((.0012, .0020, .0032))
        quad(b, [(x, -.034, .0004), (x + w, -.034, .0004), (x + w, -.008, .0004), (x, -.008, .0004)], "pal:#22262a")
        x += w + rng.choice((.0014, .0022))
    for k, (x0, x1) in enumerate(((-.066, .01), (-.066, -.01), (-.066, .024), (-.066, -.02))):
        y = .030 - k * .0085
        quad(b, [(x0, y, .0004), (x1, y, .0004), (x1, y + .0035, .0004), (x0, y + .0035, .0004)], "pal:#4a5258")
    for i in range(8):  # a square of dots
        for j in range(8):
            if rng.random() < .5:
                u, v = .036 + i * .0042, -.034 + j * .0042
                quad(b, [(u, v, .0004), (u + .0042, v, .0004), (u + .0042, v + .0042, .0004), (u, v + .0042, .0004)], "pal:#22262a")
    quad(b, [(.036, .012, .0004), (.068, .012, .0004), (.068, .034, .0004), (.036, .034, .0004)], "pal:#c7433a")


# file -> (drawing, name)
DISHES = {
    "pasta": (pasta, "Spaghetti with tomato sauce"),
    "soup": (soup, "Pumpkin soup"),
    "pancakes": (pancakes, "Pancakes"),
    "salad": (salad, "Salad"),
    "tomato_rice": (tomato_rice, "Rice with tomatoes"),
    "omelette": (omelette, "Omelette"),
    "baked_eggs": (baked_eggs, "Eggs baked in tomatoes"),
    "rice_pudding": (rice_pudding, "Rice pudding"),
}
PARCELS = {"parcel": (parcel, "Parcel")}
