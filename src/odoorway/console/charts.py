"""Charts as SVG, without scripts or styles of their own. Pure."""

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from markupsafe import Markup, escape

from odoorway.console.latency import counted, quantile
from odoorway.console.units import age, seconds
from odoorway.journal.found import Beat, Took

RANGES = {"1h": (60, 1), "24h": (96, 15), "7d": (84, 120)}  # bars, and minutes of a bar
HOURS = 168  # of a trend
_WIDTH, _HEIGHT = 960.0, 150.0
_INSETS = {"received": 0.0, "delivered": 0.12, "dead": 0.3}  # what is drawn over what
_FASTEST = -3  # the scale of durations begins with a millisecond


@dataclass(frozen=True, slots=True)
class Chart:
    """A drawing, and what stands beside it."""

    svg: Markup
    scale: tuple[str, ...]  # from top to bottom, at equal distances
    since: str  # where it begins


@dataclass(frozen=True, slots=True)
class _Bar:
    at: int  # from the left
    share: float  # of the height
    kind: str
    title: str
    inset: float = 0.0  # share of the width that stays free on each side


def flow_chart(beats: Iterable[Beat], span: str, now: float) -> Chart:
    """Return what was received, with what was delivered and died in front."""
    bars, minutes = RANGES[span]
    count: Counter[tuple[int, str]] = Counter()
    for beat in beats:
        count[_place(beat.minute, span, now), beat.what] += beat.count
    top = _round_up(max(count.values(), default=0) or 1)
    shapes = [
        _Bar(at, n / top, what, f"{n} {what}", inset)
        for kind, inset in _INSETS.items()
        for (at, what), n in count.items()
        if what == kind
    ]
    label = f"Received and delivered in the last {span}, in steps of {minutes} minutes"
    return Chart(_drawn(shapes, bars, label), (str(top), "0"), _ago(span))


def latency_chart(took: Iterable[Took], span: str, now: float, what: str) -> Chart:
    """Return the seconds that half, and nineteen of twenty, stayed under; the scale is decimal."""
    bars, _ = RANGES[span]
    groups: dict[int, list[Took]] = defaultdict(list)
    for one in took:
        groups[_place(one.minute, span, now)].append(one)
    counts = {at: counted(group) for at, group in groups.items()}
    known = [bound for bounds in counts.values() for bound in bounds if bound < math.inf]
    top = max(0, math.ceil(math.log10(max(known, default=1.0))))
    shapes = [bar for at, bounds in counts.items() for bar in _durations(at, bounds, top)]
    scale = tuple(seconds(10.0**power) for power in range(top, _FASTEST - 1, -1))
    label = f"{what} in the last {span}: seconds for half, and for nineteen of twenty"
    return Chart(_drawn(shapes, bars, label, len(scale) - 1), scale, _ago(span))


def trend(hours: Iterable[tuple[int, int]], now: float) -> Chart:
    """Return how many came in each hour of the last seven days."""
    first = int(now // 3600) - HOURS + 1
    found = [(hour - first, n) for hour, n in hours if hour >= first]
    top = max((n for _, n in found), default=1)
    shapes = [
        _Bar(at, n / top, "dead", f"{n}, {age((HOURS - 1 - at) * 3600.0)} ago", -0.5)
        for at, n in found
    ]
    return Chart(_drawn(shapes, HOURS, "How many came in each hour of seven days"), (), _ago("7d"))


def _durations(at: int, bounds: dict[float, int], top: int) -> Iterator[_Bar]:
    total = sum(bounds.values())
    for share, kind, inset in ((0.95, "most", 0.0), (0.5, "half", 0.25)):
        within = quantile(bounds, share)
        if within is not None:
            high = min(1.0, (math.log10(min(within, 1e9)) - _FASTEST) / (top - _FASTEST))
            yield _Bar(at, high, kind, f"{share:.0%} of {total} within {seconds(within)}", inset)


def _place(minute: int, span: str, now: float) -> int:
    """Return the bar of that minute, counted from the left."""
    bars, minutes = RANGES[span]
    return minute // minutes - int(now // 60) // minutes + bars - 1


def _ago(span: str) -> str:
    return f"{span[:-1]} {span[-1]} ago"


def _round_up(number: int) -> int:
    """Return the next number that reads well."""
    power = 10 ** (len(str(number)) - 1)
    return int(next(step * power for step in (1, 2, 5, 10) if step * power >= number))


def _drawn(bars: Iterable[_Bar], count: int, label: str, lines: int = 1) -> Markup:
    wide = _WIDTH / count
    grid = "".join(_line(_HEIGHT * number / lines) for number in range(lines + 1))
    shapes = "".join(_rectangle(bar, wide) for bar in bars if 0 <= bar.at < count)
    return Markup(  # noqa: S704 - numbers and our own words; names are escaped below
        f'<svg class="chart" viewBox="0 0 {_WIDTH:.0f} {_HEIGHT:.0f}" role="img"'
        f' aria-label="{escape(label)}" preserveAspectRatio="none">{grid}{shapes}</svg>'
    )


def _line(y: float) -> str:
    return f'<line x1="0" x2="{_WIDTH:.0f}" y1="{y:.1f}" y2="{y:.1f}"/>'


def _rectangle(bar: _Bar, wide: float) -> str:
    high = max(2.0, bar.share * _HEIGHT)
    inset = wide * bar.inset + min(1.0, wide / 10)
    return (
        f'<rect class="{escape(bar.kind)}" x="{bar.at * wide + inset:.1f}"'
        f' y="{_HEIGHT - high:.1f}" width="{wide - 2 * inset:.1f}" height="{high:.1f}">'
        f"<title>{escape(bar.title)}</title></rect>"
    )
