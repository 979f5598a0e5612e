"""The static shell: walls with openings, windows, floors, ceilings, stairs, balustrades, roof."""
import math

from mesh import box, cylinder, prism, quad, rotate, translate, tube
from plan import *

# A wall is drawn in its own frame: x along it, y = 0 its room face, +y outwards. (turn, sign of world axis)
SIDES = {"N": (0, 1), "S": (180, -1), "E": (-90, -1), "W": (90, 1)}


def frame(side, at):
    """The matrix of a wall whose room face lies at world coordinate `at` on its side's axis."""
    return (translate(0, at, 0) if side in "NS" else translate(at, 0, 0)) @ rotate("z", SIDES[side][0])


def local(side, a, b):
    s = SIDES[side][1]
    return (s * a, s * b) if s > 0 else (s * b, s * a)


def face(b, x0, x1, z0, z1, y, holes, mat, outward):
    """A vertical face with rectangular holes, cut into as few columns as the holes allow."""
    cuts = sorted({x0, x1, *[min(max(h[k], x0), x1) for h in holes for k in (0, 1)]})
    for a, c in zip(cuts, cuts[1:]):
        spans, mid = [(z0, z1)], (a + c) / 2
        for h in holes:
            if h[0] < mid < h[1]:
                spans = [s for lo, hi in spans for s in ((lo, min(hi, h[2])), (max(lo, h[3]), hi)) if s[1] - s[0] > 1e-4]
        for lo, hi in spans:
            pts = [(a, y, lo), (c, y, lo), (c, y, hi), (a, y, hi)]
            quad(b, pts[::-1] if outward else pts, mat)


def wall(b, trim, side, at, a0, a1, z, mats, openings=(), t=WALL, z_out=None, skirt=(True, False)):
    """One straight wall. `mats`: (room side, far side or None when it is drawn elsewhere)."""
    x0, x1 = local(side, a0, a1)
    zo = z_out or z
    holes = [(*local(side, o["a0"], o["a1"]), o["z0"], o["z1"]) for o in openings]
    with b.at(frame(side, at)), trim.at(frame(side, at)):
        face(b, x0, x1, z[0], z[1], 0, holes, mats[0], False)
        if mats[1]:
            face(b, x0, x1, zo[0], zo[1], t, holes, mats[1], True)
        for h, o in zip(holes, openings):
            reveal(trim, h, t, "brick" if o["kind"] == "win" else "white_wood", "white_wood")
        for k, y in ((0, -0.008), (1, t + 0.008)):
            if skirt[k]:
                floor_gaps = sorted(h for h in holes if h[2] < z[0] + 0.06)
                x = x0
                for lo, hi in [(h[0] - .08, h[1] + .08) for h in floor_gaps] + [(x1, x1)]:
                    if lo - x > .05:
                        box(trim, (x, y - .008, z[0]), (lo, y + .008, z[0] + .11), "white_wood", .005)
                    x = hi


def reveal(b, h, t, mat, inner):
    x0, x1, z0, z1 = h
    for lo, hi, m in ((0, t * .5, inner), (t * .5, t, mat)):
        quad(b, [(x0, lo, z0), (x0, hi, z0), (x0, hi, z1), (x0, lo, z1)], m)
        quad(b, [(x1, lo, z0), (x1, hi, z0), (x1, hi, z1), (x1, lo, z1)][::-1], m)
        quad(b, [(x0, lo, z1), (x0, hi, z1), (x1, hi, z1), (x1, lo, z1)], m)
        if z0 > .01:
            quad(b, [(x0, lo, z0), (x0, hi, z0), (x1, hi, z0), (x1, lo, z0)][::-1], m)


def window(b, glass, side, at, o, t=WALL, casing=True):
    """Frame, mullions, a deep inner sill, a sloped outer sill, architraves."""
    x0, x1 = local(side, o["a0"], o["a1"])
    z0, z1, nx, nz = o["z0"], o["z1"], o["nx"], o["nz"]
    m, f = "frame_white", 0.055
    ya, yb = t * .5 - .01, t * .5 + .07
    with b.at(frame(side, at)):
        box(b, (x0, ya, z0), (x0 + f, yb, z1), m)
        box(b, (x1 - f, ya, z0), (x1, yb, z1), m)
        box(b, (x0, ya, z1 - f), (x1, yb, z1), m)
        box(b, (x0, ya, z0), (x1, yb, z0 + f), m)
        for i in range(1, nx):
            x = x0 + (x1 - x0) * i / nx
            box(b, (x - .028, ya + .008, z0 + f), (x + .028, yb - .008, z1 - f), m)
        for k in range(1, nz):
            z = z0 + (z1 - z0) * (.66 if nz == 2 else k / nz)
            box(b, (x0 + f, ya + .012, z - .022), (x1 - f, yb - .012, z + .022), m)
        if casing:
            box(b, (x0 - .05, -.14, z0 - .03), (x1 + .05, ya, z0 + .006), "oak", .006)
            box(b, (x0 - .07, -.018, z0 - .0), (x0, .0, z1 + .07), "white_wood", .004)
            box(b, (x1, -.018, z0 - .0), (x1 + .07, .0, z1 + .07), "white_wood", .004)
            box(b, (x0, -.018, z1), (x1, .0, z1 + .07), "white_wood", .004)
        prism(b, [(yb - .01, z0), (yb - .01, z0 - .05), (t + .06, z0 - .07), (t + .06, z0 - .035)], x0 - .05, x1 + .05,
              "kerb", "x")
        box(b, (x0 - .08, t - .02, z1), (x1 + .08, t + .012, z1 + .16), "kerb", .006)
    with glass.at(frame(side, at)):
        y = t * .5 + .03
        quad(glass, [(x0 + .01, y, z0 + .01), (x1 - .01, y, z0 + .01), (x1 - .01, y, z1 - .01), (x0 + .01, y, z1 - .01)], "glass")


def doorway(b, side, at, o, t):
    x0, x1 = local(side, o["a0"], o["a1"])
    z0, z1 = o["z0"], o["z1"]
    with b.at(frame(side, at)):
        box(b, (x0, -.005, z0), (x0 + .022, t + .005, z1), "white_wood")
        box(b, (x1 - .022, -.005, z0), (x1, t + .005, z1), "white_wood")
        box(b, (x0, -.005, z1 - .022), (x1, t + .005, z1), "white_wood")
        for y0, y1 in ((-.02, 0), (t, t + .02)):
            box(b, (x0 - .08, y0, z0), (x0 + .004, y1, z1 + .08), "white_wood", .006)
            box(b, (x1 - .004, y0, z0), (x1 + .08, y1, z1 + .08), "white_wood", .006)
            box(b, (x0, y0, z1 - .004), (x1, y1, z1 + .08), "white_wood", .006)


def outer_walls(b, facade, trim, glass):
    """Four walls per storey; the wallpaper of a side changes where the rooms change."""
    g, u = (0, FLOOR2), (FLOOR2, EAVES)
    rooms_g = {"S": [(X0, PX0, "wall_white", SOUTH[:2]), (PX1, X1, "wall_white", SOUTH[2:])],
               "N": [(X0, PX0, "wall_white", NORTH[:1]), (PX1, X1, "wall_white", NORTH[1:])],
               "W": [(Y0, Y1, "wall_sage", [])], "E": [(Y0, Y1, "wall_white", EAST)]}
    rooms_u = {"S": [(X0, PX0, "wall_white", SOUTH2[:2]), (PX1, X1, "wall_white", SOUTH2[2:])],
               "N": [(X0, PX0, "wall_white", NORTH2[:1]), (PX1, X1, "wall_blue", NORTH2[1:])],
               "W": [(Y0, Y1, "wall_sage", WEST2)],
               "E": [(Y0, BY0, "wall_clay", EAST2), (BY1, Y1, "wall_white", [])]}
    for z, rooms, zo in ((g, rooms_g, (GROUND + .25, FLOOR2)), (u, rooms_u, (FLOOR2, EAVES))):
        for side, parts in rooms.items():
            at = {"S": Y0, "N": Y1, "W": X0, "E": X1}[side]
            for a0, a1, mat, openings in parts:
                wall(b, trim, side, at, a0, a1, z, (mat, None), openings)
                for o in openings:
                    if o["kind"] == "win":
                        window(trim, glass, side, at, o)
            ends = (X0 - WALL, X1 + WALL) if side in "NS" else (Y0 - WALL, Y1 + WALL)
            holes = [(*local(side, o["a0"], o["a1"]), o["z0"], o["z1"]) for part in parts for o in part[3]]
            with facade.at(frame(side, at)):  # bricks in one piece from corner to corner
                face(facade, *local(side, *ends), *zo, WALL, holes, "brick", True)
    for side, at in (("S", Y0), ("N", Y1), ("E", X1), ("W", X0)):  # a rendered plinth below the bricks
        lo, hi = (X0, X1) if side in "NS" else (Y0, Y1)
        x0, x1 = local(side, lo - WALL, hi + WALL)
        gap = [(*local(side, DOOR["a0"], DOOR["a1"]), -1, 1)] if side == "S" else []
        with facade.at(frame(side, at)):
            face(facade, x0 - .015, x1 + .015, GROUND - .2, GROUND + .25, WALL + .015, gap, "plinth", True)
            quad(facade, [(x0, WALL, GROUND + .251), (x1, WALL, GROUND + .251), (x1, WALL + .015, GROUND + .25),
                     (x0, WALL + .015, GROUND + .25)], "plinth")


def inner_walls(b, trim):
    t = PX1 - PX0
    wall(b, trim, "E", PX0, Y0, Y1, (0, CEIL), ("wall_white", "wall_white"), [KITCHEN_DOORWAY], t, skirt=(True, True))
    doorway(trim, "E", PX0, KITCHEN_DOORWAY, t)
    wall(b, trim, "E", PX0, Y0, Y1, (FLOOR2, CEIL2), ("wall_white", "wall_white"), [LOUNGE_DOORWAY, BEDROOM_DOORWAY], t,
         skirt=(True, True))
    doorway(trim, "E", PX0, LOUNGE_DOORWAY, t)
    doorway(trim, "E", PX0, BEDROOM_DOORWAY, t)
    wall(b, trim, "N", BY0, PX1, X1, (FLOOR2, CEIL2), ("wall_white", "wall_blue"), [], BY1 - BY0, skirt=(True, True))


def flat(b, x0, x1, y0, y1, z, mat, up=True):
    pts = [(x0, y0, z), (x1, y0, z), (x1, y1, z), (x0, y1, z)]
    quad(b, pts if up else pts[::-1], mat)


def floors(b):
    flat(b, X0, PX0 + .05, Y0, Y1, 0, "hall_tile")
    flat(b, PX0 + .05, X1, Y0, Y1, 0, "oak_floor")
    flat(b, DOOR["a0"], DOOR["a1"], Y0 - WALL, Y0, 0, "plinth")
    quad(b, [(DOOR["a0"], Y0 - WALL, -.3), (DOOR["a1"], Y0 - WALL, -.3), (DOOR["a1"], Y0 - WALL, 0), (DOOR["a0"], Y0 - WALL, 0)],
         "plinth")
    box(b, (PX0, KITCHEN_DOORWAY["a0"], -.01), (PX1, KITCHEN_DOORWAY["a1"], .006), "oak")
    for x0, x1, y0, y1 in ((STAIR_X1, X1, Y0, Y1), (X0, STAIR_X1, Y0, STAIR_TOP), (X0, STAIR_X1, STAIR_FOOT, Y1)):
        flat(b, x0, x1, y0, y1, FLOOR2, "oak_floor")


def ceilings(b, trim):
    for x0, x1, y0, y1 in ((STAIR_X1, X1, Y0, Y1), (X0, STAIR_X1, Y0, STAIR_TOP), (X0, STAIR_X1, STAIR_FOOT, Y1)):
        flat(b, x0, x1, y0, y1, CEIL, "ceiling", False)
    flat(b, X0, X1, Y0, Y1, CEIL2, "ceiling", False)
    for z, rects in ((CEIL, ((PX1, X1, Y0, Y1),)), (CEIL2, ((X0, PX0, Y0, Y1), (PX1, X1, Y0, BY0), (PX1, X1, BY1, Y1)))):
        for x0, x1, y0, y1 in rects:  # a small cornice
            for lo, hi in (((x0, y0), (x1, y0 + .03)), ((x0, y1 - .03), (x1, y1)), ((x0, y0), (x0 + .03, y1)), ((x1 - .03, y0), (x1, y1))):
                box(trim, (*lo, z - .06), (*hi, z), "white_wood", .012)


def stairs(b):
    """Real steps: oak treads with a nosing on white risers, and a panelled cupboard wall below."""
    w0, w1 = X0, STAIR_X1
    for i in range(STEPS - 1):
        z, y1 = RISER * (i + 1), STAIR_FOOT - TREAD * i
        box(b, (w0, y1 - TREAD, z - .04), (w1 + .025, y1 + .022, z), "oak", .008)
        quad(b, [(w1, y1, z - RISER), (w0, y1, z - RISER), (w0, y1, z - .04), (w1, y1, z - .04)], "white_wood")
        quad(b, [(w1, y1 - TREAD, 0), (w1, y1, 0), (w1, y1, z - .04), (w1, y1 - TREAD, z - .04)], "white_wood")
    z = FLOOR2
    quad(b, [(w1, STAIR_TOP, z - RISER), (w0, STAIR_TOP, z - RISER), (w0, STAIR_TOP, z), (w1, STAIR_TOP, z)], "white_wood")
    quad(b, [(w0, STAIR_TOP, 0), (w1, STAIR_TOP, 0), (w1, STAIR_TOP, CEIL), (w0, STAIR_TOP, CEIL)], "white_wood")
    box(b, (w0, STAIR_TOP - .2, z - .035), (w1 + .04, STAIR_TOP + .022, z + .001), "oak", .008)
    # the edge of the upper floor round the well
    quad(b, [(w1, STAIR_FOOT, CEIL), (w1, STAIR_TOP, CEIL), (w1, STAIR_TOP, z), (w1, STAIR_FOOT, z)], "white_wood")
    quad(b, [(w0, STAIR_FOOT, CEIL), (w1, STAIR_FOOT, CEIL), (w1, STAIR_FOOT, z), (w0, STAIR_FOOT, z)], "white_wood")
    box(b, (w1 - .012, STAIR_TOP, CEIL - .02), (w1 + .045, STAIR_FOOT + .045, CEIL + .02), "white_wood", .006)
    box(b, (w1 - .012, STAIR_TOP, z - .02), (w1 + .06, STAIR_FOOT + .06, z + .004), "oak", .006)
    # framed panels on the cupboard wall
    for y0, y1 in ((-2.74, -2.05), (-1.97, -1.3), (-1.22, -.55)):
        top = RISER * ((STAIR_FOOT - y1) // TREAD) - .12
        panel(b, w1, y0, y1, .12, top)


def panel(b, x, y0, y1, z0, z1):
    w = .06
    for lo, hi in (((y0, z0), (y1, z0 + w)), ((y0, z1 - w), (y1, z1)), ((y0, z0 + w), (y0 + w, z1 - w)), ((y1 - w, z0 + w), (y1, z1 - w))):
        box(b, (x, lo[0], lo[1]), (x + .016, hi[0], hi[1]), "white_wood", .006)
    tube(b, [(x, y1 - w / 2, min(1.0, (z0 + z1) / 2)), (x + .05, y1 - w / 2, min(1.0, (z0 + z1) / 2))], [.009, .018], "brass", 10)


def balustrade(b):
    """Thin dark balusters, an oak handrail, square newels."""
    x = STAIR_X1 - .05
    slope = RISER / TREAD
    line = lambda y: RISER + (STAIR_FOOT - y) * slope
    for i in range(STEPS - 1):
        for k in (.25, .75):
            y = STAIR_FOOT - TREAD * (i + k)
            tube(b, [(x, y, RISER * (i + 1)), (x, y, line(y) + .80)], .008, "black_metal", 6, caps=False)
    a, c = STAIR_FOOT - .03, STAIR_TOP + .05
    tube(b, [(x, a, line(a) + .80), (x, c, line(c) + .80)], .026, "oak", 12)
    newel(b, x, STAIR_FOOT - .03, 0, 1.16)
    gx = STAIR_X1 + .04
    rail(b, (gx, STAIR_TOP + .04), (gx, STAIR_FOOT + .04), FLOOR2)
    rail(b, (gx, STAIR_FOOT + .04), (X0, STAIR_FOOT + .04), FLOOR2)
    newel(b, gx, STAIR_FOOT + .04, FLOOR2 - .02, FLOOR2 + 1.06)
    newel(b, gx - .03, STAIR_TOP + .02, FLOOR2 - .3, FLOOR2 + 1.06)


def newel(b, x, y, z0, z1):
    box(b, (x - .042, y - .042, z0), (x + .042, y + .042, z1), "oak", .01)
    box(b, (x - .055, y - .055, z1), (x + .055, y + .055, z1 + .03), "oak", .01)


def rail(b, p, q, z):
    n = int(math.dist(p, q) / .115)
    for i in range(1, n):
        x, y = p[0] + (q[0] - p[0]) * i / n, p[1] + (q[1] - p[1]) * i / n
        tube(b, [(x, y, z), (x, y, z + .97)], .008, "black_metal", 6, caps=False)
    tube(b, [(*p, z + .98), (*q, z + .98)], .026, "oak", 12)


def roof(b):
    """Gable roof, ridge east-west. Rows overlap with a small step so the eaves read as tiles."""
    ox, eave, pitch = X1 + WALL + .22, abs(Y0) + WALL + .45, math.radians(42)
    run = eave / math.cos(pitch)
    base = EAVES + .02 - .45 * math.tan(pitch)
    rows = 20
    for s in (1, -1):
        with b.at(rotate("z", 0 if s > 0 else 180), translate(0, -eave, base), rotate("x", math.degrees(pitch))):
            for r in range(rows):
                a, c = run * r / rows, run * (r + 1) / rows + .03
                quad(b, [(-ox, a, .05), (ox, a, .05), (ox, c, .015), (-ox, c, .015)], "roof")
                quad(b, [(-ox, a, .01), (ox, a, .01), (ox, a, .05), (-ox, a, .05)], "roof")
            quad(b, [(-ox, 0, -.1), (-ox, run, -.1), (ox, run, -.1), (ox, 0, -.1)], "white_wood")
            for e in (-1, 1):
                box(b, (e * (ox + .02), -.02, -.16), (e * (ox - .02), run + .02, .06), "frame_white", .006)
            box(b, (-ox, -.03, -.16), (ox, .0, .02), "frame_white", .006)
        gy = s * (eave + .07)
        tube(b, [(-ox, gy, base), (ox, gy, base)], .055, "steel", 8)
    top = base + eave * math.tan(pitch)
    tube(b, [(-ox, 0, top + .05), (ox, 0, top + .05)], .1, "roof", 10)
    for s in (-1, 1):  # brick gables
        x, h = s * (X1 + WALL), (abs(Y0) + WALL) * math.tan(pitch)
        pts = [(x, -(abs(Y0) + WALL), EAVES), (x, abs(Y0) + WALL, EAVES), (x, 0, EAVES + h)]
        b.add(pts if s > 0 else pts[::-1], [(0, 1, 2)], "brick")
    box(b, (2.9, .6, 7.6), (3.6, 1.2, 10.4), "brick", .01)
    box(b, (2.84, .54, 10.4), (3.66, 1.26, 10.5), "kerb", .01)
    for x in (3.08, 3.42):
        cylinder(b, (x, .9, 10.5), .11, .3, "roof", 14)
