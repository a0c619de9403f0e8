"""F7: a worker dies at a step of a process; another goes on within 30 seconds, and each effect is there once."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from smartcourse.testing.long import FULL
from smartcourse.tests.faults.checks import check_once, drained
from smartcourse.tests.faults.platform import Platform
from smartcourse.tests.faults.stories import PAID, STORIES, Story
from smartcourse.tests.faults.waiting import eventually
from smartcourse.workflows.definitions import Wait, all_processes, process_called

RESUMED_WITHIN = 30
# The boundary before the step, the moment before its commit, and the boundary behind it.
MOMENTS = ("before", "mid", "after")
DEATHS = """
    SELECT death.place, extract(epoch FROM (
        SELECT min(at) FROM faults_trace later WHERE later.subject_id = death.subject_id AND later.id > death.id
    ) - death.at)::float AS seconds
    FROM faults_trace death WHERE death.mode LIKE 'kill%%' AND death.subject_id = ANY(%s::uuid[])
"""


# `smartcourse/tests/test_privacy.py` has a worker die in the midst of each of their steps.
KILLED_ELSEWHERE = {"export", "erasure"}
# Every process, and every way through it.
WAYS = (*STORIES.values(), PAID)


def killed(story: Story) -> list[str]:
    """Return every place that a worker can die at on that way; where there is nothing to wait for, nobody passes."""
    steps = process_called(story.process).steps
    chosen = [step for step in steps if isinstance(step, Wait) == story.waits]
    return [f"{story.process}.{step.name}.{moment}" for step in chosen for moment in MOMENTS]


def told(platform: Platform, name: str, subjects: list[str]) -> str:
    """Check that each death was followed by somebody who went on in time, and say how soon."""
    deaths = platform.rows(DEATHS, subjects)
    # Behind the last step there is nothing left to go on with.
    waited = [row["seconds"] for row in deaths if row["seconds"] is not None]
    assert all(seconds < RESUMED_WITHIN for seconds in waited), waited
    longest = f", gone on with after {max(waited):.1f} s at most" if waited else ""
    return f"F7 {platform.kind}, {name}: {len(deaths)} workers killed{longest}; each effect once"


@pytest.fixture
def kept(platform: Platform) -> Platform:
    """The installation, with a worker to kill and everything that the processes need."""
    platform.start("web1", "worker1", "relay1", "beat1")
    return platform


def test_every_process_has_its_story() -> None:
    named = {process.name for process in all_processes()}
    assert named - KILLED_ELSEWHERE == set(STORIES)


class TestKilledWorker:
    @pytest.mark.skipif(FULL, reason="the quick form of the others")
    def test_at_one_step_of_each_process_at_once(
        self, kept: Platform, figures: Callable[[str], None]
    ) -> None:
        scenes = [(story, story.prepare(kept)) for story in WAYS]
        for story in WAYS:
            kept.break_at(killed(story)[-2], "kill")
        kept.break_at("enrollment.initialise_progress.before", "kill group")
        with kept.revived("worker1"):
            begun = [(story, story.begin(kept, scene)) for story, scene in scenes]
            for story, subject in begun:
                eventually(
                    lambda story=story, subject=subject: story.ended(kept, subject),
                    RESUMED_WITHIN,
                    f"{story.process} did not end",
                )
            drained(kept, within=60)
        for story, subject in begun:
            story.check_done(kept, subject)
        check_once(kept)
        subjects = [subject for _, subject in begun]
        assert len(kept.rows(DEATHS, subjects)) >= len(subjects), "a worker died over each of them"
        figures(told(kept, "all processes at once", subjects))

    @pytest.mark.full
    @pytest.mark.parametrize("story", WAYS, ids=str)
    def test_at_every_step(self, kept: Platform, figures: Callable[[str], None], story: Story) -> None:
        # The worst for each: RabbitMQ gives a dead worker's messages to the next one, and keeps those of a dead child's
        # worker; Redis forgets for half an hour what a child had, and the sweeper has to find it.
        mode = "kill group" if kept.kind == "RabbitMQ" else "kill"
        subjects: list[str] = []
        with kept.revived("worker1"):
            for place in killed(story):
                scene = story.prepare(kept)
                # A whole worker takes along what else it has in hand: nothing but this story.
                drained(kept, within=60)
                kept.break_at(place, mode)
                subjects.append(story.begin(kept, scene))
                eventually(
                    lambda: story.ended(kept, subjects[-1]), RESUMED_WITHIN, f"killed at {place}, for good"
                )
                story.check_done(kept, subjects[-1])
            drained(kept, within=60)
        check_once(kept)
        assert len(kept.rows(DEATHS, subjects)) == len(subjects), "each of them died once"
        figures(told(kept, f"{story} ({mode})", subjects))


@pytest.mark.full
class TestRetriesThatEnd:
    @pytest.mark.parametrize("story", WAYS, ids=str)
    def test_undo_what_was_done_though_the_worker_dies_undoing(
        self, kept: Platform, figures: Callable[[str], None], story: Story
    ) -> None:
        process = process_called(story.process)
        scene = story.prepare(kept)
        kept.break_at(f"{process.name}.{process.steps[-1].name}.mid", "raise", times=50)
        undoing = [f"{process.name}.{step.name}.undo.mid" for step in process.steps if step.compensate]
        for place in undoing:
            kept.break_at(place, "kill")
        with kept.revived("worker1"):
            subject = story.begin(kept, scene)
            eventually(lambda: story.ended(kept, subject), RESUMED_WITHIN, "it was not given up")
            kept.mend()
            drained(kept, within=60)
        story.check_undone(kept, subject)
        check_once(kept)
        assert len(kept.rows(DEATHS, [subject])) == len(undoing), "each undoing killed a worker once"
        figures(f"F7 {kept.kind}, {story}: undone, {len(undoing)} workers killed while they undid it")
