#!/usr/bin/env python3
"""watch: what it says of runs at every stage, and that it does not disturb them.

test_watch.py SPLENIUM [TEST]...
"""

import json
import os
import pty
import re
import signal
import subprocess
import sys
import time

from command import COMMAND, digest, environment, files, splenium, wait_until, write, write_pair
from support.tap import Skip, equal, holds, main, test

try:
    import h5py
except ImportError:
    h5py = None

RUN = [
    "run", "two.zip", "-q",
    "--set", "noise.kind=additive",
    "--set", "monitors=[{name: tavg, kind: temporal_average, period: 10, variables: [V, W]},"
             " {name: late, kind: subsample, period: 1 s, dtype: f8}]",
    "--set", "output.flush_every=20 ms",
]  # fmt: skip
LINE = re.compile(
    r" *(\d+) % \| (\w+) \| sim ([\d.e+]+)/([\d.e+]+) s \| step (\d+)"
    r"(?: \| ([\d.e+]+)x real time)?(?: \| ETA (\S+))? \| (.*)"
)


def start(*words):
    return subprocess.Popen([COMMAND, *words], env=environment(), text=True,
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def start_run(duration):
    write_pair()
    process = start(*RUN, "-o", "out.h5", "--set", f"simulation.duration={duration}")
    wait_until(lambda: os.path.exists("out.h5"), "the results file")
    return process


def has_rows():
    result = splenium("watch", "--once", "--json", "out.h5")
    return result.code == 0 and json.loads(result.out)["step"] > 0


def run_whole(name="out.h5", duration="3 s"):
    write_pair()
    result = splenium(*RUN, "-o", name, "--set", f"simulation.duration={duration}")
    equal((result.code, result.err), (0, ""))


def lines(text):
    """Fields of each line of progress, and what follows them."""
    found = text.splitlines()
    n = sum(1 for line in found if LINE.fullmatch(line))
    holds(all(LINE.fullmatch(line) for line in found[:n]), text)
    return [LINE.fullmatch(line).groups() for line in found[:n]], found[n:]


@test
def a_run_that_is_over_has_one_line():
    run_whole()
    before = open("out.h5", "rb").read()
    result = splenium("watch", "out.h5")
    equal((result.code, result.err), (0, ""))
    (fields,), rest = lines(result.out)
    equal(fields[:5], ("100", "complete", "3", "3", "30000"))
    equal(rest, ["run        complete after 30000 steps"])
    values = dict(re.findall(r"(\w+ \w+) (\S+ \[\S+ \S+\])", fields[7]))
    equal(sorted(values), ["late V", "tavg V", "tavg W"])
    found = json.loads(splenium("watch", "out.h5", "--json").out)
    equal((found["state"], found["step"], found["duration_ms"]), ("complete", 30000, 3000))
    equal([(v["durable"], v["rows"]) for v in found["values"]],
          [(300, 300), (300, 300), (3, 3)])
    equal(found["values"][2]["time_ms"], 3000)
    if h5py is not None:
        with h5py.File("out.h5", "r") as file:
            for v in found["values"]:
                row = file["monitors"][v["stream"]][v["variable"]][-1].astype(float)
                equal((v["min"], v["max"]), (row.min(), row.max()))
                holds(abs(v["mean"] - row.mean()) < 1e-12, v)
    holds(open("out.h5", "rb").read() == before, "the file was changed")
    equal(files(), ["out.h5", "two.zip"])


@test
def it_follows_a_run_to_its_end_without_disturbing_it():
    run_whole("whole.h5", "100 s")
    process = start_run("100 s")
    with start("watch", "out.h5", "--interval", "0.001") as watch, process:
        out, err = watch.communicate(timeout=60)
        equal(process.communicate(timeout=60), ("", ""))
    equal((watch.returncode, err, process.returncode), (0, "", 0))
    seen, rest = lines(out)
    print(f"# {len(seen)} looks")
    holds(len(seen) > 3 and seen[0][1] == "running", out)
    steps = [int(fields[4]) for fields in seen]
    equal(steps, sorted(steps))
    equal((steps[-1], seen[-1][1]), (1000000, "complete"))
    equal(rest, ["run        complete after 1000000 steps"])
    equal(digest("out.h5"), digest("whole.h5"))
    equal(files(), ["out.h5", "two.zip", "whole.h5"])


def stop_while_watched(number):
    with start_run("1 h") as process:
        wait_until(has_rows, "rows")
        with start("watch", "out.h5", "--interval", "0.01") as watch:
            holds(LINE.fullmatch(watch.stdout.readline().rstrip("\n")), "no line")
            process.send_signal(number)
            process.communicate(timeout=30)
            out, err = watch.communicate(timeout=30)
    equal(err, "")
    return watch.returncode, lines(out)[1]


@test
def it_ends_with_a_run_that_is_stopped_or_killed():
    for number, state in ((signal.SIGTERM, "interrupted"), (signal.SIGKILL, "killed")):
        code, rest = stop_while_watched(number)
        equal((code, len(rest)), (75, 2))
        holds(rest[0].startswith(f"run        {state} after "), rest[0])
        equal(rest[1], "to go on   splenium resume out.h5")
        for name in files():
            os.remove(name)


@test
def a_run_that_diverged_or_failed_is_told():
    write_pair()
    result = splenium("run", "-q", "-o", "lost.h5", "--set", "model.d_V=0.43",
                      "--set", "model.init=zero", "--set", "simulation.duration=2 s")
    equal(result.code, 76)
    result = splenium("watch", "lost.h5")
    equal(result.code, 76)
    rest = lines(result.out)[1]
    equal(len(rest), 1)
    holds("run        diverged after" in rest[0] and "divergence_limit" in rest[0], rest)
    if h5py is None:
        raise Skip("no h5py; install python3-h5py")
    with h5py.File("lost.h5", "r") as file:
        at = file["status/code"].id.get_offset()
    with open("lost.h5", "r+b") as file:
        file.seek(at)
        file.write(b"\x02")
    result = splenium("watch", "lost.h5")
    equal(result.code, 74)
    holds("to go on   splenium resume lost.h5" in result.out, result.out)
    with open("lost.h5", "r+b") as file:
        file.seek(at)
        file.write(b"\x09")
    result = splenium("watch", "lost.h5")
    equal((result.code, result.out), (65, ""))
    equal(result.err, "splenium: lost.h5: /status/code: 9 means nothing\n")


@test
def a_file_that_takes_the_name_is_followed_on():
    run_whole("longer.h5", "4 s")
    with start_run("1 h") as process:
        wait_until(has_rows, "rows")
        with start("watch", "out.h5", "--interval", "0.01") as watch:
            holds(" | running | " in watch.stdout.readline(), "not running")
            os.rename("longer.h5", "out.h5")
            out, err = watch.communicate(timeout=30)
        process.kill()
        process.communicate()
    equal((watch.returncode, err), (0, ""))
    seen, rest = lines(out)
    equal(seen[-1][:5], ("100", "complete", "4", "4", "40000"))
    equal(rest, ["run        complete after 40000 steps"])


@test
def a_file_that_vanishes_is_one_clear_line():
    with start_run("1 h") as process:
        wait_until(has_rows, "rows")
        with start("watch", "out.h5", "--interval", "0.01") as watch:
            watch.stdout.readline()
            os.rename("out.h5", "moved.h5")
            _, err = watch.communicate(timeout=30)
        process.kill()
        process.communicate()
    equal((watch.returncode, err),
          (66, "splenium: out.h5: no longer there: No such file or directory\n"))


@test
def what_cannot_be_watched_is_one_clear_line():
    write_pair()
    write("text.h5", "no HDF5")
    for words, code in ((["none.h5"], 66), (["text.h5"], 65), (["two.zip"], 65), (["."], 65)):
        result = splenium("watch", *words)
        equal((words, result.code, result.out), (words, code, ""))
        holds(re.fullmatch(rf"splenium: {words[-1]}: .*\n", result.err), result.err)
    for words in ([], ["a", "b"], ["a", "--interval", "0"], ["a", "--interval", "soon"],
                  ["a", "--interval", "nan"], ["a", "--interval=-1"]):
        equal((words, splenium("watch", *words).code), (words, 2))


@test
def once_is_once():
    with start_run("1 h") as process:
        wait_until(has_rows, "rows")
        result = splenium("watch", "out.h5", "--once")
        equal((result.code, result.err), (0, ""))
        (fields,), rest = lines(result.out)
        equal((fields[1], rest), ("running", []))
        os.makedirs("there")
        os.symlink("../out.h5", "there/link.h5")
        holds(" | running | " in splenium("watch", "there/link.h5", "--once").out, "a link")
        holds(float(fields[5]) > 0 and fields[6] is not None, fields)
        process.kill()
        process.communicate()


@test
def on_a_terminal_one_line_is_written_again():
    with start_run("1 h") as process:
        wait_until(has_rows, "rows")
        master, slave = pty.openpty()
        watch = subprocess.Popen([COMMAND, "watch", "out.h5", "--interval", "0.01"],
                                 env=environment(TERM="xterm", COLUMNS="80"),
                                 stdout=slave, stderr=slave)
        os.close(slave)
        out = b""
        while out.count(b"\033[K") <= 2:
            out += os.read(master, 65536)
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=30)
        while True:
            try:
                part = os.read(master, 65536)
            except OSError:
                part = b""
            if not part:
                break
            out += part
        equal(watch.wait(), 75)
    os.close(master)
    text = out.decode()
    holds(text.count("\033[K") > 2, text)
    first, rest = text.split("\n", 1)
    holds(all(len(bar) < 80 for bar in re.split(r"\r|\033\[K", first)), first)
    holds(rest.startswith("run        interrupted after "), rest)


@test
def a_signal_ends_the_watcher_alone():
    with start_run("1 h") as process:
        wait_until(has_rows, "rows")
        with start("watch", "out.h5", "--interval", "100") as watch:
            watch.stdout.readline()
            watch.send_signal(signal.SIGINT)
            equal(watch.communicate(timeout=30), ("", ""))
        equal(watch.returncode, -signal.SIGINT)
        equal(process.poll(), None)
        process.kill()
        process.communicate()


if __name__ == "__main__":
    main(sys.argv[2:])
