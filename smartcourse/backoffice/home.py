"""What the admin's home page shows: figures, charts and tables, drawn from nothing but what it is given.

The numbers need every context at once, and the back office stands below all of them; so whoever stands above gives
them, by `provide_home`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date

from django.http import HttpRequest


@dataclass(frozen=True)
class Figure:
    """One number, and the list of what it counts."""

    label: str
    value: int | str
    url: str = ""
    needs_attention: bool = False


@dataclass(frozen=True)
class Bar:
    """One day of a chart; x, y, width and height in units of its view box."""

    label: str
    value: int
    x: int
    y: int
    width: int
    height: int


@dataclass(frozen=True)
class BarChart:
    """Days as bars, `width` by `height` units; `peak` is the value of the highest."""

    width: int
    height: int
    bars: Sequence[Bar]
    peak: int

    @property
    def total(self) -> int:
        """The sum of all days."""
        return sum(bar.value for bar in self.bars)


@dataclass(frozen=True)
class Trend:
    """How one thing went lately: by periods, and day by day."""

    title: str
    periods: Sequence[Figure]
    chart: BarChart


@dataclass(frozen=True)
class Rank:
    """One row of a ranking; `share` of the first row's value, 0 to 100."""

    label: str
    value: int
    url: str
    share: int


@dataclass(frozen=True)
class CourseRow:
    """One course of a teacher; `percentage` is how far its learners are on average, 0 to 100."""

    title: str
    status: str
    url: str
    learners: int
    learners_url: str
    completions: int
    percentage: int


@dataclass(frozen=True)
class Home:
    """The home page: `watch` is what must be looked after, `courses` is None for those who do not teach here."""

    lead: str
    figures: Sequence[Figure]
    trends: Sequence[Trend]
    watch: Sequence[Figure] = ()
    ranking: Sequence[Rank] = ()
    courses: Sequence[CourseRow] | None = None

    @property
    def is_calm(self) -> bool:
        """Whether nothing waits for a person."""
        return not any(figure.needs_attention for figure in self.watch)


def bar_chart(days: Sequence[tuple[date, int]], *, width: int = 600, height: int = 120) -> BarChart:
    """Lay out one bar a day, as high as its share of the highest; a day with anything at all is seen."""
    peak = max((value for _, value in days), default=0)
    step = width // max(len(days), 1)
    bars = []
    for position, (day, value) in enumerate(days):
        tall = max(2, round(height * value / peak)) if value else 0
        bars.append(Bar(f"{day:%d %b}", value, position * step, height - tall, max(1, step - 4), tall))
    return BarChart(width, height, bars, peak)


def ranking(rows: Sequence[tuple[str, int, str]]) -> list[Rank]:
    """Return rows of (label, value, url), highest first, as shares of the first."""
    top = max((value for _, value, _ in rows), default=0)
    return [Rank(label, value, url, round(100 * value / top) if top else 0) for label, value, url in rows]


HomeProvider = Callable[[HttpRequest], Home]
_providers: list[HomeProvider] = []


def provide_home(provider: HomeProvider) -> None:
    """Let the provider say what the home page shows; the last one given does."""
    _providers[:] = [provider]


def home_for(request: HttpRequest) -> Home | None:
    """Return the home page for who is asking; None where nobody provides one."""
    return _providers[0](request) if _providers else None
