#!/usr/bin/env python3
"""Every change that a run makes to its files fails once, the n-th for n = 1, 2, ..., or
from the n-th on: the right exit code, one line that names the file, no crash, and what is
on the disk stays readable and right.

    test_system.py SPLENIUM RECORDER REPLAY [TEST]...
"""

import errno
import os
import pathlib
import resource
import shutil
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "cli"))

from command import COMMAND, environment, files, splenium, write_pair
from support.tap import Skip, equal, holds, main, test
from support.under import under

RECORDER, REPLAY = (str(pathlib.Path(word).resolve()) for word in sys.argv[2:4])

RUN = [
    "run", "../two.zip", "-o", "out.h5", "-q",
    "--set", "simulation.duration=20",
    "--set", "simulation.threads=1",
    "--set", "noise={kind: additive, nsig: {V: 1.0e-4}}",
    "--set", "monitors=[{name: tavg, kind: temporal_average, variables: [V, W]},"
             " {name: bold, kind: bold, period: 10}]",
]  # fmt: skip
MESSAGES = {errno.EIO: "Input/output error", errno.ENOSPC: "No space left on device"}


def run(words=RUN, **more):
    done = subprocess.run(
        [*under(), COMMAND, *words],
        cwd="run",
        env=environment(LD_PRELOAD=RECORDER, CRASH_FOLDER=".", CRASH_LOG="../log", **more),
        capture_output=True,
        text=True,
    )
    return done.returncode, done.stderr.splitlines()


def start():
    write_pair()
    os.mkdir("run")
    os.mkdir("reference")
    equal(run(), (0, []))
    os.rename("run/out.h5", "reference/out.h5")
    equal(files(), ["log", "reference/out.h5", "two.zip"])


def check_results():
    """Whatever is there is right."""
    if os.path.exists("run/out.h5"):
        done = subprocess.run(
            [REPLAY, "--check", "reference/out.h5", "run/out.h5"],
            capture_output=True,
            text=True,
        )
        equal((done.returncode, done.stdout), (0, "run/out.h5: good \n"))
    for name in os.listdir("run"):
        os.unlink(f"run/{name}")


def fail_each(error, ever_after, stride=1):
    """Result: how many changes a run makes."""
    n = 1
    while True:
        code, said = run(CRASH_FAIL=f"{n}:{error}" + (":" if ever_after else ""))
        where = f"change {n}, {os.strerror(error)}: {code}, {said}"
        if code == 0:
            # the last of all are the lock's file and the tidying up
            equal(said, [])
        else:
            holds(code in (73, 74), where)
            holds(len(said) == 1 and said[0].startswith("splenium: "), where)
            holds("out." in said[0], where)
        left = set(os.listdir("run"))
        holds(left <= {"out.h5", "out.h5.tmp", "out.lock"}, where)
        # what could not be deleted stays; all else is gone
        holds(ever_after or not {"out.h5.tmp", "out.lock"} <= left, where)
        check_results()
        if code == 0 and n > 50:
            return n
        n += stride


@test
def each_change_fails_once():
    start()
    for error in MESSAGES:
        print("#", os.strerror(error), fail_each(error, False))


@test
def each_change_and_all_later_ones_fail():
    start()
    for error in MESSAGES:
        print("#", os.strerror(error), fail_each(error, True, 3))


@test
def each_change_of_a_conversion_fails():
    """In place: the file stays what it was, or becomes its copy."""
    start()
    wanted = splenium("verify", "--digest", "reference/out.h5")
    total = {}
    for error, after in ((errno.EIO, ""), (errno.ENOSPC, ":")):
        n, code = 1, 1
        while code != 0 or n < 30:
            shutil.copy("reference/out.h5", "run/out.h5")
            code, said = run(
                ["convert", "out.h5", "--in-place", "--compress", "-q"],
                CRASH_FAIL=f"{n}:{error}{after}",
            )
            where = f"change {n}, {os.strerror(error)}{after}: {code}, {said}"
            holds(code in (0, 73, 74) and len(said) == (code != 0), where)
            holds(code == 0 or "out." in said[0], where)
            left = set(os.listdir("run")) - {"out.h5"}
            # what could not be deleted stays
            holds(left <= {"out.h5.tmp", "out.lock"} and (after or len(left) < 2), where)
            equal(splenium("verify", "--digest", "run/out.h5"), wanted)
            for name in os.listdir("run"):
                os.unlink(f"run/{name}")
            total[os.strerror(error)] = n
            n += 3 if after else 1
    print("#", total)


@test
def interrupted_and_short_writes_are_continued():
    start()
    for error in (errno.EINTR, 0):
        for n in range(1, 140, 5):
            code, said = run(CRASH_FAIL=f"{n}:{error}")
            # HDF5 and the C library do not continue all that the kernel may interrupt
            holds(code in (0, 73, 74), f"change {n}: {code}, {said}")
            holds(len(said) == (code != 0), f"change {n}: {code}, {said}")
            check_results()


@test
def a_limit_of_file_sizes_is_seen_before_the_first_step():
    start()
    for limit in (0, 1, 4096, 60_000):
        result = splenium(
            *RUN,
            cwd="run",
            preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit)),
        )
        equal(result.code, 74)
        holds("above the limit of file sizes" in result.err, result.err)
        equal(result.err.count("\n"), 1)
        equal(os.listdir("run"), [])


@test
def a_full_disk_is_seen_before_the_first_step():
    start()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=96k", "tmpfs", "run"], capture_output=True
    )
    if mounted.returncode != 0:
        raise Skip("no file system can be mounted here")
    try:
        result = splenium(*RUN, cwd="run")
        equal(result.code, 74)
        holds("No space left on device" in result.err, result.err)
        equal(result.err.count("\n"), 1)
        equal(os.listdir("run"), [])
    finally:
        subprocess.run(["umount", "run"], check=True)


@test
def a_folder_that_cannot_be_written_is_seen_before_the_first_step():
    start()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "ro", "tmpfs", "run"], capture_output=True
    )
    if mounted.returncode != 0:
        raise Skip("no file system can be mounted here")
    try:
        result = splenium(*RUN, cwd="run")
        equal(result.code, 73)
        holds("nothing can be created in the folder ." in result.err, result.err)
        equal(result.err.count("\n"), 1)
    finally:
        subprocess.run(["umount", "run"], check=True)


if __name__ == "__main__":
    # in memory, where a sync costs nothing
    tempfile.tempdir = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
    main(sys.argv[4:])
