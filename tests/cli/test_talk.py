#!/usr/bin/env python3
"""Verbs, options, help and exit codes.

test_talk.py SPLENIUM [TEST]...
"""

import json
import os
import re
import subprocess
import sys

from command import COMMAND, SHORT, environment, splenium, write_pair
from support.tap import equal, holds, main, test

VERBS = ["run", "validate", "info", "models", "explain"]
CODES = [0, 2, 65, 66, 70, 73, 74, 75, 76]


@test
def help_lists_verbs_and_exit_codes():
    for words in (["--help"], ["-h"]):
        result = splenium(*words)
        equal((result.code, result.err), (0, ""))
        for verb in VERBS:
            holds(re.search(rf"^  splenium {verb} +\S", result.out, re.MULTILINE), verb)
        codes = re.findall(
            r"^  +(\d+)  \S", result.out.split("Exit status:")[1], re.MULTILINE
        )
        equal([int(code) for code in codes], CODES)


@test
def without_a_verb_the_same_is_an_error():
    result = splenium()
    equal((result.code, result.out), (2, ""))
    equal(result.err, splenium("--help").out)


@test
def every_verb_has_a_page():
    for verb in VERBS:
        result = splenium(verb, "--help")
        equal((result.code, result.err), (0, ""))
        holds(result.out.startswith(f"Usage: splenium {verb} "), result.out)
        holds("\nOptions:\n" in result.out and "\nExit status:\n" in result.out, result.out)
        holds("-h, --help" in result.out, result.out)
        equal(splenium(verb, "-h").out, result.out)
        wide = [line for line in result.out.splitlines() if len(line) > 100]
        equal(wide, [])


@test
def help_of_run_lists_every_key():
    page = splenium("run", "--help").out
    listed = re.findall(r"^  ([\w.]+)\n      \S", page, re.MULTILINE)
    holds(len(listed) > 50, f"{len(listed)} keys")
    for key in listed:
        equal(splenium("explain", key).code, 0)
    # the resolved configuration has every key that is not of a component
    write_pair()
    resolved = json.loads(splenium("validate", "two.zip").out)
    for section, values in resolved.items():
        if isinstance(values, dict) and section not in ("model", "coupling", "noise"):
            for name in values:
                holds(f"{section}.{name}" in listed, f"{section}.{name}")
    for text in (
        "conduction speed; inf = no delays",
        "default: 3; a bare number is in mm/ms",
    ):
        holds(text in page, text)


@test
def unknown_verbs_get_a_suggestion():
    result = splenium("rum")
    equal((result.code, result.out), (2, ""))
    equal(result.err, "splenium: unknown verb 'rum'; did you mean 'run'?\n")
    result = splenium("simulate")
    equal((result.code, result.out), (2, ""))
    equal(result.err, "splenium: unknown verb 'simulate'; see splenium --help\n")


@test
def words_do_not_command_the_terminal():
    result = splenium("models", "a\x1b[31m\x9bz")
    equal(
        result.err,
        "splenium: nothing is called 'a?[31m?z'; 'splenium models' lists all names\n",
    )


@test
def version_is_for_people_and_programs():
    out = splenium("--version").out
    holds(
        re.match(
            r"splenium \d+\.\d+\.\d+, commit \S+\ncompiler .*; SIMD targets scalar v3 v4, using ",
            out,
        ),
        out,
    )
    build = json.loads(splenium("--version", "--json").out)
    equal(
        sorted(build),
        [
            "blas",
            "blas_core",
            "commit",
            "compiler",
            "hdf5_version",
            "target",
            "targets",
            "version",
        ],
    )
    equal(out.split()[1], build["version"] + ",")
    holds(build["target"] in build["targets"].split(), str(build))
    equal(splenium("--version", "x").code, 2)


@test
def a_target_that_does_not_exist_is_refused():
    write_pair()
    env = environment(SPL_TARGET="sse9")
    result = splenium("run", "two.zip", *SHORT, env=env)
    equal(result.code, 2)
    equal(result.err, "splenium: SPL_TARGET=sse9: unknown target; use scalar, v3 or v4\n")
    holds("using none (see SPL_TARGET)" in splenium("--version", env=env).out, "version")


@test
def a_full_standard_output_is_an_error():
    with open("/dev/full", "wb") as full:
        result = subprocess.run(
            [COMMAND, "models"], stdout=full, stderr=subprocess.PIPE, env=environment()
        )
    equal(result.returncode, 74)
    equal(
        result.stderr.decode(),
        "splenium: standard output cannot be written: No space left on device\n",
    )


@test
def a_closed_pipe_kills_nobody():
    read_end, write_end = os.pipe()
    os.close(read_end)
    result = subprocess.run(
        [COMMAND, "models"], stdout=write_end, stderr=subprocess.PIPE, env=environment()
    )
    os.close(write_end)
    equal((result.returncode, result.stderr), (74, b""))


if __name__ == "__main__":
    main(sys.argv[2:])
