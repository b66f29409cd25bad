"""A chart as SVG, without scripts or styles of its own. Pure."""

from collections import Counter
from collections.abc import Iterable

from markupsafe import Markup, escape

from odoorway.journal.found import Beat

RANGES = {"1h": (60, 1), "24h": (96, 15), "7d": (84, 120)}  # bars, and minutes of a bar
_WIDTH, _HEIGHT = 960, 150


def chart(beats: Iterable[Beat], span: str, now: float) -> Markup:
    """Return bars of what was received, with what was delivered and died in front."""
    bars, minutes = RANGES[span]
    last = int(now // 60) // minutes
    count: Counter[tuple[int, str]] = Counter()
    for beat in beats:
        count[beat.minute // minutes - last + bars - 1, beat.what] += beat.count
    highest = max(count.values(), default=0) or 1
    wide = _WIDTH / bars
    shapes = []
    for (bar, what), number in sorted(count.items(), key=lambda item: item[0][1] != "received"):
        if 0 <= bar < bars:
            high = max(2.0, number / highest * (_HEIGHT - 24))
            inset = 0.0 if what == "received" else wide * 0.25
            shapes.append(
                f'<rect class="{escape(what)}" x="{bar * wide + inset + 1:.1f}"'
                f' y="{_HEIGHT - 12 - high:.1f}" width="{wide - 2 * inset - 2:.1f}"'
                f' height="{high:.1f}"><title>{number} {escape(what)}</title></rect>'
            )
    label = f"Received and delivered in the last {span}, at most {highest} in {minutes} minutes"
    return Markup(  # noqa: S704 - numbers and our own words; names are escaped above
        f'<svg class="chart" viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" aria-label="{label}"'
        f' preserveAspectRatio="none"><line x1="0" x2="{_WIDTH}" y1="{_HEIGHT - 12}"'
        f' y2="{_HEIGHT - 12}"/>{"".join(shapes)}</svg>'
    )
