#!/usr/bin/env python3
"""The command and the library are built so that a bug is harder to make use of: position
independent, everything linked before main and then read-only, no executable stack, the
stack and known buffers guarded.

    test_hardening.py SPLENIUM [TEST]...

LIBRARY and OPTIMISED (true, false) are in the environment.
"""

import os
import shutil
import subprocess
import sys

from command import COMMAND
from support.tap import Skip, equal, holds, main, test

FILES = [COMMAND, os.environ["LIBRARY"]]


def readelf(option, path):
    if shutil.which("readelf") is None:
        raise Skip("readelf is absent (binutils)")
    return subprocess.run(
        ["readelf", "-W", option, path], capture_output=True, text=True, check=True
    ).stdout


@test
def addresses_are_not_known_beforehand():
    for path in FILES:
        holds("DYN (" in readelf("-h", path), path)
    holds("PIE" in readelf("-d", COMMAND), COMMAND)


@test
def what_is_linked_is_read_only():
    for path in FILES:
        holds("GNU_RELRO" in readelf("-l", path), path)
        holds("NOW" in readelf("-d", path), path)


@test
def the_stack_is_not_executable():
    for path in FILES:
        lines = [line for line in readelf("-l", path).splitlines() if "GNU_STACK" in line]
        equal([line.split()[6] for line in lines], ["RW"])


@test
def stack_and_buffers_are_guarded():
    for path in FILES:
        names = readelf("--dyn-syms", path)
        holds("__stack_chk_fail" in names, path)
        if os.environ["OPTIMISED"] == "true":
            # one of the functions that check the size of their target
            holds("__snprintf_chk" in names or "__vsnprintf_chk" in names, path)


if __name__ == "__main__":
    main(sys.argv[2:])
