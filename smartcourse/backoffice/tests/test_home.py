"""The parts that the home page is made of."""

from __future__ import annotations

from datetime import date, timedelta

from smartcourse.backoffice.home import Figure, Home, bar_chart, ranking

FIRST = date(2026, 2, 27)


def days(*values: int) -> list[tuple[date, int]]:
    return [(FIRST + timedelta(days=n), value) for n, value in enumerate(values)]


class TestBarChart:
    def test_draws_the_highest_day_over_the_whole_height(self) -> None:
        chart = bar_chart(days(1, 4, 2), width=300, height=100)
        assert [(bar.y, bar.height) for bar in chart.bars] == [(75, 25), (0, 100), (50, 50)]
        assert (chart.peak, chart.total) == (4, 7)

    def test_lets_a_day_be_seen_that_is_small_beside_the_highest(self) -> None:
        chart = bar_chart(days(1, 100_000, 0), height=100)
        assert [bar.height for bar in chart.bars] == [2, 100, 0]

    def test_keeps_every_bar_inside_and_apart(self) -> None:
        chart = bar_chart(days(*range(30)), width=600)
        ends = [bar.x + bar.width for bar in chart.bars]
        assert all(end < bar.x for end, bar in zip(ends, chart.bars[1:], strict=False))
        assert ends[-1] <= 600

    def test_draws_nothing_out_of_nothing(self) -> None:
        assert bar_chart([]).total == 0
        assert bar_chart(days(0, 0)).peak == 0

    def test_names_days_as_people_do(self) -> None:
        assert [bar.label for bar in bar_chart(days(1, 1, 1)).bars] == ["27 Feb", "28 Feb", "01 Mar"]


class TestRanking:
    def test_measures_every_row_by_the_first(self) -> None:
        rows = ranking([("A", 8, "/a"), ("B", 2, "/b")])
        assert [row.share for row in rows] == [100, 25]

    def test_stands_rows_of_nothing(self) -> None:
        assert [row.share for row in ranking([("A", 0, "")])] == [0]


class TestHome:
    def test_is_calm_until_a_figure_needs_attention(self) -> None:
        waiting, failed = Figure("Waiting", 3), Figure("Failed", 1, needs_attention=True)
        assert Home("", [], [], watch=[waiting]).is_calm
        assert not Home("", [], [], watch=[waiting, failed]).is_calm
