"""One benchmark network in Brian2 (C++ standalone, one thread); prints a line of JSON.

    brian2_peer.py izhikevich2003 | coba_iz  IN_DEGREE  SIMULATED_S  SEED

The networks are those of docs/spiking.md, section Benchmarks. wall_s is the time of the
simulation loop that Brian2 itself reports: construction and compilation are not in it.
"""

import json
import shutil
import sys
import tempfile
import time

import numpy as np
from brian2 import (
    Network,
    NeuronGroup,
    PoissonInput,
    SpikeMonitor,
    Synapses,
    defaultclock,
    device,
    ms,
    prefs,
    second,
    set_device,
)
from brian2 import Hz
from brian2 import seed as brian2_seed

INHIBITORY = -80.0


def heterogeneity(n, n_e, random):
    """Return a, b, c, d of Izhikevich 2003: one uniform number per neuron."""
    r = random.random(n)
    e = np.arange(n) < n_e
    return (np.where(e, 0.02, 0.02 + 0.08 * r), np.where(e, 0.2, 0.25 - 0.05 * r),
            np.where(e, -65 + 15 * r ** 2, -65.0), np.where(e, 8 - 6 * r ** 2, 2.0))


def coba_iz(in_degree, random):
    """N = 10,000, forward Euler at 0.1 ms, exponential conductances, Poisson background."""
    defaultclock.dt = 0.1 * ms
    n, n_e = 10000, 8000
    group = NeuronGroup(
        n,
        """dv/dt = (0.04*v**2 + 5*v + 140 - u - ge*v + gi*(%g - v))/ms : 1
           du/dt = a*(b*v - u)/ms : 1
           dge/dt = -ge/(5*ms) : 1
           dgi/dt = -gi/(10*ms) : 1
           a : 1 (constant)
           b : 1 (constant)
           c : 1 (constant)
           d : 1 (constant)""" % INHIBITORY,
        threshold="v >= 30", reset="v = c; u += d", method="euler")
    group.a, group.b, group.c, group.d = heterogeneity(n, n_e, random)
    v = random.uniform(-70, -50, n)
    group.v = v
    group.u = group.b[:] * v
    objects = [group]
    for first, last, share, variable, weight in (
            (0, n_e, 0.8, "ge", 1.2 / in_degree), (n_e, n, 0.2, "gi", 20.0 / in_degree)):
        k = int(share * in_degree + 0.5)
        synapses = Synapses(group, group, on_pre="%s += %r" % (variable, weight), delay=1.5 * ms)
        synapses.connect(i=random.integers(first, last, n * k), j=np.repeat(np.arange(n), k))
        objects.append(synapses)
    objects.append(PoissonInput(group, "ge", 100, 10 * Hz, 0.024))
    return n, n_e, objects


def izhikevich2003(random):
    """1,000 neurons, all pairs, two half steps of 0.5 ms for V, normal current per step."""
    defaultclock.dt = 1 * ms
    n, n_e = 1000, 800
    group = NeuronGroup(
        n, "v : 1\nu : 1\nI : 1\na : 1 (constant)\nb : 1 (constant)\nc : 1 (constant)\n"
           "d : 1 (constant)\nsigma : 1 (constant)",
        threshold="v >= 30", reset="v = c; u += d")
    group.a, group.b, group.c, group.d = heterogeneity(n, n_e, random)
    group.v = -65.0
    group.u = group.b[:] * -65.0
    group.sigma = np.where(np.arange(n) < n_e, 5.0, 2.0)
    step = group.run_regularly("""
        J = I + sigma * randn()
        v += 0.5 * (0.04 * v**2 + 5 * v + 140 - u + J)
        v += 0.5 * (0.04 * v**2 + 5 * v + 140 - u + J)
        u += a * (b * v - u)
        I = 0""", when="groups")
    synapses = Synapses(group, group, "w : 1 (constant)", on_pre="I += w")
    synapses.connect()
    weights = np.where(np.arange(n)[:, None] < n_e, 0.5, -1.0) * random.random((n, n))
    synapses.w = weights.ravel()
    del step
    return n, n_e, [group, synapses]


def main(name, in_degree, simulated_s, seed):
    begin = time.monotonic()
    folder = tempfile.mkdtemp()
    set_device("cpp_standalone", directory=folder, build_on_run=False)
    prefs.devices.cpp_standalone.openmp_threads = 0
    random = np.random.default_rng(seed)
    brian2_seed(seed)
    if name == "coba_iz":
        n, n_e, objects = coba_iz(in_degree, random)
    else:
        n, n_e, objects = izhikevich2003(random)
    skipped_s = 0.2
    spikes = SpikeMonitor(objects[0])
    network = Network(*objects, spikes)
    network.run(simulated_s * second)
    device.build(directory=folder, compile=True, run=True, debug=False)
    after = np.asarray(spikes.t / second) > skipped_s
    neurons = np.asarray(spikes.i)[after]
    time_s = simulated_s - skipped_s
    print(json.dumps({
        "rate_E": float(np.sum(neurons < n_e) / n_e / time_s),
        "rate_I": float(np.sum(neurons >= n_e) / (n - n_e) / time_s),
        "wall_s": device._last_run_time,
        "total_s": time.monotonic() - begin,
    }))
    shutil.rmtree(folder)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), float(sys.argv[3]), int(sys.argv[4]))
