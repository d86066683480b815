#!/usr/bin/env python3
"""resume and verify: a run that was killed or stopped ends as if it had not been.

test_resume.py SPLENIUM [TEST]...
"""

import os
import random
import shutil
import signal
import struct
import subprocess
import sys
import tempfile

from command import (
    COMMAND,
    digest,
    environment,
    files,
    need_h5py,
    splenium,
    wait_until,
    write,
    write_pair,
)
from support.crc32c import crc32c
from support.tap import equal, holds, main, test

# Sanitizers slow a run down, and more so its start.
SLOWED = os.environ.get("SPLENIUM_SANITIZE", "none") != "none"
SECONDS = 6 if SLOWED else 60

# A few hundred milliseconds of work, with every kind of state a checkpoint holds.
RUN = [
    "two.zip",
    *("--set", f"simulation.duration={SECONDS} s"),
    *("--set", "simulation.integrator=rk4"),
    *("--set", "noise.kind=ou"),
    *("--set", "monitors=[{kind: temporal_average, period: 7}, {kind: bold, period: 1 s}, "
      "{kind: balloon, period: 2 s, dtype: f8}]"),
    *("--set", "output.flush_every=5 ms"),
    *("--checkpoint-every", "15 ms"),
]


def reference():
    """Digest of the run without any interruption."""
    write_pair()
    result = splenium("run", *RUN, "-q", "-o", "whole.h5", "--threads", "1", lengthy=True)
    equal((result.code, result.err), (0, ""))
    equal(files(), ["two.zip", "whole.h5"])
    return digest("whole.h5")


def start(*words):
    return subprocess.Popen(
        [COMMAND, *words, "-q"],
        env=environment(),
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


def begin_and_kill(name="out.h5"):
    """A killed run with two checkpoints."""
    with start("run", *RUN, "-o", name, "--threads", "1") as run:
        wait_until(lambda: os.path.exists(name.replace(".h5", ".ckpt.prev")), "checkpoints")
        run.kill()
        run.communicate()
    equal(run.returncode, -signal.SIGKILL)


def damage(name):
    with open(name, "r+b") as file:
        file.seek(os.path.getsize(name) // 2)
        byte = file.read(1)
        file.seek(-1, os.SEEK_CUR)
        file.write(bytes([byte[0] ^ 1]))


def resume(*words):
    return splenium("resume", "out.h5", "-q", *words, lengthy=True)


@test
def kills_leave_no_trace():
    expected = reference()
    chance = random.Random(5)
    for chain in range(3):
        words = ["run", *RUN, "-o", "out.h5"]
        n_kills = 0
        while True:
            with start(*words, "--threads", str(chance.randint(1, 4))) as run:
                try:
                    run.communicate(timeout=chance.uniform(0.02, 1 if SLOWED else 0.3))
                except subprocess.TimeoutExpired:
                    run.kill()
                    run.communicate()
            if run.returncode == 0:
                break
            equal(run.returncode, -signal.SIGKILL)
            n_kills += 1
            if os.path.exists("out.h5"):
                words = ["resume", "out.h5"]
        equal(digest("out.h5"), expected)
        equal(files(), ["out.h5", "two.zip", "whole.h5"])
        print(f"# chain {chain}: {n_kills} kills")
        os.remove("out.h5")


@test
def a_run_that_is_made_longer_survives_kills_too():
    expected = reference()
    chance = random.Random(6)
    short = ["--set", f"simulation.duration={0.35 * SECONDS} s"]
    result = splenium("run", *RUN, "-q", "-o", "out.h5", *short, lengthy=True)
    equal((result.code, result.err), (0, ""))
    n_kills = 0
    while True:
        words = ["resume", "out.h5", "--set", f"simulation.duration={SECONDS} s"]
        with start(*words, "--threads", str(chance.randint(1, 4))) as run:
            try:
                run.communicate(timeout=chance.uniform(0.01, 0.6 if SLOWED else 0.15))
            except subprocess.TimeoutExpired:
                run.kill()
                run.communicate()
        if run.returncode == 0:
            break
        equal(run.returncode, -signal.SIGKILL)
        n_kills += 1
    equal(digest("out.h5"), expected)
    equal(files(), ["out.h5", "two.zip", "whole.h5"])
    print(f"# {n_kills} kills")


@test
def every_signal_leaves_a_checkpoint():
    expected = reference()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGUSR1):
        with start("run", *RUN, "-o", "out.h5", "--checkpoint-every", "inf") as run:
            wait_until(lambda: os.path.exists("out.h5"), "the results file")
            run.send_signal(number)
            _, err = run.communicate(timeout=20)
        equal(run.returncode, 75)
        holds(err.endswith("to go on: splenium resume out.h5\n"), err)
        equal(files(), ["out.ckpt", "out.h5", "two.zip", "whole.h5"])
        equal(resume().code, 0)
        equal(digest("out.h5"), expected)
        os.remove("out.h5")


@test
def time_runs_out():
    expected = reference()
    result = splenium("run", *RUN, "-q", "-o", "out.h5", "--max-hours", "0.00001", lengthy=True)
    equal(result.code, 75)
    holds(os.path.exists("out.ckpt"), str(files()))
    equal(splenium("run", *RUN, "-o", "x.h5", "--max-hours", "soon").code, 2)
    result = resume("--set", "output.stop_after=20 ms")
    equal(result.code, 75)
    # the limit is a setting of the run, as all of output.* is
    equal(resume("--set", "output.stop_after=inf").code, 0)
    equal(digest("out.h5"), expected)


@test
def the_checkpoint_before_the_newest_serves_when_that_is_damaged():
    expected = reference()
    begin_and_kill()
    damage("out.ckpt")
    result = resume()
    equal(result.code, 0)
    holds("out.ckpt: its checksum is wrong" in result.err, result.err)
    holds("the one before it is used" in result.err, result.err)
    equal(digest("out.h5"), expected)
    # a damaged one never becomes the one before the newest
    os.remove("out.h5")
    begin_and_kill()
    damage("out.ckpt")
    equal(resume("--max-hours", "0.0000001").code, 75)
    damage("out.ckpt")
    result = resume("--set", "output.stop_after=inf")
    equal(result.code, 0)
    equal(digest("out.h5"), expected)


@test
def damaged_checkpoints_are_refused_before_they_do_harm():
    reference()
    begin_and_kill()
    whole = open("out.ckpt", "rb").read()
    os.remove("out.ckpt.prev")
    results = open("out.h5", "rb").read()
    chance = random.Random(7)
    broken = {
        "empty": b"",
        "short": whole[:300],
        "cut": whole[:-1],
        "longer": whole + b"\0",
        "magic": b"x" + whole[1:],
        "form": whole[:8] + b"\x09" + whole[9:],
        "sections": whole[:12] + b"\xff\xff\xff\xff" + whole[16:],
        "more sections": whole[:12] + b"\x00\x01\x00\x00" + whole[16:],
        "size": whole[:16] + b"\xff" * 8 + whole[24:],
        "step": whole[:24] + b"\xff" * 8 + whole[32:],
    }
    for i in range(40):
        at = chance.randrange(len(whole))
        broken[f"bit at {at}"] = whole[:at] + bytes([whole[at] ^ 4]) + whole[at + 1:]
    for what, data in broken.items():
        write("out.ckpt", data)
        result = resume()
        equal((what, result.code), (what, 65))
        holds("out.ckpt: " in result.err, result.err)
        equal(result.err.count("\n"), 2)  # the damage, and that nothing else is there
        holds(open("out.h5", "rb").read() == results, what + " changed the results")
    os.remove("out.ckpt")
    os.mkdir("out.ckpt")
    equal(resume().code, 65)
    os.rmdir("out.ckpt")
    # without any it begins again
    equal(resume().code, 0)


def forged(data, at, new):
    """A checkpoint with other bytes and the checksum that belongs to them."""
    data = data[:at] + new + data[at + len(new):-8]
    return data + crc32c(data).to_bytes(8, "little")


@test
def forged_checkpoints_are_refused_too():
    write_pair()
    begin_and_kill()
    os.remove("out.ckpt.prev")
    whole = open("out.ckpt", "rb").read()
    header, entry = 320, 64
    for what, at, new in (
        ("a step that is not durable", 24, (599_999).to_bytes(8, "little")),
        ("a step behind the end", 24, (10**9).to_bytes(8, "little")),
        ("step 0", 24, bytes(8)),
        ("another step", 24, (1).to_bytes(8, "little")),
        ("another run", 40, b"x"),
        ("a text without an end", 40, b"x" * 40),
        ("another version", 80, b"9.9.9"),
        ("another connectome", 128, b"x"),
        ("other settings", 200, b"x"),
        ("no name", header, bytes(56)),
        ("another name", header + entry, b"x"),
        ("a section of 2^64 - 1 bytes", header + 56, b"\xff" * 8),
        ("an empty section", header + 3 * entry + 56, bytes(8)),
        ("sections that change places", header + 3 * entry, b"state.W\0"),
        ("no sections", 12, bytes(4)),
    ):
        write("out.ckpt", forged(whole, at, new))
        result = resume()
        equal((what, result.code), (what, 65))
        holds("out.ckpt: " in result.err, f"{what}: {result}")
    write("out.ckpt", forged(whole, 24, whole[24:32]))
    equal(resume().code, 0)


@test
def nothing_is_written_into_the_head_of_a_forged_file():
    need_h5py()
    import h5py

    write_pair()
    begin_and_kill()
    with h5py.File("out.h5") as file:
        progress = file["progress"]
        size = progress.size * progress.dtype.itemsize
        place = struct.pack("<QQ", progress.id.get_offset(), size)
    content = open("out.h5", "rb").read()
    equal(content.count(place), 1)
    forged = content.replace(place, struct.pack("<QQ", 0, size))
    write("out.h5", forged)
    result = resume()
    equal(result.code, 65)
    holds("/progress lies in the head of the file" in result.err, result.err)
    holds(open("out.h5", "rb").read() == forged, "the file was changed")


@test
def what_belongs_to_another_run_is_refused():
    write_pair()
    begin_and_kill()
    shutil.copy("out.ckpt", "other.ckpt")
    for name in ("out.ckpt", "out.ckpt.prev", "out.h5"):
        os.remove(name)
    begin_and_kill()
    shutil.move("other.ckpt", "out.ckpt")
    result = resume()
    equal(result.code, 65)
    holds("out.ckpt: a checkpoint of another run" in result.err, result.err)
    os.remove("out.ckpt")
    for key, value, message in (
        ("simulation.seed", "7", "simulation.seed: 42, now 7"),
        ("coupling.a", "0.3", "coupling.a: "),
        ("model.gCa", "1.2", "model.gCa: "),
        ("monitors.bold.period", "2 s", "monitors[1].period: 1000, now 2000"),
        ("simulation.duration", f"{SECONDS / 2} s", "can become longer, not shorter"),
    ):
        result = resume("--set", f"{key}={value}")
        equal((key, result.code), (key, 65))
        holds(message in result.err, result.err)
    equal(resume("--set", "simulation.block=7", "--threads", "2").code, 0)


def rows(name, first=0):
    need_h5py()
    import h5py

    with h5py.File(name, "r") as file:
        return file["monitors/raw/V"][first:]


# Windows and delays of a step of its own; raw rows show where the noise is.
BRANCH = ["two.zip", "--set", "noise.kind=ou", "--set", "simulation.integrator=rk4", "--set",
          "monitors=[{kind: raw, variables: [V], dtype: f8}]", "-q"]


@test
def a_branch_with_the_same_settings_is_the_continuation():
    write_pair()
    equal(splenium("run", *BRANCH, "-o", "whole.h5", "--set", "simulation.duration=900").code, 0)
    equal(splenium("run", *BRANCH, "-o", "a.h5", "--set", "simulation.duration=400").code, 0)
    words = ["-q", "--set", "simulation.duration=300"]
    equal(splenium("run", "--from", "a.h5", "-o", "b.h5", *words).code, 0)
    whole = rows("whole.h5")
    holds((rows("b.h5") == whole[4000:7000]).all(), "the branch is another run")
    # a branch of the branch, from a checkpoint that is all that is left
    with start("run", "--from", "b.h5", "-o", "c.h5", "--set", "simulation.duration=1 h") as run:
        wait_until(lambda: os.path.exists("c.h5") and rows("c.h5", 1000)[0].any(), "rows")
        run.send_signal(signal.SIGINT)
        run.communicate(timeout=20)
    equal(run.returncode, 75)
    done = rows("c.h5")
    holds((done[:1000] == whole[7000:8000]).all(), "a branch of the branch is another run")
    os.rename("c.ckpt", "kept.ckpt")
    os.remove("c.h5")
    equal(splenium("run", "--from", "kept.ckpt", "-o", "d.h5", *words).code, 0)
    # what a branch was made from is not needed to resume it
    result = splenium("run", "--from", "b.h5", "-o", "e.h5", "--set", "simulation.duration=40 s",
                      "-q", "--max-hours", "0.0000001")
    equal(result.code, 75)
    os.remove("b.h5")
    equal(splenium("resume", "e.h5", "-q", "--set", "output.stop_after=inf").code, 0)
    holds((rows("e.h5")[:1000] == whole[7000:8000]).all(), "resumed, it is another run")


@test
def a_branch_may_differ():
    write_pair()
    equal(splenium("run", *BRANCH, "-o", "a.h5", "--set", "simulation.duration=400").code, 0)
    words = ["-q", "--set", "simulation.duration=50", "--from", "a.h5"]
    for number, change in enumerate((
        "coupling.a=0.4", "model.gCa=1.2", "simulation.seed=3", "connectome.speed=1",
        "connectome.speed=inf", "noise.kind=none", "simulation.integrator=heun",
        "simulation.precision=single", "coupling.function=linear",
    )):
        result = splenium("run", *words, "-o", f"b{number}.h5", "--set", change)
        equal((change, result.code, result.err), (change, 0, ""))
        first = rows(f"b{number}.h5")[0]
        last = rows("a.h5")[-1]
        holds(abs(first - last).max() < 0.1, f"{change}: a jump")
    for change, message in (
        ("simulation.dt=0.2", "another simulation.dt"),
        ("model.name=linear", "another model"),
        ("coupling.observable=V", "another variable"),
    ):
        extra = ["--set", "model.init=zero"] if "linear" in change else []
        result = splenium("run", *words, "-o", "x.h5", "--set", change, *extra)
        holds(result.code in (2, 65), f"{change}: {result}")
    result = splenium("run", *BRANCH, "-o", "x.h5", "--from", "none.h5")
    equal(result.code, 66)
    write("bad.ckpt", "SPLCKPT\n")
    equal(splenium("run", *BRANCH, "-o", "x.h5", "--from", "bad.ckpt").code, 65)
    equal(splenium("run", "--from", "bad.ckpt", "-o", "x.h5").code, 65)
    holds(not os.path.exists("x.h5"), "a file is left")


@test
def a_file_is_written_by_one_run_only():
    write_pair()
    with start("run", *RUN, "-o", "out.h5", "--set", "simulation.duration=1 h") as run:
        wait_until(lambda: os.path.exists("out.ckpt"), "a checkpoint")
        result = resume()
        equal(result.code, 73)
        holds("another run is writing it" in result.err, result.err)
        run.kill()
        run.communicate()


@test
def a_complete_file_needs_nothing():
    expected = reference()
    shutil.copy("whole.h5", "out.h5")
    write("out.ckpt", "left over")
    write("out.lock", "")
    before = open("out.h5", "rb").read()
    result = splenium("resume", "out.h5")
    equal((result.code, result.out), (0, ""))
    holds("complete, nothing is left to do" in result.err, result.err)
    equal(files(), ["out.h5", "two.zip", "whole.h5"])
    holds(open("out.h5", "rb").read() == before, "the file was changed")
    equal(digest("out.h5"), expected)


@test
def rows_that_come_out_different_are_not_overwritten():
    need_h5py()
    import h5py

    expected = reference()
    begin_and_kill()
    # begin again from the start, on a file whose first rows were changed
    for name in ("out.ckpt", "out.ckpt.prev"):
        os.remove(name)
    with h5py.File("out.h5", "r") as file:
        offset = file["monitors/temporal_average/V"].id.get_offset()
    with open("out.h5", "r+b") as file:
        file.seek(offset + 8)
        file.write(b"\x01\x02\x03\x04")
    result = resume()
    equal(result.code, 70)
    holds("temporal_average/V: row 1 does not come out as it was stored" in result.err,
          result.err)
    equal(resume("--accept-change").code, 0)
    equal(digest("out.h5"), expected)


@test
def a_checkpoint_that_cannot_be_written_is_told():
    expected = reference()
    os.makedirs("out.ckpt.tmp/full")
    result = splenium("run", *RUN, "-q", "-o", "out.h5", lengthy=True)
    equal(result.code, 0)
    holds("no checkpoint: out.ckpt.tmp: left over and cannot be deleted" in result.err,
          result.err)
    equal(digest("out.h5"), expected)


@test
def what_is_no_results_file_is_refused():
    write_pair()
    write("text.h5", "no HDF5")
    for name, code in (("none.h5", 66), ("text.h5", 65), ("two.zip", 65), (".", 65)):
        for verb in ("resume", "verify"):
            result = splenium(verb, name)
            equal((verb, name, result.code), (verb, name, code))
            holds(result.err.startswith("splenium: " + name), result.err)
    for verb in ("resume", "verify"):
        equal(splenium(verb).code, 2)
        equal(splenium(verb, "a", "b").code, 2)
    equal(files(), ["text.h5", "two.zip"])


if __name__ == "__main__":
    # in memory, where a sync costs nothing
    tempfile.tempdir = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
    main(sys.argv[2:])
