"""What a recipe needs beside counters: fridge, cooker, the pantry's shelf with its scales, a place laid at the island."""
import math
import random

from interior import basket, cabinet
from mesh import Batch, box, ellipsoid, lathe, quad, rbox, rotate, translate, tube
from plan import *
from workshop import frustums, stub

YB = Y1 - .002
SHELF_Z = (.08, .50, .86, 1.16, 1.56, 1.94)
FULL = .19                              # how high a full jar's filling stands
SCALES = (("flour", "pal:#f4efe2"), ("rice", "pal:#ece3cb"), ("sugar", "palg:#fbfaf6"), ("pasta", "pal:#dfb35a"))


def knob(d, at, r, depth, mat):
    """A knob on a front that faces south."""
    with d.at(translate(*at), rotate("x", 90)):
        frustums(d, [(r, 0), (r * .9, depth), (0, depth)], mat, 14)


def fridge(s, extras):
    """In the tall unit's place, a broom cupboard beside it and a cupboard above."""
    cabinet(s, -1.09, -.83, .10, 2.35, YB, .62, 1, "bottom")
    cabinet(s, -.83, -.1, 2.0, 2.35, YB, .62, 1, "bottom")
    box(s, (-1.09, YB - .56, 0), (-.83, YB, .1), "black_metal", .002)
    b = Batch("fridge")
    skin, x0, x1, y = "palg:#efe6d2", -.82, -.11, YB - .66
    box(b, (x0 + .01, y + .06, .03), (x1 - .01, YB - .01, 1.98), "palg:#d8cfbc", .006)
    for lo, hi in ((.05, .66), (.675, 1.975)):
        rbox(b, (x0, y, lo), (x1, y + .07, hi), .03, skin, 3)
    for z0, z1 in ((.40, .60), (.74, 1.12)):
        tube(b, [(x1 - .07, y, z0), (x1 - .07, y - .045, z0 + .02), (x1 - .07, y - .045, z1 - .02), (x1 - .07, y, z1)], .011, "steel", 10)
    box(b, (x0 + .30, y - .004, 1.86), (x0 + .41, y, 1.90), "steel", .001)
    with b.at(translate(x0 + .20, y - .001, 1.45)):  # a list and two pictures under magnets
        for at, turn, w, h, c in (((0, 0, 0), 3, .12, .19, "pal:#f7f3ea"), ((.19, 0, .06), -4, .10, .13, "pal:#e8c9a0"),
                                  ((.20, 0, -.12), 5, .09, .09, "pal:#f2dc7a")):
            with b.at(translate(*at), rotate("y", turn)):
                quad(b, [(-w / 2, 0, -h / 2), (w / 2, 0, -h / 2), (w / 2, 0, h / 2), (-w / 2, 0, h / 2)], c)
                for k in range(5 if c == "pal:#f7f3ea" else 0):
                    z = h / 2 - .045 - k * .026
                    quad(b, [(-.042, -.0006, z), (.02 + .012 * (k % 2), -.0006, z), (.02 + .012 * (k % 2), -.0006, z + .004),
                             (-.042, -.0006, z + .004)], "pal:#4a5a66")
                knob(b, (0, 0, h / 2 - .018), .011, .007, "palg:#c7433a")
    b.build(((x0 + x1) / 2, YB - .33, 1.2), extras=extras)


def cooker(s, d):
    """Under the hob at the right end of the counter; above it a hood."""
    x0, x1, y = 3.293, 3.882, YB - .60
    box(s, (x0, y + .02, .10), (x1, YB - .02, .868), "black_metal", .003)
    box(s, (x0, y, .735), (x1, y + .02, .868), "steel", .004)
    box(s, (x0, y, .135), (x1, y + .02, .725), "steel", .004)
    quad(s, [(x0 + .06, y - .0008, .22), (x1 - .06, y - .0008, .22), (x1 - .06, y - .0008, .60), (x0 + .06, y - .0008, .60)], "black_glass")
    tube(d, [(x0 + .05, y - .04, .675), (x1 - .05, y - .04, .675)], .011, "brass", 10)
    for x in (x0 + .08, x1 - .08):
        tube(d, [(x, y, .675), (x, y - .04, .675)], .007, "brass", 8)
    for k in range(5):
        x = x0 + .075 + k * .11
        if k == 2:
            quad(d, [(x - .035, y - .0008, .785), (x + .035, y - .0008, .785), (x + .035, y - .0008, .822), (x - .035, y - .0008, .822)], "black_glass")
        else:
            knob(d, (x, y, .803), .019, .024, "palg:#2b2d2f")
    box(s, (x0 - .02, YB - .50, 1.49), (x1 + .02, YB - .01, 1.548), "steel", .005)
    box(d, (x0 + .03, YB - .46, 1.486), (x1 - .03, YB - .06, 1.492), "black_metal", .002)
    for k in range(3):
        knob(d, (x1 - .16 + k * .04, YB - .50, 1.52), .008, .006, "palg:#2b2d2f")


def hob(d):
    """The glass on the worktop with its rings, a pot, a pan, a crock of spoons."""
    box(d, (3.30, YB - .54, .908), (3.875, YB - .08, .918), "black_glass", .004)
    for x, y, r in ((3.45, .42, .09), (3.73, .42, .075), (3.45, .2, .075), (3.73, .2, .09)):
        lathe(d, [(r, 0), (r - .006, .0006)], "pal:#6a6d70", 24, (x, YB - y, .9185))
    at = (3.73, YB - .2, .92)
    lathe(d, [(0, 0), (.10, 0), (.115, .02), (.115, .12), (.108, .12), (.10, .03), (0, .03)], "palg:#b5533c", 24, at)
    lathe(d, [(.117, .12), (.06, .15), (0, .155)], "palg:#b5533c", 24, at)
    ellipsoid(d, (at[0], at[1], 1.085), (.016, .016, .014), "brass", 8, 6)
    pan = (3.45, YB - .42, .919)
    frustums(d, [(0, 0), (.095, 0), (.125, .045), (.121, .045), (.092, .005), (0, .005)], "palg:#2b2d2f", 28, pan)
    tube(d, [(pan[0] - .08, pan[1] - .09, .955), (pan[0] - .20, pan[1] - .20, .985)], [.010, .013], "walnut", 8)
    frustums(d, [(0, 0), (.055, 0), (.06, .15), (.054, .15), (.05, .01), (0, .01)], "palg:#efe9dd", 20, (3.12, YB - .15, .91))
    for k, (dx, dy) in enumerate(((-.03, .01), (.02, .02), (.03, -.02), (-.01, -.03))):
        tip = (3.12 + dx * 2.2, YB - .15 + dy * 2.2, 1.18 + .02 * k)
        tube(d, [(3.12, YB - .15, .92), tip], .006, "oak", 6)
        ellipsoid(d, tip, (.022, .008, .032), ("oak", "walnut")[k % 2], 10, 7)


def shelf(extras, level):
    """Against the wall to the hall. `level(k)`: what the node of a jar's filling says it is."""
    place = (translate(PX1 + .002, PANTRY_Y, 0), rotate("z", -90))
    b = Batch("pantry_shelf")
    with b.at(*place):
        w, dp, t = .50, .30, .024
        for x in (-w, w - t):
            box(b, (x, 0, 0), (x + t, dp, SHELF_Z[-1] + t), "oak", .003)
        quad(b, [(w - t, .006, .06), (-w + t, .006, .06), (-w + t, .006, SHELF_Z[-1]), (w - t, .006, SHELF_Z[-1])], "white_wood")
        for z in SHELF_Z:
            box(b, (-w + t, .004, z), (w - t, dp - .004, z + t), "oak", .003)
        box(b, (-w + t, .03, 0), (w - t, dp - .03, SHELF_Z[0]), "oak", .002)
        stores(b)
        for k in range(4):
            scale(b, jar_x(k), k)
    whole = b.build((PX1 + .002, PANTRY_Y, 1.2), extras=extras)
    for k, (name, mat) in enumerate(SCALES):
        filling(name, mat, k, whole, level(k))


def jar_x(k):
    return -.345 + k * .23


def scale(b, x, k):
    """A scale with a jar on it. The filling is a node of its own."""
    z, y = SHELF_Z[3] + .024, .165
    rbox(b, (x - .09, y - .09, z), (x + .09, y + .09, z + .024), .008, "palg:#f2efe9", 2)
    quad(b, [(x + .04, y + .0905, z + .005), (x - .04, y + .0905, z + .005), (x - .04, y + .0905, z + .019), (x + .04, y + .0905, z + .019)], "black_glass")
    stub(b, (x, y, z + .024), .080, .004, "steel", 24)
    at = (x, y, z + .028)
    lathe(b, [(0, .001), (.070, .001), (.076, .008), (.076, .20), (.066, .222), (.066, .235)], "glass", 24, at)
    frustums(b, [(0, .228), (.064, .228), (.070, .238), (.070, .256), (0, .256)], "oak", 22, at)
    with b.at(translate(x, y, z + .028)):  # a label, bent round the jar
        n, r, half = 6, .0768, .42
        pts = [(r * math.sin(half * (2 * i / n - 1)), r * math.cos(half * (2 * i / n - 1)), h) for h in (.085, .135) for i in range(n + 1)]
        b.add(pts, [(i + 1, i, n + 1 + i, n + 2 + i) for i in range(n)], "pal:#f7f3ea", n=[(p[0], p[1], 0) for p in pts])
        pts = [(p[0] * 1.005, p[1] * 1.005, .100 + (.012 if p[2] > .1 else 0)) for p in pts]
        b.add(pts, [(i + 1, i, n + 1 + i, n + 2 + i) for i in range(1, n - 1)], ("pal:#3f6b8c", "pal:#7da35a", "pal:#c7765a", "pal:#d6a648")[k],
              n=[(p[0], p[1], 0) for p in pts])


def filling(name, mat, k, whole, extras):
    """Its origin is the jar's bottom: what it weighs is how high it stands."""
    z, y, x = SHELF_Z[3] + .024 + .034, .165, jar_x(k)
    at = (PX1 + .002 + y, PANTRY_Y - x, z)
    b = Batch("pantry_" + name)
    with b.at(translate(*at)):
        if name == "pasta":
            for ring, n in ((.058, 16), (.040, 11), (.018, 5)):
                for i in range(n):
                    a = i * 2 * math.pi / n + ring * 40
                    tube(b, [(ring * math.cos(a), ring * math.sin(a), 0), (ring * 1.04 * math.cos(a + .1), ring * 1.04 * math.sin(a + .1), FULL)],
                         .0075, mat, 5)
        else:
            lathe(b, [(0, 0), (.066, 0), (.0725, .006), (.0725, FULL - .008), (.06, FULL), (0, FULL + .004)], mat, 24)
    b.build(at, parent=whole, extras=extras)


def tin(b, x, y, z, r, h, colour):
    stub(b, (x, y, z), r, h, "steel")
    lathe(b, [(r + .0006, h * .1), (r + .0006, h * .9)], colour, 14, (x, y, z))


def bottle(b, x, y, z, colour, h=.27, r=.036):
    lathe(b, [(0, 0), (r, 0), (r, .01), (r, h * .55), (r * .38, h * .78), (r * .36, h * .94), (0, h * .94)], colour, 14, (x, y, z))
    lathe(b, [(r + .0006, h * .16), (r + .0006, h * .46)], "pal:#f3ead6", 14, (x, y, z))
    stub(b, (x, y, z + h * .93), r * .42, h * .07, "oak", 10)


def stores(b):
    rng = random.Random(9)
    z = SHELF_Z[4] + .024
    for k in range(5):
        tin(b, -.43 + k * .085, .11, z, .037, .11, "palg:" + ("#c7433a", "#d6a648", "#c7433a", "#7da35a", "#efe9dd")[k])
        if k < 3:
            tin(b, -.41 + k * .085, .11, z + .112, .037, .11, "palg:" + ("#d6a648", "#c7433a", "#3f6b8c")[k])
    for k, (c, h) in enumerate((("#8f9a3a", .30), ("#3b2a20", .26), ("#b98a3c", .28), ("#6a2f2a", .27))):
        bottle(b, .06 + k * .105, .14, z, "palg:" + c, h)
    z = SHELF_Z[2] + .024
    for k in range(7):  # spices
        x = -.43 + k * .072
        lathe(b, [(0, 0), (.026, 0), (.027, .075), (.022, .085), (0, .085)], "palg:" + ("#b5533c", "#d6a648", "#7da35a", "#5b4a3a", "#c7765a", "#8d5b4c", "#e8c27a")[k], 12, (x, .20, z))
        stub(b, (x, .20, z + .085), .023, .018, "palg:#2b2d2f", 10)
    for k in range(3):
        x = .13 + k * .125
        box(b, (x, .05, z), (x + .10, .22, z + .17 + .03 * (k % 2)), "pal:" + ("#c7b08a", "#b5533c", "#e2d3a8")[k], .004)
        box(b, (x + .012, .2195, z + .05), (x + .088, .2215, z + .12), "pal:#f7f3ea", .001)
    z = SHELF_Z[1] + .024
    for x, c in ((-.29, "#c9a06a"), (.03, "#a8402f")):
        with b.at(translate(x, .15, z)):
            basket(b, (0, 0, 0), .125, .13)
            for k in range(9):  # potatoes, onions
                a, r = k * 2.4, .03 + .055 * (k / 9)
                ellipsoid(b, (r * math.cos(a), r * math.sin(a), .10 + .03 * rng.random()), (.04, .033, .03), "pal:" + c, 8, 5)
    for k in range(3):
        box(b, (.22 + k * .085, .06, z), (.295 + k * .085, .24, z + .24 - .02 * k), "pal:" + ("#3f6b8c", "#d6a648", "#7da35a")[k], .003)
    z = SHELF_Z[0] + .024
    box(b, (-.44, .03, z), (.02, .27, z + .20), "pal:#b98a55", .006)
    for k in range(3):
        box(b, (-.44, .268, z + .02 + k * .06), (.02, .276, z + .06 + k * .06), "pal:#c9a272", .003)
    for k in range(4):
        bottle(b, .12 + k * .09, .14, z, "palg:" + ("#2f4f3f", "#2f4f3f", "#7a3a35", "#c9c09a")[k], .30, .038)
    with b.at(translate(-.2, .15, SHELF_Z[-1] + .024)):
        basket(b, (0, 0, 0), .13, .16)
    with b.at(translate(.22, .15, SHELF_Z[-1] + .024)):
        lathe(b, [(0, 0), (.10, 0), (.13, .05), (.13, .13), (.122, .13), (.10, .02), (0, .02)], "palg:#7f9a8e", 22)


def place_laid(d):
    """On the island, before the first stool: a mat, cutlery, a glass, an open book. The dish itself comes and goes."""
    x, y, z = DISH
    rbox(d, (x - .23, y - .16, z - .003), (x + .23, y + .16, z), .0014, "cloth_terracotta", 1)
    for k in (-1, 0, 1):  # a fork's tines
        tube(d, [(x - .185 + k * .007, y + .02, z + .004), (x - .185 + k * .007, y + .07, z + .005)], .0022, "steel", 5)
    tube(d, [(x - .185, y - .10, z + .004), (x - .185, y - .02, z + .004), (x - .185, y + .02, z + .004)], [.006, .003, .009], "steel", 8)
    box(d, (x + .180, y - .02, z), (x + .194, y + .10, z + .003), "steel", .001)
    box(d, (x + .181, y - .11, z), (x + .193, y - .02, z + .007), "steel", .003)
    frustums(d, [(0, .001), (.030, .001), (.036, .12)], "glass", 20, (x + .20, y + .20, z - .003))
    lathe(d, [(0, .003), (.029, .003), (.0325, .06), (0, .06)], "glass", 20, (x + .20, y + .20, z - .003))
    with d.at(translate(x - .26, y + .30, z - .003), rotate("z", 28)):  # the recipe
        for side in (-1, 1):
            n = 5
            pts = [(side * (.002 + .125 * i / n), yy, .012 + .010 * math.sin(math.pi * i / n)) for yy in (-.09, .09) for i in range(n + 1)]
            d.add(pts, [(i, i + 1, n + 2 + i, n + 1 + i) for i in range(n)], "pal:#f7f3ea", n=[(0, 0, 1)] * len(pts))
            for k in range(6):
                yy = .055 - k * .022
                quad(d, [(min(side * .02, side * .10), yy, .0235), (max(side * .02, side * .10), yy, .0235), (max(side * .02, side * .10), yy + .005, .0235),
                         (min(side * .02, side * .10), yy + .005, .0235)], "pal:#9a938a" if k or side < 0 else "pal:#b5533c")
        box(d, (-.135, -.097, 0), (.135, .097, .011), "pal:#2f4f57", .003)
