"""Tileable textures from noise and arithmetic: no photographs, so no licences to track.

Every function returns (albedo sRGB HxWx3 in 0..1, height HxW or None, roughness HxW or None). Noise is shaped in the
frequency domain, which makes it tile by construction.
"""
import numpy as np
from PIL import Image, ImageDraw


def fbm(n, seed, beta=2.0, ax=1.0, ay=1.0):
    """Tileable noise, mean 0, deviation 1. `ax` > 1 stretches it along x (wood grain)."""
    rng = np.random.default_rng(seed)
    spec = np.fft.fft2(rng.standard_normal((n, n)))
    f = np.fft.fftfreq(n) * n
    r = np.sqrt((f[None, :] * ax) ** 2 + (f[:, None] * ay) ** 2)
    r[0, 0] = 1
    spec *= r ** (-beta / 2)
    spec[0, 0] = 0
    out = np.fft.ifft2(spec).real
    return out / out.std()


def rgb(h):
    return np.array([int(h[i:i + 2], 16) / 255 for i in (1, 3, 5)])


def mix(a, b, t):
    return a + (b - a) * np.clip(t, 0, 1)[..., None]


def grain(n, seed, rings=9):
    """Wood: growth rings bent by slow noise, plus fine fibres along x. Roughly 0..1."""
    y = np.linspace(0, 1, n, endpoint=False)[:, None] * np.ones((1, n))
    bend = fbm(n, seed, 4.0, ax=5) * 0.05
    ring = 0.5 + 0.5 * np.sin(2 * np.pi * (rings * (y + bend)))
    fibre = fbm(n, seed + 1, 1.2, ax=24)
    slow = fbm(n, seed + 2, 3.0, ax=3)
    return np.clip(0.45 + 0.16 * (ring ** 2 - 0.4) + 0.13 * fibre + 0.10 * slow, 0, 1)


def wood(n, light, dark, seed=1):
    g = grain(n, seed)
    return mix(rgb(light), rgb(dark), g), -g * 0.35, 0.42 + 0.22 * g


def planks(n, light, dark, rows=12, seed=3, per_row=2, gap=2):
    """Floor boards along x with staggered joints; every board has its own cut of the grain and its own tone."""
    rng = np.random.default_rng(seed)
    g = grain(n, seed, rings=14)
    out, tone = np.zeros((n, n)), np.zeros((n, n))
    joint = np.zeros((n, n))
    for r in range(rows):
        y0, y1 = r * n // rows, (r + 1) * n // rows
        cuts = (rng.integers(0, n) + np.arange(per_row) * n // per_row + rng.integers(-n // 10, n // 10, per_row)) % n
        cuts.sort()
        owner = np.searchsorted(cuts, np.arange(n), side="right") % per_row
        for k in range(per_row):
            cols = owner == k
            rolled = np.roll(g, (rng.integers(0, n), rng.integers(0, n)), (0, 1))
            out[y0:y1, cols] = rolled[:y1 - y0, cols]
            tone[y0:y1, cols] = rng.normal(0, 1)
        joint[y0:y0 + gap, :] = 1
        for c in cuts:
            joint[y0:y1, c:c + gap] = 1
    col = mix(rgb(light), rgb(dark), out) * (1 + 0.055 * tone)[..., None]
    col *= (1 - 0.55 * joint)[..., None]
    return col, -out * 0.15 - joint * 1.2, 0.40 + 0.2 * out + 0.3 * joint


def plaster(n, seed=5):
    h = fbm(n, seed, 1.7) * 0.5 + fbm(n, seed + 1, 3.0) * 0.6
    return np.ones((n, n, 3)) * (0.985 + 0.010 * fbm(n, seed + 2, 2.6))[..., None], h * 0.22, None


def bricks(n, colours, mortar, across=8, courses=28, seed=7, joint=0.085, half=True):
    """Running bond. A brick's colour is drawn from `colours`, then mottled."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[0:n, 0:n] / n
    row = np.floor(y * courses).astype(int)
    xs = x * across + (row % 2) * (0.5 if half else 0)
    col = np.floor(xs).astype(int) % across
    fx, fy = xs % 1, (y * courses) % 1
    aspect = courses / across
    wob = fbm(n, seed + 1, 2.2) * 0.012
    edge = np.minimum(np.minimum(fx, 1 - fx) * aspect, np.minimum(fy, 1 - fy)) + wob
    body = np.clip((edge - joint) / 0.05, 0, 1)
    pick = rng.random((courses, across))[row, col]
    table = np.array([rgb(c) for c in colours])
    base = table[(pick * len(colours)).astype(int)]
    base = base * (1 + 0.06 * rng.normal(0, 1, (courses, across))[row, col] + 0.07 * fbm(n, seed + 2, 1.6))[..., None]
    base = mix(rgb(mortar) * (1 + 0.05 * fbm(n, seed + 3, 1.2))[..., None], base, body)
    height = body * (1 + 0.10 * rng.normal(0, 1, (courses, across))[row, col]) + 0.10 * fbm(n, seed + 4, 1.6)
    return base, height * 1.6, 0.9 - 0.08 * body


def tiles(n, a, b, grout, count=4, seed=9, checker=True, gap=0.012, gloss=0.25, wave=0.05):
    """Square tiles, chequered in two tones, with a faint stone vein."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[0:n, 0:n] / n * count
    i, j = np.floor(y).astype(int), np.floor(x).astype(int)
    fx, fy = x % 1, y % 1
    edge = np.minimum(np.minimum(fx, 1 - fx), np.minimum(fy, 1 - fy))
    body = np.clip((edge - gap) / 0.012, 0, 1)
    vein = np.exp(-np.abs(fbm(n, seed + 1, 3.2)) * 9) * 0.5 + 0.5 * np.clip(fbm(n, seed + 2, 2.4) * 0.3 + 0.3, 0, 1)
    odd = ((i + j) % 2 if checker else (rng.random((count, count))[i, j] > 0.5)).astype(float)
    base = mix(rgb(a), rgb(b), odd) * (1 + 0.03 * rng.normal(0, 1, (count, count))[i, j])[..., None]
    base = base * (1 - 0.10 * vein)[..., None]
    base = mix(rgb(grout), base, body)
    tilt = rng.normal(0, wave, (count, count, 2))
    height = body * 1.2 + (fx - 0.5) * tilt[i, j, 0] * 8 + (fy - 0.5) * tilt[i, j, 1] * 8
    return base, height, gloss + 0.5 * (1 - body) + 0.04 * vein


def weave(n, threads=48, seed=11, contrast=0.16):
    """Linen: over-under threads with uneven thickness. Neutral, to be tinted by the material."""
    y, x = np.mgrid[0:n, 0:n] / n * threads
    x = x + 0.10 * fbm(n, seed, 2.0)
    y = y + 0.10 * fbm(n, seed + 1, 2.0)
    over = (np.floor(x) + np.floor(y)) % 2
    h = np.where(over > 0, np.sin(np.pi * (x % 1)) * 0.7 + 0.3 * np.sin(np.pi * (y % 1)),
                 np.sin(np.pi * (y % 1)) * 0.7 + 0.3 * np.sin(np.pi * (x % 1)))
    tone = 0.93 + contrast * (h - 0.6) + 0.03 * fbm(n, seed + 2, 1.5)
    return np.repeat(np.clip(tone, 0, 1)[..., None], 3, 2), h * 0.9, None


def knit_rug(n, base, accent, seed=13):
    """A hand-woven rug: diamonds on wool. Not tileable in meaning, but its border is."""
    y, x = np.mgrid[0:n, 0:n] / n
    d = np.abs((x * 4) % 1 - 0.5) + np.abs((y * 6) % 1 - 0.5)
    line = np.clip(1 - np.abs(d - 0.5) / 0.045, 0, 1) + np.clip(1 - np.abs(d - 0.16) / 0.05, 0, 1)
    rim = np.minimum(np.minimum(x, 1 - x) * 1.5, np.minimum(y, 1 - y))
    line = np.where(rim < 0.07, np.clip(1 - np.abs(rim - 0.045) / 0.012, 0, 1), line)
    fuzz = fbm(n, seed, 0.9)
    line = np.clip(line * (0.85 + 0.12 * fuzz), 0, 1)
    tuft = np.sin(y * n * np.pi / 4) * 0.3
    col = mix(rgb(base), rgb(accent), line) * (1 + 0.05 * fuzz + 0.03 * tuft)[..., None]
    return col, 0.5 * fuzz + tuft, None


def scatter(n, seed, count, length, width, colours, ground):
    """Strokes thrown on a ground and wrapped at the border: grass, leaves, needles."""
    rng = np.random.default_rng(seed)
    img = Image.new("RGB", (n, n), ground)
    hgt = Image.new("L", (n, n), 0)
    d, dh = ImageDraw.Draw(img), ImageDraw.Draw(hgt)
    for k in range(count):
        x, y, a = rng.random() * n, rng.random() * n, rng.random() * np.pi * 2
        ln, w = length * (0.6 + 0.8 * rng.random()), width * (0.7 + 0.6 * rng.random())
        dx, dy = np.cos(a) * ln, np.sin(a) * ln
        px, py = -np.sin(a) * w, np.cos(a) * w
        c = rgb(colours[rng.integers(len(colours))]) * (0.55 + 0.55 * k / count) * (0.9 + 0.2 * rng.random())
        c = tuple(int(255 * v) for v in np.clip(c, 0, 1))
        for ox in (-n, 0, n):
            for oy in (-n, 0, n):
                pts = [(x + ox, y + oy), (x + ox + dx * .4 + px, y + oy + dy * .4 + py), (x + ox + dx, y + oy + dy),
                       (x + ox + dx * .4 - px, y + oy + dy * .4 - py)]
                if max(p[0] for p in pts) < 0 or min(p[0] for p in pts) > n:
                    continue
                d.polygon(pts, fill=c)
                dh.polygon(pts, fill=60 + int(190 * k / count))
    col = np.asarray(img, float) / 255
    return col * (1 + 0.06 * fbm(n, seed + 1, 2.5))[..., None], np.asarray(hgt, float) / 255 * 2.0, None


def asphalt(n, seed=17):
    h = fbm(n, seed, 0.7)
    col = np.ones((n, n, 3)) * rgb("#5b5b5e") * (1 + 0.10 * h + 0.05 * fbm(n, seed + 1, 2.6))[..., None]
    return col, h * 0.3, None


def pantiles(n, seed=19, across=6, rows=4):
    """Clay roof tiles: an S-shaped wave across, an overlapping step down the slope (V up)."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[0:n, 0:n] / n
    fx, fy = (x * across) % 1, (y * rows) % 1
    i, j = np.floor(y * rows).astype(int), np.floor(x * across).astype(int)
    wave = 0.5 + 0.5 * np.sin(2 * np.pi * fx)
    step = fy
    seam = np.clip(1 - np.minimum(fx, 1 - fx) / 0.03, 0, 1)
    lip = np.clip((fy - 0.93) / 0.07, 0, 1)
    tone = rng.normal(0, 1, (rows, across))[i, j]
    base = mix(rgb("#8a4430"), rgb("#b1604a"), 0.5 + 0.25 * tone + 0.12 * fbm(n, seed + 1, 2.0))
    base = base * (0.72 + 0.3 * wave - 0.35 * lip - 0.25 * seam)[..., None]
    return base, wave * 7 + step * 2.5 - lip * 3, 0.72 + 0.1 * fbm(n, seed + 2, 2) * 0.3


def bark(n, seed=23):
    h = fbm(n, seed, 2.0, ax=1, ay=6)
    return mix(rgb("#8b7a68"), rgb("#4b3d32"), 0.5 + 0.25 * h), h, None


def posters(n=1024, seed=29):
    """Four abstract prints in a 2x2 atlas."""
    s = n * 2
    img = Image.new("RGB", (s, s), "#efe6d8")
    d = ImageDraw.Draw(img)
    h = s // 2

    def el(cx, cy, r, c, ry=None):
        d.ellipse((cx - r, cy - (ry or r), cx + r, cy + (ry or r)), fill=c)
    # a sun over hills
    d.rectangle((0, 0, h, h), fill="#f1e4d0")
    el(h * .62, h * .34, h * .15, "#d9793f")
    for k, c in enumerate(("#c9b08a", "#8ba38a", "#4f6f68", "#2d4a4d")):
        pts = [(x, h * (.52 + .12 * k) + np.sin(x / h * 5 + k * 2) * h * .05 + np.sin(x / h * 11 + k) * h * .015)
               for x in range(0, h + 1, 8)]
        d.polygon(pts + [(h, h), (0, h)], fill=c)
    # rounded stones
    d.rectangle((h, 0, s, h), fill="#f4efe6")
    for cx, cy, r, ry, c in ((.5, .78, .24, .10, "#30454a"), (.47, .60, .19, .09, "#c26f4c"), (.53, .45, .14, .075,
                             "#d9b26a"), (.49, .33, .09, .055, "#7f9a8e")):
        el(h + h * cx, h * cy, h * r, c, h * ry)
    # leaf stems
    d.rectangle((0, h, h, s), fill="#dfe3d8")
    d.line((h * .5, h * 1.92, h * .5, h * 1.15), fill="#3d5a45", width=10)
    for k in range(7):
        for side in (-1, 1):
            y0 = h * (1.85 - k * .1)
            tip = (h * (.5 + side * (.30 - k * .025)), y0 - h * .13)
            d.polygon([(h * .5, y0), (h * (.5 + side * .16), y0 - h * .11), tip, (h * (.5 + side * .18), y0 - h * .02)],
                      fill="#3d5a45" if k % 2 else "#5f7f62")
    # arches
    d.rectangle((h, h, s, s), fill="#f0dfd0")
    for k, c in enumerate(("#b5533c", "#e0a06a", "#f0dfd0", "#46606b")):
        r = h * (.36 - k * .08)
        d.pieslice((h * 1.5 - r, h * 1.5 - r, h * 1.5 + r, h * 1.5 + r), 180, 360, fill=c)
        d.rectangle((h * 1.5 - r, h * 1.5 - 1, h * 1.5 + r, h * 1.86), fill=c)
    img = img.resize((n, n), Image.LANCZOS)
    col = np.asarray(img, float) / 255
    return col * (1 + 0.015 * fbm(n, seed, 1.0))[..., None], None, None


def normal_map(height, strength):
    """Tangent-space normals (+Y up, as glTF wants) from a height field whose rows run downwards."""
    dx = (np.roll(height, -1, 1) - np.roll(height, 1, 1)) * strength
    dy = (np.roll(height, -1, 0) - np.roll(height, 1, 0)) * strength
    n = np.stack([-dx, dy, np.ones_like(dx)], -1)
    n /= np.linalg.norm(n, axis=-1, keepdims=True)
    return n * 0.5 + 0.5


def save(path, array, quality=88):
    if array.ndim == 2:
        array = np.repeat(array[..., None], 3, 2)
    Image.fromarray((np.clip(array, 0, 1) * 255 + 0.5).astype(np.uint8)).save(path, quality=quality, subsampling=0)
