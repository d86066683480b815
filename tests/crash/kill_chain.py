#!/usr/bin/env python3
"""Real kills: runs of random configurations are killed at random times and resumed with
other numbers of threads, SIMD targets and block lengths until they are done. After each
kill stock h5py opens the file, and what it calls durable is compared with the file of an
undisturbed run; in the end all of it is, and the spikes.

    kill_chain.py SPLENIUM [KILLS [SEED]]        (default: 1000 kills, seed of the clock)

Some two fifths are kills of spiking populations. In between, runs are stopped by signals and made
longer, checkpoints are damaged and journals of spikes torn. Prints one line per run; exit
1 at the first difference, keeping its folder; 77 without h5py.
"""

import os
import pathlib
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))

from support.crc32c import crc32c  # noqa: E402
from support.under import under  # noqa: E402

try:
    import h5py
    import numpy as np
except ImportError:
    print("no h5py; install python3-h5py")
    sys.exit(77)

MONITORS = (
    "{kind: raw, variables: [V, Q]}",
    "{kind: subsample, period: 250 ms, variables: [V, W, Z]}",
    "{kind: temporal_average, period: 7, variables: [V, Z], dtype: f8}",
    "{name: middle, kind: temporal_average, period: 0.9, stamp: tvb, variables: [Q]}",
    "{kind: global_average, period: 3}",
    "{kind: afferent_coupling}",
    "{kind: bold, period: 720 ms}",
    "{name: gamma, kind: bold, period: 500 ms, kernel: Gamma, variables: [Q], dtype: f8}",
    "{name: mixture, kind: bold, period: 1 s, kernel: MixtureOfGammas, arithmetic: tvb}",
    "{name: double, kind: bold, period: 330 ms, kernel: DoubleExponential, hrf_length: 5000}",
    "{kind: balloon, period: 1 s, dtype: f8}",
)
LONGEST_PERIOD_S = 1.0  # no run can be shorter than a period of its monitors
DRIVEN = "background: [{rate: 2 kHz, weight: 0.03}]"
FORMS = (
    "K: 20, nu0: 0.7",
    "K: 20, nu0: 0.7, crossing: located, second_pole: true",
    "K: 20, nu0: 0.7, scheme: euler, drive: conductance",
    "model: izhikevich2007, populations: [{name: E, preset: RS, current: 120, " + DRIVEN + "}, "
    "{name: I, type: inhibitory, preset: RS, current: {uniform: [0, 200]}}], "
    "projections: [{from: E, to: I, K: 9, weight: 0.5}, {from: I, to: E, K: 9, weight: 0.5}]",
    "populations: [{name: E, record: [0, 7], tau_ref: 2 ms, " + DRIVEN + "}, "
    "{name: I, type: inhibitory, sigma: 0.5, heterogeneity: izhikevich2003, " + DRIVEN + "}, "
    "{name: quiet, size: 3, record_spikes: false}], "
    "projections: [{from: E, to: I, K: 12, weight: 0.05, delay: {uniform: [1, 9]}}, "
    "{from: I, to: E, rule: pairwise_bernoulli, p: 0.1, weight: {uniform: [0.1, 0.3]}}, "
    "{from: E, to: E, receptor: NMDA, K: 5, weight: 0.004, delay: 20}]",
)
RELAY = "populations: [{name: R, model: poisson_relay, size: 300}]"
TARGETS = ("scalar", "v3", "v4")


def subnetworks(chance, alone):
    """A list of one to three, in regions of their own or alone."""
    entries = []
    regions = chance.sample(("rA", "lA", "rB", "lB"), 4)
    for i in range(chance.randint(1, 3)):
        form = chance.choice(FORMS)
        if not alone:
            form = chance.choice((*FORMS, RELAY))
        entry = f"name: net{i}, "
        if form != RELAY:
            entry += f"size: {chance.randint(60, 400)}, "
        if not alone:
            mode = chance.choice(("probe", "replace", "attach"))
            entry += f"region: {regions[i]}, mode: {mode}, "
        entry += f"precision: {chance.choice(('float32', 'float64'))}, "
        entries.append("{" + entry + form + "}")
    return "[" + ", ".join(entries) + "]"


def configuration(chance, spiking):
    """Settings, some tenths of a second of work or a second."""
    settings = {
        "simulation.seed": chance.randint(0, 10**9),
        "simulation.transient": chance.choice(("0", "0", "130.3 ms")),
        "output.flush_every": f"{chance.randint(2, 50)} ms",
        "output.checkpoint_every": f"{chance.randint(5, 200)} ms",
    }
    alone = spiking and chance.random() < 0.3
    if spiking:
        settings["subnetworks"] = subnetworks(chance, alone)
    if alone:
        return settings, chance.uniform(3, 8)
    seconds = chance.uniform(2, 6) if spiking else chance.uniform(4, 12)
    monitors = chance.sample(MONITORS, chance.randint(1, 5))
    noise = chance.choice(("none", "additive", "multiplicative", "ou"))
    settings |= {
        "simulation.integrator": chance.choice(("euler", "heun", "rk4", "exp_euler")),
        "simulation.precision": chance.choice(("double", "single")),
        "simulation.coupling_stages": chance.choice(("per-stage", "frozen")),
        "connectome.speed": chance.choice(("3", "10", "inf")),
        "coupling.function": chance.choice(("mean_rate", "mean_rate", "linear", "difference",
                                            "tvb_tanh", "sigmoidal")),
        "coupling.a": 0.01,
        "noise.kind": noise,
        "monitors": "[" + ", ".join(monitors) + "]",
    }
    if spiking or chance.random() < 0.3:
        settings["connectome.file"] = "four"
    if noise != "none" and chance.random() < 0.5:
        settings["noise.nsig"] = "{V: 1.0e-4, Z: 1.0e-5}"
    if spiking:
        settings["coupling.function"] = chance.choice(("mean_rate", "sigmoidal"))
    return settings, seconds


def write_connectome():
    """Four regions, all pairs connected."""
    os.mkdir("four")
    rows = [[0, 1, 2, 1], [3, 0, 1, 2], [1, 1, 0, 4], [2, 1, 1, 0]]
    for name, factor in (("weights", 1), ("tract_lengths", 17.3)):
        with open(f"four/{name}.txt", "w") as file:
            file.writelines(" ".join(str(factor * w) for w in row) + "\n" for row in rows)
    with open("four/centres.txt", "w") as file:
        file.writelines(f"{label} {i} 0 0\n" for i, label in enumerate(("lA", "lB", "rA", "rB")))


def words_of(settings):
    return [word for key, value in settings.items() for word in ("--set", f"{key}={value}")]


class Wrong(Exception):
    """What is not as it should be."""


def expect(condition, what):
    if not condition:
        raise Wrong(what)


def command(splenium, *words, target=None, after=None, signals=()):
    """Exit code, negative after a kill. Signals come one after the other, `after` seconds."""
    more = {"SPL_TARGET": target} if target else {}
    run = subprocess.Popen([*(under() if words[0] == "verify" else []), splenium, *words],
                           env=os.environ | more, text=True,
                           stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    for number in signals:
        try:
            run.wait(timeout=after)
        except subprocess.TimeoutExpired:
            run.send_signal(number)
            after = 0.002
    out, err = run.communicate()
    if -run.returncode in signals:
        # of the others, if they come before there is anything to be lost
        return run.returncode, ""
    wanted = (0, 75) if signals else (0,)
    expect(run.returncode in wanted, f"{words}: exit code {run.returncode}: {err}")
    return run.returncode, out.strip()


def newest_slot(file):
    n = len(np.atleast_1d(file["progress"].attrs["streams"]))
    slots = [slot for slot in file["progress"][:]
             if slot[0] != 0 and slot[4 + n] == crc32c(slot[:4 + n].tobytes())]
    expect(slots, "no valid slot")
    return max(slots, key=lambda slot: int(slot[0]))


def check_journal(journal, n_bytes, whole):
    """Its durable frames hold the spikes of the undisturbed run, up to their step."""
    expect(len(journal) >= n_bytes, "the journal is shorter than its slot says")
    at = int.from_bytes(journal[12:16], "little")
    dt = np.frombuffer(journal, "<f8", 1, 56)[0]
    step = int.from_bytes(journal[64:72], "little")
    names = []
    place = 80
    for _ in range(int.from_bytes(journal[72:76], "little")):
        lengths = np.frombuffer(journal, "<u4", 2, place + 8)
        names.append(journal[place + 16:place + 16 + lengths[0]].decode())
        place += 16 + int(lengths.sum())
    found = {name: ([], []) for name in names}
    while at < n_bytes:
        expect(int.from_bytes(journal[at + 8:at + 16], "little") == step, "a frame is missing")
        step = int.from_bytes(journal[at + 16:at + 24], "little")
        at += 32
        for name in names:
            n = int.from_bytes(journal[at:at + 4], "little")
            found[name][0].append(np.frombuffer(journal, "<f8", n, at + 4))
            found[name][1].append(np.frombuffer(journal, "<u4", n, at + 4 + 8 * n))
            at += 4 + 12 * n
    expect(at == n_bytes, "the slot ends inside a frame of the journal")
    for name, (times, neurons) in found.items():
        times = np.concatenate(times) if times else np.empty(0)
        neurons = np.concatenate(neurons) if neurons else np.empty(0, int)
        all_times, all_neurons = whole.get(name, (np.empty(0), np.empty(0, int)))
        n = np.searchsorted(all_times, (step + 1e-6) * dt, side="right")
        expect(np.array_equal(times, all_times[:n]) and np.array_equal(neurons, all_neurons[:n]),
               f"spikes of {name} in the journal")


def all_spikes(name):
    if not os.path.exists(name):
        return {}
    with h5py.File(name, "r") as file:
        return {key: (group["timestamps"][:], group["node_ids"][:])
                for key, group in file["spikes"].items()}


class Undisturbed:
    """The file that all others are compared with."""

    def __init__(self, splenium):
        self.digest = command(splenium, "verify", "--digest", "whole.h5")[1]
        self.spikes = all_spikes("whole.spikes.h5")

    def check(self, least):
        """The file that a kill left; `least` is durable before. Result: what is now."""
        with h5py.File("out.h5", "r") as file, h5py.File("whole.h5", "r") as whole:
            slot = newest_slot(file)
            streams = np.atleast_1d(file["progress"].attrs["streams"])
            for name, rows in zip(streams, slot[4:].tolist()):
                path = str(name) if str(name).startswith("/") else f"/monitors/{name}"
                for variable in file["/checksums" + path.removeprefix("/monitors")]:
                    here = file[path][variable][:rows]
                    there = whole[path][variable][:rows]
                    expect(len(here) == rows and here.tobytes() == there.tobytes(),
                           f"{path}/{variable}: durable rows")
            durable = [int(slot[1]), *slot[4:4 + len(streams)].tolist()]
        expect(all(now >= before for now, before in zip(durable, least)), "rows withdrawn")
        if slot[2] > 0 and os.path.exists("out.spk"):
            with open("out.spk", "rb") as file:
                check_journal(file.read(), int(slot[2]), self.spikes)
        return durable

    def check_end(self, splenium):
        expect(command(splenium, "verify", "--digest", "out.h5")[1] == self.digest, "digest")
        spikes = all_spikes("out.spikes.h5")
        expect(spikes.keys() == self.spikes.keys(), "populations with spikes")
        for name, columns in spikes.items():
            for mine, theirs in zip(columns, self.spikes[name]):
                expect(np.array_equal(mine, theirs), f"spikes of {name}")


def damage(chance):
    """What the last process was writing may be torn, and the newest checkpoint bad."""
    if os.path.exists("out.spk") and chance.random() < 0.3:
        with open("out.spk", "r+b") as file:
            data = file.read()
            torn = data[-min(len(data), chance.randint(1, 40)):]
            file.write(chance.choice((torn, bytes(chance.randint(1, 5000)), b"\xff")))
    if os.path.exists("out.ckpt") and os.path.exists("out.ckpt.prev") and chance.random() < 0.1:
        with open("out.ckpt", "r+b") as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(chance.randrange(size))
            file.write(b"\xa5\x5a")


def how_to_stop(chance):
    kind = chance.random()
    return ((signal.SIGKILL,) if kind < 0.9
            else (signal.SIGTERM, signal.SIGKILL) if kind < 0.94
            else (chance.choice((signal.SIGINT, signal.SIGTERM, signal.SIGUSR1)),) * 2
            if kind < 0.97 else (signal.SIGUSR1,))


def available(splenium):
    """SIMD targets of this processor."""
    def runs(target):
        return subprocess.run([splenium, "run", "-q", "-o", "x.h5", "--force", "--set",
                               "simulation.duration=1"], env=os.environ | {"SPL_TARGET": target},
                              capture_output=True).returncode == 0
    return [target for target in TARGETS if runs(target)]


def chain(splenium, chance, spiking, targets):
    """One run, killed until it is done. Result: the number of kills."""
    settings, seconds = configuration(chance, spiking)
    first = []  # durations: it may become longer
    last = f"simulation.duration={seconds:.1f} s"
    if chance.random() < 0.4:
        shorter = max(LONGEST_PERIOD_S, chance.uniform(0.3, 0.9) * seconds)
        first = [f"simulation.duration={shorter:.1f} s"]
    write_connectome()
    words = words_of(settings)
    print(" ".join(words), file=open("words", "w"))
    begin = ["run", *words]
    if not spiking and chance.random() < 0.2:
        command(splenium, "run", "-q", "-o", "base.h5", *words, "--set",
                "simulation.duration=1100 ms")
        begin += ["--from", "base.h5"]
    started = time.monotonic()
    command(splenium, *begin, "-q", "-o", "whole.h5", "--set", last)
    whole_s = time.monotonic() - started
    whole = Undisturbed(splenium)
    durations = [*first, last]
    durable = []
    n_kills = 0
    while durations:
        begun = os.path.exists("out.h5")
        verb = ["resume", "out.h5"] if begun else [*begin, "-o", "out.h5"]
        more = ["--threads", chance.randint(1, 4), "--set", durations[0], "--set",
                f"simulation.block={chance.randint(0, 64)}"]
        # often too short to begin, sometimes enough to finish
        after = chance.choice((0.1, 0.3, 1.0)) * whole_s * chance.uniform(0.2, 1.2)
        after *= 1 + n_kills / 10
        code, _ = command(splenium, *verb, "-q", *map(str, more), target=chance.choice(targets),
                          after=after, signals=how_to_stop(chance))
        if os.path.exists("out.h5"):
            durable = whole.check(durable)
        # those before there was anything do not count
        n_kills += code == -signal.SIGKILL and begun
        if code == 0 or (len(durations) == 2 and n_kills > 0 and chance.random() < 0.1):
            durations.pop(0)
        elif code != 75:
            damage(chance)
    whole.check_end(splenium)
    left = {name for name in os.listdir(".") if name.startswith("out")}
    expect(left == {"out.h5"} | ({"out.spikes.h5"} if spiking else set()), f"left over: {left}")
    return n_kills


def kill(splenium, seed, wanted):
    """Chains until there are as many kills. Result: kills and runs, without and with
    spikes. What a run simulates does not depend on when those before it were killed."""
    kills = [0, 0]
    runs = [0, 0]
    targets = None
    while sum(kills) < wanted:
        folder = tempfile.mkdtemp(prefix="splenium-kills-")
        os.chdir(folder)
        targets = targets or available(splenium)
        # some two fifths of the kills
        spiking = 3 * kills[1] < 2 * kills[0]
        chance = random.Random(f"{seed} {spiking} {runs[spiking]}")
        try:
            n_kills = chain(splenium, chance, spiking, targets)
        except Wrong as wrong:
            print(open("words").read())
            sys.exit(f"{wrong}\nkept in {folder}")
        os.chdir("/")
        shutil.rmtree(folder)
        kills[spiking] += n_kills
        runs[spiking] += 1
        print(f"run {sum(runs)}{' with spikes' if spiking else ''}: {n_kills} kills, "
              f"{sum(kills)} in all", flush=True)
    return kills, runs


def main():
    if not 2 <= len(sys.argv) <= 4:
        sys.exit(__doc__)
    splenium = os.path.abspath(sys.argv[1])
    wanted = int(sys.argv[2]) if len(sys.argv) > 2 else 1000
    seed = int(sys.argv[3]) if len(sys.argv) > 3 else time.time_ns() % 10**9
    print(f"seed {seed}", flush=True)
    # in memory, where a sync costs nothing
    tempfile.tempdir = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
    kills, runs = kill(splenium, seed, wanted)
    print(f"{runs[0]} runs without and {runs[1]} with spiking populations, {kills[0]} + "
          f"{kills[1]} kills: every file equals that of an undisturbed run")


if __name__ == "__main__":
    main()
