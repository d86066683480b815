#!/usr/bin/env python3
"""run and validate: what goes in, what is said, what comes out.

test_run.py SPLENIUM [TEST]...
"""

import json
import math
import os
import pathlib
import pty
import re
import resource
import select
import signal
import subprocess
import sys
import time

from command import (
    C2,
    COMMAND,
    L2,
    SHORT,
    W2,
    digest,
    environment,
    files,
    splenium,
    write,
    write_npy,
    write_pair,
    write_zip,
)
from support.tap import Skip, equal, holds, main, test

FIXTURES = pathlib.Path(__file__).resolve().parent / "fixtures"

START = re.compile(r"splenium: version \d+\.\d+\.\d+, target \w+, BLAS core .+, 1 thread\n")
LINE = re.compile(
    r"splenium: +\d+ % \| sim [\d.]+/[\d.]+ s \| [\d.e+]+x real time \| ETA (\d+:)*\d\d \| "
    r"V in \[-?[\d.e-]+, -?[\d.e-]+\] \| out [\d.]+ k?B\n"
)


def start(*words, **options):
    """A run that goes on while the test does; long enough to be interrupted."""
    command = [COMMAND, "run", "two.zip", "--threads", "1", *words]
    return subprocess.Popen(
        command,
        env=environment(),
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        **options,
    )


def wait_for(condition, what, seconds=20.0):
    end = time.monotonic() + seconds
    while not condition():
        holds(time.monotonic() < end, f"waited {seconds} s for {what}")
        time.sleep(0.01)


def activity(*words):
    """The numbers of a run; any change of its rows changes them."""
    result = splenium("run", *words, *SHORT, "--json", "-q")
    equal((result.code, result.err), (0, ""))
    found = json.loads(result.out)
    return found["activity"]


@test
def a_run_says_how_it_starts_goes_and_ends():
    write_pair()
    result = splenium("run", "two.zip", "-o", "out.h5", *SHORT)
    equal(result.code, 0)
    first, last = result.err.splitlines(keepends=True)
    holds(START.fullmatch(first), first)
    holds(LINE.fullmatch(last) and "100 % | sim 0.1/0.1 s" in last, last)
    holds(
        re.fullmatch(
            r"network    2 nodes, 2 edges; delays 3.3 .. 6.7 ms, median 6.7 ms\n"
            r"model      larter_breakspear, coupling mean_rate, heun, dt 0.1 ms\n"
            r"run        0.1 s simulated in \S+ s, \S+ x real time\n"
            r"activity   mean V -?0\.\d+; dominant frequency [\d.]+ Hz \(\+- \S+\); "
            r"mean FC -?\d\.\d{3}\n"
            r"           of monitor tavg, last 0.1 s\n"
            r"results    out.h5 \([\d.]+ kB\)\n",
            result.out,
        ),
        result.out,
    )
    equal(files(), ["out.h5", "two.zip"])


@test
def quiet_runs_say_nothing():
    write_pair()
    result = splenium("run", "two.zip", "-q", "-o", "out.h5", *SHORT)
    equal(result, (0, "", ""))
    equal(files(), ["out.h5", "two.zip"])


@test
def verbose_runs_name_libraries():
    write_pair()
    result = splenium("run", "two.zip", "-v", "--progress", "none", "-o", "", *SHORT)
    equal(result.code, 0)
    holds(
        re.fullmatch(
            r"splenium: version .*, HDF5 \d.*, 1 thread, production engine, .*\n",
            result.err,
        ),
        result.err,
    )
    holds("\nresults    none\n" in result.out, result.out)
    equal(files(), ["two.zip"])


@test
def the_summary_is_json_for_programs():
    write_pair()
    result = splenium("run", "two.zip", "-o", "out.h5", "--json", "--progress=none", *SHORT)
    found = json.loads(result.out)
    equal((found["nodes"], found["edges"], found["threads"]), (2, 2, 1))
    equal((found["simulated_ms"], found["asked_ms"]), (100.0, 100.0))
    equal(found["output"], "out.h5")
    holds('"dt_ms": 0.1,' in result.out, "more digits than needed")
    equal(found["activity"]["monitor"], "tavg")
    equal(found["activity"]["span_ms"], 100.0)
    holds(found["wall_s"] > 0 and found["output_bytes"] > 1000, result.out)


@test
def the_summary_knows_simple_signals():
    """Two nodes of the linear model, undriven and coupled to nothing that moves."""
    write_pair()
    words = [
        "two.zip",
        "--set",
        "model.name=linear",
        "--set",
        "noise.kind=none",
        "--set",
        "model.init={x: 0.5}",
        "--set",
        "model.gamma=0",
        "--set",
        "coupling.a=0",
        "--set",
        "monitors=[{name: s, kind: subsample, period: 1 ms}]",
        "-o",
        "",
    ]
    still = activity(*words)
    equal((still["variable"], still["mean"]), ("x", 0.5))
    equal((still["dominant_frequency_hz"], still["mean_fc"]), (None, None))
    decaying = activity(*words, "--set", "model.gamma=-0.01")
    holds(abs(decaying["mean_fc"] - 1.0) < 1e-9, str(decaying))
    # x' = -b x(t - d) with b d = pi / 2 oscillates for ever, period 4 d = 100 ms
    write("opposite.txt", "0.5\n-0.5\n")
    write_pair("self.zip", "1 0\n0 1\n")
    hopf = json.loads(
        splenium(
            "run",
            "self.zip",
            *words[1:],
            "--set",
            "model.init={x: {file: opposite.txt}}",
            "--set",
            "connectome.delay=25 ms",
            "--set",
            "coupling.function=linear",
            "--set",
            f"coupling.a={-math.pi / 50}",
            "--set",
            "simulation.duration=4 s",
            "--json",
            "-q",
        ).out
    )["activity"]
    holds(
        abs(hopf["dominant_frequency_hz"] - 10) <= hopf["frequency_resolution_hz"] / 2, hopf
    )
    equal(round(hopf["frequency_resolution_hz"], 4), round(1000 / 1024, 4))
    holds(abs(hopf["mean_fc"] + 1) < 1e-9 and abs(hopf["mean"]) < 1e-9, hopf)
    # no monitor of all nodes: nothing is made up
    result = splenium(
        "run",
        *words[:-2],
        "-o",
        "",
        *SHORT,
        "--set",
        "monitors=[{name: g, kind: global_average}]",
    )
    holds("\nactivity   not summarised: " in result.out, result.out)


@test
def the_summary_keeps_the_last_rows():
    """A decay over 20000 rows, of which 16384 are kept."""
    write_pair()
    result = splenium(
        "run", "two.zip", "-q", "--json", "-o", "", "--set", "model.name=linear", "--set",
        "noise.kind=none", "--set", "model.init={x: 0.5}", "--set", "model.gamma=-0.001",
        "--set", "coupling.a=0", "--set", "monitors=[{name: r, kind: raw}]", "--set",
        "simulation.duration=2 s",
    )  # fmt: skip
    found = json.loads(result.out)["activity"]
    equal(found["span_ms"], 1638.4)
    rows = [0.5 * math.exp(-1e-4 * step) for step in range(3617, 20001)]
    holds(abs(found["mean"] - sum(rows) / len(rows)) < 1e-8, found)


@test
def progress_is_json_if_asked():
    write_pair()
    result = splenium("run", "two.zip", "-o", "out.h5", "--progress=json", *SHORT)
    lines = result.err.splitlines()[1:]
    last = json.loads(lines[-1])
    equal((last["step"], last["n_steps"], last["time_ms"]), (1000, 1000, 100.0))
    equal(last["remaining_s"], 0)


@test
def plain_lines_come_every_ten_seconds():
    """Ten seconds of wall time pass for a stopped process too."""
    write_pair()
    with start("-o", "out.h5", "--set", "simulation.duration=1 h") as run:
        first = run.stderr.readline()
        wait_for(lambda: os.path.exists("out.h5"), "the results file")
        run.send_signal(signal.SIGSTOP)
        time.sleep(10.2)
        run.send_signal(signal.SIGCONT)
        line = run.stderr.readline()
        run.send_signal(signal.SIGINT)
        run.communicate()
    holds(START.fullmatch(first), first)
    holds(LINE.fullmatch(line), line)


def run_on_terminal(*words, stop_at=None, **more):
    """Exit code and all that a run writes to its terminal; SIGINT after some text."""
    master, slave = pty.openpty()
    command = [COMMAND, "run", "two.zip", "--threads", "1", "-o", "out.h5", *words]
    run = subprocess.Popen(
        command,
        env=environment(TERM="xterm", **more),
        stdout=subprocess.DEVNULL,
        stderr=slave,
    )
    os.close(slave)
    text = b""
    while True:
        holds(select.select([master], [], [], 20)[0], "the run says nothing for 20 s")
        try:
            text += os.read(master, 4096)
        except OSError:  # the other end is closed
            break
        if stop_at is not None and stop_at in text:
            run.send_signal(signal.SIGINT)
            stop_at = None
    os.close(master)
    return run.wait(), text.decode()


@test
def a_terminal_gets_a_bar():
    write_pair()
    code, text = run_on_terminal("--set", "simulation.duration=1 h", stop_at=b"V in")
    equal(code, 75)
    drawn = [bar for bar in text.split("\r") if bar.startswith("[")]
    holds(drawn, text)
    for bar in drawn:
        bar = bar.removesuffix("\x1b[K")
        holds(re.match(r"\[#*\.*\] +\d+ % \| sim \d", bar), repr(bar))
        holds(len(bar) < 80, "wider than the terminal: " + bar)
    # nothing of it stays
    holds(re.search(r"\r\x1b\[Ksplenium: [^\r]*interrupted[^\r]*\r\n$", text), repr(text))


@test
def the_bar_goes_at_the_end():
    write_pair()
    words = ["--set", "simulation.engine=reference", "--set", "simulation.duration=30 s"]
    code, text = run_on_terminal(*words)
    equal(code, 0)
    if "\r[" in text:  # it took long enough for one
        holds(text.endswith("\r\x1b[K"), repr(text[-100:]))


@test
def colour_is_for_terminals_that_want_it():
    write_pair()
    words = [
        "--set",
        "simulation.dt=0.6",
        "--set",
        "simulation.duration=60 ms",
        "--set",
        "monitors=[{name: r, kind: raw}]",
    ]
    _, coloured = run_on_terminal(*words)
    holds("splenium: \x1b[33mwarning\x1b[0m: simulation.dt: " in coloured, repr(coloured))
    _, plain = run_on_terminal(*words, "--force", NO_COLOR="1")
    holds("splenium: warning: simulation.dt: " in plain, repr(plain))


@test
def warnings_are_counted_and_repeated():
    write_pair()
    result = splenium(
        "run",
        "two.zip",
        "-o",
        "out.h5",
        "--set",
        "simulation.dt=0.6",
        "--set",
        "simulation.duration=60 ms",
        "--progress=none",
        "--set",
        "monitors=[{name: r, kind: raw}]",
    )
    equal(result.code, 0)
    lines = result.err.splitlines()
    text = (
        "simulation.dt: 0.6 ms is above 0.5 ms, where every integrator is inaccurate for "
        "Larter-Breakspear nodes; reduce it"
    )
    equal(lines[0], f"splenium: warning: {text}")
    holds(re.fullmatch(r"splenium: 1 warning during this run:", lines[-2]), lines[-2])
    holds(re.fullmatch(re.escape(f"  {text}") + r" \(\d x\)", lines[-1]), lines[-1])


@test
def results_are_not_overwritten_unless_forced():
    write_pair()
    write("out.h5", "precious")
    result = splenium("run", "two.zip", "-o", "out.h5", "--progress=none", *SHORT)
    equal((result.code, result.out), (73, ""))
    holds(result.err.splitlines()[-1].startswith("splenium: out.h5: "), result.err)
    holds("--force" in result.err or "output.force" in result.err, result.err)
    equal(pathlib.Path("out.h5").read_text(), "precious")
    equal(splenium("run", "two.zip", "-o", "out.h5", "--force", "-q", *SHORT).code, 0)
    holds(pathlib.Path("out.h5").read_bytes().startswith(b"\x89HDF"), "not replaced")
    equal(files(), ["out.h5", "two.zip"])


@test
def the_output_needs_its_folder():
    write_pair()
    result = splenium("run", "two.zip", "-o", "nosuch/out.h5", *SHORT)
    equal((result.code, result.out), (73, ""))
    holds("splenium: nosuch/out.h5: " in result.err, result.err)
    if os.geteuid() != 0:
        os.mkdir("closed", 0o500)
        equal(splenium("run", "two.zip", "-o", "closed/out.h5", *SHORT).code, 73)
    equal(files(), ["two.zip"])


@test
def a_file_that_cannot_grow_is_an_io_error():
    write_pair()

    def limit():
        resource.setrlimit(resource.RLIMIT_FSIZE, (40000, 40000))

    result = splenium(
        "run",
        "two.zip",
        "-o",
        "out.h5",
        "--progress=none",
        *SHORT,
        "--set",
        "monitors=[{name: r, kind: raw}]",
        preexec_fn=limit,
    )
    equal((result.code, result.out), (74, ""))
    holds("splenium: out.h5" in result.err.splitlines()[-1], result.err)
    equal(files(), ["two.zip"])


@test
def a_second_signal_ends_a_run_without_a_checkpoint():
    write_pair()
    with start("-o", "out.h5", "--set", "simulation.duration=1 h") as run:
        run.stderr.readline()
        wait_for(lambda: os.path.exists("out.h5"), "the results file")
        # stopped, it cannot act on the first before the second has come
        run.send_signal(signal.SIGSTOP)
        run.send_signal(signal.SIGINT)
        run.send_signal(signal.SIGTERM)
        run.send_signal(signal.SIGCONT)
        run.communicate(timeout=20)
    equal(run.returncode, 75)
    equal(files(), ["out.h5", "two.zip"])


@test
def a_run_that_is_interrupted_keeps_its_rows():
    write_pair()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGUSR1):
        with start("-o", "out.h5", "--force", "--set", "simulation.duration=1 h") as run:
            run.stderr.readline()
            wait_for(lambda: os.path.exists("out.h5"), "the results file")
            time.sleep(0.3)
            run.send_signal(number)
            out, err = run.communicate(timeout=20)
        equal(run.returncode, 75)
        last = err.splitlines()[-1]
        holds(re.match(r"splenium: interrupted .*splenium resume out.h5$", last), err)
        found = re.search(r"^run        (\S+) of 3600 s simulated", out, re.MULTILINE)
        holds(found and float(found[1]) > 0, out)
        equal(files(), ["out.ckpt", "out.h5", "two.zip"])
        state = json.loads(splenium("info", "out.h5", "--json", "-q").out)["results"]
        equal(state["state"], "interrupted")
        holds(0 < state["step"] < 36000000, str(state))


@test
def a_run_that_diverges_says_where_and_when():
    write_pair()
    result = splenium(
        "run",
        "two.zip",
        "-o",
        "out.h5",
        "--progress=none",
        "--threads",
        "1",
        "--set",
        "model.d_V=0.43",
        "--set",
        "simulation.divergence_limit=5",
        "--set",
        "simulation.duration=20 s",
    )
    equal((result.code, result.out), (76, ""))
    last = result.err.splitlines()[-1]
    holds(re.search(r"\b[lr]A\b", last) and re.search(r"[\d.]+ m?s", last), last)
    state = json.loads(splenium("info", "out.h5", "--json", "-q").out)["results"]
    equal(state["state"], "diverged")


@test
def results_run_again_with_the_same_bits():
    write_pair()
    first = activity(
        "two.zip",
        "-o",
        "out.h5",
        "--set",
        "simulation.seed=7",
        "--set",
        "model.d_V=0.6",
        "--set",
        "connectome.normalise=region",
    )
    os.remove("two.zip")  # the connectome is inside
    result = splenium("run", "out.h5", "-q", "--json")
    equal(result.code, 0)
    folder = os.getcwd()
    equal(
        result.err,
        f"splenium: warning: {folder}/two.zip: cannot be opened: No such file or directory; "
        f"check the path; the matrices kept in {folder}/out.h5 are used\n",
    )
    again = json.loads(result.out)
    equal(again["output"], "out_rerun.h5")
    equal(again["activity"], first)
    equal(files(), ["out.h5", "out_rerun.h5"])
    write_pair()
    equal(activity("out.h5", "-o", ""), first)
    other = activity("out.h5", "-o", "", "--set", "simulation.seed=8")
    holds(other["mean"] != first["mean"], "--set has no effect on a rerun")
    try:
        import h5py
    except ImportError:
        return
    with h5py.File("out.h5") as one, h5py.File("out_rerun.h5") as two:
        equal(one["monitors/tavg/V"][()].tobytes(), two["monitors/tavg/V"][()].tobytes())


@test
def info_follows_a_run():
    write_pair()
    with start("-o", "out.h5", "--set", "simulation.duration=1 h") as run:
        run.stderr.readline()
        wait_for(lambda: os.path.exists("out.h5"), "the results file")

        def some_rows():
            state = json.loads(splenium("info", "out.h5", "--json", "-q").out)["results"]
            equal((state["state"], state["live"]), ("running", True))
            return state["monitors"][0]["durable_rows"] > 0

        wait_for(some_rows, "rows")
        # the file belongs to the run that writes it
        second = splenium("run", "two.zip", "-o", "out.h5", "--force", "-q", *SHORT)
        out = splenium("info", "out.h5", "-q").out
        run.kill()
        run.communicate()
    equal(second.code, 73)
    holds(second.err.startswith("splenium: out.h5: "), second.err)
    holds(out.startswith("out.h5: splenium results; weights tract_lengths centres"), out)
    holds(
        re.search(
            r"\nrun        running after \d+ steps; larter_breakspear, splenium \S+, \S+Z\n"
            r"command    \S*splenium run two.zip --threads 1 -o out.h5 --set "
            r"'simulation.duration=1 h'\n"
            r"monitor    tavg: temporal_average of V; \d+ of 3600000 rows of 2 values, every "
            r"1 ms from 0.55 ms\n",
            out,
        ),
        out,
    )
    out = splenium("info", "out.h5", "-q").out
    holds("\nrun        killed after " in out, out)


@test
def damaged_results_are_refused():
    write_pair()
    equal(splenium("run", "two.zip", "-q", "-o", "out.h5", *SHORT).code, 0)
    os.truncate("out.h5", 20000)
    for words in (["run", "out.h5", "-o", "again.h5"], ["info", "out.h5"]):
        result = splenium(*words)
        equal((result.code, result.out), (65, ""))
        holds(result.err.startswith("splenium: out.h5: "), result.err)
    equal(files(), ["out.h5", "two.zip"])


@test
def relative_paths_start_at_their_file():
    os.mkdir("study")
    write_pair("study/two.zip")
    write("study/rest.yaml", "connectome: {file: two.zip}\noutput: {file: rest.h5}\n")
    equal(splenium("run", "study/rest.yaml", "-q", *SHORT).code, 0)
    equal(files(), ["study/rest.h5", "study/rest.yaml", "study/two.zip"])
    # on the command line, at the current folder
    equal(splenium("run", "study/rest.yaml", "-q", "-o", "here.h5", *SHORT).code, 0)
    holds(os.path.exists("here.h5"), "here.h5")
    result = splenium("run", "study/rest.yaml", "--set", "connectome.file=two.zip", *SHORT)
    equal(result.code, 66)
    equal(
        result.err,
        "splenium: two.zip: cannot be opened: No such file or directory; "
        "check the path\n",
    )


@test
def the_argument_is_told_by_its_contents():
    write("folder/weights.txt", W2)
    write("folder/tract_lengths.txt", L2)
    write("folder/centres.txt", C2)
    write_pair("archive.dat")
    npy = write_npy("w.npy", "<f8", "(1, 1)", b"\0" * 8)
    with open(npy, "rb") as file:
        data = file.read()
    write_zip("arrays", [("weights.npy", data), ("tract_lengths.npy", data)])
    write("settings", "connectome: {file: archive.dat}\n")
    expected = activity("archive.dat", "-o", "")
    equal(activity(FIXTURES / "tvb_connectome", "-o", ""), expected)
    equal(activity("folder", "-o", ""), expected)
    equal(activity("settings", "-o", ""), expected)
    result = splenium("run", "arrays", "-o", "", "--json", *SHORT)
    equal(json.loads(result.out)["nodes"], 1)
    result = splenium("run", "folder/weights.txt", *SHORT)
    equal(result.code, 65)
    equal(
        result.err,
        "splenium: folder/weights.txt:1:1: not a configuration; it must consist "
        "of lines like 'key: value'\n",
    )


@test
def bits_do_not_depend_on_threads():
    write_pair()
    one = activity("two.zip", "-o", "")
    equal(activity("two.zip", "-o", "", "--set", "simulation.threads=2"), one)


@test
def nor_on_others_on_the_processors():
    """An automatic number of threads changes during the run, as another program comes and
    goes; 68 regions take two."""
    words = ["run", "--set", "simulation.duration=30 s", "--progress=none"]
    splenium(*words, "--threads", "1", "-o", "one.h5", lengthy=True)
    hog = subprocess.Popen(
        [sys.executable, "-c", "import time\n"
         "while True:\n    end = time.monotonic() + 0.05\n"
         "    while time.monotonic() < end: pass\n    time.sleep(0.05)"],
        preexec_fn=lambda: os.sched_setaffinity(0, [max(os.sched_getaffinity(0))]),
    )
    try:
        result = splenium(*words, "--threads", "0", "-o", "automatic.h5", lengthy=True)
    finally:
        hog.kill()
        hog.wait()
    equal(result.code, 0)
    equal(digest("automatic.h5"), digest("one.h5"))


@test
def results_say_how_gates_were_formed():
    try:
        import h5py
    except ImportError:
        raise Skip("h5py is absent")
    write_pair()
    for width, gates in ("0.15", "shared"), ("0.14", "separate"):
        activity("two.zip", "-o", f"{gates}.h5", "--set", f"model.d_Ca={width}")
        with h5py.File(f"{gates}.h5") as results:
            equal(results.attrs["gates"], gates)


@test
def a_bare_run_uses_the_defaults():
    result = splenium(
        "run", "--threads", "1", "--progress=none", "--set", "simulation.duration=20 ms"
    )
    equal(result.code, 0)
    holds(result.out.startswith("network    68 nodes, "), result.out)
    equal(files(), ["results.h5"])


@test
def validate_prints_settings_and_cost_and_writes_nothing():
    write_pair()
    for words in (["validate", "two.zip"], ["run", "two.zip", "--dry-run"]):
        result = splenium(*words, "--set", "model.d_V=0.6", "--threads", "1")
        equal(result.code, 0)
        resolved = json.loads(result.out)
        equal(resolved["model"]["d_V"], 0.6)
        equal(resolved["simulation"]["duration"], 10000)
        lines = result.err.splitlines()
        holds(
            re.match(r"splenium: valid: 2 nodes, 2 edges, larter_breakspear, ", lines[0]),
            lines[0],
        )
        holds(
            re.fullmatch(
                r"splenium: 10 s in 100000 steps of 0.1 ms would take about "
                r"\d+:\d\d on 1 thread",
                lines[1],
            ),
            lines[1],
        )
        holds(
            re.fullmatch(
                r"splenium: memory \S+ k?B; results file results.h5, \S+ [kM]B", lines[2]
            ),
            lines[2],
        )
        equal(files(), ["two.zip"])
    write("out.h5", "x")
    err = splenium("validate", "two.zip", "--set", "output.file=out.h5").err
    equal(
        err.splitlines()[-1], "splenium: out.h5 exists: a run replaces it only with --force"
    )


@test
def the_resolved_configuration_is_input_again():
    write_pair()
    first = splenium("validate", "two.zip", "-q", "--set", "noise.nsig=1e-4")
    equal(first.err, "")
    write("resolved.json", first.out)
    equal(splenium("validate", "resolved.json", "-q"), first)


if __name__ == "__main__":
    main(sys.argv[2:])
