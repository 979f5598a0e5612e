"""Puts the home together: which shapes go into which node, and which nodes are solid."""
import os

import interior
import lightmap
import outside
import pantry
import shell
import twins
import workshop
from mesh import Batch

LIGHTMAP = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "home", "home_lightmap.png")
SOLID = {"vestibule_collider": "mesh"}


def build():
    glass = Batch("glass")
    walls, floors, ceil, stair = (Batch(n) for n in ("walls", "floors", "ceilings", "stairs"))
    trim, rails, roof, facade = (Batch(n) for n in ("trim", "balustrade", "roof_tiles", "facade"))
    shell.outer_walls(walls, facade, trim, glass)
    shell.inner_walls(walls, trim)
    shell.floors(floors)
    shell.ceilings(ceil, trim)
    shell.stairs(stair)
    shell.balustrade(rails)
    shell.roof(roof)
    solid, deco = {}, {}
    for room in ("hall", "kitchen", "dining", "landing", "bedroom", "lounge", "workshop"):
        solid[room], deco[room] = Batch(room + "_fixed"), Batch(room + "_things")
    workshop.corner(solid["workshop"], deco["workshop"])
    for room in solid:
        if room != "workshop":
            getattr(interior, room)(solid[room], deco[room])
    interior.island(solid["kitchen"], deco["kitchen"])
    pantry.cooker(solid["kitchen"], deco["kitchen"])
    pantry.hob(deco["kitchen"])
    pantry.place_laid(deco["kitchen"])
    twins.stores(solid["kitchen"])
    twins.front_door(trim, glass)
    twins.door_fittings(deco["hall"])
    fittings = Batch("fittings")
    twins.bell(fittings)
    twins.lamps(fittings)
    twins.blind(fittings)
    twins.small_devices(fittings)
    twins.places()
    street, things, leaves, homes = (Batch(n) for n in ("ground", "garden_things", "greenery", "neighbours"))
    porch_deco = Batch("garden_deco")
    outside.ground(street)
    outside.porch(things, porch_deco)
    outside.garden(things, porch_deco, leaves)
    outside.street_lamp(things, porch_deco)
    outside.opposite(homes, leaves, porch_deco)
    lit = (walls, floors, ceil, stair)
    lightmap.pack(lit)
    flag = {"vestibule_lightmap": True} if os.path.exists(LIGHTMAP) else {}
    for b in lit:
        b.build(extras={**flag, **(SOLID if b is not ceil else {})})
    for b in (trim, rails, facade, street, things, homes, glass, *solid.values()):
        b.build(extras=SOLID)
    for b in (roof, leaves, porch_deco, fittings, *deco.values()):
        if b.count:
            b.build()
