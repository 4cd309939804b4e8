"""Who files when: a believable pattern, drawn from one `Random`. Pure but for the clock's arithmetic."""

import datetime as dt
from dataclasses import dataclass
from random import Random

from core import clock

# Shares of the schools, and how they file: on time, late; the rest is missed.
HABITS = [(0.78, (0.955, 0.035)), (0.17, (0.76, 0.18)), (0.05, (0.52, 0.26))]
BACK_FILLED = 0.55
EXCUSED = 0.15
ALREADY_FILED_THIS_WEEK = 0.45
# Day of the week of punctual reports, Monday to Friday.
DAYS = [3, 8, 17, 32, 40]
# Newest closed weeks that a school which stands out has missed.
FLAGGED, STREAK_TWO, STREAK_ONE = 3, 2, 1


@dataclass
class Habit:
    """One school's ways. `misses` newest closed weeks are missed, the one before them is filed."""

    on_time: float
    late: float
    misses: int = 0
    stands_out: bool = False
    is_home: bool = False
    streak: int = 0


def habits(count: int, *, eligible: list[int], home: int, rng: Random) -> list[Habit]:
    """One habit for each of `count` schools; those with a streak are chosen among `eligible`, in order."""
    found = []
    for _ in range(count):
        _, (on_time, late) = rng.choices(HABITS, [one[0] for one in HABITS])[0]
        found.append(Habit(on_time, late))
    found[home].on_time, found[home].late, found[home].is_home = 0.96, 0.04, True
    chosen = [n for n in eligible if n != home]
    # The first few are neighbours of the home school; the others lie anywhere.
    few = max(1, round(count * 0.012))
    near, far = chosen[:3], rng.sample(chosen[3:], 4 * few)
    for n, misses in zip(
        [*near, *far],
        [FLAGGED, STREAK_TWO, STREAK_ONE, *[STREAK_TWO] * few, *[STREAK_ONE] * 3 * few],
        strict=True,
    ):
        found[n].misses, found[n].stands_out = misses, True
    return found


def outcome(habit: Habit, weeks_ago: int, rng: Random) -> str:
    """What a school does in a closed week: "on_time", "late" or "missed". Keeps the habit's streak.

    `weeks_ago` is 1 for the newest closed week. No streak reaches three but the flagged one's.
    """
    recent = weeks_ago <= FLAGGED + 1
    if habit.misses and weeks_ago <= habit.misses:
        what = "missed"
    elif (recent and habit.stands_out) or (habit.is_home and weeks_ago < 8):
        what = "on_time"
    elif weeks_ago == 1:
        what = "late" if rng.random() < habit.late else "on_time"
    else:
        draw = rng.random()
        what = (
            "on_time" if draw < habit.on_time else "late" if draw < habit.on_time + habit.late else "missed"
        )
        if what == "missed" and habit.streak == 2:
            what = "late"
    habit.streak = habit.streak + 1 if what == "missed" else 0
    return what


def _office_hour(rng: Random, *, until: int = 18) -> dt.time:
    return dt.time(rng.randrange(8, until), rng.randrange(60), rng.randrange(60))


def on_time(starts_on: dt.date, due_at: dt.datetime, rng: Random) -> dt.datetime:
    """Within office hours of the week, before it is due."""
    due_day = clock.local(due_at).date()
    days = (due_day - starts_on).days + 1
    day = starts_on + dt.timedelta(days=rng.choices(range(min(days, 5)), DAYS[-min(days, 5) :])[0])
    at = clock.at(day, _office_hour(rng))
    return at if at < due_at else due_at - dt.timedelta(minutes=rng.randrange(1, 240))


def late(due_at: dt.datetime, closes_at: dt.datetime, rng: Random) -> dt.datetime:
    """From due until the close; the very instant of due counts as late."""
    seconds = int((closes_at - due_at).total_seconds())
    return due_at + dt.timedelta(seconds=int(seconds * rng.random() ** 2))


def back_filled(closes_at: dt.datetime, rng: Random) -> dt.datetime:
    day = clock.local(closes_at).date() + dt.timedelta(days=rng.randrange(1, 9))
    return clock.at(day, _office_hour(rng))
