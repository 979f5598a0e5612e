"""The measures of examples/bench_fabricate.rs with manifold3d and lib3mf: the same solids, in the same order."""

import ctypes
import os
import tempfile
import time

import lib3mf
import numpy
from manifold3d import Manifold, OpType

TIMES = 5


def best(work):
    times = []
    for _ in range(TIMES):
        begin = time.perf_counter()
        work()
        times.append(time.perf_counter() - begin)
    return min(times) * 1e3


def cylinder(radius, height, at):
    # Along Z there, along Y in ours.
    return Manifold.cylinder(height, radius, radius, 32).rotate((-90, 0, 0)).translate(at)


def plate():
    return Manifold.cube((220, 10, 220), True)


def holes(count):
    def work():
        tools = [cylinder(5, 20, (n % 10 * 20 - 90, -10, n // 10 * 20 - 90)) for n in range(count)]
        return Manifold.batch_boolean([plate(), *tools], OpType.Subtract)

    return work


def lattice():
    up = [cylinder(2, 100, (10 * x, 0, 10 * z)) for z in range(10) for x in range(10)]
    across = Manifold.cylinder(100, 2, 2, 32)
    across = [across.translate((10 * x, 10 * y, 0)) for y in range(10) for x in range(10)]
    return Manifold.batch_boolean(up + across, OpType.Add)


def balls():
    return Manifold.sphere(50, 448) - Manifold.sphere(50, 448).translate((30, 11, 7))


def hundred():
    body = plate()
    for row in range(10):
        tools = [
            cylinder(6 if row % 2 == 0 else 5, 20, (n % 10 * 20 - 90, 0, n // 10 * 20 - 90))
            for n in range(row * 10, row * 10 + 10)
            if n > 0
        ]
        body = Manifold.batch_boolean([body, *tools], OpType.Add if row % 2 == 0 else OpType.Subtract)
    return body


def solid(name, work):
    def whole():
        # Nothing is computed before somebody asks.
        return work().to_mesh()

    made = work()
    print(f"{name} {best(whole):.2f} ms, {made.num_tri()} triangles, {made.volume():.3f} mm3")


def ring(sides=512):
    around = numpy.arange(sides) / sides * 2 * numpy.pi
    turn, tube = numpy.meshgrid(around, around, indexing="ij")
    out = 40 + 10 * numpy.cos(tube)
    points = numpy.stack([out * numpy.cos(turn), out * numpy.sin(turn), 10 * numpy.sin(tube)], axis=-1)
    a = numpy.arange(sides * sides).reshape(sides, sides)
    b, c, d = numpy.roll(a, -1, 0), numpy.roll(numpy.roll(a, -1, 0), -1, 1), numpy.roll(a, -1, 1)
    faces = numpy.concatenate([numpy.stack(f, axis=-1).reshape(-1, 3) for f in ([a, b, c], [a, c, d])])
    return points.reshape(-1, 3), faces


def memory(which):
    """How many KiB this process has or had."""
    with open("/proc/self/status", encoding="ascii") as status:
        return next(int(line.split()[1]) for line in status if line.startswith(which))


def peak(work):
    """The most memory that work takes beyond what there was before: the system forgets its peak first."""
    try:
        with open("/proc/self/clear_refs", "w", encoding="ascii") as forget:
            forget.write("5")
    except OSError:
        work()
        return "unknown"
    before = memory("VmRSS:")
    work()
    return memory("VmHWM:") - before


def export():
    wrapper = lib3mf.Wrapper()
    model = wrapper.CreateModel()
    points, faces = ring()
    points, faces = points.astype(numpy.float32), faces.astype(numpy.uint32)
    vertices = (lib3mf.Position * len(points))()
    ctypes.memmove(vertices, points.ctypes.data, ctypes.sizeof(vertices))
    triangles = (lib3mf.Triangle * len(faces))()
    ctypes.memmove(triangles, faces.ctypes.data, ctypes.sizeof(triangles))
    for _ in range(2):
        mesh = model.AddMeshObject()
        mesh.SetGeometry(list(vertices), list(triangles))
        model.AddBuildItem(mesh, wrapper.GetIdentityTransform())
    path = os.path.join(tempfile.mkdtemp(), "bench.3mf")

    def write():
        model.QueryWriter("3mf").WriteToFile(path)

    grown = peak(write)
    millis = best(write)
    print(f"export_3mf {millis:.2f} ms, {2 * len(faces)} triangles, {os.path.getsize(path)} bytes, {grown} KiB more memory")


# First, as there.
export()
for count in (1, 5, 20, 100):
    solid(f"plate_{count}", holes(count))
solid("lattice", lattice)
solid("balls", balls)
solid("hundred", hundred)
