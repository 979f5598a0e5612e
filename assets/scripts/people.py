"""Three visitors as designer-toy figures: smooth lofted bodies, simple friendly faces.

Feet at the origin, facing +Y (glTF -Z). Everything is palette-coloured, so a figure is one or two draw calls.
"""
import math

from mesh import Batch, box, cylinder, ellipsoid, lathe, loft, rbox, rotate, smooth_normals, translate, tube

SKIN = {"friend": "#e8b48f", "courier": "#8a5a3c", "neighbour": "#f0c6a6"}
FIGURES = ("friend", "courier", "neighbour")


def legs(b, cloth, shoe, sole, hip=.90, stride=.0):
    for s in (-1, 1):
        x, y = s * .095, s * stride
        loft(b, [((x, y, .085), .060, .066), ((x, y, .12), .066, .072), ((x, y, .30), .073, .080), ((x * 1.0, y * .6, .52), .080, .088),
                 ((x * .92, y * .3, .74), .084, .104), ((x * .78, 0, hip), .082, .118)], cloth, 20)
        loft(b, [((x, y, .10), .070, .078), ((x, y, .135), .072, .08), ((x, y, .14), .064, .07)], cloth, 20, False)  # turn-up
        rbox(b, (x - .062, y - .10, .018), (x + .062, y + .185, .105), .052, shoe, 3)
        rbox(b, (x - .066, y - .105, 0), (x + .066, y + .192, .034), .016, sole, 2)


def torso(b, cloth, hem=.84, belly=0.0, shoulders=.20, flare=0.0):
    rings = [(hem - .005, .150 + flare, .122 + flare), (hem, .165 + flare, .135 + flare), (hem + .10, .166 + flare * .7, .137 + belly + flare * .6),
             (1.05, .164, .134 + belly), (1.16, .172, .130 + belly * .6), (1.27, .188, .124), (1.35, shoulders, .114), (1.405, shoulders * .86, .10),
             (1.445, shoulders * .52, .082), (1.47, .075, .070)]
    loft(b, [((0, .0, z), rx, ry) for z, rx, ry in rings], cloth, 28, True, 2.25)


def arm(b, side, elbow, hand, sleeve, skin, long=True):
    sh = (side * .195, 0, 1.365)
    mid = [sh[i] + (elbow[i] - sh[i]) * .5 for i in range(3)]
    low = [elbow[i] + (hand[i] - elbow[i]) * .5 for i in range(3)]
    wrist = [elbow[i] + (hand[i] - elbow[i]) * .86 for i in range(3)]
    ellipsoid(b, sh, (.068, .070, .072), sleeve, 16, 10)
    if long:
        tube(b, curve([sh, mid, elbow, low, wrist]), [.066, .064, .062, .060, .058, .056, .054, .052, .051], sleeve, 16)
    else:
        tube(b, curve([sh, mid, elbow, low, wrist]), [.060, .054, .050, .047, .045, .043, .041, .039, .038], skin, 16)
        tube(b, curve([sh, mid, elbow])[:4], [.070, .069, .068, .067], sleeve, 16)
    ellipsoid(b, hand, (.044, .050, .054), skin, 16, 10)
    inward = -side
    tube(b, [hand, (hand[0] + inward * .035, hand[1] + .02, hand[2] + .035)], [.018, .015], skin, 10)
    ellipsoid(b, (hand[0] + inward * .035, hand[1] + .02, hand[2] + .035), (.016, .016, .018), skin, 10, 7)


def curve(points):
    """Midpoint-subdivided and relaxed, so that elbows bend instead of break."""
    out = []
    for p, q in zip(points, points[1:]):
        out += [p, tuple((a + b) / 2 for a, b in zip(p, q))]
    out.append(points[-1])
    return [out[0]] + [tuple((out[i - 1][k] + 2 * out[i][k] + out[i + 1][k]) / 4 for k in range(3)) for i in range(1, len(out) - 1)] + [out[-1]]


HEAD = (0, .012, 1.605)
R = (.122, .132, .150)


def on_face(x, z, out=0.0):
    """A point on the front of the head at sideways x and height z relative to its centre."""
    y = R[1] * math.sqrt(max(0, 1 - (x / R[0]) ** 2 - (z / R[2]) ** 2))
    return (HEAD[0] + x, HEAD[1] + y + out, HEAD[2] + z)


def head(b, skin, brow, smile=.042, lips="pal:#a6504a", cheeks="pal:#e59a84", glasses=None):
    tube(b, [(0, -.005, 1.43), (0, .0, 1.52)], [.056, .054], skin, 18)
    ellipsoid(b, HEAD, R, skin, 30, 22)
    for s in (-1, 1):
        ellipsoid(b, (s * .120, .005, 1.60), (.018, .028, .036), skin, 14, 9)
        ex, ey, ez = on_face(s * .046, .012)
        ellipsoid(b, (ex, ey - .001, ez), (.0155, .008, .021), "palg:#1c1a1a", 16, 12)
        ellipsoid(b, (ex - .005, ey + .0065, ez + .008), (.0045, .002, .0055), "palg:#ffffff", 8, 6)
        arc = [on_face(s * (.026 + .042 * t), .056 + .010 * math.sin(math.pi * t) - .004 * t, .002) for t in (0, .33, .66, 1)]
        tube(b, arc, [.0040, .0062, .0055, .003], brow, 8)
        cx, cy, cz = on_face(s * .068, -.038)
        ellipsoid(b, (cx, cy - .004, cz), (.020, .006, .015), cheeks, 14, 8)
    nx, ny, nz = on_face(0, -.012)
    ellipsoid(b, (nx, ny + .006, nz), (.017, .020, .018), skin, 14, 10)
    arc = [on_face(smile * t, -.072 + .016 * t * t, .0005) for t in (-1, -.75, -.5, -.25, 0, .25, .5, .75, 1)]
    tube(b, arc, [.0022, .0036, .0044, .005, .005, .005, .0044, .0036, .0022], lips, 8)
    if glasses:
        for s in (-1, 1):
            c = on_face(s * .047, .010, .014)
            ring = [(c[0] + .031 * math.cos(a), c[1] - abs(.031 * math.cos(a)) * .12, c[2] + .030 * math.sin(a))
                    for a in [k * math.pi / 10 for k in range(21)]]
            tube(b, ring, .0034, glasses, 7, caps=False)
            tube(b, [(c[0] + s * .031, c[1] - .004, c[2]), (s * .123, .03, 1.612)], .003, glasses, 6)
        p, q = on_face(-.016, .012, .014), on_face(.016, .012, .014)
        tube(b, [p, (0, q[1] + .004, p[2] + .004), q], .0034, glasses, 7)


def hair_cap(b, mat, front=.045, side=-.02, grow=1.07, back=-.09):
    """A shell over the skull whose edge is high at the forehead and low at the nape."""
    def keep(u):
        edge = front + (back - front) * max(0.0, min(1.0, (.75 - u[1]) / 1.3))
        edge = max(edge, side) if u[1] > -.15 else edge
        return u[2] * R[2] > edge
    c = (HEAD[0], HEAD[1] - .008, HEAD[2] + .006)
    ellipsoid(b, c, tuple(r * grow for r in R), mat, 40, 40, keep)


def friend(b):
    """A friend who drops by: curly bun, mustard knit, dark jeans, waving."""
    skin, hair = "pal:" + SKIN["friend"], "pal:#5a3524"
    knit = "pal:#d9a13b"
    legs(b, "pal:#35506b", "pal:#f2eee6", "pal:#d8d2c6")
    torso(b, knit, hem=.86, shoulders=.185)
    loft(b, [((0, 0, .845), .166, .136), ((0, 0, .85), .174, .143), ((0, 0, .895), .174, .143), ((0, 0, .90), .164, .134)], "pal:#c48e2e", 28, False, 2.25)
    ring = [(.066 * math.cos(a), .003 + .062 * math.sin(a), 1.468 + .012 * math.cos(a + 1.57)) for a in [k * math.pi / 12 for k in range(25)]]
    tube(b, ring, .024, "pal:#c48e2e", 12, caps=False)
    arm(b, -1, (-.27, .02, 1.10), (-.25, .12, .90), knit, skin)
    arm(b, 1, (.33, .06, 1.16), (.37, .15, 1.43), knit, skin)
    for k in range(4):  # open hand: four fingers
        a = math.radians(62 + 18 * k)
        base = (.37 + .028 * math.cos(a), .152, 1.455 + .02 * math.sin(a))
        tip = (.37 + .085 * math.cos(a), .158, 1.455 + .085 * math.sin(a))
        tube(b, [base, tip], [.0155, .0135], skin, 10)
        ellipsoid(b, tip, (.0135, .0135, .0135), skin, 10, 7)
    head(b, skin, hair, .046, "pal:#b5524c")
    hair_cap(b, hair, .062, -.01, 1.08, -.10)
    for k in range(15):  # curls along the hair line
        a = math.radians(-28 + 236 * k / 14)
        z = HEAD[2] + .075 + .028 * math.sin(a)
        ellipsoid(b, (.118 * math.cos(a), .030 + .088 * math.sin(a), z), (.036, .036, .034), hair, 14, 9)
    for dx, dy, dz, r in ((0, -.03, .20, .062), (.045, -.03, .185, .040), (-.045, -.04, .188, .040), (0, -.075, .185, .044), (0, .012, .188, .04)):
        ellipsoid(b, (dx, HEAD[1] + dy, HEAD[2] + dz), (r, r, r * .9), hair, 16, 10)
    for s in (-1, 1):
        ellipsoid(b, (s * .128, .012, 1.556), (.010, .010, .014), "palg:#c9a25a", 10, 8)
    tube(b, [(.15, .085, 1.40), (.02, .15, 1.22), (-.13, .135, 1.02), (-.19, .05, .93)], .011, "pal:#7a4b33", 8)  # bag strap
    rbox(b, (-.265, -.06, .70), (-.185, .12, .90), .03, "pal:#7a4b33", 3)


def courier(b):
    """A parcel courier: cap, jacket with reflective bands, a box held in both arms."""
    skin, hair, coat = "pal:" + SKIN["courier"], "pal:#1f1917", "pal:#2f6f8f"
    legs(b, "pal:#3b3f45", "pal:#26282b", "pal:#111214")
    torso(b, coat, hem=.83, shoulders=.205, flare=.008)
    for z in (.99, 1.06):
        loft(b, [((0, 0, z), .172, .141), ((0, 0, z + .004), .1735, .1425), ((0, 0, z + .026), .1735, .1425), ((0, 0, z + .03), .172, .141)],
             "palg:#e9e7df", 28, False, 2.25)
    tube(b, [(0, .137, .84), (0, .140, 1.05), (0, .128, 1.27), (0, .088, 1.43)], .006, "pal:#e08a2e", 8)
    ring = [(.072 * math.cos(a), .003 + .068 * math.sin(a), 1.462) for a in [k * math.pi / 12 for k in range(25)]]
    tube(b, ring, .022, "pal:#245a75", 12, caps=False)
    box(b, (.06, .120, 1.22), (.13, .134, 1.26), "palg:#e08a2e", .004)
    arm(b, -1, (-.29, .07, 1.13), (-.185, .30, 1.06), coat, skin)
    arm(b, 1, (.29, .07, 1.13), (.185, .30, 1.06), coat, skin)
    rbox(b, (-.19, .17, .98), (.19, .45, 1.22), .008, "pal:#c79a63", 2)
    box(b, (-.191, .285, .979), (.191, .335, 1.221), "pal:#e6d2a8", .001)
    box(b, (.03, .449, 1.04), (.14, .452, 1.12), "pal:#f7f4ec", .001)
    for k in range(5):
        box(b, (.045 + .016 * k, .452, 1.06), (.052 + .016 * k, .4535, 1.10), "pal:#26282b", 0)
    head(b, skin, hair, .050, "pal:#6b2f2a", "pal:#9c5f44")
    hair_cap(b, hair, .055, -.02, 1.03, -.10)
    beard(b, hair)
    cap(b, coat, "pal:#245a75")


def beard(b, mat):
    def keep(u):
        return u[1] > -.1 and u[2] < -.42 - .10 * u[1] and not (abs(u[0]) < .42 and -.66 < u[2] and u[1] > .5)
    ellipsoid(b, (HEAD[0], HEAD[1] + .001, HEAD[2] - .002), tuple(r * 1.035 for r in R), mat, 40, 40, keep)


def cap(b, mat, peak):
    c = (0, HEAD[1] - .006, HEAD[2] + .045)
    ellipsoid(b, c, (.136, .147, .128), mat, 32, 20, lambda u: u[2] > .02)
    loft(b, [((0, c[1], c[2] - .006), .133, .144), ((0, c[1], c[2] - .004), .139, .150), ((0, c[1], c[2] + .024), .138, .149),
             ((0, c[1], c[2] + .026), .130, .141)], peak, 32, False)
    verts, faces, n = [], [], 18
    for up in (0.006, -.006):
        for i in range(n + 1):
            a = math.radians(18 + 144 * i / n)
            x, y = .136 * math.cos(a), .147 * math.sin(a)
            reach = .095 * math.sin((a - math.radians(18)) / math.radians(144) * math.pi) ** .7
            verts += [(x, c[1] + y - .004, c[2] + .006 + up), (x * 1.0, c[1] + y + reach, c[2] - .018 + up - .35 * abs(x) ** 1.5)]
    m = 2 * (n + 1)
    for i in range(n):
        k = 2 * i
        faces += [(k, k + 1, k + 3, k + 2), (m + k, m + k + 2, m + k + 3, m + k + 1), (k + 1, m + k + 1, m + k + 3, k + 3)]
    b.add(verts, [f[::-1] for f in faces], peak, n=smooth_normals(verts, [f[::-1] for f in faces]))
    ellipsoid(b, (0, c[1] + .135, c[2] + .065), (.030, .012, .024), "palg:#e08a2e", 16, 10)
    ellipsoid(b, (0, c[1], c[2] + .128), (.012, .012, .008), peak, 12, 8)


def neighbour(b):
    """The neighbour: silver hair, glasses, a long cardigan, and a cake."""
    skin, hair = "pal:" + SKIN["neighbour"], "pal:#d9d5cf"
    knit, dress = "pal:#7d9478", "pal:#b5566b"
    for s in (-1, 1):
        x = s * .085
        loft(b, [((x, 0, .09), .050, .054), ((x, 0, .30), .060, .066), ((x, 0, .55), .068, .075)], "pal:#4a4450", 18)
        rbox(b, (x - .060, -.09, .015), (x + .060, .165, .10), .05, "pal:#7a3f38", 3)
        rbox(b, (x - .063, -.095, 0), (x + .063, .17, .03), .014, "pal:#3a2a26", 2)
    loft(b, [((0, 0, .44), .205, .175), ((0, 0, .45), .218, .188), ((0, 0, .62), .205, .176), ((0, 0, .82), .185, .160), ((0, 0, .98), .172, .148)],
         dress, 30)
    for k in range(34):  # dots on the dress
        a, z = k * 2.4, .49 + .34 * ((k * .37) % 1)
        r = .212 - (z - .5) * .07
        ellipsoid(b, (r * math.cos(a), r * .86 * math.sin(a), z), (.011, .011, .011), "pal:#f3d9c9", 8, 6)
    torso(b, knit, hem=.80, belly=.014, shoulders=.185, flare=.018)
    loft(b, [((0, .068, .82), .052, .094), ((0, .075, 1.0), .050, .085), ((0, .070, 1.2), .046, .068), ((0, .05, 1.36), .038, .058),
             ((0, .02, 1.45), .03, .05)], dress, 18)
    for k in range(4):
        ellipsoid(b, (.058, .142 - .004 * k, .92 + .10 * k), (.009, .006, .009), "palg:#c9a25a", 10, 7)
    arm(b, -1, (-.27, .07, 1.12), (-.125, .285, 1.085), knit, skin)
    arm(b, 1, (.27, .07, 1.12), (.125, .285, 1.085), knit, skin)
    cake(b, (0, .33, 1.115))
    head(b, skin, "pal:#a8a29a", .045, "pal:#b8565a", "pal:#eba596", "palg:#7a3f38")
    hair_cap(b, hair, .056, -.015, 1.09, -.09)
    for k in range(9):
        a = math.radians(-15 + 210 * k / 8)
        ellipsoid(b, (.112 * math.cos(a), .018 + .098 * math.sin(a), HEAD[2] + .083 + .022 * math.sin(a)), (.042, .038, .034), hair, 16, 10)
    ellipsoid(b, (0, -.135, 1.655), (.070, .055, .062), hair, 18, 12)
    ring = [(.078 * math.cos(a), .012 + .072 * math.sin(a), 1.462 - .022 * math.sin(a)) for a in [k * math.pi / 12 for k in range(25)]]
    for p in ring[:-1]:
        ellipsoid(b, p, (.011, .011, .011), "palg:#f5f0e6", 10, 7)


def cake(b, at):
    x, y, z = at
    lathe(b, [(0, -.012), (.09, -.012), (.165, 0), (.168, .008), (.155, .010), (0, .004)], "palg:#f2efe9", 36, at)
    lathe(b, [(0, .008), (.122, .008), (.124, .012), (.124, .05), (.120, .056)], "pal:#c98f5a", 36, at)
    lathe(b, [(.121, .054), (.125, .058), (.125, .088), (.118, .096), (0, .098)], "pal:#f6e3d6", 36, at)
    for k in range(9):
        a = k * 2 * math.pi / 9
        ellipsoid(b, (x + .095 * math.cos(a), y + .095 * math.sin(a), z + .102), (.020, .020, .018), "pal:#fff8ee", 12, 8)
        ellipsoid(b, (x + .095 * math.cos(a), y + .095 * math.sin(a), z + .124), (.013, .013, .014), "palg:#b8323c", 12, 8)
        ellipsoid(b, (x + .125 * math.cos(a + .3), y + .125 * math.sin(a + .3), z + .075), (.012, .012, .022), "pal:#f6e3d6", 10, 7)


def build(name, at=(0, 0, 0), turn=0.0):
    b = Batch(name)
    with b.at(translate(*at), rotate("z", turn)):
        {"friend": friend, "courier": courier, "neighbour": neighbour}[name](b)
    title = {"friend": "A friend", "courier": "A courier with a parcel", "neighbour": "The neighbour with a cake"}[name]
    return b.build(extras={"vestibule_name": title})
