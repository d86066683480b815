#!/usr/bin/env python3
"""Spiking populations: what a run says of them, and the files it leaves.

test_spikes.py SPLENIUM [TEST]...
"""

import json
import os
import pathlib
import re
import signal
import subprocess
import sys
import tempfile
import time

from command import COMMAND, digest, environment, files, need_h5py, splenium, write, write_pair
from support.tap import equal, holds, main, test

try:
    import h5py
    import numpy as np
except ImportError:
    h5py = None

NODE = """\
format: 1
connectome: {file: two.zip}
simulation: {duration: 400 ms, transient: 50 ms, dt: 0.1, seed: 5, threads: 1}
subnetworks:
  - {name: thal, region: rA, size: 100, K: 20, nu0: 0.7}
output: {file: out.h5}
"""
FEEDBACK = NODE.replace("K: 20, nu0: 0.7}", """nu0: 0.7, mode: attach, local_feedback: true,
     populations: [{name: E}, {name: I, type: inhibitory}],
     projections: [{from: E, to: I, rule: pairwise_bernoulli, p: 0.3, weight: 1.2,
                    normalise: indegree},
                   {from: I, to: E, rule: fixed_outdegree, K: 20, weight: {uniform: [2, 6]},
                    normalise: indegree}]}""")
ALONE = """\
format: 1
simulation: {duration: 400 ms, dt: 0.1, seed: 5, threads: 1}
subnetworks:
  - name: net
    size: 200
    populations:
      - {name: E, record: [0, 7], background: [{rate: 2 kHz, weight: 0.03}]}
      - {name: quiet, size: 3, record_spikes: false}
output: {file: out.h5}
"""


def run(configuration, *words, **options):
    write_pair()
    write("c.yaml", configuration)
    return splenium("run", "c.yaml", *words, **options)


def rates(text):
    """Spikes and mean rates by population, of a summary or of info."""
    found = re.findall(r"(\S+): \d+ \w+.*; (\d+) spikes, (?:mean rate )?([\d.e+-]+) Hz", text)
    return {name: (int(n), float(rate)) for name, n, rate in found}


@test
def summary_and_info_tell_the_same_rates():
    result = run(NODE)
    equal(result.code, 0)
    said = rates(result.out)
    equal(sorted(said), ["thal.E", "thal.I"])
    holds("80 excitatory in rA" in result.out, result.out)
    n, rate = said["thal.E"]
    holds(n > 0 and abs(rate - n / 80 / 0.4) < 1e-3 * rate, said)
    info = splenium("info", "out.h5")
    equal((info.code, info.err), (0, ""))
    equal(rates(info.out), said)
    holds("spikes     out.spikes.h5\n" in info.out, info.out)
    found = json.loads(splenium("info", "out.h5", "--json").out)["results"]
    equal([p["spikes"] for p in found["populations"]], [n for n, _ in said.values()])
    equal(files(), ["c.yaml", "out.h5", "out.spikes.h5", "two.zip"])


@test
def a_run_without_nodes_has_results():
    result = run(ALONE, "--json")
    equal(result.code, 0)
    holds(" V in " not in result.err, result.err)
    found = json.loads(result.out)
    equal((found["nodes"], found["model"]), (0, ""))
    equal([p["name"] for p in found["populations"]], ["net.E", "net.quiet"])
    info = splenium("info", "out.h5")
    equal((info.code, info.err), (0, ""))
    holds(info.out.startswith("out.h5: results of spiking populations alone\n"), info.out)
    holds("monitor    net.E: report of data; 4000 of 4000 rows of 6 values" in info.out,
          info.out)
    equal(json.loads(splenium("info", "out.h5", "--json").out)["source"], "out.h5")
    # and it is an input like any other
    again = splenium("run", "out.h5", "-o", "again.h5", "--json", "-q")
    equal(json.loads(again.out)["populations"], found["populations"])
    need_h5py()
    with h5py.File("out.h5", "r") as a, h5py.File("again.h5", "r") as b:
        for name in ("populations/rate", "populations/mean_V", "report/net.E/data"):
            holds((a[name][:] == b[name][:]).all(), name)
        equal(a["report/net.E"].attrs["elements"].tolist()[:2], ["V", "u"])


@test
def rates_are_the_spikes_of_the_file():
    need_h5py()
    equal(run(NODE, "-q").code, 0)
    with h5py.File("out.h5", "r") as file, h5py.File("out.spikes.h5", "r") as spikes:
        table = file["populations"]
        for p, name in enumerate(table["population"].asstr()[:]):
            size = table["size"][p]
            counts = np.rint(table["rate"][:, p].astype(float) * 0.1 * size).astype(int)
            times = spikes["spikes"][name]["timestamps"][:]
            equal(counts.sum(), len(times))
            equal(table["spikes"][p], len(times))
            # a spike belongs to the step at whose end or before it happened
            steps = np.ceil(times / 0.1 - 1e-6).astype(int) - 501
            equal(np.bincount(steps, minlength=4000).tolist(), counts.tolist())
        tau = 5.0
        sizes = table["size"][:]
        excitatory = table["excitatory"][:]
        equal(excitatory.tolist(), [True, False])
        # x follows from the rate of the excitatory neurons, step by step
        x = file["subnetworks/filtered_rate"][:, 0].astype(float)
        rate = table["rate"][:, 0].astype(float)
        decay = np.exp(-0.1 / tau)
        wanted = decay * x[:-1] + (1 - decay) * rate[1:]
        holds(np.abs(x[1:] - wanted).max() < 1e-6 * rate.max(), "filter")
        equal(sizes.tolist(), [80, 20])


@test
def spikes_of_another_run_are_not_overwritten():
    write("out.spikes.h5", "precious")
    result = run(NODE)
    equal(result.code, 73)
    holds("out.spikes.h5: exists already" in result.err, result.err)
    equal(pathlib.Path("out.spikes.h5").read_text(), "precious")
    equal(run(NODE, "--force", "-q").code, 0)
    equal(pathlib.Path("out.spikes.h5").read_bytes()[:4], b"\x89HDF")


def start(*words):
    write_pair()
    write("c.yaml", NODE)
    return subprocess.Popen(
        [COMMAND, "run", "c.yaml", "--set", "simulation.duration=200 s", "--set",
         "output.flush_every=50 ms", "-q", *words],
        env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def wait_for_spikes(name="out.h5"):
    end = time.monotonic() + 30
    while True:
        holds(time.monotonic() < end, "no spikes after 30 s")
        # the run does not wait for valgrind
        exists = os.path.exists(name)
        result = splenium("info", name, lengthy=True) if exists else None
        if result is not None and result.code == 0 and rates(result.out):
            if rates(result.out)["thal.E"][0] > 10:
                return
        time.sleep(0.05)


@test
def an_interrupted_run_keeps_its_spikes():
    process = start()
    try:
        wait_for_spikes()
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=30)
    finally:
        process.kill()
        process.wait()
    equal(process.returncode, 75)
    info = splenium("info", "out.h5")
    holds("interrupted after" in info.out, info.out)
    holds(rates(info.out)["thal.E"][0] > 10, info.out)
    holds(os.path.getsize("out.spk") > 12 * rates(info.out)["thal.E"][0], "journal")


@test
def a_killed_run_leaves_files_that_can_be_read():
    process = start()
    try:
        wait_for_spikes()
    finally:
        process.kill()
        process.communicate()
    info = splenium("info", "out.h5")
    equal(info.code, 0)
    holds("killed after" in info.out, info.out)
    n, rate = rates(info.out)["thal.E"]
    holds(n > 10 and rate > 0, info.out)
    holds(os.path.getsize("out.spk") > 0, "journal")


def start_resume(*words):
    return subprocess.Popen(
        [COMMAND, "resume", "out.h5", "-q", *words],
        env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def all_spikes(path):
    with h5py.File(path, "r") as file:
        return {name: (group["timestamps"][:].tolist(), group["node_ids"][:].tolist())
                for name, group in file["spikes"].items()}


def check_resumed(configuration):
    """Killed several times, a run ends with the bits of an undisturbed one."""
    words = ["--set", "simulation.duration=20 s"]
    equal(run(configuration, *words, "-q", "-o", "whole.h5", lengthy=True).code, 0)
    process = subprocess.Popen(
        [COMMAND, "run", "c.yaml", *words, "-q", "--set", "output.flush_every=10 ms",
         "--checkpoint-every", "20 ms"],
        env=environment(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    end = time.monotonic() + 30
    while not os.path.exists("out.ckpt.prev") and process.poll() is None:
        holds(time.monotonic() < end, "no checkpoint after 30 s")
        time.sleep(0.005)
    process.kill()
    process.wait()
    for threads in (2, 1):
        process = start_resume("--threads", str(threads))
        time.sleep(0.1)
        process.kill()
        process.communicate()
    result = splenium("resume", "out.h5", "-q", lengthy=True)
    equal(result.code, 0)
    equal(digest("out.h5"), digest("whole.h5"))
    equal([name for name in files() if name.startswith("out")], ["out.h5", "out.spikes.h5"])
    need_h5py()
    holds(all_spikes("out.spikes.h5") == all_spikes("whole.spikes.h5"), "spikes")
    # and nothing is left to do
    equal(splenium("resume", "out.h5", "-q").code, 0)


@test
def a_killed_run_with_a_spiking_node_goes_on():
    check_resumed(NODE)


@test
def a_killed_run_with_feedback_and_normalised_weights_goes_on():
    check_resumed(FEEDBACK)


@test
def a_killed_run_without_nodes_goes_on():
    check_resumed(ALONE)


@test
def a_run_that_fails_behind_its_last_step_ends_later():
    """With a checkpoint of the last step, nothing is left to compute."""
    # three blocks, each longer than it takes to write a checkpoint
    long = ["--set", "simulation.duration=14.2 ms", "--set", "simulation.transient=5 ms",
            "--set", "simulation.block=64", "--set", "subnetworks.thal.size=3000"]
    equal(run(NODE, "-q", "-o", "whole.h5", *long).code, 0)
    step = 0
    for _ in range(50):
        os.makedirs("out.spikes.h5.tmp/full", exist_ok=True)
        result = run(NODE, "-q", "--force", "--checkpoint-every", "0.001 ms", *long)
        equal(result.code, 73)
        holds("out.spikes.h5.tmp: left over and cannot be deleted" in result.err, result.err)
        # one may be under way when the last block ends
        step = int.from_bytes(pathlib.Path("out.ckpt").read_bytes()[24:32], "little")
        if step == 192:
            break
    equal(step, 192)
    os.rmdir("out.spikes.h5.tmp/full")
    os.rmdir("out.spikes.h5.tmp")
    equal(splenium("resume", "out.h5", "-q"), (0, "", ""))
    digests = [splenium("verify", "--digest", name).out for name in ("out.h5", "whole.h5")]
    equal(digests[0], digests[1])
    need_h5py()
    holds(all_spikes("out.spikes.h5") == all_spikes("whole.spikes.h5"), "spikes")


@test
def a_complete_run_can_become_longer():
    need_h5py()
    longer = ["--set", "simulation.duration=600 ms"]
    equal(run(NODE, *longer, "-q", "-o", "whole.h5").code, 0)
    equal(run(NODE, "-q").code, 0)
    short = all_spikes("out.spikes.h5")
    equal(splenium("resume", "out.h5", "-q", *longer).code, 0)
    equal(digest("out.h5"), digest("whole.h5"))
    spikes = all_spikes("out.spikes.h5")
    holds(spikes == all_spikes("whole.spikes.h5"), "spikes")
    for name, (times, _) in short.items():
        equal(spikes[name][0][:len(times)], times)
    equal([name for name in files() if name.startswith("out")], ["out.h5", "out.spikes.h5"])


@test
def a_run_that_was_to_replace_a_complete_one_leaves_it_whole():
    """Its journal had taken its name, the results had not."""
    longer = ["--set", "simulation.duration=600 ms"]
    process = start("-o", "new.h5")
    try:
        wait_for_spikes("new.h5")
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=30)
    finally:
        process.kill()
        process.wait()
    equal(run(NODE, *longer, "-q", "-o", "whole.h5").code, 0)
    equal(run(NODE, "-q").code, 0)
    os.rename("new.spk", "out.spk")
    equal(splenium("verify", "out.h5").code, 0)
    equal(splenium("resume", "out.h5", "-q", *longer), (0, "", ""))
    equal(digest("out.h5"), digest("whole.h5"))
    equal([name for name in files() if name.startswith("out")], ["out.h5", "out.spikes.h5"])
    # of a run that is not complete it may be the wrong file, and worth something
    equal(splenium("resume", "new.h5", "-q").code, 66)
    equal(run(NODE, "-q", "-o", "other.h5", "--set", "simulation.duration=200 s",
              "--max-hours", "0.0001").code, 75)
    os.rename("other.spk", "new.spk")
    result = splenium("resume", "new.h5", "-q")
    equal(result.code, 65)
    holds("new.spk: the spike journal of another run" in result.err, result.err)
    holds(os.path.exists("new.spk"), "deleted")


if __name__ == "__main__":
    # in memory, where a sync costs nothing
    tempfile.tempdir = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
    main(sys.argv[2:])
