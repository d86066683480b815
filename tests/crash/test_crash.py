#!/usr/bin/env python3
"""Kills and losses of power at every moment of a run: every change that it makes to its
files is recorded, then every state that a crash could leave is made and judged by stock
HDF5, see replay.c.

    test_crash.py SPLENIUM RECORDER REPLAY [TEST]...
"""

import os
import pathlib
import re
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "cli"))

from command import COMMAND, environment, write_pair
from support.tap import equal, holds, main, test

RECORDER, REPLAY = (str(pathlib.Path(word).resolve()) for word in sys.argv[2:4])

# Each row of the list is a different mixture of types, widths and periods of the streams.
MONITORS = [
    "[{name: tavg, kind: temporal_average, period: 10, variables: [V, W], dtype: f4},"
    " {name: sub, kind: subsample, period: 30, variables: [V, Z], dtype: f8},"
    " {name: mean, kind: global_average, period: 100},"
    " {name: bold, kind: bold, period: 2000}]",
    "[{name: tavg, kind: temporal_average, period: 8}]",
    "[{name: bold, kind: bold, period: 500}, {name: mean, kind: global_average, period: 5}]",
]
SHORT = ["--set", "output.flush_every=1", "--set", "simulation.threads=1", "-q"]
STATES = 10_000

COUNTS = re.compile(
    r"entries (\d+), kill points (\d+) \+ torn (\d+) \((\d+) without a file\), "
    r"power losses (\d+) \((\d+) without a file\): unreadable (\d+), wrong (\d+), "
    r"behind (\d+)\n"
)


def words(number, duration="40 s"):
    return [
        "run", "../two.zip", "-o", "out.h5", *SHORT,
        "--set", f"simulation.duration={duration}",
        "--set", f"simulation.seed={number}",
        "--set", "noise={kind: additive, nsig: {V: 1.0e-4}}",
        "--set", f"monitors={MONITORS[number % len(MONITORS)]}",
    ]  # fmt: skip


def run(folder, command, env=None):
    done = subprocess.run(
        [COMMAND, *command], cwd=folder, env=env or environment(), capture_output=True
    )
    equal((done.returncode, done.stderr.decode()), (0, ""))


def record(number, duration="40 s"):
    """The same run twice, the second one recorded; the folders say which run it is."""
    log = f"log{number}"
    for folder in ("reference", "recorded", "scratch"):
        os.makedirs(f"{folder}{number}")
    run(f"reference{number}", words(number, duration))
    run(
        f"recorded{number}",
        words(number, duration),
        environment(LD_PRELOAD=RECORDER, CRASH_LOG=f"../{log}", CRASH_FOLDER="."),
    )
    return log


def replay(number, *options):
    done = subprocess.run(
        [
            REPLAY,
            *options,
            f"log{number}",
            "out.h5",
            f"reference{number}/out.h5",
            f"scratch{number}",
        ],
        capture_output=True,
        text=True,
    )
    last = COUNTS.search(done.stdout)
    holds(last, done.stdout + done.stderr)
    return done.returncode, [int(n) for n in last.groups()], done.stdout


@test
def no_crash_loses_or_spoils_anything():
    write_pair()
    kills = losses = number = 0
    while kills < STATES or losses < STATES:
        record(number)
        code, counts, said = replay(number, f"--end=recorded{number}")
        equal((code, counts[-3:]), (0, [0, 0, 0]))
        # a file that is not there yet can hardly be wrong
        kills += counts[1] + counts[2] - counts[3]
        losses += counts[4] - counts[5]
        number += 1
        print("#", said.splitlines()[-1])
    print(f"# {number} runs: {kills} kill points and {losses} losses of power with a file")


@test
def mistakes_are_found():
    """The recorded run, spoilt in five ways: unreadable, wrong, behind."""
    write_pair()
    record(0, "4 s")
    equal(replay(0)[0], 0)
    for mistake, place in (
        ("rows-not-synced", -2),
        ("one-slot-only", -3),
        ("slot-before-rows", -2),
        ("file-not-synced", -3),
        ("folder-not-synced", -1),
    ):
        code, counts, said = replay(0, f"--break={mistake}", "--torn=4", "--power=4")
        holds(code == 1 and counts[place] > 0, f"{mistake}: {said}")


if __name__ == "__main__":
    # in memory, where a sync costs nothing
    tempfile.tempdir = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
    main(sys.argv[4:])
