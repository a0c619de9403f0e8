"""Beat: two of them send a job once, a servers' outage ends none, and what staff changed in the schedule stays."""

from __future__ import annotations

import signal
import threading
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from celery import current_app, schedules
from django.db import connection
from django_celery_beat.models import CrontabSchedule, IntervalSchedule, PeriodicTask
from kombu import Connection

from smartcourse.embedded.processes import wait_until
from smartcourse.queues.models import ScheduledRun
from smartcourse.queues.schedule import seed_schedule
from smartcourse.queues.scheduler import ClaimingScheduler, claim, database_time, moment_due
from smartcourse.queues.tasks import sweep_scheduled_runs
from smartcourse.queues.tests.conftest import AppOf
from smartcourse.queues.tests.processes import CeleryProcess, celery
from smartcourse.queues.tests.proxy import Proxy

JOB = "tick"


@pytest.fixture
def job(db: None) -> PeriodicTask:
    PeriodicTask.objects.all().delete()
    every_second, _ = IntervalSchedule.objects.get_or_create(every=1, period=IntervalSchedule.SECONDS)
    return PeriodicTask.objects.create(name=JOB, task="probes.do", queue="reports", interval=every_second)


class Sent:
    """The messages in the queue of the test's job, each with the second it was sent in."""

    def __init__(self, url: str) -> None:
        self.link = Connection(url)
        self.channel = self.link.default_channel

    def count(self) -> int:
        return int(self.channel.client.llen("reports"))


@pytest.fixture
def sent(redis_url: str) -> Iterator[Sent]:
    sent = Sent(redis_url)
    sent.channel.client.delete("reports")
    yield sent
    sent.channel.client.delete("reports")
    sent.link.release()


@contextmanager
def beat(name: str, folder: Path, broker: str, **environment: str) -> Iterator[CeleryProcess]:
    schedule = {"SWEEP_INTERVAL_SECONDS": "3600", "COLLECT_DEAD_LETTERS_SECONDS": "3600", **environment}
    pid = f"--pidfile={folder / name}.pid"
    with celery("beat", pid, broker=broker, folder=folder, name=name, **schedule) as process:
        process.wait_for("beat: Starting")
        yield process


def runs() -> list[datetime]:
    return list(ScheduledRun.objects.filter(job=JOB).order_by("due_at").values_list("due_at", flat=True))


@pytest.mark.slow
@pytest.mark.full
@pytest.mark.django_db(transaction=True)
@pytest.mark.xdist_group("workers")
class TestTwoBeats:
    def test_send_a_job_once_for_each_moment_it_is_due(
        self, job: PeriodicTask, sent: Sent, redis_url: str, tmp_path: Path
    ) -> None:
        with beat("one", tmp_path, redis_url) as one, beat("two", tmp_path, redis_url) as two:
            assert wait_until(lambda: len(runs()) >= 8, timeout=30), one.log + two.log
        # Claimed and sent in one transaction, unless a beat was killed between the two.
        assert abs(sent.count() - len(runs())) <= 1
        both = Counter(
            {name: log.count("beat has sent a job") for name, log in (("1", one.log), ("2", two.log))}
        )
        print(f"{sent.count()} sent for {len(runs())} moments, by {dict(both)}")  # noqa: T201 - figures
        assert max(Counter(runs()).values()) == 1

    def test_of_which_one_was_stopped_for_a_while_send_nothing_twice(
        self, job: PeriodicTask, sent: Sent, redis_url: str, tmp_path: Path
    ) -> None:
        with beat("one", tmp_path, redis_url) as one, beat("two", tmp_path, redis_url) as two:
            assert wait_until(lambda: len(runs()) >= 2, timeout=30), one.log + two.log
            one.send(signal.SIGSTOP)
            stopped_at = len(runs())
            assert wait_until(lambda: len(runs()) >= stopped_at + 4, timeout=60), two.log
            one.send(signal.SIGCONT)
            assert wait_until(lambda: len(runs()) >= stopped_at + 7, timeout=30), one.log + two.log
        assert abs(sent.count() - len(runs())) <= 1


@pytest.mark.slow
@pytest.mark.full
@pytest.mark.django_db(transaction=True)
@pytest.mark.xdist_group("workers")
class TestOutage:
    def test_of_the_database_is_outlived(
        self, job: PeriodicTask, sent: Sent, redis_url: str, tmp_path: Path
    ) -> None:
        settings = connection.settings_dict
        proxy = Proxy(settings["HOST"], int(settings["PORT"] or 5432))
        address = (
            f"postgres://{settings['USER']}:{settings['PASSWORD']}@127.0.0.1:{proxy.port}/{settings['NAME']}"
        )
        with beat("one", tmp_path, redis_url, DATABASE_URL=address) as one:
            assert wait_until(lambda: len(runs()) >= 2, timeout=20), one.log
            proxy.close()
            assert wait_until(lambda: one.log.count("refused") >= 3, timeout=20), one.log
            before = len(runs())
            proxy = Proxy(settings["HOST"], int(settings["PORT"] or 5432), port=proxy.port)
            assert wait_until(lambda: len(runs()) >= before + 2, timeout=30), one.log
            assert one.process.poll() is None
        proxy.close()

    def test_of_the_broker_is_outlived(
        self, job: PeriodicTask, sent: Sent, redis_url: str, tmp_path: Path
    ) -> None:
        info = Connection(redis_url)
        proxy = Proxy(info.hostname, info.port)
        through = redis_url.replace(f"{info.hostname}:{info.port}", f"127.0.0.1:{proxy.port}")
        with beat("one", tmp_path, through, BROKER_PAUSE_SECONDS="1") as one:
            assert wait_until(lambda: sent.count() >= 2, timeout=20), one.log
            proxy.silence()
            one.wait_for("could not send")
            before = sent.count()
            proxy.heal()
            assert wait_until(lambda: sent.count() >= before + 2, timeout=20), one.log
            assert one.process.poll() is None
        proxy.close()


@pytest.mark.django_db
class TestClaim:
    def test_is_given_once(self) -> None:
        due_at = datetime(2026, 3, 1, 4, 0, tzinfo=UTC)
        assert claim(job=JOB, due_at=due_at)
        assert not claim(job=JOB, due_at=due_at)
        assert claim(job=JOB, due_at=due_at + timedelta(days=1))
        assert claim(job="another", due_at=due_at)

    def test_of_an_interval_is_for_the_interval_that_the_database_is_in(self, job: PeriodicTask) -> None:
        entry = ClaimingScheduler.Entry(job, app=current_app)
        before, due_at, after = database_time(), moment_due(entry), database_time()
        assert before.replace(microsecond=0) <= due_at <= after
        assert due_at.microsecond == 0

    def test_of_a_daily_job_is_for_the_same_minute_however_late_a_beat_is(self, job: PeriodicTask) -> None:
        job.interval, job.crontab = None, CrontabSchedule.objects.create(minute="0", hour="4", timezone="UTC")
        due = set()
        for last_run_at in (
            datetime(2026, 3, 1, 4, 0, 7, tzinfo=UTC),
            datetime(2026, 3, 2, 3, 59, tzinfo=UTC),
        ):
            job.last_run_at = last_run_at
            due.add(moment_due(ClaimingScheduler.Entry(job, app=current_app)))
        assert due == {datetime(2026, 3, 2, 4, 0, tzinfo=UTC)}

    def test_is_forgotten_after_some_days(self, settings) -> None:
        now = database_time()
        for age in (1, settings.SCHEDULED_RUN_KEEP_DAYS + 1):
            then = now - timedelta(days=age)
            ScheduledRun.objects.create(job=JOB, due_at=then, claimed_at=then)
        sweep_scheduled_runs()
        assert ScheduledRun.objects.filter(job=JOB).count() == 1

    @pytest.mark.django_db(transaction=True)
    def test_of_a_daily_job_that_could_not_be_sent_is_given_back_and_sent_late(
        self, job: PeriodicTask, app_of: AppOf
    ) -> None:
        job.interval, job.crontab = None, CrontabSchedule.objects.create(minute="0", hour="4", timezone="UTC")
        job.last_run_at = datetime(2026, 3, 1, 4, 0, tzinfo=UTC)
        scheduler = ClaimingScheduler(app=current_app, lazy=True)
        entry = ClaimingScheduler.Entry(job, app=current_app)
        app_of("amqp://127.0.0.1:1//")
        scheduler.apply_entry(entry)
        assert runs() == []
        app_of("memory://")
        scheduler.tick()
        assert runs() == [datetime(2026, 3, 2, 4, 0, tzinfo=UTC)]


@pytest.mark.django_db
class TestSeed:
    def test_follows_the_settings_until_staff_change_a_job(self, settings) -> None:
        def every(seconds: float) -> None:
            entry = {"task": "events.sweep_deliveries", "schedule": timedelta(seconds=seconds)}
            settings.CELERY_BEAT_SCHEDULE = {
                "sweep": {**entry, "options": {"queue": "scheduled", "expires": 30}}
            }
            seed_schedule()

        every(5)
        job = PeriodicTask.objects.get(name="sweep")
        assert (job.interval.every, job.queue, job.expire_seconds) == (5, "scheduled", 30)
        every(7)
        job.refresh_from_db()
        assert job.interval.every == 7
        job.enabled = False
        job.save()
        every(9)
        job.refresh_from_db()
        assert (job.enabled, job.interval.every) == (False, 7)

    def test_knows_fractions_of_a_second_and_calendars(self, settings) -> None:
        settings.CELERY_BEAT_SCHEDULE = {
            "often": {"task": "a.b", "schedule": timedelta(seconds=0.5)},
            "daily": {"task": "a.b", "schedule": schedules.crontab(minute="0", hour="4")},
        }
        assert seed_schedule() == ["often", "daily"]
        assert PeriodicTask.objects.get(name="often").schedule.run_every == timedelta(seconds=0.5)
        assert PeriodicTask.objects.get(name="daily").crontab.hour == "4"
        assert seed_schedule() == []

    def test_bears_an_interval_that_staff_made_twice(self, settings) -> None:
        for _ in range(2):
            IntervalSchedule.objects.create(every=11, period=IntervalSchedule.SECONDS)
        settings.CELERY_BEAT_SCHEDULE = {"often": {"task": "a.b", "schedule": timedelta(seconds=11)}}
        assert seed_schedule() == ["often"]

    def test_was_done_by_migrate(self, settings) -> None:
        assert PeriodicTask.objects.filter(name__in=settings.CELERY_BEAT_SCHEDULE).count() == len(
            settings.CELERY_BEAT_SCHEDULE
        )


@pytest.mark.django_db(transaction=True)
class TestSeedOfSeveralBeats:
    def test_makes_one_interval(self, settings) -> None:
        settings.CELERY_BEAT_SCHEDULE = {"often": {"task": "a.b", "schedule": timedelta(seconds=13)}}
        beats = 8
        ready = threading.Barrier(beats)

        def seed(_: int) -> list[str]:
            ready.wait()
            try:
                return seed_schedule()
            finally:
                connection.close()

        with ThreadPoolExecutor(beats) as pool:
            written = list(pool.map(seed, range(beats)))
        assert sorted(written) == [*[[]] * (beats - 1), ["often"]]
        assert IntervalSchedule.objects.filter(every=13).count() == 1
