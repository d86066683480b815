"""The simulation of `splenium bench` in The Virtual Brain, told what to do on standard input.

    python3 -c THIS FOLDER NODES DT SPEED NSIG

FOLDER holds weights and tract lengths (NODES x NODES) and the state V, W, Z (3 x NODES) as raw
doubles. Says "ready VERSIONS", then answers "check N" with "checked FILE" (V after N steps
without noise, history and weights in double precision) and "step N" with "seconds S":
processor time of N steps with noise, TVB as it comes. What goes wrong is said as "error TEXT".
"""
import importlib.metadata
import os
import platform
import sys
import time

answers = os.fdopen(os.dup(1), "w")
os.dup2(2, 1)  # whatever TVB prints


def say(text):
    answers.write(text.replace("\n", " ") + "\n")
    answers.flush()


def make(folder, n_nodes, dt, speed, nsig):
    """A simulator; nsig 0: without noise."""
    import numpy
    from tvb.simulator import coupling, integrators, models, monitors, noise, simulator
    from tvb.datatypes.connectivity import Connectivity

    def load(name, *shape):
        return numpy.fromfile(os.path.join(folder, name)).reshape(shape)

    state = load("state", 3, n_nodes)
    connectivity = Connectivity(
        weights=load("weights", n_nodes, n_nodes),
        tract_lengths=load("tract_lengths", n_nodes, n_nodes),
        region_labels=numpy.array(["r%d" % i for i in range(n_nodes)]),
        centres=numpy.zeros((n_nodes, 3)),
        speed=numpy.array([speed]),
    )
    connectivity.configure()
    if nsig > 0:
        integrator = integrators.HeunStochastic(
            dt=dt, noise=noise.Additive(nsig=numpy.array([nsig, 0.0, 0.0])))
    else:
        integrator = integrators.HeunDeterministic(dt=dt)
    horizon = 1 + int(numpy.rint(connectivity.tract_lengths / speed / dt).max())
    past = numpy.broadcast_to(state[None, :, :, None], (horizon, 3, n_nodes, 1)).copy()
    made = simulator.Simulator(
        model=models.LarterBreakspear(variables_of_interest=("V",)),
        connectivity=connectivity,
        coupling=coupling.HyperbolicTangent(
            a=numpy.array([0.5]), b=numpy.array([1.0]), midpoint=numpy.array([0.0]),
            sigma=numpy.array([0.65])),
        integrator=integrator,
        monitors=(monitors.Raw(),),
        initial_conditions=past,
    )
    made.configure()
    return made, dt


def set_history_type(dtype):
    """TVB keeps history and weights in single precision, whose rounding hides small faults."""
    from tvb.simulator import history

    names = ("buffer", "current_state", "delayed_state", "es_weights", "nnz_weights", "weights")
    for kind in history.SparseHistory.__mro__:
        for name in names:
            if name in vars(kind):
                vars(kind)[name].dtype = dtype


def advance(simulator, n_steps):
    """Half a step less: TVB takes the next whole number of steps."""
    made, dt = simulator
    last = None
    for (output,) in made(simulation_length=(n_steps - 0.5) * dt):
        last = output[1]
    return last


def main(folder, n_nodes, dt, speed, nsig):
    set_history_type("d")
    plain = make(folder, int(n_nodes), float(dt), float(speed), 0.0)
    set_history_type("f")
    noisy = make(folder, int(n_nodes), float(dt), float(speed), float(nsig))
    say("ready %s, NumPy %s, Python %s" % (importlib.metadata.version("tvb-library"),
                                           importlib.metadata.version("numpy"),
                                           platform.python_version()))
    for line in sys.stdin:
        word, n_steps = line.split()
        if word == "check":
            path = os.path.join(folder, "checked")
            advance(plain, int(n_steps))[0, :, 0].astype(float).tofile(path)
            say("checked " + path)
        else:
            begin = time.process_time()
            advance(noisy, int(n_steps))
            say("seconds %r" % (time.process_time() - begin))


try:
    main(*sys.argv[1:])
except Exception as error:
    say("error %s: %s" % (type(error).__name__, error))
