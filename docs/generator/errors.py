# SPDX-FileCopyrightText: divot contributors
# SPDX-License-Identifier: MIT
"""Measured errors: a row for each loss that the measurements name, none for others."""
import re

import numpy as np

from svg import LINES, Canvas

CASES = {"moderate": "#2463ae", "near convergence": "#2d8659", "confident": "#c8432b"}
LEFT, PLOT, ROW, FIRST, LAST = 230, 480, 26, -17, -4


def bare(name):
    """The divergence of a name: what is reversed or symmetrized, whatever the parameters."""
    inner = re.fullmatch(r"(?:reverse|symmetrized)\((\w+).*", name)
    return inner[1] if inner else re.match(r"\w*", name)[0]


def measured(entries, worst):
    """Names in the measurements that belong to one of the entries, in a case that is drawn."""
    own = {bare(entry.code) for entry in entries}
    return [name for name in dict.fromkeys(key[0] for key in worst)
            if bare(name) in own and any(key[0] == name and key[1] in CASES for key in worst)]


def draw_errors(names, worst, path):
    height = 60 + ROW * len(names) + 44
    canvas = Canvas(LEFT + PLOT + 30, height, f"Measured errors of {', '.join(names)}")

    def place(x):
        return LEFT + PLOT * (np.clip(np.log10(x), FIRST, LAST) - FIRST) / (LAST - FIRST)
    bottom = 60 + ROW * len(names)
    for k in range(FIRST, LAST + 1):
        canvas.path([(place(10.**k), 46), (place(10.**k), bottom)], LINES, .3)
        if k % 2 == 0:
            canvas.text(place(10.**k), bottom + 18, f"1e{k}".replace("-", "−"), size=11)
    canvas.text(LEFT + PLOT / 2, bottom + 38, "worst relative error: left double, right float")
    at = 60
    for case, colour in CASES.items():
        canvas.circle(at, 22, 4, colour)
        canvas.text(at + 9, 26, case, "start", size=12)
        at += 30 + 8 * len(case)
    canvas.text(at, 26, "filled: loss, hollow: gradient", "start", size=12)
    for i, name in enumerate(names):
        y = 60 + ROW * (i + .5)
        canvas.text(LEFT - 12, y + 4, name, "end", size=12)
        for j, (case, colour) in enumerate(CASES.items()):
            for kind in ("float", "double"):
                for k, x in enumerate(worst.get((name, case, kind), [None, None])):
                    if x:
                        canvas.circle(place(x), y + 6 * (j - 1), 3, colour, filled=k == 0)
    canvas.write(path)
