"""One benchmark network in NEST, one thread; prints a line of JSON.

    nest_peer.py izhikevich2003 | coba_iz  IN_DEGREE  SIMULATED_S  SEED [MODULE_FOLDER]

The networks are those of docs/spiking.md, section Benchmarks. coba_iz needs the neuron of
izh_cond.nestml, which build_nest_module.py makes in MODULE_FOLDER. wall_s is the time of
Run() after Prepare(): construction is not in it.
"""

import json
import sys
import time

import nest
import numpy as np


def heterogeneity(n, n_e, random):
    """Return a, b, c, d of Izhikevich 2003: one uniform number per neuron."""
    r = random.random(n)
    e = np.arange(n) < n_e
    return {"a": np.where(e, 0.02, 0.02 + 0.08 * r), "b": np.where(e, 0.2, 0.25 - 0.05 * r),
            "c": np.where(e, -65 + 15 * r ** 2, -65.0), "d": np.where(e, 8 - 6 * r ** 2, 2.0)}


def coba_iz(in_degree, random):
    """N = 10,000, forward Euler at 0.1 ms, exponential conductances, Poisson background."""
    nest.resolution = 0.1
    nest.Install("izhcond_module")
    n, n_e = 10000, 8000
    neurons = nest.Create("izh_cond_neuron", n)
    v = random.uniform(-70, -50, n)
    parameters = heterogeneity(n, n_e, random)
    neurons.set({**parameters, "V_m": v, "U_m": parameters["b"] * v})
    for sources, share, weight in ((neurons[:n_e], 0.8, 1.2), (neurons[n_e:], 0.2, -20.0)):
        nest.Connect(sources, neurons,
                     {"rule": "fixed_indegree", "indegree": int(share * in_degree + 0.5)},
                     {"synapse_model": "static_synapse", "weight": weight / in_degree,
                      "delay": 1.5})
    background = nest.Create("poisson_generator", params={"rate": 1000.0})
    nest.Connect(background, neurons, syn_spec={"weight": 0.024, "delay": 0.1})
    return neurons, n_e


def izhikevich2003(random):
    """1,000 neurons, all pairs, two half steps of 0.5 ms for V, normal current per step."""
    nest.resolution = 1.0
    n, n_e = 1000, 800
    neurons = nest.Create("izhikevich", n, {"consistent_integration": False, "V_th": 30.0,
                                            "V_m": -65.0})
    parameters = heterogeneity(n, n_e, random)
    neurons.set({**parameters, "U_m": parameters["b"] * -65.0})
    weights = np.where(np.arange(n)[None, :] < n_e, 0.5, -1.0) * random.random((n, n))
    nest.Connect(neurons, neurons, "all_to_all", {"weight": weights, "delay": 1.0})
    for part, sd in ((neurons[:n_e], 5.0), (neurons[n_e:], 2.0)):
        noise = nest.Create("noise_generator", params={"mean": 0.0, "std": sd, "dt": 1.0})
        nest.Connect(noise, part)
    return neurons, n_e


def main(name, in_degree, simulated_s, seed):
    begin = time.monotonic()
    random = np.random.default_rng(seed)
    nest.rng_seed = seed
    nest.local_num_threads = 1
    neurons, n_e = (coba_iz(in_degree, random) if name == "coba_iz" else izhikevich2003(random))
    skipped_s = 0.2
    recorder = nest.Create("spike_recorder", params={"start": skipped_s * 1000.0})
    nest.Connect(neurons, recorder)
    nest.Prepare()
    before = time.monotonic()
    nest.Run(simulated_s * 1000.0)
    wall_s = time.monotonic() - before
    nest.Cleanup()
    senders = np.asarray(recorder.events["senders"]) - neurons[0].global_id
    time_s = simulated_s - skipped_s
    print(json.dumps({
        "rate_E": float(np.sum(senders < n_e) / n_e / time_s),
        "rate_I": float(np.sum(senders >= n_e) / (len(neurons) - n_e) / time_s),
        "wall_s": wall_s,
        "total_s": time.monotonic() - begin,
    }))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), float(sys.argv[3]), int(sys.argv[4]))
