"""One benchmark network in Splenium, one thread; prints a line of JSON.

    splenium_peer.py COMMAND  izhikevich2003 | coba_iz  IN_DEGREE  SIMULATED_S  SEED

The networks are those of docs/spiking.md, section Benchmarks. Brian2 and NEST let a
conductance decay before they add what arrives, Splenium after: weights times e^(h/tau) give
the same conductances to the last event. wall_s is the time of the simulation loop, writing of
spikes and rates included, construction not.
"""

import json
import math
import os
import subprocess
import sys
import tempfile
import time

import h5py
import numpy as np


def coba_iz(in_degree):
    """N = 10,000, forward Euler at 0.1 ms, exponential conductances, Poisson background."""
    excitation, inhibition = math.exp(0.1 / 5), math.exp(0.1 / 10)
    background = [{"receptor": "AMPA", "rate": 1, "weight": 0.024 * excitation,
                   "scaled": False}]
    populations = [{"name": name, "size": size, "type": kind,
                    "heterogeneity": "izhikevich2003",
                    "init": {"V": {"uniform": [-70, -50]}}, "background": background}
                   for name, size, kind in (("E", 8000, "excitatory"),
                                            ("I", 2000, "inhibitory"))]
    projections = []
    for source, share, weight in (("E", 0.8, 1.2 * excitation), ("I", 0.2, 20 * inhibition)):
        projections += [{"from": source, "to": target, "K": int(share * in_degree + 0.5),
                         "weight": weight / in_degree, "delay": 1.5} for target in "EI"]
    return 0.1, {"scheme": "euler", "populations": populations, "projections": projections}


def izhikevich2003():
    """1,000 neurons, all pairs, two half steps of 0.5 ms for V, normal current per step."""
    populations = [{"name": name, "size": size, "type": kind, "sigma": sigma,
                    "heterogeneity": "izhikevich2003", "init": {"V": -65}}
                   for name, size, kind, sigma in (("E", 800, "excitatory", 5),
                                                   ("I", 200, "inhibitory", 2))]
    projections = [{"from": source, "to": target, "rule": "all_to_all", "receptor": "pulse",
                    "weight": {"uniform": sorted([0, weight])}, "delay": 1}
                   for source, weight in (("E", 0.5), ("I", -1)) for target in "EI"]
    return 1.0, {"scheme": "izh2003", "substep": 1, "populations": populations,
                 "projections": projections}


def rate(path, population, size, skipped_s, simulated_s):
    with h5py.File(path, "r") as file:
        group = file.get("spikes/net." + population)
        times = np.zeros(0) if group is None else group["timestamps"][:]
    return float(np.sum(times > skipped_s * 1000.0) / size / (simulated_s - skipped_s))


def main(command, name, in_degree, simulated_s, seed):
    begin = time.monotonic()
    dt, subnetwork = coba_iz(in_degree) if name == "coba_iz" else izhikevich2003()
    sizes = {part["name"]: part["size"] for part in subnetwork["populations"]}
    config = {"simulation": {"duration": simulated_s * 1000.0, "dt": dt, "threads": 1,
                             "seed": seed},
              "subnetworks": [{"name": "net", **subnetwork}]}
    with tempfile.TemporaryDirectory() as folder:
        with open(os.path.join(folder, "net.yaml"), "w", encoding="utf-8") as file:
            json.dump(config, file)  # JSON is YAML
        results = os.path.join(folder, "net.h5")
        subprocess.run([command, "run", file.name, "--set", "output.file=" + results],
                       check=True, stdout=subprocess.DEVNULL)
        with h5py.File(results, "r") as file:
            wall_s = float(file["performance/integrate_seconds"][()])
        spikes = os.path.join(folder, "net.spikes.h5")
        rates = {"rate_" + part: rate(spikes, part, size, 0.2, simulated_s)
                 for part, size in sizes.items()}
    print(json.dumps({**rates, "wall_s": wall_s, "total_s": time.monotonic() - begin}))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]), float(sys.argv[4]), int(sys.argv[5]))
