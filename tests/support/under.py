"""What programs are started under: the words of SPL_TEST_UNDER, valgrind with its options,
say, for the first of every SPL_TEST_UNDER_EVERY launches of a test (1: all of them)."""

import itertools
import os
import shlex

WORDS = os.environ.get("SPL_TEST_UNDER", "").split()
EVERY = int(os.environ.get("SPL_TEST_UNDER_EVERY", "1"))
launches = itertools.count()


def under():
    return WORDS if next(launches) % EVERY == 0 else []


def write_script(path, program):
    """A program that is started from a shell: the script at `path` in its place."""
    with open(path, "w", encoding="utf-8") as script:
        script.write(
            "#!/bin/sh\n"
            'echo >> "$0.launches"\n'
            f'if [ $((($(wc -l < "$0.launches") - 1) % {EVERY})) -eq 0 ]; then\n'
            f'    exec {shlex.join([*WORDS, program])} "$@"\n'
            "fi\n"
            f'exec {shlex.quote(program)} "$@"\n'
        )
    os.chmod(path, 0o755)
