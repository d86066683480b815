#!/usr/bin/env python3
"""Bad input: one line that says file, place, value and remedy; the right exit code; and no
file left behind.

    test_bad_input.py SPLENIUM [TEST]...
"""

import sys
import warnings

from command import files, splenium, write, write_pair
from bad_input import CONFIGURATIONS, CONNECTOMES, USAGE
from support.tap import equal, holds, main, test


def check(result, code, said, before):
    """The last line is the error; above it may stand warnings and the start of a run."""
    lines = result.err.splitlines()
    equal((result.code, lines[-1:]), (code, [f"splenium: {said}"]))
    for line in lines[:-1]:
        holds(line.startswith(("splenium: warning: ", "splenium: version ")), line)
    equal(result.out, "")
    equal(files(), before)


def check_connectome(verb):
    warnings.simplefilter("ignore")  # zipfile's, of a member that occurs twice
    for name, make, words, code, said in CONNECTOMES:
        if make is not None:
            make(name)
        words = words if verb == "info" else [*words, "-o", "out.h5"]
        check(splenium(verb, name, *words), code, said, files())


@test
def info_names_what_is_wrong_with_a_connectome():
    check_connectome("info")


@test
def run_takes_no_bad_connectome_and_leaves_no_file():
    write_pair()
    for name, make, words, code, said in CONNECTOMES:
        # the last delay is beyond what info can count, far beyond what a run can hold
        if make is not None and name not in ("bomb.zip", "nested.zip", "slow"):
            make(name)
            words = ["--set", f"connectome.file={name}", *words, "-o", "out.h5"]
            check(splenium("run", *words), code, said, files())


@test
def configurations_are_checked_line_by_line():
    write_pair()
    for text, code, said in CONFIGURATIONS:
        write("config.yaml", text)
        words = ["config.yaml", "-o", "out.h5"]
        if "connectome: {" not in text:
            words += ["--set", "connectome.file=two.zip"]
        for verb in ("run", "validate"):
            skip = words if verb == "run" else words[:1] + words[3:]
            check(splenium(verb, *skip), code, said, files())


@test
def the_command_line_is_checked():
    write_pair()
    for words, code, said in USAGE:
        check(splenium("run", "two.zip", *words), code, said, ["two.zip"])


@test
def labels_of_several_regions_name_none():
    write_pair("twins.zip", centres="unk 0 0 0\nunk 5 0 0\n")
    said = (
        "--set model.C.unk=0.2: model.C: 2 regions carry the label 'unk'; give the values as "
        "a list or a file"
    )
    check(splenium("run", "twins.zip", "--set", "model.C.unk=0.2"), 2, said, ["twins.zip"])


if __name__ == "__main__":
    main(sys.argv[2:])
