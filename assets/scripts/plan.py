"""The house in numbers, Blender frame (+X east, +Y north, Z up; the street lies south). glTF: (x, z, -y)."""

X0, X1, Y0, Y1 = -4.5, 4.5, -3.9, 3.9       # inner faces of the outer walls
WALL = 0.3
PX0, PX1 = -1.2, -1.1                       # the wall between hall and rooms, both storeys
BY0, BY1 = 1.2, 1.3                         # the wall between lounge and bedroom
CEIL, FLOOR2, CEIL2, EAVES = 2.7, 2.97, 5.67, 5.95
STEPS, TREAD = 17, 0.265
RISER = FLOOR2 / STEPS
STAIR_X1, STAIR_FOOT = -3.4, 1.4            # the stair runs south along the west wall
STAIR_TOP = STAIR_FOOT - TREAD * (STEPS - 1)
GROUND = -0.16
PAVEMENT_Y, ROAD_Y, FAR_Y, NEIGHBOUR_Y = -9.2, -11.4, -17.4, -22.5

# openings: a0, a1 along the wall in world coordinates, sill, head, panes across, panes up
DOOR = dict(kind="frontdoor", a0=-2.90, a1=-1.83, z0=0.0, z1=2.52)
DOOR_HINGE = (-2.83, -3.90)
DOOR_W, DOOR_H = 0.93, 2.10
SOUTH = [DOOR, dict(kind="win", a0=-4.25, a1=-3.25, z0=0.95, z1=2.35, nx=2, nz=1),
         dict(kind="win", a0=0.35, a1=3.45, z0=0.55, z1=2.35, nx=4, nz=1)]
SOUTH2 = [dict(kind="win", a0=-4.25, a1=-3.25, z0=3.55, z1=5.2, nx=2, nz=2),
          dict(kind="win", a0=-2.8, a1=-1.9, z0=3.85, z1=5.2, nx=2, nz=2),
          dict(kind="win", a0=0.35, a1=3.45, z0=3.47, z1=5.27, nx=4, nz=1)]
NORTH = [dict(kind="win", a0=-3.6, a1=-1.9, z0=0.45, z1=2.3, nx=2, nz=1),
         dict(kind="win", a0=1.1, a1=2.9, z0=1.12, z1=2.25, nx=3, nz=1)]
NORTH2 = [dict(kind="win", a0=-3.5, a1=-2.2, z0=3.75, z1=5.2, nx=2, nz=2),
          dict(kind="win", a0=0.9, a1=2.9, z0=3.75, z1=5.2, nx=3, nz=1)]
EAST = [dict(kind="win", a0=-2.9, a1=-1.3, z0=0.75, z1=2.3, nx=2, nz=1)]
EAST2 = [dict(kind="win", a0=-3.35, a1=-2.45, z0=3.75, z1=5.2, nx=1, nz=2),
         dict(kind="win", a0=-0.45, a1=0.45, z0=3.75, z1=5.2, nx=1, nz=2)]
WEST2 = [dict(kind="win", a0=-1.3, a1=-0.1, z0=3.6, z1=5.2, nx=2, nz=2)]
KITCHEN_DOORWAY = dict(kind="doorway", a0=0.45, a1=1.95, z0=0.0, z1=2.3)
LOUNGE_DOORWAY = dict(kind="doorway", a0=-3.55, a1=-2.15, z0=FLOOR2, z1=FLOOR2 + 2.25)
BEDROOM_DOORWAY = dict(kind="doorway", a0=2.0, a1=3.1, z0=FLOOR2, z1=FLOOR2 + 2.15)

BENCH_Y, PANTRY_Y = 2.97, 2.62                # middles of the work bench (hall) and of the pantry's shelf (kitchen)
DISH = (1.80, 1.56, .918)                     # on the island: where a dish stands
PARCELS = ((-2.16, -4.66, -.005), (-1.56, -4.62, -.02), (-1.60, -5.05, -.02))  # the doormat, then beside it

WAYPOINTS = {
    "hall": (-2.3, 1.2, 0), "door_inside": (-2.36, -2.8, 0), "stairs_foot": (-3.97, 2.4, 0),
    "stairs_top": (-3.97, -3.36, FLOOR2), "landing": (-2.2, -3.3, FLOOR2), "lounge": (1.6, -1.6, FLOOR2),
    "lounge_window": (1.9, -3.0, FLOOR2), "kitchen": (0.1, 1.2, 0), "bedroom": (-0.2, 2.55, FLOOR2),
    "porch": (-2.36, -5.0, -0.02), "street": (-2.36, -10.2, GROUND), "workshop": (-2.5, 2.75, 0),
}
# (centre, half extents)
ZONES = {
    "hall": ((-2.85, 0, 1.35), (1.65, 3.9, 1.35)),
    "kitchen": ((1.7, 0, 1.35), (2.8, 3.9, 1.35)),
    "lounge": ((1.7, -1.35, FLOOR2 + 1.35), (2.8, 2.55, 1.35)),
    "bedroom": ((1.7, 2.6, FLOOR2 + 1.35), (2.8, 1.3, 1.35)),
    "workshop": ((-2.3, 2.85, 1.35), (1.1, 1.05, 1.35)),
    "garden": ((0, -6.65, 1.2), (8.0, 2.45, 1.4)),
}
# feet, and the compass turn of the view: 0 looks north, 180 south, positive turns left
SPAWNS = {"default": ((-1.85, 1.05, 0), 168), "lounge": ((-0.4, 0.3, FLOOR2), 215), "street": ((0.6, -11.0, GROUND), 10)}
