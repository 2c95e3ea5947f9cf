# SPDX-FileCopyrightText: divot contributors
# SPDX-License-Identifier: MIT
"""Gradient fields: what a step down the gradient of the student's logits is, where the student is,
on the simplex of three classes, for a fixed teacher."""
import numpy as np

from svg import COLOURS, LINES, Canvas

TEACHER = np.array([.6, .3, .1])
SIDE, GAP, COLUMNS, CELLS = 226, 18, 4, 13
CORNERS = np.array([[0, 0], [1, 0], [.5, np.sqrt(.75)]])


def gradient(curve, q, teacher=TEACHER):
    """With respect to the student's logits, at temperature 1."""
    w = curve.slope(teacher, q)
    return w - q * np.sum(w)


def check_gradient(curve):
    """The slope and the loss are written apart; differences hold them against each other."""
    random = np.random.default_rng(7)
    for _ in range(8):
        s, step = random.normal(size=3), 1e-5
        softmax = [np.exp(x) / np.sum(np.exp(x)) for x in (s, *(
            s + sign * step * np.eye(3)[k] for k in range(3) for sign in (1, -1)))]
        losses = [curve.loss(TEACHER, q) for q in softmax]
        slope = [(losses[1 + 2 * k] - losses[2 + 2 * k]) / (2 * step) for k in range(3)]
        if not np.allclose(gradient(curve, softmax[0]), slope, rtol=1e-4, atol=1e-7):
            raise SystemExit(f"make_pages: {curve.label}: {gradient(curve, softmax[0])} is not the "
                             f"slope of its loss, {slope}")


def students():
    """The middles of the small triangles that point up."""
    return [np.array([i + 1, j + 1, CELLS - i - j + 1]) / (CELLS + 3)
            for i in range(CELLS + 1) for j in range(CELLS + 1 - i)]


def draw_fields(family, path):
    curves = [c for entry in family.entries for c in entry.curves]
    columns = min(COLUMNS, len(curves))
    rows = -(-len(curves) // columns)
    tall = SIDE * .8660254 + 62
    canvas = Canvas(columns * (SIDE + GAP) + GAP, int(rows * tall + 8),
                    f"Gradient fields of {', '.join(c.label for c in curves)}")
    for i, curve in enumerate(curves):
        check_gradient(curve)
        left, base = GAP + i % columns * (SIDE + GAP), (i // columns + 1) * tall - 20

        def place(point):
            x, y = point @ CORNERS * SIDE
            return left + x, base - y
        colour = COLOURS[i % len(COLOURS)]
        canvas.text(left + SIDE / 2, base - SIDE * .8660254 - 22, curve.label, bold=True, size=12)
        canvas.path([place(c) for c in np.eye(3)], LINES, 1, closed=True)
        for k, (dx, dy) in enumerate([(0, 14), (0, 14), (0, -5)]):
            x, y = place(np.eye(3)[k])
            canvas.text(x + dx, y + dy, str(k + 1), size=11)
        lines = []
        for q in students():
            step = -gradient(curve, q)
            size = np.linalg.norm(step)
            if size < 1e-9:
                continue
            # √ of the size, and no longer than a cell
            x, y = place(q)
            along = step @ CORNERS
            along = along / max(np.linalg.norm(along), 1e-300) * 15 * min(np.sqrt(size), 1.)
            dx, dy = along[0], -along[1]
            lines.append([(x, y), (x + dx, y + dy)])
            lines.append([(x + .65 * dx + .2 * dy, y + .65 * dy - .2 * dx), (x + dx, y + dy),
                          (x + .65 * dx - .2 * dy, y + .65 * dy + .2 * dx)])
        canvas.path(lines, colour, 1)
        canvas.circle(*place(TEACHER), 3.5, "#111111")
    canvas.write(path)
