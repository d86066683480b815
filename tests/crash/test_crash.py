#!/usr/bin/env python3
"""Kills and losses of power at every moment of a run, also of one that was killed,
resumed and extended, of one with spiking populations, of a branch, and of one that replaces
another: every change that it makes to its files is recorded, then every state that a crash
could leave is made and judged by stock HDF5, see replay.c. Some are verified and resumed.

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


# ms of wall-clock time, less than any run takes
CHECKPOINTS = ["--set", "output.checkpoint_every=0.3"]

draw = random.Random(20)

NODE = "[{name: thal, region: rA, size: 60, K: 12, nu0: 0.7}]"
ALONE = (
    "[{name: net, size: 80, populations: [{name: E, record: [0, 7],"
    " background: [{rate: 2 kHz, weight: 0.03}]}, {name: quiet, size: 3}]}]"
)


def words(number, duration):
    return [
        "run", "../two.zip", "-o", "out.h5", *SHORT,
        "--set", f"simulation.duration={duration}",
        "--set", f"simulation.seed={number}",
        "--set", "noise={kind: additive, nsig: {V: 1.0e-4}}",
        "--set", f"monitors={MONITORS[number % len(MONITORS)]}",
    ]  # fmt: skip


def spiking_words(number, duration):
    """Every other one without nodes."""
    return [
        "run", "-o", "out.h5", *SHORT,
        "--set", f"simulation.duration={duration}",
        "--set", f"simulation.seed={number}",
        *(["../two.zip", "--set", f"subnetworks={NODE}"] if number % 2 == 0
          else ["--set", f"subnetworks={ALONE}"]),
    ]  # fmt: skip


def branch_words(number, duration):
    base = pathlib.Path("base.h5").resolve()
    if not base.exists():
        run(".", [*words(number, "2 s"), "-o", str(base)])
    return [*words(number, duration), "--from", str(base)]


def run(folder, command, **more):
    """Result: false if it was killed."""
    command = [word.removeprefix("../") if folder == "." else word for word in command]
    done = subprocess.run(
        [COMMAND, *command], cwd=folder, env=environment(**more), capture_output=True
    )
    killed = done.returncode == -signal.SIGKILL and "CRASH_KILL" in more
    equal((0 if killed else done.returncode, done.stderr.decode()), (0, ""))
    return not killed


def recording(number, **more):
    log = f"../log{number}"
    return dict(LD_PRELOAD=RECORDER, CRASH_LOG=log, CRASH_FOLDER=".", **more)


def start(number, command):
    """The undisturbed run."""
    for folder in ("reference", "recorded", "scratch"):
        os.makedirs(f"{folder}{number}")
    run(f"reference{number}", command)


def go_on(number, command, resume, first_kill=30):
    """Killed in place of one of its changes, resumed, killed ... in one log."""
    folder = f"recorded{number}"
    kills = 0
    while not run(
        folder, command, **recording(number, CRASH_KILL=str(draw.randint(first_kill, 500)))
    ):
        # a run killed before it had a results file begins again
        if os.path.exists(f"{folder}/out.h5"):
            command = resume
        kills += 1
        holds(kills < 100, "resuming never ends")
    equal(sorted(os.listdir(folder)), sorted(os.listdir(f"reference{number}")))
    return kills


class Undisturbed:
    """A run from start to end."""

    def __init__(self, make, duration):
        self.make, self.duration = make, duration

    def record(self, number):
        """Result: how often it was killed."""
        start(number, self.make(number, self.duration))
        run(f"recorded{number}", self.make(number, self.duration), **recording(number))
        return 0

    def options(self, number):
        return []

    def last(self, number):
        """What takes any state to its end."""
        return ["resume", "out.h5", *SHORT, "--set", f"simulation.duration={self.duration}"]

    def references(self, number):
        return [f"reference{number}"]


class Killed(Undisturbed):
    """A run that is killed, resumed, then made longer, killed and resumed again."""

    def __init__(self, make, duration, shorter):
        super().__init__(make, duration)
        self.shorter = shorter

    def record(self, number):
        start(number, self.make(number, self.duration))
        resume = ["resume", "out.h5", *SHORT, *CHECKPOINTS]
        kills = 0
        if self.shorter:
            kills += go_on_shorter(number, self.make(number, self.shorter), resume)
            first = last = [*resume, *self.last(number)[-2:]]
        else:
            first, last = [*self.make(number, self.duration), *CHECKPOINTS], resume
        kills += go_on(number, first, last)
        return kills


class Replacing(Undisturbed):
    """A run that replaces the files of another, and is killed and resumed."""

    def record(self, number):
        start(number, self.make(number, self.duration))
        old = self.make(number + 100, self.duration)
        os.makedirs(f"old{number}")
        run(f"old{number}", old)
        run(f"recorded{number}", old, **recording(number))
        new = [*self.make(number, self.duration), "--force", *CHECKPOINTS]
        # before it has begun, --force is needed again
        run(f"recorded{number}", new, **recording(number, CRASH_KILL="2"))
        return go_on(number, new, ["resume", "out.h5", *SHORT, *CHECKPOINTS], 90)

    def options(self, number):
        return [f"--old=old{number}/out.h5"]

    def references(self, number):
        return [f"reference{number}", f"old{number}"]


def go_on_shorter(number, command, resume):
    """The same for a run that is shorter than the reference."""
    kills = go_on(number, [*command, *CHECKPOINTS], resume)
    holds(os.path.exists(f"recorded{number}/out.h5"), "no file")
    return kills


def replay(number, *options, name="out.h5"):
    done = subprocess.run(
        [
            REPLAY,
            *options,
            f"log{number}",
            name,
            f"reference{number}/out.h5",
            f"scratch{number}",
        ],
        capture_output=True,
        text=True,
    )
    last = COUNTS.search(done.stdout)
    holds(last, done.stdout + done.stderr)
    return done.returncode, [int(n) for n in last.groups()], done.stdout


def digest(folder):
    result = splenium("verify", "--digest", f"{folder}/out.h5")
    equal((result.code, result.err), (0, ""))
    return result.out


def is_complete(folder, references):
    """The bits of an undisturbed run, its spikes and nothing else."""
    for reference in references:
        checked = subprocess.run(
            [REPLAY, "--check", f"{reference}/out.h5", f"{folder}/out.h5"], capture_output=True
        )
        if checked.returncode == 0 and digest(folder) == digest(reference):
            return sorted(os.listdir(folder)) == sorted(os.listdir(reference))
    return False


def check_samples(kind, number):
    """verify finds no damage in a stored state; going on from it, in every third, ends with
    the undisturbed run's bits. Result: how many of each."""
    states = sorted(pathlib.Path(f"scratch{number}").iterdir())
    for state in states:
        result = splenium("verify", "-q", "out.h5", cwd=state)
        holds(result.code == 0 and "damage" not in result.out, f"{state}: {result}")
    for state in states[::3]:
        run(state, kind.last(number))
        holds(is_complete(state, kind.references(number)), f"{state}: {os.listdir(state)}")
    return len(states), len(states[::3])


KINDS = (
    Killed(words, "25 s", "9 s"),
    Undisturbed(words, "25 s"),
    Undisturbed(spiking_words, "600 ms"),
    Killed(spiking_words, "900 ms", "300 ms"),
    Replacing(spiking_words, "500 ms"),
    Killed(branch_words, "15 s", None),
    Killed(spiking_words, "600 ms", "400 ms"),
)


@test
def no_crash_loses_or_spoils_anything():
    write_pair()
    kills = losses = killed = checked = resumed = number = 0
    while kills < STATES or losses < STATES or number < len(KINDS):
        kind = KINDS[number % len(KINDS)]
        killed += kind.record(number)
        holds(is_complete(f"recorded{number}", [f"reference{number}"]), f"run {number}")
        code, counts, said = replay(
            number, f"--end=recorded{number}", "--samples=24", "--power=2", *kind.options(number)
        )
        holds(code == 0 and counts[-3:] == [0, 0, 0], said)
        # a file that is not there yet can hardly be wrong
        kills += counts[1] + counts[2] - counts[3]
        losses += counts[4] - counts[5]
        n_checked, n_resumed = check_samples(kind, number)
        checked += n_checked
        resumed += n_resumed
        for folder in ("reference", "recorded", "scratch", "old"):
            shutil.rmtree(f"{folder}{number}", ignore_errors=True)
        os.unlink(f"log{number}")
        number += 1
        print("#", said.splitlines()[-1], flush=True)
    print(
        f"# {number} runs, killed and resumed {killed} times: {kills} kill points and "
        f"{losses} losses of power with a file; {checked} of them without a finding of "
        f"verify, {resumed} resumed to the same end"
    )
    holds(checked > 60 and resumed > 20 and killed > 5,
          f"{checked} checked, {resumed} resumed, {killed} killed")


def stop_with_a_checkpoint(number, duration):
    """As soon as may be."""
    command = [*spiking_words(number, duration), "--max-hours", "1e-7"]
    done = subprocess.run(
        [COMMAND, *command],
        cwd=f"recorded{number}",
        env=environment(**recording(number)),
        capture_output=True,
    )
    equal(done.returncode, 75)
    holds(os.path.exists(f"recorded{number}/out.ckpt"), "no checkpoint")


@test
def checkpoints_stay_until_the_disk_knows_that_the_run_is_complete():
    """A run is killed in place of each of its last changes, then resumed."""
    write_pair()
    start(0, spiking_words(0, "400 ms"))
    stop_with_a_checkpoint(0, "400 ms")
    # without records by the clock, so that each time the changes are about the same
    resume = ["resume", "out.h5", *SHORT, "--max-hours", "1"]
    resume += ["--set", "output.flush_every=3600000"]
    os.rename("recorded0", "stopped")
    os.rename("log0", "stopped.log")

    def kill(n):
        shutil.rmtree("recorded0", ignore_errors=True)
        shutil.copytree("stopped", "recorded0")
        shutil.copy("stopped.log", "log0")
        return not run("recorded0", resume, **recording(0, CRASH_KILL=str(n)))

    last = 1
    while kill(last):
        last += 1
    killed = 0
    for n in range(last - 20, last):
        # a change more or less, by the clock
        killed += kill(n)
        run("recorded0", resume, **recording(0))
        code, counts, said = replay(0, "--end=recorded0", "--power=4")
        holds(code == 0 and counts[-3:] == [0, 0, 0], f"killed in place of change {n}: {said}")
    holds(killed > 15, f"killed {killed} times")


@test
def no_crash_of_a_conversion_loses_or_spoils_anything():
    """A run, its copies in place and beside it: each file is right or not there."""
    write_pair()
    Undisturbed(words, "4 s").record(0)
    for words_ in (
        ["out.h5", "--in-place", "--compress"],
        ["out.h5", "copy.h5", "--compress=gzip4"],
        ["out.h5", "--in-place"],
        ["out.h5", "copy.h5", "--force", "--trim"],
    ):
        run("recorded0", ["convert", "-q", *words_], **recording(0))
        equal(digest("recorded0"), digest("reference0"))
    equal(sorted(os.listdir("recorded0")), ["copy.h5", "out.h5"])
    for name in ("out.h5", "copy.h5"):
        code, counts, said = replay(0, "--end=recorded0", "--torn=2", "--power=2", name=name)
        holds(code == 0 and counts[-3:] == [0, 0, 0], said)
        print("#", name, said.splitlines()[-1])


def kill_with(name, number, command):
    """Killed when the file is there that its rename would have ended."""
    folder = pathlib.Path(f"recorded{number}")
    for kill in range(10, 300):
        shutil.rmtree(folder)
        folder.mkdir()
        pathlib.Path(f"log{number}").unlink(missing_ok=True)
        holds(not run(folder, command, **recording(number, CRASH_KILL=str(kill))), "ended")
        if (folder / name).exists():
            return
    raise AssertionError(f"no {name}")


@test
def what_a_killed_run_left_never_takes_a_name():
    """The half made file of a killed run, and all that a loss of power can make of the
    names while the next run deletes it and gives its name to another."""
    write_pair()
    for number, (name, more) in enumerate((("out.h5.tmp", []), ("out.ckpt.tmp", CHECKPOINTS))):
        command = [*words(number, "2 s"), *more]
        start(number, command)
        kill_with(name, number, command)
        if more:
            command = ["resume", "out.h5", *SHORT, *CHECKPOINTS]
        run(f"recorded{number}", command, **recording(number))
        options = ["--torn=0", "--power=0", "--names"]
        code, counts, said = replay(number, f"--end=recorded{number}", *options)
        holds(code == 0 and counts[-3:] == [0, 0, 0], said)
        print("#", name, said.splitlines()[-1])
        if not more:
            # before a checkpoint's name something else may sync the folder
            code, counts, said = replay(number, *options, "--break=leftover-not-synced")
            holds(code == 1 and sum(counts[-3:]) > 0, said)


@test
def mistakes_are_found():
    """The recorded runs, spoilt in seven ways: unreadable, wrong, behind."""
    write_pair()
    Killed(words, "10 s", "6 s").record(0)
    Undisturbed(spiking_words, "200 ms").record(2)
    equal((replay(0)[0], replay(2)[0]), (0, 0))
    for mistake, place in (
        ("journal-not-synced", -2),
        ("rows-not-synced", -2),
        ("one-slot-only", -3),
        ("slot-before-rows", -2),
        ("file-not-synced", -3),
        ("folder-not-synced", -1),
        ("checkpoint-not-synced", -2),
    ):
        number = 2 if mistake.startswith("journal") else 0
        code, counts, said = replay(number, f"--break={mistake}", "--torn=4", "--power=4")
        holds(code == 1 and counts[place] > 0, f"{mistake}: {said}")


if __name__ == "__main__":
    # in memory, where a sync costs nothing
    tempfile.tempdir = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
    main(sys.argv[4:])
