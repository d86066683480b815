#!/usr/bin/env python3
"""Hostile input: each file gets one line, the right exit code, little memory and time, and
leaves nothing behind.

    test_hostile.py SPLENIUM [TEST]...
    test_hostile.py SPLENIUM --make    print what fixtures/hostile.txt should say
"""

import os
import pathlib
import resource
import subprocess
import sys
import tempfile

from bad_input import CONFIGURATIONS, CONNECTOMES, USAGE
from command import COMMAND, environment, files, write_pair
from hostile_input import INPUTS
from support.tap import equal, holds, main, test

EXPECTED = pathlib.Path(__file__).resolve().parent / "fixtures" / "hostile.txt"
CPU_SECONDS = 10 if os.environ.get("SPLENIUM_SANITIZE", "none") != "none" else 1
MEBIBYTES = 1500 if CPU_SECONDS > 1 else 250


def answer(name):
    """Exit code and line, seconds of processor and MiB of memory."""
    words = ["validate", name, "--set", "connectome.file=two.zip"]
    if not name.endswith(".yaml"):
        words = ["info", name]
    child = subprocess.Popen(
        [COMMAND, *words],
        env=environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_CPU, (60, 60)),
    )
    said = child.stderr.read().decode()
    child.stderr.close()
    _, status, used = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    lines = [line for line in said.splitlines() if "splenium: warning: " not in line]
    return (
        f"{name} {child.returncode} {' / '.join(lines)}",
        used.ru_utime + used.ru_stime,
        used.ru_maxrss / 1024,
    )


def answers():
    write_pair()
    for name, make in INPUTS:
        make(name)
        yield answer(name)


@test
def every_input_gets_its_line():
    expected = EXPECTED.read_text().splitlines()
    found = list(answers())
    for (line, seconds, mebibytes), wanted in zip(found, expected):
        equal(line, wanted)
        holds(seconds < CPU_SECONDS, f"{line}: {seconds} s")
        holds(mebibytes < MEBIBYTES, f"{line}: {mebibytes} MiB")
    equal(len(found), len(expected))
    equal(len({name for name, _ in INPUTS}), len(INPUTS))


@test
def there_are_two_hundred_of_them():
    """Counted with those of test_bad_input.py, which are not repeated here."""
    n = len(INPUTS) + len(CONNECTOMES) + len(CONFIGURATIONS) + len(USAGE)
    print(f"# {n} inputs")
    holds(n >= 200, str(n))


if __name__ == "__main__":
    if sys.argv[2:] == ["--make"]:
        with tempfile.TemporaryDirectory() as folder:
            os.chdir(folder)
            for line, seconds, mebibytes in answers():
                print(line)
                print(f"{line[:40]}: {seconds:.2f} s {mebibytes:.0f} MiB", file=sys.stderr)
    else:
        main(sys.argv[2:])
