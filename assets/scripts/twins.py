"""The nodes that mean something: devices with their moving parts, lamps, zones, spawns, waypoints, anchors."""
import math

import pantry
import workshop
from interior import paper_lantern, pendant
from mesh import Batch, box, cylinder, ellipsoid, lathe, quad, rbox, rotate, translate, tube
from plan import *
from scene import empty


def twin(name, role=None, **more):
    out = {"vestibule_twin": "home/" + name}
    if role:
        out["vestibule_role"] = role
    return {**out, **{"vestibule_" + k: v for k, v in more.items()}}


def front_door(s, glass):
    """Frame (static) and leaf. The leaf turns inwards about its west edge, flush with the room's wall."""
    hx, hy = DOOR_HINGE
    a0, a1, top = DOOR["a0"], DOOR["a1"], DOOR["z1"]
    for x0, x1 in ((a0, hx - .004), (hx + DOOR_W + .004, a1)):
        box(s, (x0 + .001, hy - .14, 0), (x1 - .001, hy, top - .001), "frame_white", .004)
    i0, i1 = hx - .006, hx + DOOR_W + .006  # rails stand a hair back from the posts: no coplanar faces
    box(s, (i0, hy - .138, DOOR_H + .01), (i1, hy - .002, DOOR_H + .075), "frame_white", .004)
    box(s, (i0, hy - .138, top - .05), (i1, hy - .002, top - .002), "frame_white", .004)
    box(s, (a0, hy - .16, 0), (a1, hy, .012), "plinth", .003)
    for x in (hx, hx + DOOR_W - .02):  # the stop the leaf closes against
        box(s, (x, hy - .10, 0), (x + .02, hy - .056, DOOR_H), "frame_white", .003)
    quad(glass, [(a0 + .06, hy - .07, DOOR_H + .07), (a1 - .06, hy - .07, DOOR_H + .07), (a1 - .06, hy - .07, top - .04),
                 (a0 + .06, hy - .07, top - .04)], "glass")
    for x0, x1, z0, z1 in ((a0 - .09, a0, 0, top + .09), (a1, a1 + .09, 0, top + .09), (a0, a1, top, top + .09)):
        box(s, (x0, hy, z0), (x1, hy + .018, z1), "white_wood", .005)
    leaf_object = door_leaf(hx, hy)
    door_bolt(hx, hy, leaf_object)
    return leaf_object


def door_leaf(hx, hy):
    b = Batch("front_door_leaf")
    w, h, t = DOOR_W, DOOR_H, .054
    with b.at(translate(hx, hy, 0)):
        z0, m = .012, "door_paint"
        gx0, gx1, gz0, gz1 = .26, w - .26, 1.46, 1.88
        for x0, x1, lo, hi in ((0, gx0, z0, h), (gx1, w, z0, h), (gx0, gx1, z0, gz0), (gx0, gx1, gz1, h)):
            box(b, (x0, -t, lo), (x1, 0, hi), m, .0015)
        for y, s in ((0, 1), (-t, -1)):  # panels and window beading on both faces
            for x0, x1, lo, hi in ((.13, w / 2 - .04, .20, .92), (w / 2 + .04, w - .13, .20, .92)):
                for e in ((x0, lo, x1, lo + .03), (x0, hi - .03, x1, hi), (x0, lo + .03, x0 + .03, hi - .03), (x1 - .03, lo + .03, x1, hi - .03)):
                    box(b, (e[0], y, e[1]), (e[2], y + s * .010, e[3]), m, .004)
                box(b, (x0 + .06, y, lo + .06), (x1 - .06, y + s * .007, hi - .06), m, .006)
            for e in ((gx0 - .03, gz0 - .03, gx1 + .03, gz0), (gx0 - .03, gz1, gx1 + .03, gz1 + .03), (gx0 - .03, gz0, gx0, gz1), (gx1, gz0, gx1 + .03, gz1)):
                box(b, (e[0], y, e[1]), (e[2], y + s * .012, e[3]), m, .005)
            box(b, (w / 2 - .15, y, 1.10), (w / 2 + .15, y + s * .008, 1.16), "brass", .004)   # letter slot
            box(b, (w / 2 - .13, y + s * .008, 1.115), (w / 2 + .13, y + s * .011, 1.145), "black_metal", .001)
            hx_ = w - .075
            box(b, (hx_ - .02, y, .93), (hx_ + .02, y + s * .007, 1.16), "brass", .005)       # handle plate
            tube(b, [(hx_, y, 1.08), (hx_, y + s * .052, 1.08), (hx_ - .02, y + s * .058, 1.08), (hx_ - .13, y + s * .056, 1.075)],
                 [.011, .010, .010, .009], "brass", 10)
            cylinder_y(b, (hx_, y, .985), .012, s * .012, "steel")
        box(b, (gx0 + (gx1 - gx0) / 2 - .011, -t + .008, gz0), (gx0 + (gx1 - gx0) / 2 + .011, -.008, gz1), m, .003)
        quad(b, [(gx0, -t / 2, gz0), (gx1, -t / 2, gz0), (gx1, -t / 2, gz1), (gx0, -t / 2, gz1)], "glass")
        box(b, (.0, -t - .016, .012), (w, -t, .07), m, .005)   # weather bar
        for k, x in enumerate((.30, .40)):  # brass house number outside: 1 1
            box(b, (w / 2 - .035 + k * .05, -t - .006, 1.98), (w / 2 - .017 + k * .05, -t, 2.06), "brass", .002)
    return b.build((hx, hy, 0), extras={**twin("front_door", "leaf", open_angle=95.0), "vestibule_collider": "box"})


def cylinder_y(b, at, r, depth, mat):
    with b.at(translate(*at), rotate("x", -90 if depth > 0 else 90)):
        cylinder(b, (0, 0, 0), r, abs(depth), mat, 14, .002)


def door_bolt(hx, hy, leaf_object):
    """A surface bolt on the inside: the file shows it drawn back; it slides into the frame's keep when locked."""
    b = Batch("front_door_bolt")
    x, z = hx + DOOR_W - .17, 1.30
    tube(b, [(x, hy + .022, z), (x + .155, hy + .022, z)], .009, "steel", 10)
    tube(b, [(x + .03, hy + .022, z), (x + .03, hy + .055, z)], .006, "brass", 8)
    ellipsoid(b, (x + .03, hy + .06, z), (.012, .012, .012), "brass", 10, 7)
    b.build((x, hy + .022, z), parent=leaf_object, extras=twin("front_door", "bolt", travel=.045))


def door_fittings(d):
    hx, hy = DOOR_HINGE
    x0 = hx + DOOR_W + .004
    tube(d, [(x0 + .018, hy + .022, 1.30), (x0 + .05, hy + .022, 1.30)], .014, "brass", 10)   # keep on the frame
    # tablet by the door
    cx, cz, w, h = -1.50, 1.50, .32, .24
    box(d, (cx - w / 2 - .016, hy, cz - h / 2 - .016), (cx + w / 2 + .016, hy + .016, cz + h / 2 + .016), "black_metal", .006)
    box(d, (cx - .06, hy, cz - .2), (cx + .06, hy + .008, cz - .12), "frame_white", .004)
    s = Batch("front_door_screen")
    y = hy + .0175
    # seen from the room (north of the wall) +x is on the left: u runs that way so that the picture is not mirrored
    pts = [(cx + w / 2, y, cz - h / 2), (cx - w / 2, y, cz - h / 2), (cx - w / 2, y, cz + h / 2), (cx + w / 2, y, cz + h / 2)]
    quad(s, pts, "screen", uv=[(0, 0), (1, 0), (1, 1), (0, 1)])
    s.build((cx, y, cz), extras=twin("front_door", "screen"))


def bell(d):
    x, y, z = -1.70, Y0 - WALL, 1.36
    box(d, (x - .034, y - .022, z - .075), (x + .034, y, z + .075), "black_metal", .010)
    with d.at(translate(x, y - .022, z + .035), rotate("x", 90)):
        lathe(d, [(.020, 0), (.018, .006), (.012, .007), (0, .004)], "black_glass", 18)
    b = Batch("front_door_bell")
    with b.at(translate(x, y - .022, z - .03), rotate("x", 90)):
        lathe(b, [(.021, 0), (.021, .004), (.016, .006), (.014, .004), (0, .005)], "indicator_bell", 22)
    b.build((x, y - .022, z - .03), extras=twin("front_door", "indicator"))


def lamp(name, twin_name, origin, bulb, radius, lumens):
    """The bulb's mesh hangs off the origin so that a light at the origin is in free air."""
    b = Batch(name)
    ellipsoid(b, bulb, radius, "lamp_" + name.split("_")[1], 16, 11)
    b.build(origin, extras=twin(twin_name, "lamp", lumens=float(lumens)))


def lamps(d):
    x, y = -2.3, -.6
    pendant(d, (x, y, 2.24), CEIL, .20, "palg:#c7765a")
    lamp("light_hall", "hall_light", (x, y, 2.14), (x, y, 2.27), (.065, .065, .07), 900)
    for k, px in enumerate((1.85, 2.95)):
        pendant(d, (px, 1.75, 1.72), CEIL, .19, "palg:#2f4a4a")
    x, y = 2.4, 1.75
    pendant(d, (x, y, 1.72), CEIL, .19, "palg:#2f4a4a")
    lamp("light_kitchen", "kitchen_light", (x, y, 1.62), (x, y, 1.76), (.06, .06, .06), 1100)
    x, y, z = 1.7, -1.35, FLOOR2 + 2.12
    paper_lantern(d, (x, y, z), CEIL2, .30)
    lamp("light_lounge", "lounge_light", (x, y, z - .36), (x, y, z - .18), (.09, .09, .07), 1400)
    x, y, z = 2.6, 2.6, FLOOR2 + 2.1
    pendant(d, (x, y, z), CEIL2, .26, "pal:#e9e1d0")
    lamp("light_bedroom", "bedroom_light", (x, y, z - .10), (x, y, z + .03), (.07, .07, .07), 800)
    x, y, z = -1.42, Y0 - WALL, 1.95
    box(d, (x - .05, y - .02, z - .02), (x + .05, y, z + .22), "black_metal", .008)
    tube(d, [(x, y - .01, z + .16), (x, y - .10, z + .20), (x, y - .16, z + .18)], .009, "black_metal", 8)
    lathe(d, [(.10, .10), (.095, .11), (.03, .18), (0, .19)], "black_metal", 20, (x, y - .16, z))
    lathe(d, [(0, .165), (.09, .105), (.098, .10)], "pal:#f4eee0", 20, (x, y - .16, z))
    lamp("light_porch", "porch_light", (x, y - .24, z - .03), (x, y - .16, z + .07), (.045, .045, .055), 600)


def blind(d):
    """Venetian slats in front of the lounge's street window. Origin at the top: scaling Y gathers them upwards."""
    o = SOUTH2[2]
    x0, x1, top, y = o["a0"] - .04, o["a1"] + .04, o["z1"] + .045, Y0 + .05
    box(d, (x0 - .01, y - .03, top), (x1 + .01, y + .03, top + .05), "white_wood", .005)
    b = Batch("blind_lounge")
    drop, pitch = top - o["z0"] + .03, .052
    n = int(drop / pitch)
    for k in range(n):
        z = top - pitch * (k + .6)
        p = [(-.020, .021), (0, .003), (.020, -.021)]
        strip = [(x, y + a, z + c) for x in (x0, x1) for a, c in p]
        b.add(strip, [(0, 3, 4, 1), (1, 4, 5, 2)], "white_wood", n=[(0, .7, .7)] * 6)
        b.add(strip, [(0, 1, 4, 3), (1, 2, 5, 4)], "white_wood", n=[(0, -.7, -.7)] * 6)
    box(b, (x0, y - .018, top - drop), (x1, y + .018, top - drop + .03), "white_wood", .004)
    for x in (x0 + .3, (x0 + x1) / 2, x1 - .3):
        box(b, (x - .012, y + .021, top - drop), (x + .012, y + .023, top), "linen", 0)
    b.build(((x0 + x1) / 2, y, top), extras=twin("lounge_blinds", "blind"))


def small_devices(s):
    th = Batch("thermostat")  # on the hall's east wall, facing west
    at = (PX0, -2.25, 1.5)
    with th.at(translate(*at), rotate("y", -90)):
        lathe(th, [(0, 0), (.052, 0), (.056, .006), (.056, .02), (.050, .026), (.043, .026)], "palg:#f2efe9", 32)
        lathe(th, [(.0435, .0255), (0, .0255)], "black_glass", 32)
    ob = th.build(at, extras=twin("thermostat", "body"))
    td = Batch("thermostat_display")
    with td.at(translate(*at), rotate("y", -90)):
        lathe(td, [(.036, .0262), (.030, .0268)], "indicator_thermostat", 32)
    td.build((at[0] - .026, at[1], at[2]), parent=ob, extras=twin("thermostat", "indicator"))
    for name, x, y, z, turn in (("hall", PX0 - .001, 2.2, 2.4, -90), ("lounge", PX1 + .04, BY0 - .04, FLOOR2 + 2.35, -45 + 90)):
        with s.at(translate(x, y, z), rotate("z", turn)):
            rbox(s, (-.032, -.045, -.045), (.032, 0, .045), .014, "palg:#f2efe9", 2)
            ellipsoid(s, (0, -.045, -.01), (.02, .014, .02), "palg:#dcd8d0", 12, 8)
        m = Batch("motion_" + name)
        with m.at(translate(x, y, z), rotate("z", turn)):
            ellipsoid(m, (0, -.045, .027), (.007, .005, .007), "indicator_motion_" + name, 10, 6)
        a = math.radians(turn)
        m.build((x + .045 * math.sin(a), y - .045 * math.cos(a), z + .027), extras=twin(name + "_motion", "indicator"))
    coffee_machine()


def coffee_machine():
    b = Batch("coffee_machine")
    x, y, z = .55, Y1 - .30, .91
    with b.at(translate(x, y, z)):
        rbox(b, (-.12, -.17, 0), (.12, .17, .05), .012, "black_metal", 2)
        rbox(b, (-.12, .03, .03), (.12, .17, .36), .02, "palg:#c94f35", 2)
        rbox(b, (-.12, -.17, .25), (.12, .17, .37), .02, "palg:#c94f35", 2)
        box(b, (-.10, -.172, .28), (.10, -.168, .345), "steel", .002)
        for k in range(3):
            cylinder_y(b, (-.06 + .06 * k, -.172, .312), .012, -.01, "black_metal")
        cylinder(b, (0, -.08, .215), .032, .04, "steel", 18)
        tube(b, [(0, -.08, .225), (0, -.21, .225)], [.011, .014], "walnut", 10)
        tube(b, [(.10, -.10, .26), (.125, -.13, .2), (.12, -.14, .12)], .006, "steel", 8)
        lathe(b, [(0, .05), (.025, .05), (.035, .11), (.031, .11), (.022, .056), (0, .056)], "palg:#f2efe9", 16, (0, -.08, 0))
        for k in range(3):
            lathe(b, [(0, .37), (.024, .37), (.034, .425), (.030, .425), (.02, .375), (0, .375)], "palg:#f2efe9", 14, (-.07 + .07 * k, .05, 0))
    b.build((x, y, z), extras={**twin("coffee_machine", "body"), "vestibule_collider": "box"})


def stores(s):
    """Fridge and pantry are twins; a jar's filling follows what its scale reports."""
    pantry.fridge(s, {**twin("fridge", "body"), "vestibule_collider": "box"})
    grams = (1000.0, 1200.0, 1200.0, 500.0)  # what fills a jar of flour, rice, sugar, pasta
    level = lambda k: twin("pantry_shelf", "body", level=f"board_{k + 1}", full=grams[k])
    pantry.shelf({**twin("pantry_shelf", "body"), "vestibule_collider": "box"}, level)
    workshop.nodes(lambda part: {"vestibule_making": part})


def places():
    for name, (at, turn) in SPAWNS.items():
        empty("spawn" if name == "default" else "spawn_" + name, at, {"vestibule_spawn": name}, turn=turn)
    for name, (c, half) in ZONES.items():  # Blender scale x, y, z becomes glTF x, z, y
        empty("zone_" + name, c, {"vestibule_zone": name}, scale=half)
    for name, at in WAYPOINTS.items():
        empty("waypoint_" + name, at, {"vestibule_waypoint": name})
    empty("anchor_visitor", (-2.36, -5.25, -.02), {"vestibule_anchor": "visitor"})
    empty("anchor_bench", workshop.world(*workshop.MAT, workshop.TOP + .004), {"vestibule_anchor": "bench"}, turn=90)
    empty("anchor_dish", DISH, {"vestibule_anchor": "dish"})
    for k, at in enumerate(PARCELS):  # on the mat outside, then beside it
        empty(f"anchor_doormat_{k + 1}", at, {"vestibule_anchor": "doormat" if k == 0 else f"doormat.{k + 1}"}, turn=(8, -14, 20)[k])
    # on the hall's east wall between thermostat and door; looks (-Z) into the room, that is west
    empty("anchor_device_shelf", (PX0 - .03, -3.15, 1.5), {"vestibule_anchor": "device_shelf"}, turn=90)
