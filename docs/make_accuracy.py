#!/usr/bin/env python3
# SPDX-FileCopyrightText: divot contributors
# SPDX-License-Identifier: MIT
"""Writes docs/accuracy.md: the worst error of every loss by number type, policy and instruction set.

    docs/make_accuracy.py NAME=OUTPUT=BUILD...

NAME    of the instruction set, AVX-512 say
OUTPUT  what the accuracy tests print with DIVOT_PRINT_ERRORS=1
BUILD   the build directory that printed it
"""
import datetime
import sys
import textwrap
from pathlib import Path

DOCS = Path(__file__).resolve().parent
sys.path.insert(0, str(DOCS / "generator"))
sys.dont_write_bytecode = True

from measurements import update_tables  # noqa: E402

CASES = {
    "moderate": "Random logits with scale/T up to 15, up to 152 064 classes.",
    "near convergence": "The student differs from the teacher by 1e-4 to 1e-2, the teacher is "
                        "shifted by up to 200.",
    "confident": "Random logits with scale/T up to 60."}


def number(x):
    return "–" if x is None else "0" if x == 0 else f"{x:.0e}".replace("e-0", "e-")


def main():
    if len(sys.argv) < 2 or any(a.count("=") != 2 for a in sys.argv[1:]):
        sys.exit(__doc__)
    tools = update_tables()
    sets, made = {}, []
    order, budgets = [], {}
    for argument in sys.argv[1:]:
        name, output, build = argument.split("=")
        worst, bounds, names = tools.read_errors(Path(output))
        sets[name] = worst
        budgets.update(bounds)
        order += [n for n in names if n not in order]
        date = datetime.date.fromtimestamp(Path(output).stat().st_mtime).isoformat()
        made.append(f"- {name}: {tools.built_with(Path(build))}, {date}")
    columns = [(isa, policy) for isa in sets
               for policy in dict.fromkeys(key[3] for key in sets[isa] if len(key) == 4)]
    text = ["# Accuracy", "<!-- written by docs/make_accuracy.py -->",
            "Worst relative error of loss / gradient (the gradient's as a vector, row by row) that the "
            "accuracy tests saw, by policy and instruction set, against a reference of 33 digits on the "
            "same rounded inputs. The tests assert the bounds of `tests/accuracy/budget.hpp`, its "
            "exceptions included; errors of powers are divided by max(1, largest exponent/20), those of "
            "losses with a kink leave out the classes next to it. Rows of more than 9001 classes were tried "
            "on the first set only.", "\n".join(made)]
    for case, about in CASES.items():
        for kind in ("float", "double"):
            if (case, kind) not in budgets:
                continue
            loss, gradient = budgets[case, kind]
            text += [f"## {case.capitalize()}, {kind}",
                     f"{about} Allowed: {number(float(loss))} / {number(float(gradient))}."]
            table = ["| Loss " + "".join(f"| {isa}, {policy} " for isa, policy in columns) + "|",
                     "|---" * (len(columns) + 1) + "|"]
            for name in order:
                cells = [sets[isa].get((name, case, kind, policy)) for isa, policy in columns]
                if any(cells):
                    table.append(f"| `{name}` " + "".join(
                        "| " if c is None else f"| {number(c[0])} / {number(c[1])} "
                        for c in cells) + "|")
            text.append("\n".join(table))
    (DOCS / "accuracy.md").write_text("\n\n".join(
        t if t.startswith(("|", "<", "- ")) else textwrap.fill(
            t, 100, break_long_words=False, break_on_hyphens=False) for t in text) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
