"""Second UV layer: every flat piece of the rooms gets its own rectangle in one atlas, at one density.

Pieces that touch in one plane (a wall cut into columns round its windows) share a chart, so that no seam crosses them.
"""
from collections import defaultdict

import numpy as np

SIZE, PAD = 1024, 3
last_spots = []                         # (x, y, width, height) of every chart with its border, after `pack`


def charts_of(batch):
    """Lists of (face index, its corners on the plane), one list per chart."""
    v = np.concatenate(batch.verts)
    planes = defaultdict(list)
    for i, f in enumerate(batch.faces):
        p = v[list(f)]
        n = np.cross(p - p.mean(0), np.roll(p, -1, axis=0) - p.mean(0)).sum(0)
        n /= max(np.linalg.norm(n), 1e-12)
        axis = int(np.argmax(np.abs(n)))
        u, w = {0: (1, 2), 1: (0, 2), 2: (0, 1)}[axis]
        stretch = np.array([1.0, 1.0])
        flat = p[:, [u, w]] * stretch
        planes[(*np.round(n, 2), round(float(p.mean(0) @ n), 3))].append((i, flat))
    for members in planes.values():
        yield from _connected(members)


def _connected(members):
    lo = np.array([m[1].min(0) for m in members]) - .002
    hi = np.array([m[1].max(0) for m in members]) + .002
    left = set(range(len(members)))
    while left:
        todo, group = [left.pop()], []
        while todo:
            k = todo.pop()
            group.append(members[k])
            near = [j for j in left if (lo[j] <= hi[k]).all() and (lo[k] <= hi[j]).all()]
            left.difference_update(near)
            todo += near
        yield group


def pack(batches):
    """Shelf packing, tallest first, at the highest density that fits."""
    charts = []
    for b in batches:
        starts = np.cumsum([0] + [len(f) for f in b.faces])
        b.loop_uv2 = np.zeros((starts[-1], 2))
        for group in charts_of(b):
            flat = np.concatenate([m[1] for m in group])
            lo, size = flat.min(0), np.ptp(flat, axis=0)
            turned = bool(size[1] > size[0])
            charts.append((size[::-1] if turned else size, lo, turned, group, b, starts))
    charts.sort(key=lambda c: -c[0][1])
    density = 120.0
    while (spots := _place(charts, density)) is None:
        density *= 0.97
    for (size, lo, turned, group, b, starts), (x, y) in zip(charts, spots):
        for i, flat in group:
            at = (flat - lo)[:, ::-1] if turned else flat - lo
            b.loop_uv2[starts[i]:starts[i + 1]] = (at * density + (x + PAD + .5, y + PAD + .5)) / SIZE
    last_spots[:] = [(x, y, *(int(np.ceil(k * density)) + 1 + 2 * PAD for k in c[0])) for c, (x, y) in zip(charts, spots)]
    return density


def _place(charts, density):
    x = y = shelf = 0
    out = []
    for c in charts:
        w, h = (int(np.ceil(s * density)) + 1 + 2 * PAD for s in c[0])
        if x + w > SIZE:
            x, y, shelf = 0, y + shelf, 0
        if y + h > SIZE or w > SIZE:
            return None
        out.append((x, y))
        x, shelf = x + w, max(shelf, h)
    return out


def _grow(px, known):
    """Spread known texels over unknown ones, a ring at a time."""
    while known.any() and not known.all():
        total, weight = np.zeros_like(px), np.zeros(known.shape)
        for dy in (-1, 0, 1):
            for dx in (-1, 0, 1):
                k = np.zeros_like(known)
                v = np.zeros_like(px)
                ys, yd = slice(max(0, dy), known.shape[0] + min(0, dy)), slice(max(0, -dy), known.shape[0] + min(0, -dy))
                xs, xd = slice(max(0, dx), known.shape[1] + min(0, dx)), slice(max(0, -dx), known.shape[1] + min(0, -dx))
                k[yd, xd], v[yd, xd] = known[ys, xs], px[ys, xs]
                total += v * k[..., None]
                weight += k
        new = ~known & (weight > 0)
        px = np.where(new[..., None], total / np.maximum(weight, 1)[..., None], px)
        known = known | new
    return px


def _blur(row, radius):
    if len(row) < 3:
        return row.mean(0, keepdims=True).repeat(len(row), 0)
    padded = np.pad(row, ((radius, radius), (0, 0)), mode="reflect" if len(row) > radius else "edge")
    kernel = np.hanning(2 * radius + 3)[1:-1]
    kernel /= kernel.sum()
    return np.stack([np.convolve(padded[:, c], kernel, "valid") for c in range(3)], 1)


def fill(px, known, spots):
    """Before denoising: each chart continues into its own border; slivers (nosings, edges) become smooth strips."""
    out = np.zeros_like(px)
    for x, y, w, h in spots:
        part, mask = px[y:y + h, x:x + w], known[y:y + h, x:x + w]
        if not mask.any():
            continue
        if h - 2 * PAD <= 5:
            cols = mask.any(0)
            mean = (part * mask[..., None]).sum(0) / np.maximum(mask.sum(0), 1)[:, None]
            strip = np.zeros_like(mean)
            strip[cols] = _blur(mean[cols], 5)
            part, mask = np.where(cols[None, :, None], strip[None], 0) + np.zeros_like(part), np.repeat(cols[None], h, 0)
        out[y:y + h, x:x + w] = _grow(part, mask)
    return out


def _soften(px, passes=4):
    """A small binomial blur inside one chart: it takes the last mottle out of dim walls."""
    for _ in range(passes):
        for axis in (0, 1):
            pad = [(1, 1) if a == axis else (0, 0) for a in range(3)]
            p = np.pad(px, pad, mode="edge")
            n = px.shape[axis]
            a, b, c = (np.take(p, range(k, k + n), axis) for k in range(3))
            px = (a + 2 * b + c) / 4
    return px


def refill(px, known, spots):
    """After denoising: borders again from the cleaned texels, so that filtering never mixes two charts."""
    out = px.copy()
    for x, y, w, h in spots:
        mask = known[y:y + h, x:x + w]
        if mask.any() and h - 2 * PAD > 5:
            bright = px[y:y + h, x:x + w].mean(-1)  # judged after denoising, or noise would punch holes
            mask = mask & (bright >= .25 * np.median(bright[mask]))  # what furniture hides must not fray into the open
            out[y:y + h, x:x + w] = _soften(_grow(px[y:y + h, x:x + w] * mask[..., None], mask))
    return out

