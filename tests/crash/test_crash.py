#!/usr/bin/env python3
"""Kills and losses of power at every moment of a run, also of one that was killed,
resumed and extended: every change that it makes to its files is recorded, then every state that a
crash could leave is made and judged by stock HDF5, see replay.c. Some are resumed.

    test_crash.py SPLENIUM RECORDER REPLAY [TEST]...
"""

import os
import pathlib
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "cli"))

from command import COMMAND, environment, splenium, write_pair
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


CHECKPOINTS = ["--set", "output.checkpoint_every=5"]

draw = random.Random(20)


def words(number, duration):
    return [
        "run", "../two.zip", "-o", "out.h5", *SHORT,
        "--set", f"simulation.duration={duration}",
        "--set", f"simulation.seed={number}",
        "--set", "noise={kind: additive, nsig: {V: 1.0e-4}}",
        "--set", f"monitors={MONITORS[number % len(MONITORS)]}",
    ]  # fmt: skip


def run(folder, command, **more):
    """Result: false if it was killed."""
    done = subprocess.run(
        [COMMAND, *command], cwd=folder, env=environment(**more), capture_output=True
    )
    killed = done.returncode == -signal.SIGKILL and "CRASH_KILL" in more
    equal((0 if killed else done.returncode, done.stderr.decode()), (0, ""))
    return not killed


def recording(number, **more):
    log = f"../log{number}"
    return dict(LD_PRELOAD=RECORDER, CRASH_LOG=log, CRASH_FOLDER=".", **more)


def start(number, duration):
    """The undisturbed run."""
    for folder in ("reference", "recorded", "scratch"):
        os.makedirs(f"{folder}{number}")
    run(f"reference{number}", words(number, duration))


def record(number, duration="40 s"):
    start(number, duration)
    run(f"recorded{number}", words(number, duration), **recording(number))


def go_on(number, command, resume):
    """Killed in place of one of its changes, resumed, killed ... in one log."""
    folder = f"recorded{number}"
    kills = 0
    while not run(folder, command, **recording(number, CRASH_KILL=str(draw.randint(30, 500)))):
        # a run killed before it had a results file begins again
        if os.path.exists(f"{folder}/out.h5"):
            command = resume
        kills += 1
        holds(kills < 100, "resuming never ends")
    equal(sorted(os.listdir(folder)), ["out.h5"])
    return kills


def record_killed(number, duration="40 s", shorter="15 s"):
    """A run that is killed, resumed, then made longer, killed and resumed again."""
    start(number, duration)
    resume = ["resume", "out.h5", *SHORT, *CHECKPOINTS]
    longer = [*resume, "--set", f"simulation.duration={duration}"]
    kills = go_on(number, words(number, shorter) + CHECKPOINTS, resume)
    kills += go_on(number, longer, longer)
    equal(digest(f"recorded{number}"), digest(f"reference{number}"))
    return kills


def digest(folder):
    result = splenium("verify", "--digest", f"{folder}/out.h5")
    equal((result.code, result.err), (0, ""))
    return result.out


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


def resume_samples(number):
    """Going on from stored states ends with the undisturbed run's bits. Result: how many."""
    expected = digest(f"reference{number}")
    states = sorted(pathlib.Path(f"scratch{number}").iterdir())
    for state in states:
        # one of before the extension is made longer
        run(state, ["resume", "out.h5", *SHORT, "--set", "simulation.duration=40 s"])
        equal((digest(state), os.listdir(state)), (expected, ["out.h5"]))
    return len(states)


@test
def no_crash_loses_or_spoils_anything():
    write_pair()
    kills = losses = killed = resumed = number = 0
    while kills < STATES or losses < STATES:
        if number % 2 == 0:
            killed += record_killed(number)
        else:
            record(number)
        code, counts, said = replay(number, f"--end=recorded{number}", "--samples=12")
        holds(code == 0 and counts[-3:] == [0, 0, 0], said)
        # a file that is not there yet can hardly be wrong
        kills += counts[1] + counts[2] - counts[3]
        losses += counts[4] - counts[5]
        resumed += resume_samples(number)
        for folder in ("reference", "recorded", "scratch"):
            shutil.rmtree(f"{folder}{number}")
        os.unlink(f"log{number}")
        number += 1
        print("#", said.splitlines()[-1])
    print(
        f"# {number} runs, killed and resumed {killed} times: {kills} kill points and "
        f"{losses} losses of power with a file; {resumed} of them resumed to the same end"
    )
    holds(resumed > 20 and killed > 5, f"{resumed} resumed, {killed} killed")


@test
def mistakes_are_found():
    """The recorded run, spoilt in six ways: unreadable, wrong, behind."""
    write_pair()
    record_killed(0, "10 s", "6 s")
    equal(replay(0)[0], 0)
    for mistake, place in (
        ("rows-not-synced", -2),
        ("one-slot-only", -3),
        ("slot-before-rows", -2),
        ("file-not-synced", -3),
        ("folder-not-synced", -1),
        ("checkpoint-not-synced", -2),
    ):
        code, counts, said = replay(0, f"--break={mistake}", "--torn=4", "--power=4")
        holds(code == 1 and counts[place] > 0, f"{mistake}: {said}")


if __name__ == "__main__":
    # in memory, where a sync costs nothing
    tempfile.tempdir = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
    main(sys.argv[4:])
