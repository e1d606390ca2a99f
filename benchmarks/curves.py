"""Growth curves as SVG: seconds by size, both by powers of ten, each curve named at its end."""

import math
from html import escape

Curve = list[tuple[float, float]]

WIDTH, HEIGHT = 760, 420
LEFT, RIGHT, TOP, BOTTOM = 70, 250, 20, 50
COLOURS = ("#1b6ca8", "#c8553d", "#2a9d8f", "#8a5a9e", "#b8860b", "#5a6b7b", "#d1495b", "#3a7d44", "#264653")
APART = 15  # pixels between the names of two curves


def drawing(curves: dict[str, Curve], along: str, up: str) -> str:
    """The curves, of positive numbers, on scales that hold all of them."""
    every = [point for curve in curves.values() for point in curve]
    across = _Scale([x for x, _ in every], LEFT, WIDTH - RIGHT)
    upwards = _Scale([y for _, y in every], HEIGHT - BOTTOM, TOP)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif" '
        f'font-size="12" role="img" aria-label="{escape(up)} by {escape(along)}">',
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#fff"/>',
    ]
    for power in across.powers:
        x = across.at(power)
        parts.append(f'<path d="M{x:.1f} {TOP}V{HEIGHT - BOTTOM}" stroke="#e3e7eb"/>')
        parts.append(f'<text x="{x:.1f}" y="{HEIGHT - BOTTOM + 18}" text-anchor="middle">{_short(power)}</text>')
    for power in upwards.powers:
        y = upwards.at(power)
        parts.append(f'<path d="M{LEFT} {y:.1f}H{WIDTH - RIGHT}" stroke="#e3e7eb"/>')
        parts.append(f'<text x="{LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">{_short(power)}</text>')
    middle = (LEFT + WIDTH - RIGHT) / 2
    parts.append(f'<text x="{middle}" y="{HEIGHT - 10}" text-anchor="middle">{escape(along)}</text>')
    parts.append(f'<text transform="translate(16 {HEIGHT / 2}) rotate(-90)" text-anchor="middle">{escape(up)}</text>')
    lowest = math.inf
    for number, (name, curve) in enumerate(sorted(curves.items(), key=lambda item: item[1][-1][1])):
        colour = COLOURS[number % len(COLOURS)]
        at = [(across.at(x), upwards.at(y)) for x, y in curve]
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in at)
        parts.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>')
        parts += [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{colour}"/>' for x, y in at]
        lowest = min(at[-1][1], lowest - APART)  # from below upwards, none on top of another
        parts.append(f'<text x="{at[-1][0] + 8:.1f}" y="{lowest + 4:.1f}" fill="{colour}">{escape(name)}</text>')
    return "\n".join([*parts, "</svg>", ""])


class _Scale:
    """Places of numbers by their logarithm, from one power of ten to another."""

    def __init__(self, values: list[float], start: float, end: float) -> None:
        first, last = math.floor(math.log10(min(values))), math.ceil(math.log10(max(values)))
        self.first, self.last, self.start, self.end = first, max(last, first + 1), start, end
        self.powers = [10.0**power for power in range(self.first, self.last + 1)]

    def at(self, value: float) -> float:
        share = (math.log10(value) - self.first) / (self.last - self.first)
        return self.start + share * (self.end - self.start)


def _short(power: float) -> str:
    for unit, name in ((1e6, " M"), (1e3, " k")):
        if power >= unit:
            return f"{power / unit:g}{name}"
    return f"{power:g}"
