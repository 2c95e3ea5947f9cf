#!/usr/bin/env python3
# SPDX-FileCopyrightText: divot contributors
# SPDX-License-Identifier: MIT
"""Writes docs/families: a page for each family of divergences, and its pictures.

    docs/make_pages.py catalogue.json [--accuracy output.txt]

catalogue   what `divot list --json --shapes` prints; entries without a family's page get one together
--accuracy  what the accuracy tests print with DIVOT_PRINT_ERRORS=1; errors are shown for the losses
            that it names, and for no others. Without it no errors are shown.
"""
import argparse
import datetime
import json
import sys
import textwrap
from pathlib import Path

DOCS = Path(__file__).resolve().parent
sys.path.insert(0, str(DOCS / "generator"))
sys.dont_write_bytecode = True

from errors import draw_errors, measured  # noqa: E402
from families import all_families  # noqa: E402
from fields import TEACHER, draw_fields  # noqa: E402
from measurements import update_tables  # noqa: E402
from others import family_of_others  # noqa: E402
from shapes import draw_shapes  # noqa: E402


def wrapped(text):
    return textwrap.fill(" ".join(text.split()), 100, break_long_words=False,
                         break_on_hyphens=False)


def table(family):
    cell = lambda text: text.replace("|", "\\|")  # noqa: E731
    if family.functions:
        columns = {"Loss of a row": "loss", "h": "f", "Its gradient is": "slope", "Reverse": "reverse",
                   "Range": "range"}
    else:
        columns = {"Loss of a row": "loss", "f(u)": "f", "f(0), lim f(u)/u": "ends",
                   "w, up to c·q": "slope", "Reverse": "reverse", "Range": "range"}
    lines = ["| In code | " + " | ".join(columns) + " |", "|---" * (len(columns) + 1) + "|"]
    lines += [f"| `{entry.code}` | " +
              " | ".join(cell(getattr(entry, name)) for name in columns.values()) + " |"
              for entry in family.entries]
    return "\n".join(lines)


def page(family, names, date):
    notes = "\n".join(textwrap.fill(f"- `{e.code}`: {e.note}", 100, subsequent_indent="  ",
                                    break_long_words=False, break_on_hyphens=False)
                      for e in family.entries)
    teacher = ", ".join(f"{x:g}" for x in TEACHER)
    curves = ("The curve is h, what becomes of the divergence inside." if family.functions else
              "A class adds q f(p/q): right of 1 lie classes to which the student gives too little.")
    parts = [f"# {family.title}",
             "<!-- written by docs/make_pages.py -->",
             wrapped(family.text), table(family),
             wrapped("p is the teacher's distribution, q the student's, u = p/q. " + (
                 "" if family.functions else "The gradient with respect to the student's logits is "
                 "(w − q Σw)/T, the same for w plus any multiple of q. An "
                 "f-divergence is at most f(0) + lim f(u)/u.")),
             notes,
             "## " + ("The shape of h" if family.functions else "The shape of f"),
             f"![Shapes](pictures/{family.file}_shapes.svg)", wrapped(curves),
             "## Gradient fields",
             f"![Gradient fields](pictures/{family.file}_fields.svg)",
             wrapped(f"A student in the simplex of three classes moves as the arrow says: a step down "
                     f"the gradient of its logits, at temperature 1. The dot is the teacher, "
                     f"({teacher}). Lengths go with the root of the gradient's norm up to a norm of 1, "
                     f"and are the same beyond.")]
    if names:
        parts += ["## Measured errors", f"![Measured errors](pictures/{family.file}_errors.svg)",
                  wrapped(f"The worst relative errors that the accuracy tests saw on {date}, over all "
                          f"policies; the cases are those of the [README](../../README.md#accuracy).")]
    return "\n\n".join(parts) + "\n"


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("catalogue", type=Path)
    parser.add_argument("--accuracy", type=Path)
    arguments = parser.parse_args()
    worst = update_tables().read_errors(arguments.accuracy)[0] if arguments.accuracy else {}
    date = ""
    if arguments.accuracy:
        date = datetime.date.fromtimestamp(arguments.accuracy.stat().st_mtime).isoformat()
    to = DOCS / "families"
    pictures = to / "pictures"
    pictures.mkdir(parents=True, exist_ok=True)
    for old in [*to.glob("*.md"), *pictures.glob("*.svg")]:
        old.unlink()
    index = ["# Families of divergences", "<!-- written by docs/make_pages.py -->"]
    families = all_families()
    catalogue = json.loads(arguments.catalogue.read_text(encoding="utf-8"))
    if others := family_of_others(catalogue, families):
        families.insert(-1, others)
    for family in families:
        draw_shapes(family, pictures / f"{family.file}_shapes.svg")
        draw_fields(family, pictures / f"{family.file}_fields.svg")
        names = measured(family.entries, worst)
        if names:
            draw_errors(names, worst, pictures / f"{family.file}_errors.svg")
        (to / f"{family.file}.md").write_text(page(family, names, date), encoding="utf-8")
        codes = ", ".join(dict.fromkeys(f"`{e.code.split('{')[0]}`" for e in family.entries
                                        if not e.code.startswith("reverse(")))
        index.append(textwrap.fill(f"- [{family.title}]({family.file}.md): {codes}", 100,
                                   subsequent_indent="  ", break_long_words=False,
                                   break_on_hyphens=False))
    (to / "README.md").write_text("\n\n".join(index[:2]) + "\n\n" + "\n".join(index[2:]) + "\n",
                                  encoding="utf-8")


if __name__ == "__main__":
    main()
