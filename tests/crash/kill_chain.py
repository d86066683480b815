#!/usr/bin/env python3
"""Real kills: runs of random configurations are killed at random times and resumed with
random numbers of threads until they are done; every file must equal that of an
undisturbed run.

    kill_chain.py SPLENIUM [KILLS [SEED]]        (default: 1000 kills, seed of the clock)

Prints one line per chain; exit 1 at the first difference, keeping its folder.
"""

import os
import random
import subprocess
import sys
import tempfile
import time

INTEGRATORS = ("euler", "heun", "rk4", "exp_euler")
NOISES = ("none", "additive", "multiplicative", "ou")
MONITORS = (
    "{kind: raw, variables: [V, Q]}",
    "{kind: temporal_average, period: 7, variables: [V, Z], dtype: f8}",
    "{kind: global_average, period: 3}",
    "{kind: bold, period: 720 ms}",
    "{kind: balloon, period: 1 s, dtype: f8}",
    "{kind: subsample, period: 250 ms, variables: [V, W, Z]}",
)


def configuration(chance):
    """Words of a command line; about a second of work."""
    monitors = chance.sample(MONITORS, chance.randint(1, len(MONITORS)))
    settings = {
        "simulation.duration": f"{chance.randint(4, 12)} s",
        "simulation.integrator": chance.choice(INTEGRATORS),
        "simulation.precision": chance.choice(("double", "single")),
        "simulation.coupling_stages": chance.choice(("per-stage", "frozen")),
        "simulation.seed": chance.randint(0, 10**9),
        "connectome.speed": chance.choice(("3", "10", "inf")),
        "noise.kind": chance.choice(NOISES),
        "monitors": "[" + ", ".join(monitors) + "]",
        "output.flush_every": f"{chance.randint(2, 50)} ms",
        "output.checkpoint_every": f"{chance.randint(5, 200)} ms",
    }
    return [word for key, value in settings.items() for word in ("--set", f"{key}={value}")]


def command(splenium, *words, timeout=None):
    """Exit code, None after a kill, and what was printed."""
    run = subprocess.Popen([splenium, *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                           text=True)
    try:
        out, err = run.communicate(timeout=timeout)
        return run.returncode, out, err
    except subprocess.TimeoutExpired:
        run.kill()
        run.communicate()
        return None, "", ""


def need(result):
    code, out, err = result
    if code != 0:
        sys.exit(f"exit code {code}: {err}")
    return out.strip()


def chain(splenium, chance):
    """One run, killed until it is done; returns the number of kills and whether it is right."""
    words = configuration(chance)
    begin = time.monotonic()
    need(command(splenium, "run", "-q", "-o", "whole.h5", *words))
    whole_s = time.monotonic() - begin
    n_kills = 0
    code = None
    while code is None:
        begun = os.path.exists("out.h5")
        verb = ["resume", "out.h5"] if begun else ["run", "-o", "out.h5", *words]
        threads = ["--threads", str(chance.randint(1, 4))]
        block = ["--set", f"simulation.block={chance.randint(0, 64)}"]
        # often too short to begin, sometimes enough to finish
        limit = chance.choice((0.1, 0.3, 1.0)) * whole_s * chance.uniform(0.2, 1.2)
        code, _, err = command(splenium, *verb, "-q", *threads, *block, timeout=limit)
        # those before there was anything do not count
        n_kills += code is None and begun
    if code != 0:
        sys.exit(f"exit code {code}: {err}\nconfiguration: {words}")
    same = (need(command(splenium, "verify", "--digest", "out.h5"))
            == need(command(splenium, "verify", "--digest", "whole.h5")))
    if not same or sorted(os.listdir(".")) != ["out.h5", "whole.h5"]:
        print(f"differs: {os.getcwd()}: {words}")
        return n_kills, False
    return n_kills, True


def main():
    if not 2 <= len(sys.argv) <= 4:
        sys.exit(__doc__)
    splenium = os.path.abspath(sys.argv[1])
    wanted = int(sys.argv[2]) if len(sys.argv) > 2 else 1000
    seed = int(sys.argv[3]) if len(sys.argv) > 3 else time.time_ns() % 10**9
    print(f"seed {seed}", flush=True)
    chance = random.Random(seed)
    done = n_chains = 0
    while done < wanted:
        with tempfile.TemporaryDirectory(prefix="splenium-kills-") as folder:
            os.chdir(folder)
            n_kills, right = chain(splenium, chance)
            os.chdir("/")
            if not right:
                kept = folder + "-kept"
                os.rename(folder, kept)
                os.mkdir(folder)
                sys.exit(f"kept in {kept}")
        done += n_kills
        n_chains += 1
        print(f"chain {n_chains}: {n_kills} kills, {done} in all", flush=True)
    print(f"{n_chains} runs, {done} kills: every file equals that of an undisturbed run")


if __name__ == "__main__":
    main()
