# SPDX-FileCopyrightText: divot contributors
# SPDX-License-Identifier: MIT
"""SVG by hand: a canvas that collects elements, in the style of the other pictures."""
from html import escape

COLOURS = ["#2463ae", "#c8432b", "#2d8659", "#7d4fa8", "#b07a16", "#1f7a8c", "#d1661f", "#6b7280",
           "#a03a6b", "#4c6b1f"]
TEXT, LINES = "#5b6268", "#9aa0a6"


def number(x):
    return f"{x:.1f}".removesuffix(".0")


class Canvas:
    def __init__(self, width, height, shows):
        self.head = (f'<svg role="img" aria-label="{escape(shows)}" xmlns="http://www.w3.org/2000/svg" '
                     f'width="{width}" height="{height}" viewBox="0 0 {width} {height}" '
                     f'font-family="Helvetica, Arial, sans-serif" font-size="13" fill="{TEXT}">')
        self.parts = [f'<rect width="{width}" height="{height}" fill="#ffffff"/>']

    def text(self, x, y, words, anchor="middle", size=None, bold=False, colour=None):
        style = "".join([f' font-size="{size}"' if size else "", ' font-weight="bold"' if bold else "",
                         f' fill="{colour}"' if colour else ""])
        self.parts.append(f'<text x="{number(x)}" y="{number(y)}" text-anchor="{anchor}"{style}>'
                          f'{escape(words)}</text>')

    def path(self, points, colour=LINES, width=1., closed=False, more=""):
        """One line, or several where points is a list of lines."""
        lines = points if points and isinstance(points[0], list) else [points]
        data = "".join("M" + "L".join(f"{number(x)},{number(y)}" for x, y in line) +
                       ("Z" if closed else "") for line in lines)
        self.parts.append(f'<path d="{data}" fill="none" stroke="{colour}" '
                          f'stroke-width="{width:g}"{more}/>')

    def circle(self, x, y, radius, colour, filled=True):
        fill = colour if filled else "#ffffff"
        self.parts.append(f'<circle cx="{number(x)}" cy="{number(y)}" r="{radius:g}" fill="{fill}" '
                          f'stroke="{colour}"/>')

    def clip(self, name, x, y, width, height):
        self.parts.append(f'<clipPath id="{name}"><rect x="{number(x)}" y="{number(y)}" '
                          f'width="{number(width)}" height="{number(height)}"/></clipPath>')
        return f' clip-path="url(#{name})"'

    def write(self, path):
        path.write_text("\n".join([self.head, *self.parts, "</svg>", ""]), encoding="utf-8")
