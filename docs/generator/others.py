# SPDX-FileCopyrightText: divot contributors
# SPDX-License-Identifier: MIT
"""The page of what no other page has: entries of the catalogue as `divot list` describes them."""
import numpy as np

from entries import Entry, f_curve
from families import Family
from measurements import update_tables


def between(shape):
    """f and f' from their values along u, by cubics in ln u."""
    x, f = np.log(shape["u"]), np.array(shape["f"])
    rate = np.array(shape["slope"]) * shape["u"]  # df/dln u

    def pieces(u):
        at = np.log(u)
        i = np.clip(np.searchsorted(x, at) - 1, 0, len(x) - 2)
        width = x[i + 1] - x[i]
        return i, width, (at - x[i]) / width

    def value(u):
        i, h, t = pieces(u)
        return (f[i] * (1 + 2 * t) * (1 - t)**2 + f[i + 1] * t**2 * (3 - 2 * t)
                + h * rate[i] * t * (1 - t)**2 - h * rate[i + 1] * t**2 * (1 - t))

    def slope(u):
        i, h, t = pieces(u)
        by_log = (6 * (f[i + 1] - f[i]) * t * (1 - t) / h + rate[i] * (1 - t) * (1 - 3 * t)
                  + rate[i + 1] * t * (3 * t - 2))
        return by_log / u
    return value, slope


def end(x):
    return "∞" if x == "inf" else f"{x:.4g}"


def family_of_others(catalogue, families):
    tables = update_tables()
    known = " ".join(entry.code for family in families for entry in family.entries)
    entries = []
    for loss in catalogue:
        name = loss["name"]
        if "shape" not in loss or f"{name}{{" in known:
            continue
        zero, infinity = loss["f_at_zero"], loss["f_slope_at_infinity"]
        top = "∞" if "inf" in (zero, infinity) else f"{zero + infinity:.4g}"
        code, meaning = tables.in_code(loss), tables.domain(loss)
        note = ". ".join(t[0].upper() + t[1:] if t is not meaning else t
                         for t in (meaning, loss["note"]) if t)
        f, slope = between(loss["shape"])
        entries.append(Entry(code, loss["formula"], "its terms with q = 1, p = u",
                             f"{end(zero)}, {end(infinity)}", "q (f − u f′)", f"`reverse({name}{{…}})`",
                             f"[0, {top}]" if top != "∞" else "[0, ∞)", note + ".",
                             [f_curve(code.split("{")[0], f, slope)]))
    return Family("others", "Others", "Divergences beside these families, with their default "
                  "parameters, as `divot list --json --shapes` gives them.", entries) if entries else None
