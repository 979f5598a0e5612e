"""Reads the files of a folder with programs that are not ours, and says what they find, as JSON."""

import json
import os
import sys

import lib3mf
import numpy
import trimesh


def volume(points, triangles):
    a, b, c = (points[triangles[:, corner]] for corner in range(3))
    return float(numpy.einsum("ij,ij->i", a, numpy.cross(b, c)).sum() / 6)


def read_3mf(path):
    model = lib3mf.Wrapper().CreateModel()
    reader = model.QueryReader("3mf")
    reader.SetStrictModeActive(True)
    reader.ReadFromFile(path)
    warnings = [reader.GetWarning(index) for index in range(reader.GetWarningCount())]
    bodies, low = [], []
    objects = model.GetMeshObjects()
    while objects.MoveNext():
        mesh = objects.GetCurrentMeshObject()
        points = numpy.array([list(vertex.Coordinates) for vertex in mesh.GetVertices()])
        triangles = numpy.array([list(triangle.Indices) for triangle in mesh.GetTriangleIndices()])
        group, index, has = mesh.GetObjectLevelProperty()
        material = model.GetBaseMaterialGroupByID(group)
        colour = material.GetDisplayColor(index)
        bodies.append({
            "name": mesh.GetName(),
            "closed": mesh.IsManifoldAndOriented(),
            "volume": volume(points, triangles),
            "points": len(points),
            "triangles": len(triangles),
            "material": material.GetName(index) if has else None,
            "colour": [colour.Red, colour.Green, colour.Blue],
        })
        low.append(points.min(axis=0))
    items, places = model.GetBuildItems(), []
    while items.MoveNext():
        item = items.GetCurrent()
        fields = item.GetObjectTransform().Fields if item.HasObjectTransform() else None
        places.append(None if fields is None else [list(field) for field in fields])
    metadata = model.GetMetaDataGroup()
    said = {}
    for index in range(metadata.GetMetaDataCount()):
        one = metadata.GetMetaData(index)
        said[one.GetName()] = one.GetValue()
    return {
        "warnings": warnings,
        "unit": model.GetUnit().name,
        "bodies": bodies,
        "low": [float(value) for value in numpy.array(low).min(axis=0)],
        "places": places,
        "metadata": said,
        "thumbnail": model.HasPackageThumbnailAttachment(),
    }


def balanced(mesh):
    """Whether each edge is there as often in each direction. Bodies that touch share edges where a format has no bodies."""
    size = len(mesh.vertices)
    there = mesh.edges[:, 0].astype(numpy.int64) * size + mesh.edges[:, 1]
    back = mesh.edges[:, 1].astype(numpy.int64) * size + mesh.edges[:, 0]
    return bool(numpy.array_equal(numpy.sort(there), numpy.sort(back)))


def read_mesh(path):
    scene = trimesh.load(path, force="scene")
    found = []
    for mesh in scene.geometry.values():
        # Corners are apart where their normals differ.
        plain = trimesh.Trimesh(mesh.vertices, mesh.faces, process=False)
        plain.merge_vertices(merge_norm=True, merge_tex=True)
        found.append({
            "closed": bool(plain.is_watertight),
            "balanced": balanced(plain),
            "consistent": bool(plain.is_winding_consistent),
            "volume": float(plain.volume),
            "triangles": len(plain.faces),
        })
    return {"bodies": found, "size": [float(value) for value in scene.extents]}


folder = sys.argv[1]
answers = {}
for name in sorted(os.listdir(folder)):
    path = os.path.join(folder, name)
    answers[name] = read_3mf(path) if name.endswith(".3mf") else read_mesh(path)
json.dump(answers, sys.stdout)
