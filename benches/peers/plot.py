#!/usr/bin/env python3
"""Draws throughput over the number of indicators, one line for each tool, from what
measure.py left (bar `scale`, JSON). Standard library only.

  benches/peers/plot.py [RESULTS [SVG]]     (target/peers/results.tsv, docs/throughput.svg)
"""

import csv
import math
import os
import sys

WIDTH, HEIGHT = 720, 420
LEFT, RIGHT, TOP, BOTTOM = 70, 150, 30, 60
# Told apart without colour, too: each has its own mark.
LOOKS = {
    "wiresift": ("#0b6e4f", "circle"),
    "matchy": ("#c1440e", "square"),
    "rg": ("#6b6b6b", "cross"),
    "grep -F -f": ("#33658a", "diamond"),
    "rg -F -f": ("#8a5a83", "triangle"),
}


def read(path):
    """MB/s by tool and number of indicators; the date of the newest row."""
    rates, date = {}, ""
    with open(path, newline="", encoding="utf8") as rows:
        for row in csv.DictReader(rows, delimiter="\t", quoting=csv.QUOTE_NONE):
            if row["bench"] == "scale" and row["corpus"] == "zeek_json" and row["mb_per_s"]:
                rates.setdefault(row["tool"], {})[int(row["indicators"])] = float(row["mb_per_s"])
                date = max(date, row["date"])
    return rates, date


def powers(low, high):
    """The powers of ten that enclose a range."""
    return range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)


def label(power, unit=""):
    value = 10**power
    for limit, suffix in ((10**6, " M"), (10**3, " k")):
        if not unit and value >= limit:
            return f"{value // limit}{suffix}"
    return f"{value:g}{unit}"


def mark(shape, x, y, colour):
    r = 4
    points = {
        "square": [(-r, -r), (r, -r), (r, r), (-r, r)],
        "diamond": [(0, -r - 1), (r + 1, 0), (0, r + 1), (-r - 1, 0)],
        "triangle": [(0, -r - 1), (r + 1, r), (-r - 1, r)],
    }
    if shape == "circle":
        return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{r}" fill="{colour}"/>'
    if shape == "cross":
        return (f'<path d="M{x - r:.1f} {y - r:.1f}l{2 * r} {2 * r}m0 {-2 * r}l{-2 * r} {2 * r}" '
                f'stroke="{colour}" stroke-width="2"/>')
    corners = " ".join(f"{x + dx:.1f},{y + dy:.1f}" for dx, dy in points[shape])
    return f'<polygon points="{corners}" fill="{colour}"/>'


def draw(rates, date):
    sizes = sorted({size for of in rates.values() for size in of})
    speeds = [speed for of in rates.values() for speed in of.values()]
    xs, ys = powers(sizes[0], sizes[-1]), powers(min(speeds), max(speeds))

    def scaled(value, range_, start, length):
        low, high = range_[0], max(range_[-1], range_[0] + 1)
        return start + (math.log10(value) - low) / (high - low) * length

    def x(size):
        return scaled(size, xs, LEFT, WIDTH - LEFT - RIGHT)

    def y(speed):
        return scaled(speed, ys, HEIGHT - BOTTOM, -(HEIGHT - TOP - BOTTOM))

    def text(at_x, at_y, words, anchor="middle", colour="#333", more=""):
        return f'<text x="{at_x:.1f}" y="{at_y:.1f}" text-anchor="{anchor}" fill="{colour}"{more}>{words}</text>'

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" '
        'font-family="sans-serif" font-size="12" role="img" '
        'aria-label="Throughput over the number of indicators">',
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#fff"/>',
    ]
    for power in xs:
        at = x(10**power)
        parts.append(f'<path d="M{at:.1f} {TOP}V{HEIGHT - BOTTOM}" stroke="#ddd"/>')
        parts.append(text(at, HEIGHT - BOTTOM + 18, label(power)))
    for power in ys:
        at = y(10**power)
        parts.append(f'<path d="M{LEFT} {at:.1f}H{WIDTH - RIGHT}" stroke="#ddd"/>')
        parts.append(text(LEFT - 8, at + 4, label(power, " "), "end"))
    parts.append(text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - BOTTOM + 40,
                      f"indicators (JSON log, one thread, {date})"))
    middle = (TOP + HEIGHT - BOTTOM) / 2
    parts.append(text(18, middle, "MB/s", more=f' transform="rotate(-90 18 {middle:.1f})"'))
    # Labels stand at the ends of the lines, the slowest lowest, and never on each other.
    free = HEIGHT - BOTTOM
    for tool in sorted(rates, key=lambda tool: rates[tool][max(rates[tool])]):
        colour, shape = LOOKS.get(tool, ("#000", "circle"))
        points = [(x(size), y(speed)) for size, speed in sorted(rates[tool].items())]
        if len(points) > 1:
            path = " ".join(f"{px:.1f},{py:.1f}" for px, py in points)
            parts.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>')
        parts += [mark(shape, px, py, colour) for px, py in points]
        at = min(points[-1][1] + 4, free)
        free = at - 14
        name = {"rg": "rg -c (reading alone)"}.get(tool, tool)
        parts.append(text(WIDTH - RIGHT + 10, at, name, "start", colour))
    parts.append("</svg>")
    return "\n".join(parts) + "\n"


def main():
    source = sys.argv[1] if len(sys.argv) > 1 else "target/peers/results.tsv"
    target = sys.argv[2] if len(sys.argv) > 2 else "docs/throughput.svg"
    if not os.path.exists(source):
        sys.exit(f"{source} is not there: benches/peers/run.sh --only scale")
    rates, date = read(source)
    if not rates:
        sys.exit(f"{source} has no rows of the bar `scale`: benches/peers/run.sh --only scale")
    with open(target, "w", encoding="utf8") as out:
        out.write(draw(rates, date))
    print(target)


if __name__ == "__main__":
    main()
