#!/usr/bin/env python3
"""What happens to a run from outside, in the midst of it: signals while it stops already,
its folder is moved, deleted or unmounted, its readers go away, the disk or the limit of
file sizes is reached. It ends at once, in good order, with the right exit code and at most
one line, or goes on; what was durable stays so, and resume ends with the bits of an
undisturbed run.

    test_outside.py SPLENIUM RECORDER REPLAY [TEST]...
"""

import os
import pathlib
import random
import resource
import shutil
import signal
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "cli"))

from command import COMMAND, digest, environment, splenium, write_pair
from support.tap import Skip, equal, holds, main, test
from support.under import under

RECORDER, REPLAY = (str(pathlib.Path(word).resolve()) for word in sys.argv[2:4])

OFTEN = ["--threads", "1", "--set", "simulation.block=16", "--set", "output.flush_every=1 ms"]
NODES = [
    "two.zip",
    "--set", "simulation.duration=15 s",
    "--set", "noise={kind: additive, nsig: {V: 1.0e-4}}",
    "--set", "monitors=[{kind: temporal_average, period: 10, variables: [V, W]},"
             " {kind: bold, period: 1 s}]",
]  # fmt: skip
NEURONS = [
    "two.zip",
    "--set", "simulation.duration=400 ms",
    "--set", "subnetworks=[{name: n, region: rA, size: 60, K: 12, nu0: 0.7}]",
]  # fmt: skip
# In bytes: results 119,000, a checkpoint 199,000, journal 551,000, spikes 756,000.
SPIKES = [
    "two.zip",
    "--set", "simulation.duration=300 ms",
    "--set", "simulation.dt=0.5",
    "--set", "subnetworks=[{name: n, region: rA, size: 4000, K: 12, nu0: 0.7}]",
]  # fmt: skip
CHECKPOINTS = ["--checkpoint-every", "20 ms"]


def undisturbed(words, name="whole/out.h5"):
    """Digest of a run without any disturbance."""
    write_pair()
    os.mkdir("whole")
    os.mkdir("run")
    result = splenium("run", *words, *OFTEN, "-q", "-o", name)
    equal((result.code, result.err), (0, ""))
    return digest(name)


def is_right(name):
    """Rows and spikes so far are those of the whole run, and no damage is found."""
    checked = subprocess.run(
        [REPLAY, "--check", "whole/out.h5", name], capture_output=True, text=True
    )
    holds(checked.returncode == 0, checked.stdout + checked.stderr)
    result = splenium("verify", "-q", name)
    holds(result.code == 0 and "damage" not in result.out, result.out)


def goes_on(name, expected, *words):
    """resume ends with the bits of the whole run and with its files. Result: whether it
    began behind the first step (it does not say where, if that was the last one)."""
    result = splenium("resume", name, *words)
    equal(result.code, 0)
    equal(digest(name), expected)
    equal(sorted(os.listdir(os.path.dirname(name))), sorted(os.listdir("whole")))
    return "the run begins again" not in result.err


class Stopped:
    """A run that stops before each change of its files, until it is told to go on."""

    def __init__(self, words, cwd=".", folder="run"):
        self.process = subprocess.Popen(
            [*under(), COMMAND, "run", *words, *OFTEN],
            cwd=cwd,
            env=environment(
                LD_PRELOAD=RECORDER, CRASH_FOLDER=folder, CRASH_LOG="/dev/null", CRASH_STOP="1"
            ),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.wait()

    def wait(self):
        _, status = os.waitpid(self.process.pid, os.WUNTRACED)
        self.runs = os.WIFSTOPPED(status)
        if not self.runs:
            self.process.returncode = os.waitstatus_to_exitcode(status)

    def go_on(self, n=1):
        while self.runs and n > 0:
            os.kill(self.process.pid, signal.SIGCONT)
            self.wait()
            n -= 1
        return self.runs

    def go_on_until(self, condition):
        while not condition():
            holds(self.go_on(), "ended too early")

    def end(self):
        """Exit code and lines of errors."""
        self.go_on(10**6)
        said = self.process.stderr.read().splitlines()
        self.process.stdout.close()
        self.process.stderr.close()
        return self.process.returncode, said


def is_there(name="run/out.h5"):
    return lambda: os.path.exists(name)


@test
def signals_at_any_moment_leave_what_can_be_resumed():
    """One asks for a checkpoint, a second one for haste, a third one ends the program."""
    chance = random.Random(11)
    at_once = 0
    without = 0
    for words in (NODES, NEURONS):
        expected = undisturbed(words)
        for n_signals in (1, 2, 3) * 3:
            run = Stopped([*words, "-q", "-o", "run/out.h5"])
            run.go_on_until(is_there())
            run.go_on(chance.randint(0, 15))
            for number in chance.sample((signal.SIGINT, signal.SIGTERM, signal.SIGUSR1), n_signals):
                holds(run.runs, "ended too early")
                os.kill(run.process.pid, number)
                run.go_on(chance.randint(1, 3))
            code, said = run.end()
            # on a busy machine the last step may have been done before
            late = code == 0
            lines = 0 if late or n_signals > 2 else 1
            equal((code, n_signals, len(said)), (0 if late else 75, n_signals, lines))
            is_right("run/out.h5")
            at_once += n_signals > 2 and not late
            without += n_signals == 2 and not late and not os.path.exists("run/out.ckpt")
            resumed = goes_on("run/out.h5", expected)
            if not late and (n_signals == 1 or (n_signals == 2 and words is NODES)):
                holds(resumed, "from the start")
            shutil.rmtree("run")
            os.mkdir("run")
        shutil.rmtree("run")
        shutil.rmtree("whole")
    print(f"# {at_once} ended at once, {without} without a checkpoint")
    holds(at_once > 2 and without > 0, f"{at_once}, {without}")


def has_moved(said, name):
    equal(
        said,
        [f"splenium: {name}: moved, deleted or replaced during the run, which therefore ends; "
         "if it was moved, splenium resume goes on with it there"],
    )  # fmt: skip


@test
def a_folder_that_moves_ends_the_run():
    for words in (NODES, NEURONS):
        expected = undisturbed(words)
        run = Stopped([*words, "-q", "-o", "run/out.h5", "--checkpoint-every", "0.3 ms"])
        run.go_on_until(is_there("run/out.ckpt"))
        os.rename("run", "moved")
        # what has its name now belongs to somebody else
        os.mkdir("run")
        for name in ("out.lock", "out.ckpt", "out.spk"):
            pathlib.Path("run", name).write_text("of another run")
        code, said = run.end()
        equal(code, 74)
        has_moved(said, "run/out.h5")
        for name in ("out.lock", "out.ckpt", "out.spk"):
            equal(pathlib.Path("run", name).read_text(), "of another run")
        equal(len(os.listdir("run")), 3)
        is_right("moved/out.h5")
        holds(goes_on("moved/out.h5", expected), "from the start")
        for name in ("run", "moved", "whole"):
            shutil.rmtree(name)


@test
def a_folder_that_is_deleted_ends_the_run():
    write_pair()
    os.mkdir("run")
    # the next row is far away, and so is the end
    words = ["two.zip", "-q", "-o", "run/out.h5", "--set", "simulation.duration=100000 h",
             "--set", "monitors=[{kind: subsample, period: 1000 h}]"]  # fmt: skip
    run = Stopped(words)
    run.go_on_until(is_there())
    run.go_on(12)
    shutil.rmtree("run")
    code, said = run.end()
    equal(code, 74)
    has_moved(said, "run/out.h5")
    equal(os.listdir("."), ["two.zip"])


@test
def a_folder_that_moves_with_the_run_does_not_matter():
    """Names are relative to the folder that the run is in."""
    expected = undisturbed(NODES)
    words = ["../two.zip", *NODES[1:], "-q", "-o", "out.h5"]
    run = Stopped(words, "run", ".")
    run.go_on_until(is_there())
    os.rename("run", "moved")
    equal(run.end(), (0, []))
    equal(digest("moved/out.h5"), expected)
    equal(os.listdir("moved"), ["out.h5"])


@test
def readers_that_go_away_do_not_end_the_run():
    expected = undisturbed(NODES)
    for close in ("stdout", "stderr", "both"):
        run = Stopped([*NODES, "-o", "run/out.h5", "--progress", "json"])
        run.go_on_until(is_there())
        for name in ("stdout", "stderr"):
            if close in (name, "both"):
                getattr(run.process, name).close()
        run.go_on(10**6)
        for stream in (run.process.stdout, run.process.stderr):
            if not stream.closed:
                holds(stream.read() != "", "nothing was said")
                stream.close()
        # without its summary it did not do all that it was asked for
        equal((close, run.process.returncode), (close, 0 if close == "stderr" else 74))
        equal(digest("run/out.h5"), expected)
        equal(os.listdir("run"), ["out.h5"])
        os.unlink("run/out.h5")


@test
def standard_streams_that_are_closed_are_not_the_results():
    expected = undisturbed(NODES)
    os.mkdir("run/out.ckpt.tmp")
    os.mkdir("run/out.ckpt.tmp/full")
    for closed in ("<&-", ">&-", "2>&-", "<&- >&- 2>&-"):
        words = ["run", *NODES, *OFTEN, "-o", "run/out.h5", "--checkpoint-every", "2 ms", "--force"]
        # it warns that there are no checkpoints
        done = subprocess.run(
            ["sh", "-c", f'"$@" {closed}', "sh", COMMAND, *words],
            env=environment(), stdin=subprocess.DEVNULL, capture_output=True,
        )  # fmt: skip
        equal((closed, done.returncode), (closed, 0))
        holds("2>" in closed or b"no checkpoint" in done.stderr, done.stderr)
        equal(digest("run/out.h5"), expected)
        is_right("run/out.h5")


def limit_files(size):
    return lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))


def is_stopped(result, *whys):
    """In good order, with one line about the file of the spikes so far or of all."""
    *warnings, line = result.err.splitlines()
    equal(result.code, 74)
    holds(line.startswith(("splenium: run/out.spk: ", "splenium: run/out.spikes.h5: ")), result.err)
    holds(any(why in line for why in whys), result.err)
    holds(line.endswith("; to go on: splenium resume run/out.h5"), result.err)
    holds(all("warning: no checkpoint: run/out.ckpt.tmp: " in w for w in warnings), result.err)


@test
def a_limit_of_file_sizes_that_is_reached_stops_the_run():
    expected = undisturbed(SPIKES)
    run = ["run", *SPIKES, *OFTEN, "-q", "-o", "run/out.h5", *CHECKPOINTS]
    whys = "File too large; raise the limit", "above the limit of file"
    # how far each gets depends on how often the machine syncs
    for limit in (190_000, 450_000, 650_000):
        is_stopped(splenium(*run, preexec_fn=limit_files(limit)), *whys)
        checkpoint = os.path.exists("run/out.ckpt")
        holds(limit > 200_000 or not checkpoint, "smaller than a checkpoint")
        is_right("run/out.h5")
        # nothing is lost by trying
        is_stopped(splenium("resume", "run/out.h5", "-q", preexec_fn=limit_files(limit)), *whys)
        checkpoint = checkpoint or os.path.exists("run/out.ckpt")
        is_right("run/out.h5")
        equal(goes_on("run/out.h5", expected), checkpoint)
        shutil.rmtree("run")
        os.mkdir("run")


class Disk:
    """A small file system in a folder."""

    def __init__(self, folder, size):
        self.folder = folder
        mounted = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", folder], capture_output=True
        )
        if mounted.returncode != 0:
            raise Skip("no file system can be mounted here")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        subprocess.run(["umount", self.folder], check=True)

    def grow(self, size):
        subprocess.run(["mount", "-o", f"remount,size={size}", self.folder], check=True)


@test
def a_disk_that_becomes_full_stops_the_run():
    expected = undisturbed(SPIKES)
    run = ["run", *SPIKES, *OFTEN, "-q", "-o", "run/out.h5", *CHECKPOINTS]
    why = "No space left on device; free space"
    for size in (300, 800, 1200):
        with Disk("run", f"{size}k") as disk:
            is_stopped(splenium(*run), why)
            checkpoint = os.path.exists("run/out.ckpt")
            holds(size > 400 or not checkpoint, "no room for a checkpoint")
            is_right("run/out.h5")
            is_stopped(splenium("resume", "run/out.h5", "-q"), why)
            checkpoint = checkpoint or os.path.exists("run/out.ckpt")
            is_right("run/out.h5")
            disk.grow("8m")
            equal(goes_on("run/out.h5", expected), checkpoint)


@test
def on_a_full_disk_a_run_that_is_stopped_loses_nothing():
    """There is no room for a checkpoint, but there is for the state, in the results."""
    expected = undisturbed(NODES)
    with Disk("run", "600k"):
        run = Stopped([*NODES, "-q", "-o", "run/out.h5"])
        run.go_on_until(is_there())
        run.go_on(20)
        with open("run/ballast", "wb", buffering=0) as ballast:
            try:
                while True:
                    ballast.write(bytes(4096))
            except OSError:
                pass
        os.kill(run.process.pid, signal.SIGTERM)
        code, said = run.end()
        equal((code, len(said)), (75, 2))
        holds("warning: no checkpoint: run/out.ckpt.tmp: " in said[0], said)
        holds(said[1].endswith("to go on: splenium resume run/out.h5"), said)
        is_right("run/out.h5")
        os.unlink("run/ballast")
        holds(goes_on("run/out.h5", expected), "from the start")


@test
def a_file_system_that_is_gone_ends_the_run():
    expected = undisturbed(NODES)
    os.mkdir("other")
    with Disk("run", "8m"):
        run = Stopped([*NODES, "-q", "-o", "run/out.h5"])
        run.go_on_until(is_there())
        run.go_on(20)
        subprocess.run(["mount", "--bind", "run", "other"], check=True)
        try:
            subprocess.run(["umount", "--lazy", "run"], check=True)
            code, said = run.end()
            equal(code, 74)
            has_moved(said, "run/out.h5")
            equal(os.listdir("run"), [])
            is_right("other/out.h5")
            goes_on("other/out.h5", expected)
        finally:
            subprocess.run(["mount", "--bind", "other", "run"], check=True)
            subprocess.run(["umount", "other"], check=True)


if __name__ == "__main__":
    # in memory, where a sync costs nothing
    tempfile.tempdir = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
    main(sys.argv[4:])
