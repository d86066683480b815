#!/usr/bin/env python3
"""bench: that it checks before it times, and says all it must. No time is asserted.

test_bench.py SPLENIUM [TEST]...
"""

import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import time

from command import COMMAND, SOURCE, environment, files, splenium, write
from support.tap import equal, holds, main, test

QUICK = ["bench", "--quick", "--data", "none"]

# What every file, and every case that was timed, must hold.
FILE = {"machine", "build", "date", "git_commit", "roofline", "cases", "load_after"}
MACHINE = {"cpu", "clock_ghz", "caches", "load_before", "affinity"}
CASE = {
    "name", "connectome", "plan", "dt", "speed", "scheme", "coupling_stages", "precision",
    "threads", "target", "includes", "steps_per_repeat", "repeats", "product_us", "naive_us",
    "ratio", "bound_us", "roofline_fraction", "escaped_nodes",
}
CONNECTOME = {"sha256", "n", "edges", "d_min", "d_max"}
PLAN = {"B", "short_edges", "largest_component", "shared_exp", "path"}
SAMPLE = {"min", "median", "p10", "p90"}

# Answers as a Python with tvb-library would, but V of zeros and no time at all.
WRONG_PEER = """#!/bin/sh
folder=$3
echo ready 0.0
while read -r word steps; do
    head -c 1000 /dev/zero > "$folder/checked"
    echo "checked $folder/checked"
done
"""


def bench(*words, code=0, **more):
    """Run it with a folder for temporary files of its own, which must be empty afterwards."""
    os.makedirs("tmp", exist_ok=True)
    result = splenium(
        *QUICK, *words, env=environment(TMPDIR=os.path.abspath("tmp"), **more), lengthy=True
    )
    equal((result.code, os.listdir("tmp")), (code, []))
    return result


def ordered(sample):
    return sample["min"] <= sample["p10"] <= sample["median"] <= sample["p90"]


@test
def json_holds_everything_and_the_check_was_made():
    result = bench("--json")
    found = json.loads(result.out)
    holds(FILE <= found.keys(), FILE - found.keys())
    holds(MACHINE <= found["machine"].keys(), MACHINE - found["machine"].keys())
    cases = {case["name"]: case for case in found["cases"]}
    holds("none/connectivity_76.zip is absent" in cases["76"]["skipped"], cases["76"])
    case = cases["dk68"]
    holds(CASE <= case.keys(), CASE - case.keys())
    holds(CONNECTOME <= case["connectome"].keys(), case["connectome"])
    holds(PLAN <= case["plan"].keys(), case["plan"])
    equal((case["connectome"]["n"], len(case["connectome"]["sha256"])), (68, 64))
    equal((case["scheme"], case["coupling_stages"], case["precision"]),
          ("heun", "per-stage", "double"))
    equal((case["threads"], case["speed"], case["dt"]), (1, 3, 0.1))
    equal(case["includes"], ["noise on V", "history", "per-node parameters",
                             "monitors: tavg, bold", "results file"])
    equal(case["check"]["steps"], 100)
    holds(0.0 < case["check"]["max_abs_dV"] < 1e-12, case["check"])
    equal(case["escaped_nodes"], 0)
    for key in ("product_us", "naive_us", "ratio"):
        holds(SAMPLE <= case[key].keys() and ordered(case[key]), (key, case[key]))
    # a sanitizer slows both down, each in its own way
    if os.environ.get("SPLENIUM_SANITIZE", "none") == "none":
        holds(case["ratio"]["median"] > 1, case["ratio"])
    holds(case["roofline_fraction"] > 0, case["roofline_fraction"])
    equal([part["name"] for part in case["parts"]],
          ["dynamics", "history", "coupling", "noise", "monitors", "output"])
    holds(cases["dk68-ensemble"]["million_node_steps_per_s"]["median"] > 0, cases)


@test
def the_page_stands_beside_a_file_of_json():
    result = bench("--cases", "dk68-ensemble", "--json=bench.json")
    holds("dk68-ensemble\n" in result.out and "million node-steps/s" in result.out, result.out)
    with open("bench.json", encoding="utf-8") as file:
        equal([case["name"] for case in json.load(file)["cases"]], ["dk68-ensemble"])
    equal(files(), ["bench.json"])


@test
def goals_only_warn():
    sample = dict.fromkeys(SAMPLE, 1.5)
    case = {"name": "998-threads", "product_us": sample, "ratio": sample}
    write("bench.json", json.dumps({"cases": [case, {"name": "76", "skipped": "absent"}]}))
    result = subprocess.run([SOURCE / "tools/update-performance", "--goals", "bench.json"],
                            capture_output=True, text=True)
    equal((result.returncode, result.stderr), (0, ""))
    holds("998-threads" in result.stdout and "WARNING: below the goal" in result.stdout,
          result.stdout)


@test
def tables_of_a_target_are_renewed():
    """Those of others stay, and without a place for them nothing is written."""
    bench("--cases", "dk68-ensemble", "--json=bench.json")
    target = json.loads(pathlib.Path("bench.json").read_text())["build"]["target"]
    for folder in ("tools", "docs"):
        os.mkdir(folder)
    shutil.copy(SOURCE / "tools/update-performance", "tools")
    for begin, code in ((f"<!-- measured {target} -->", 0), ("<!-- measured -->", 1)):
        other = "<!-- measured other -->\nold\n<!-- end -->\n"
        page = f"before\n{other}{begin}\nold\n<!-- end -->\nafter\n"
        write("docs/performance.md", page)
        result = subprocess.run(["tools/update-performance", "--from", "bench.json"],
                                capture_output=True, text=True)
        equal(result.returncode, code)
        new = pathlib.Path("docs/performance.md").read_text()
        if code == 0:
            holds(new.startswith(f"before\n{other}{begin}\n") and new.endswith("\nafter\n"), new)
            holds("\nold\n" not in new.split(begin)[1] and "| dk68-ensemble |" in new, new)
        else:
            equal(new, page)
            holds(f"no lines <!-- measured {target} --> and <!-- end -->" in result.stderr,
                  result.stderr)


@test
def different_results_are_not_timed():
    peer = pathlib.Path(write("peer", WRONG_PEER))
    peer.chmod(0o755)
    result = bench("--cases", "dk68-tvb", "--python", peer.resolve(), code=70)
    holds("NOT TIMED: V differs from TVB's by" in result.out, result.out)
    holds("us per step" not in result.out, result.out)
    holds(": not timed\n" in result.err, result.err)


@test
def a_peer_that_is_absent_is_skipped():
    for python in ("/bin/false", "no-such-python"):
        result = bench("--cases", "dk68-tvb", "--python", python)
        holds(f"dk68-tvb   skipped: {python}" in result.out, result.out)


@test
def interrupted_it_leaves_no_files():
    os.mkdir("tmp")
    running = subprocess.Popen([COMMAND, *QUICK, "--cases", "dk68,dk68-ensemble"],
                               env=environment(TMPDIR=os.path.abspath("tmp")),
                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    while running.poll() is None and not list(pathlib.Path("tmp").rglob("results.h5")):
        time.sleep(0.01)
    running.send_signal(signal.SIGINT)
    equal((running.wait(20), os.listdir("tmp")), (75, []))


@test
def unknown_targets_end_it():
    result = bench("--cases", "dk68", code=2, SPL_TARGET="v9")
    holds("SPL_TARGET=v9: unknown target" in result.err, result.err)


@test
def names_of_cases_are_checked():
    result = bench("--cases", "76,998-thread", code=2)
    equal(result.err, "splenium: --cases: no case '998-thread'; did you mean '998-threads'?; see "
          "splenium bench --help\n")
    result = bench("--json=no/bench.json", code=73)
    equal(result.err, "splenium: --json=no/bench.json: No such file or directory\n")


if __name__ == "__main__":
    main(sys.argv[2:])
