#!/usr/bin/env python3
"""A change of a file, a sync or a lock fails while a run with spiking populations writes
checkpoints, while a killed run is resumed, made longer, or replaced: the right exit code,
one line, what is on the disk stays right, and resume ends with the bits of an undisturbed
run.

    test_scenarios.py SPLENIUM RECORDER REPLAY STRIDE [TEST]...

Every STRIDE-th change is tried, with one error after the other.
"""

import errno
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "cli"))

from command import COMMAND, environment, splenium, write_pair
from support.tap import equal, holds, main, test
from support.under import under

RECORDER, REPLAY = (str(pathlib.Path(word).resolve()) for word in sys.argv[2:4])
STRIDE = int(sys.argv[4])
# of runs without spikes, which make fewer changes
FINER = max(1, STRIDE // 4)

# 0: half a write is done
ERRORS = (errno.EIO, errno.ENOSPC, errno.EINTR, 0)
OFTEN = ["-q", "--set", "output.flush_every=1 ms", "--checkpoint-every", "2 ms"]
PLAIN = [
    "../two.zip",
    "--set", "noise={kind: additive, nsig: {V: 1.0e-4}}",
    "--set", "monitors=[{name: tavg, kind: temporal_average, period: 10, variables: [V, W]},"
             " {name: bold, kind: bold, period: 1 s}]",
]  # fmt: skip
SPIKING = ["../two.zip", "--set", "subnetworks=[{name: n, region: rA, size: 60, K: 12, nu0: 0.7}]"]


def execute(folder, words, **more):
    """Exit code and lines that are no warnings."""
    done = subprocess.run(
        [*under(), COMMAND, *words, "--threads", "1", "--set", "simulation.block=16"],
        cwd=folder,
        env=environment(LD_PRELOAD=RECORDER, CRASH_FOLDER=".", CRASH_LOG="../log", **more),
        capture_output=True,
        text=True,
    )
    said = [line for line in done.stderr.splitlines() if "splenium: warning: " not in line]
    return done.returncode, said


class Scenario:
    """What happens to the files in the folder `begin`, on the way to those in `end`."""

    def __init__(self, settings, duration, shorter=None, kill_at=None, force=False):
        last = ["--set", f"simulation.duration={duration}"]
        first = ["--set", f"simulation.duration={shorter or duration}"]
        self.finish = ["resume", "out.h5", *OFTEN, *last]
        self.again = ["run", "-o", "out.h5", *settings, *last, *OFTEN, "--force"]
        self.words = self.again if force else self.finish if shorter or kill_at else self.again[:-1]
        write_pair()
        os.mkdir("begin")
        os.mkdir("end")
        equal(execute("end", ["run", "-o", "out.h5", *settings, *last, "-q"]), (0, []))
        self.bits = digest("end")
        if self.words == self.again[:-1]:
            return
        more = {"CRASH_KILL": str(kill_at)} if kill_at else {}
        code, said = execute("begin", ["run", "-o", "out.h5", *settings, *first, *OFTEN], **more)
        equal((code, said), (-signal.SIGKILL if kill_at else 0, []))
        holds(os.path.exists("begin/out.h5"), "killed too early")

    def fail(self, n, error, ever_after):
        """The n-th change fails. Result: false if there are fewer."""
        shutil.rmtree("now", ignore_errors=True)
        shutil.copytree("begin", "now")
        how = f"{n}:{error}" + (":" if ever_after else "")
        where = f"{' '.join(self.words[:2])}, change {how}"
        code, said = execute("now", self.words, CRASH_FAIL=how)
        where += f": {code}, {said}"
        # 66: the journal to go on with cannot be opened
        holds(code in (0, 66, 73, 74), where)
        holds(len(said) == (code != 0), where)
        holds(code == 0 or "out." in said[0], where)
        self.check("now", where)
        # the lock of a dead process, and what could not be deleted, harm nobody
        finish = self.finish if os.path.exists("now/out.h5") else self.again
        equal((where, *execute("now", finish)), (where, 0, []))
        self.check("now", where)
        holds(digest("now") == self.bits, f"{where}: other bits")
        equal((where, sorted(os.listdir("now"))), (where, sorted(os.listdir("end"))))

    def check(self, folder, where):
        if os.path.exists(f"{folder}/out.h5"):
            done = subprocess.run(
                [REPLAY, "--check", "end/out.h5", f"{folder}/out.h5"],
                capture_output=True,
                text=True,
            )
            holds(done.returncode == 0, f"{where}: {done.stdout}{done.stderr}")

    def count(self):
        """Changes of an undisturbed start."""
        shutil.copytree("begin", "now")
        n = 1
        while execute("now", self.words, CRASH_KILL=str(n))[0] == -signal.SIGKILL:
            shutil.rmtree("now")
            shutil.copytree("begin", "now")
            n = n * 2
        return n

    def fail_some(self, stride=STRIDE):
        most = self.count()
        tried = 0
        for n in range(1, most + 1, stride):
            error = ERRORS[tried % len(ERRORS)] if stride > 1 else ERRORS[n % len(ERRORS)]
            self.fail(n, error, error in (errno.EIO, errno.ENOSPC) and tried % 3 == 2)
            tried += 1
        print(f"# {tried} of up to {most} changes failed")


def digest(folder):
    result = splenium("verify", "--digest", f"{folder}/out.h5")
    equal((result.code, result.err), (0, ""))
    return result.out


@test
def a_run_with_checkpoints():
    Scenario(PLAIN, "8 s").fail_some(FINER)


@test
def a_run_with_spikes():
    Scenario(SPIKING, "300 ms").fail_some()


@test
def resuming_a_killed_run():
    Scenario(PLAIN, "8 s", kill_at=100).fail_some(FINER)


@test
def resuming_a_killed_run_with_spikes():
    Scenario(SPIKING, "300 ms", kill_at=150).fail_some()


@test
def making_a_run_longer():
    Scenario(PLAIN, "8 s", shorter="2 s").fail_some(FINER)


@test
def making_a_run_with_spikes_longer():
    Scenario(SPIKING, "300 ms", shorter="100 ms").fail_some()


@test
def replacing_a_run_with_spikes():
    Scenario(SPIKING, "300 ms", shorter="100 ms", force=True).fail_some()


if __name__ == "__main__":
    # in memory, where a sync costs nothing
    tempfile.tempdir = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
    main(sys.argv[5:])
