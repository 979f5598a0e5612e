"""The corner where things are made: a bench with tools above it, a printer, the shelf with its filament.

Local frame: along the hall's east wall, x to the north, y out of the wall. `s` is solid, `d` is only looked at.
"""
import math

import bpy

from mesh import Batch, box, cylinder, ellipsoid, lathe, quad, rbox, rotate, translate, tube
from plan import *

AT = (PX0 - .002, BENCH_Y, 0)
HALF, DEPTH, TOP = .83, .62, .925
MAT = (-.30, .35)                       # where the cutting mat lies: what is made is put there
PRINTER = (.50, .30)
BED = .070                              # above the bench
FILAMENT = ("#e2682b", "#efe9dd", "#3f6b8c", "#7da35a", "#c7433a", "#2b2d2f", "#d6a648", "#8a6aa8", "#7f9a8e", "#d8cfc0")


def world(x, y, z):
    """A point of the corner in the house's frame."""
    return AT[0] - y, AT[1] + x, z


def frustums(d, profile, mat, seg=20, centre=(0, 0, 0)):
    """A lathe whose every edge is sharp, without the faces of no area that doubled points would make."""
    for pair in zip(profile, profile[1:]):
        lathe(d, pair, mat, seg, centre)


def towards(d, at, r, depth, mat, seg=14):
    """A short cylinder that sticks out of the wall."""
    with d.at(translate(*at), rotate("x", -90)):
        frustums(d, [(r, 0), (r, depth), (0, depth)], mat, seg)


def stub(d, at, r, height, mat, seg=14):
    """An upright cylinder with an open bottom, a third of the faces of `mesh.cylinder`: for what is small."""
    frustums(d, [(r, 0), (r, height), (0, height)], mat, seg, at)


def corner(s, d):
    place = (translate(*AT), rotate("z", 90))
    with s.at(*place), d.at(*place):
        bench(s, d)
        pegboard(d)
        spools(d)
        on_the_bench(d)
        printer(d)


def bench(s, d):
    rbox(s, (-HALF, 0, TOP - .05), (HALF, DEPTH, TOP), .008, "oak", 2)
    for x in (-HALF + .05, HALF - .05):
        for y in (.05, DEPTH - .07):
            box(s, (x - .035, y - .035, 0), (x + .035, y + .035, TOP - .05), "oak", .006)
    box(s, (-HALF + .03, .04, .20), (HALF - .03, DEPTH - .05, .225), "oak", .004)
    box(s, (-HALF + .08, DEPTH - .09, TOP - .14), (.24, DEPTH - .06, TOP - .05), "oak", .004)
    box(s, (.26, .03, .235), (.76, DEPTH - .07, TOP - .055), "cabinet", .004)
    for k, (lo, hi) in enumerate(((.245, .46), (.47, .66), (.67, .86))):
        box(s, (.27, DEPTH - .07, lo), (.75, DEPTH - .05, hi), "cabinet", .005)
        tube(d, [(.38, DEPTH - .025, hi - .05), (.64, DEPTH - .025, hi - .05)], .007, "brass", 8)
    for x, c in ((-.60, "pal:#b98a55"), (-.20, "pal:#7f9a8e")):  # crates below
        for lo, hi in (((x - .16, .10, .225), (x + .16, .115, .42)), ((x - .16, .40, .225), (x + .16, .415, .42)),
                       ((x - .16, .115, .225), (x - .145, .40, .42)), ((x + .145, .115, .225), (x + .16, .40, .42))):
            box(d, lo, hi, c, .003)
        box(d, (x - .145, .115, .23), (x + .145, .40, .38), "pal:#5b4a3a", .01)
    box(d, (-.50, .10, .42), (-.18, .36, .56), "pal:#c39a66", .004)
    vise(d)


def vise(d):
    x, y = -.66, DEPTH + .005
    box(d, (x - .07, y - .11, TOP), (x + .07, y - .005, TOP + .03), "palg:#2f4f57", .006)
    for a, c in ((y - .06, y - .03), (y + .03, y + .06)):
        box(d, (x - .06, a, TOP + .03), (x + .06, c, TOP + .105), "palg:#2f4f57", .006)
    for a, c in ((y - .03, y - .024), (y + .024, y + .03)):
        box(d, (x - .055, a, TOP + .06), (x + .055, c, TOP + .10), "steel", .002)
    tube(d, [(x, y - .06, TOP + .045), (x, y + .11, TOP + .045)], .011, "steel", 10)
    tube(d, [(x - .07, y + .10, TOP + .045), (x + .07, y + .10, TOP + .045)], .006, "steel", 8)


def pegboard(d):
    x0, x1, z0, z1, y = -HALF, .20, 1.14, 1.96, .022
    box(d, (x0, .004, z0), (x1, y, z1), "pal:#e4d3b0", .003)
    for lo, hi in (((x0 - .012, 0, z0 - .012), (x1 + .012, y + .008, z0)), ((x0 - .012, 0, z1), (x1 + .012, y + .008, z1 + .012)),
                   ((x0 - .012, 0, z0), (x0, y + .008, z1)), ((x1, 0, z0), (x1 + .012, y + .008, z1))):
        box(d, lo, hi, "oak", .003)
    verts, faces, h, pitch = [], [], .0035, .05
    for i in range(int((x1 - x0) / pitch)):
        for j in range(int((z1 - z0) / pitch)):
            x, z, k = x0 + pitch * (i + .65), z0 + pitch * (j + .6), len(verts)
            verts += [(x + h, y + .0006, z), (x, y + .0006, z - h), (x - h, y + .0006, z), (x, y + .0006, z + h)]
            faces.append((k, k + 3, k + 2, k + 1))
    d.add(verts, faces, "pal:#6a563c", n=[(0, 1, 0)] * len(verts))
    with d.at(translate(0, y + .014, 0)):
        tools(d)


def handle(d, x, z, low, mat):
    """A screwdriver: its grip up, its blade down."""
    tube(d, [(x, 0, z), (x, 0, z + .015), (x, 0, z + .05), (x, 0, z + .095), (x, 0, z + .105)], [.007, .013, .012, .014, .006], mat, 10)
    tube(d, [(x, 0, z), (x, 0, z - low)], .0035, "steel", 6)


def tools(d):
    # hammer
    tube(d, [(-.74, 0, 1.50), (-.74, 0, 1.60), (-.74, 0, 1.80)], [.015, .013, .011], "walnut", 10)
    box(d, (-.795, -.014, 1.79), (-.70, .014, 1.822), "steel", .005)
    # saw
    outline = [(-.62, 1.86), (-.62, 1.80), (-.30, 1.825), (-.30, 1.86)]
    v = [(x, o, z) for o in (-.001, .001) for x, z in outline]
    d.add(v, [(0, 1, 2, 3)[::-1], (4, 5, 6, 7), (0, 1, 5, 4), (1, 2, 6, 5), (2, 3, 7, 6), (3, 0, 4, 7)], "steel")
    tube(d, [(-.63, 0, 1.88), (-.60, 0, 1.80), (-.66, 0, 1.775), (-.70, 0, 1.82), (-.67, 0, 1.875), (-.63, 0, 1.88)], .012, "walnut", 8)
    for k, c in enumerate(("#c7433a", "#d6a648", "#c7433a", "#3f6b8c", "#2b2d2f")):
        handle(d, -.62 + k * .055, 1.62, (.13, .11, .09, .12, .07)[k], "palg:" + c)
    box(d, (-.66, -.006, 1.605), (-.36, .014, 1.615), "oak", .002)
    # spanners, large to small
    for k in range(5):
        x, n = -.28 + k * .048, .19 - k * .022
        box(d, (x - .006, -.004, 1.74 - n), (x + .006, .004, 1.74), "steel", .003)
        towards(d, (x, -.005, 1.74), .016 - k * .0014, .010, "steel", 6)
        towards(d, (x, -.005, 1.74 - n), .014 - k * .0014, .010, "steel", 12)
    # pliers, twice
    for x, c in ((.04, "palg:#c7433a"), (.13, "palg:#3f6b8c")):
        for k in (-1, 1):
            tube(d, [(x + k * .026, 0, 1.60), (x + k * .024, 0, 1.68), (x + k * .004, 0, 1.725)], [.007, .009, .006], c, 8)
            tube(d, [(x - k * .002, 0, 1.72), (x - k * .008, 0, 1.75), (x, 0, 1.79)], [.007, .008, .003], "steel", 6)
        towards(d, (x, -.008, 1.723), .011, .016, "steel", 10)
    # square, scissors, tapes
    box(d, (-.76, -.009, 1.22), (-.73, .009, 1.40), "walnut", .003)
    box(d, (-.73, -.001, 1.365), (-.50, .001, 1.40), "steel", .0005)
    for k in (-1, 1):
        ring = [(-.40 + k * .022 + .017 * math.cos(a * .7), 0, 1.25 + .024 * math.sin(a * .7)) for a in range(10)]
        tube(d, ring, .004, "palg:#d6a648", 6)
        tube(d, [(-.40 + k * .012, 0, 1.27), (-.40, 0, 1.32), (-.40 - k * .006, 0, 1.41)], [.005, .006, .002], "steel", 6)
    for x, c in ((-.22, "#d6a648"), (-.10, "#e9e1d2"), (.02, "#3f6b8c")):
        with d.at(translate(x, -.012, 1.34), rotate("x", -90)):
            frustums(d, [(.030, 0), (.048, 0), (.048, .024), (.030, .024), (.030, 0)], "palg:" + c, 18)
    tube(d, [(-.28, 0, 1.38), (.08, 0, 1.38)], .006, "oak", 6)
    box(d, (.10, -.012, 1.26), (.16, .022, 1.42), "palg:#2f4f57", .008)
    quad(d, [(.152, .0225, 1.345), (.108, .0225, 1.345), (.108, .0225, 1.41), (.152, .0225, 1.41)], "pal:#a9b79a")


def spools(d):
    for z in (1.52, 1.83):
        box(d, (.26, .002, z), (HALF, .25, z + .024), "oak", .004)
        for x in (.31, HALF - .05):
            box(d, (x - .01, .01, z - .10), (x + .01, .03, z), "black_metal", .003)
            tube(d, [(x, .02, z - .09), (x, .21, z - .006)], .006, "black_metal", 6)
        for k in range(5):
            colour = FILAMENT[k + (5 if z > 1.6 else 0)]
            with d.at(translate(.295 + k * .098, .13, z + .124), rotate("y", 90)):
                spool(d, "palg:" + colour)


def spool(d, colour, r=.10, w=.066):
    flange = "palg:#3a3b3d"
    frustums(d, [(.028, 0), (r, 0), (r, .004), (.086, .004)], flange, 26)
    frustums(d, [(.086, .004), (.086, w - .004)], colour, 26)
    frustums(d, [(.086, w - .004), (r, w - .004), (r, w), (.028, w), (.028, 0)], flange, 26)


def on_the_bench(d):
    mx, my = MAT
    box(d, (mx - .30, my - .21, TOP), (mx + .30, my + .21, TOP + .003), "pal:#2f5d50", .0008)
    for k in range(1, 12):
        x = mx - .30 + k * .05
        quad(d, [(x - .0008, my - .20, TOP + .0033), (x + .0008, my - .20, TOP + .0033), (x + .0008, my + .20, TOP + .0033),
                 (x - .0008, my + .20, TOP + .0033)], "pal:#7fa395")
    for k in range(1, 8):
        y = my - .21 + k * .0525
        quad(d, [(mx - .29, y - .0008, TOP + .0034), (mx + .29, y - .0008, TOP + .0034), (mx + .29, y + .0008, TOP + .0034),
                 (mx - .29, y + .0008, TOP + .0034)], "pal:#7fa395")
    # small parts in drawers
    box(d, (-.80, .03, TOP), (-.44, .17, TOP + .20), "palg:#2f4f57", .005)
    for i in range(4):
        for j in range(3):
            x, z = -.792 + i * .088, TOP + .010 + j * .063
            box(d, (x, .168, z), (x + .080, .178, z + .055), "palg:" + ("#dfe7e1", "#e8c9a0", "#cddbe0")[(i + j) % 3], .003)
            box(d, (x + .028, .178, z + .038), (x + .052, .186, z + .046), "palg:#3a3b3d", .002)
    # calipers, a pencil, paper with a drawing
    with d.at(translate(-.06, .50, TOP), rotate("z", 24)):
        box(d, (-.10, -.008, .002), (.10, .008, .006), "steel", .001)
        box(d, (-.10, -.045, .002), (-.088, .012, .007), "steel", .001)
        box(d, (-.055, -.045, .002), (-.043, .016, .009), "steel", .001)
        box(d, (-.05, -.012, .006), (.01, .014, .014), "palg:#2b2d2f", .003)
    with d.at(translate(.10, .20, TOP + .001), rotate("z", -12)):
        quad(d, [(-.105, -.148, 0), (.105, -.148, 0), (.105, .148, 0), (-.105, .148, 0)], "pal:#f3efe4")
        for x0, y0, x1, y1 in ((-.05, -.08, .05, -.078), (-.05, .06, .05, .062), (-.05, -.08, -.048, .06), (.048, -.08, .05, .06),
                               (-.03, .08, .03, .0815)):
            quad(d, [(x0, y0, .0006), (x1, y0, .0006), (x1, y1, .0006), (x0, y1, .0006)], "pal:#4a5a66")
        tube(d, [(.02, -.13, .005), (.11, -.03, .005)], .0036, "pal:#d6a648", 6)
    frustums(d, [(.036, 0), (.038, .10), (.033, .10), (.031, .01), (0, .01)], "palg:#c7765a", 16, (-.38, .08, TOP))
    for k, c in enumerate(("#d6a648", "#b5533c", "#2f4f57", "#7da35a")):
        tube(d, [(-.38, .08, TOP + .01), (-.395 + .012 * k, .065 + .012 * k, TOP + .17)], .0036, "pal:" + c, 6)
    box(d, (-.76, .04, TOP + .20), (-.60, .15, TOP + .255), "pal:#c39a66", .003)
    # lamp with an arm
    x, y = .14, .07
    cylinder(d, (x, y, TOP), .075, .018, "black_metal", 24)
    tube(d, [(x, y, TOP + .01), (x, y, TOP + .30), (x - .06, y + .05, TOP + .42), (x - .16, y + .12, TOP + .45)], .008, "brass", 8)
    lathe(d, [(.075, 0), (.078, 0), (.05, .10), (.012, .125), (0, .125)], "palg:#c7765a", 20, (x - .18, y + .14, TOP + .34))
    lathe(d, [(0, .118), (.047, .098), (.073, .002)], "pal:#fff1d6", 20, (x - .18, y + .14, TOP + .34))


def printer(d):
    """A bed that slides, a portal, a head on two rods. Its lamp, bar and piece are nodes of their own (`nodes`)."""
    with d.at(translate(*PRINTER, TOP)):
        dark, orange = "palg:#2b2d2f", "palg:#e2682b"
        for x in (-.16, .16):
            box(d, (x - .02, -.20, .008), (x + .02, .20, .042), dark, .006)
            for y in (-.17, .17):
                cylinder(d, (x, y, 0), .016, .01, "palg:#3a3b3d", 12)
            tube(d, [(x * .5, -.20, .052), (x * .5, .20, .052)], .005, "steel", 8)
        for y in (-.19, .17):
            box(d, (-.15, y, .008), (.15, y + .03, .045), dark, .006)
        for x in (-.205, .205):
            box(d, (x - .017, -.06, .0), (x + .017, -.02, .40), dark, .005)
            tube(d, [(x * .87, -.03, .03), (x * .87, -.03, .40)], .005, "steel", 8)
        box(d, (-.222, -.062, .40), (.222, -.018, .432), dark, .006)
        box(d, (-.06, -.017, .405), (.06, -.0165, .427), orange, .001)
        for z in (.20, .24):
            tube(d, [(-.18, -.015, z), (.18, -.015, z)], .005, "steel", 8)
        for x in (-.185, .185):
            rbox(d, (x - .024, -.045, .185), (x + .024, .01, .255), .006, orange, 1)
        rbox(d, (-.035, -.02, .178), (.035, .045, .262), .008, dark, 2)
        towards(d, (0, .045, .225), .026, .008, "palg:#3a3b3d", 18)
        towards(d, (0, .053, .225), .010, .002, orange, 12)
        rbox(d, (-.022, -.012, .262), (.022, .03, .30), .006, orange, 1)
        lathe(d, [(.002, .158), (.007, .168), (.011, .168), (.011, .182)], "brass", 12, (0, .01, 0))
        box(d, (-.125, -.125, BED - .012), (.125, .125, BED - .004), dark, .002)
        box(d, (-.122, -.128, BED - .004), (.122, .122, BED), "pal:#a8853f", .001)
        tube(d, [(0, .01, .30), (.0, .0, .42), (.08, -.08, .54), (.07, -.10, .68)], .003, "palg:#efe9dd", 6)  # its filament, from the shelf
        with d.at(translate(*SCREEN), rotate("x", TILT)):
            rbox(d, (-.085, -.020, -.038), (.085, 0, .038), .006, orange, 1)
            quad(d, [(.060, .0006, -.026), (-.072, .0006, -.026), (-.072, .0006, .028), (.060, .0006, .028)], "black_glass")
            quad(d, [(.052, .0009, -.013), (-.064, .0009, -.013), (-.064, .0009, .001), (.052, .0009, .001)], "pal:#2c3438")
            towards(d, (.073, 0, -.010), .008, .008, dark, 14)


SCREEN, TILT = (0, .235, .052), 28      # of the printer's own frame; the face looks up a little


def nodes(extras):
    """What follows a making: a lamp, a bar that grows along its X, a piece that grows along its Y. Turned as the printer
    is: a bar's X runs from left to right for who stands before it. `extras(part)` is what each node says it is."""
    px, py = PRINTER
    a = math.radians(TILT)

    def on_screen(x, z, out):
        """A point of the screen's face, in the corner's frame."""
        y = out * math.cos(a) - z * math.sin(a)
        return px + SCREEN[0] + x, py + SCREEN[1] + y, TOP + SCREEN[2] + out * math.sin(a) + z * math.cos(a)

    lamp = Batch("printer_lamp")
    ellipsoid(lamp, (0, 0, 0), (.0075, .0075, .0075), "indicator_printer", 12, 8)
    put(lamp, world(*on_screen(.073, .016, .002)), extras("lamp"))
    bar = Batch("printer_bar")
    quad(bar, [(0, 0, -.006), (.112, 0, -.006), (.112, 0, .006), (0, 0, .006)], "display")
    # its X is the corner's X the other way round
    put(bar, world(*on_screen(.050, -.006, .0013)), extras("bar"), (-TILT, 0, -90))
    piece = Batch("printer_piece")
    lathe(piece, [(.022, 0), (.040, .0), (.040, .0), (.046, .02), (.040, .045), (.030, .065), (.028, .080), (.026, .080), (.028, .064),
                  (.037, .045), (.042, .02), (.037, .003), (.0, .003)], "palg:#efe9dd", 32)
    put(piece, world(px, py + .01, TOP + BED), extras("piece"))


def put(batch, at, extras, turn=(0, 0, 0)):
    ob = batch.build(extras=extras)
    ob.location = at
    ob.rotation_euler = [math.radians(k) for k in turn]
    bpy.context.view_layer.update()
