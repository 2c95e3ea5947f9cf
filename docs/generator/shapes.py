# SPDX-FileCopyrightText: divot contributors
# SPDX-License-Identifier: MIT
"""The curves f(u) of a family, u = p/q on a logarithmic axis; or h(D)."""
import numpy as np

from svg import COLOURS, LINES, Canvas

WIDTH, LEFT, TOP, PLOT, TALL, HIGHEST = 760, 50, 20, 440, 300, 3.


def draw_shapes(family, path):
    curves = [c for entry in family.entries for c in entry.curves]
    of = "h(D)" if family.functions else "f(u)"
    canvas = Canvas(WIDTH, TOP + TALL + 50, f"{of} of {', '.join(c.label for c in curves)}")
    bottom = TOP + TALL

    if family.functions:
        # to where the first of the divergences inside ends
        x = np.linspace(1e-4, 4, 400)
        def place(u): return LEFT + PLOT * u / 4
        ticks = [(u, str(u)) for u in range(5)]
    else:
        x = np.exp2(np.linspace(-5, 5, 401)) * (1 + 1e-9)  # beside the kinks and zeros
        def place(u): return LEFT + PLOT * (np.log2(u) + 5) / 10
        ticks = [(2.**k, f"1/{2**-k}" if k < 0 else str(2**k)) for k in range(-5, 6)]

    for u, name in ticks:
        canvas.path([(place(u), TOP), (place(u), bottom)], LINES, .3)
        canvas.text(place(u), bottom + 18, name)
    for y in range(int(HIGHEST) + 1):
        at = bottom - TALL * y / HIGHEST
        canvas.path([(LEFT, at), (LEFT + PLOT, at)], LINES, .3)
        canvas.text(LEFT - 8, at + 4, str(y), "end")
    canvas.text(LEFT + PLOT / 2, bottom + 40, "D" if family.functions else "u = p/q")
    canvas.text(LEFT, TOP - 6, of, "start")
    inside = canvas.clip("plot", LEFT, TOP, PLOT, TALL)
    for i, curve in enumerate(curves):
        colour = COLOURS[i % len(COLOURS)]
        with np.errstate(all="ignore"):
            y = curve.shape(x)
        # a point beyond the frame tells where the curve leaves it
        shown = [(place(u), bottom - TALL * min(v, 2 * HIGHEST) / HIGHEST)
                 for u, v in zip(x, y) if np.isfinite(v)]
        canvas.path(shown, colour, 2, more=inside + (' stroke-dasharray="6 3"' if i % 2 else ""))
        at = TOP + 12 + 22 * i
        canvas.path([(LEFT + PLOT + 20, at - 4), (LEFT + PLOT + 46, at - 4)], colour, 2,
                    more=' stroke-dasharray="6 3"' if i % 2 else "")
        canvas.text(LEFT + PLOT + 54, at, curve.label, "start")
    canvas.write(path)
