#!/usr/bin/env python3
"""info, models, explain: what they print, exactly.

test_info.py SPLENIUM [TEST]...
"""

import json
import re
import sys

from command import SOURCE, splenium, write_zip
from support.tap import Skip, equal, holds, main, shared, test

# Set 76 as the manual shows it.
SET_76 = """\
connectivity_76.zip: TVB zip; weights tract_lengths centres average_orientations areas cortical info
nodes      76; labels distinct; 38 right, 38 left (derived: label prefix r/l)
edges      1560, density 0.2701; off-diagonal 1494; diagonal 66 (kept)
weights    nonzero 0.0046263 .. 3, median 2, sum 2988.85; negative 0; not symmetric (max |w - wT| 3)
           max row sum 71; spectral radius 44.7204
isolated   2 nodes: 37 rCC, 75 lCC
lengths    on edges 0 .. 138.454 mm, median 55.857; symmetric; zero on 66 edges (0 off-diagonal)
           55 % of off-diagonal edges shorter than 0.99 x the straight line
delays     speed 3 mm/ms, dt 0.1 ms: 0 .. 462 steps, median 186, 313 distinct; horizon 463 (all entries: 513)
"""

# name: nodes, edges, off-diagonal, diagonal, max row sum, spectral radius, sum of weights,
# isolated, median and largest length of edges, edges of length 0 (off-diagonal), median
# delay, horizon over edges and all entries, distinct delays, sum of delays, right nodes
SETS = {
    "connectivity_66": (
        66,
        1377,
        1316,
        61,
        2.176839,
        1.608150,
        65.55462,
        0,
        78.8134,
        238.0,
        0,
        0,
        263,
        794,
        794,
        384,
        377907,
        33,
    ),
    "connectivity_68": (
        68,
        1244,
        1176,
        68,
        0.3402710,
        0.2253856,
        10.05976,
        0,
        65.1745,
        252.903,
        0,
        0,
        217,
        844,
        844,
        365,
        313883,
        34,
    ),
    "connectivity_76": (
        76,
        1560,
        1494,
        66,
        71,
        44.72041,
        2988.8457,
        2,
        55.8574,
        138.454,
        66,
        0,
        186,
        463,
        513,
        313,
        296468,
        38,
    ),
    "connectivity_80": (
        80,
        3290,
        3215,
        75,
        169,
        114.2607,
        8109,
        0,
        68.4248,
        150.105,
        75,
        0,
        228,
        501,
        501,
        402,
        761276,
        40,
    ),
    "connectivity_96": (
        96,
        3939,
        3860,
        79,
        184,
        118.8800,
        9642,
        0,
        64.3980,
        150.105,
        79,
        0,
        215,
        501,
        501,
        411,
        875668,
        48,
    ),
    "connectivity_192": (
        192,
        3532,
        3466,
        66,
        133,
        55.63275,
        6820.8457,
        2,
        58.1408,
        140.902,
        88,
        22,
        194,
        471,
        475,
        257,
        664944,
        96,
    ),
    "connectivity_998": (
        998,
        35730,
        35730,
        0,
        46.88828,
        24.95526,
        17865.030,
        9,
        27.0265,
        189.5,
        0,
        0,
        90,
        633,
        633,
        536,
        4795420,
        500,
    ),
    "paupau": (
        4,
        9,
        5,
        4,
        7,
        5.162278,
        19,
        0,
        14.6759,
        61.4930,
        4,
        0,
        49,
        206,
        206,
        4,
        623,
        2,
    ),
    "connectivity_84": (
        84,
        3312,
        3312,
        0,
        1.922055,
        1.322284,
        98.73572,
        2,
        38.8023,
        94.1041,
        0,
        0,
        129,
        315,
        315,
        265,
        430034,
        42,
    ),
    "ConnectivityAllen2mm": (
        98,
        9590,
        9492,
        98,
        5.103755,
        2.879346,
        224.4650,
        0,
        52.1787,
        115.459,
        98,
        0,
        174,
        386,
        386,
        323,
        1672396,
        49,
    ),
    "Connectivity_Calabrese": (
        296,
        83734,
        83438,
        296,
        1.560676e12,
        6.629624e11,
        1.103177e14,
        0,
        0.500574,
        0.999973,
        0,
        0,
        2,
        4,
        4,
        4,
        137995,
        148,
    ),
}


def close(found, expected, what):
    """Counts exactly, reals to the digits of the table."""
    if isinstance(expected, int):
        equal((what, found), (what, expected))
    else:
        holds(
            abs(found - expected) <= 1e-5 * abs(expected),
            f"{what}: {found}, not {expected}",
        )


@test
def set_76_prints_the_block_of_the_manual():
    path = shared("data/connectomes/connectivity_76.zip")
    result = splenium("info", "connectivity_76.zip", cwd=path.rsplit("/", 1)[0])
    equal((result.code, result.out), (0, SET_76))
    equal(
        result.err,
        "splenium: connectivity_76.zip: weights.txt: 66 self-connections kept\n"
        "splenium: warning: connectivity_76.zip: weights.txt: 2 of 76 nodes have no "
        "connection at all\n",
    )


def check_set(name, expected):
    found = json.loads(
        splenium("info", "--json", shared(f"data/connectomes/{name}.zip"), "-q").out
    )
    weights, lengths, delays = found["weights"], found["lengths_mm"], found["delays"]
    values = (
        found["nodes"],
        found["edges"],
        found["off_diagonal"],
        found["diagonal"],
        weights["max_row_sum"],
        weights["spectral_radius"],
        weights["sum"],
        len(found["isolated"]),
        lengths["median"],
        lengths["max"],
        lengths["zero"],
        lengths["zero_off_diagonal"],
        delays["median"],
        delays["horizon"],
        delays["horizon_all_entries"],
        delays["distinct"],
        delays["sum"],
        found["right"],
    )
    for i, value in enumerate(values):
        close(value, expected[i], f"{name} {i}")
    equal(weights["negative"], 0)


@test
def public_sets_have_their_published_numbers():
    absent = 0
    for name, expected in SETS.items():
        try:
            check_set(name, expected)
        except Skip:
            absent += 1
    if absent == len(SETS):
        raise Skip("no data set is there (set SPLENIUM_SHARED)")


@test
def a_small_archive_prints_every_line():
    members = [
        ("weights.txt", "0 1 0 0\n2 5 0 0\n0 0 0 0\n0 1 0 0\n"),
        ("tract_lengths.txt", "0 10 0 0\n20 0 0 0\n0 0 0 0\n0 3 0 0\n"),
        ("centres.txt", "a 0 0 0\nb 5 0 0\na 1 0 0\nd 9 0 0\n"),
    ]
    write_zip("odd.zip", members)
    result = splenium("info", "odd.zip", "--dt", "1", "--speed", "2 m/s", "-q")
    equal(
        result.out,
        "odd.zip: TVB zip; weights tract_lengths centres\n"
        "nodes      4; only 3 distinct labels; hemispheres unknown\n"
        "edges      4, density 0.2500; off-diagonal 3; diagonal 1 (kept)\n"
        "weights    nonzero 1 .. 5, median 1.5, sum 9; negative 0; not symmetric "
        "(max |w - wT| 1)\n"
        "           max row sum 7; spectral radius 5.37228\n"
        "isolated   1 node: 2 a; 0 more without input, 1 more without output\n"
        "lengths    on edges 0 .. 20 mm, median 6.5; not symmetric (max difference 10); "
        "zero on 1 edges (0 off-diagonal)\n"
        "           33 % of off-diagonal edges shorter than 0.99 x the straight line\n"
        "delays     speed 2 mm/ms, dt 1 ms: 0 .. 10 steps, median 5, 4 distinct; horizon 11 "
        "(all entries: 11)\n",
    )
    equal(
        result.err,
        "splenium: warning: odd.zip: weights.txt: 1 of 4 nodes have no "
        "connection at all\nsplenium: warning: odd.zip: only 3 distinct labels for 4 nodes: "
        "labels cannot name single regions\n",
    )


@test
def policies_are_those_of_a_run():
    write_zip(
        "self.zip", [("weights.txt", "4 1\n2 0\n"), ("tract_lengths.txt", "0 9\n9 0\n")]
    )
    out = splenium(
        "info", "self.zip", "--set", "connectome.self_connections=drop",
        "--set", "connectome.normalise=tract", "--set", "connectome.delays=false",
    ).out  # fmt: skip
    holds("diagonal 0 (1 dropped)\n" in out, out)
    holds("nonzero 0.5 .. 1," in out and "normalised: tract\n" in out, out)
    holds("speed inf mm/ms, dt 0.1 ms: 0 .. 0 steps" in out, out)
    out = splenium("info", "self.zip", "--set", "connectome.delay=2 ms").out
    holds("delays     2 ms on every edge, dt 0.1 ms: 20 steps\n" in out, out)


@test
def info_without_a_file_shows_the_shipped_set():
    result = splenium("info")
    equal(result.code, 0)
    holds(result.out.startswith(f"{SOURCE}/data/dk68.zip: TVB zip; "), result.out)
    holds("\nnodes      68; " in result.out, result.out)


@test
def models_lists_every_registry():
    result = splenium("models")
    equal((result.code, result.err), (0, ""))
    for title, names in (
        ("Models (model.name)", ("larter_breakspear", "linear")),
        ("Coupling functions (coupling.function)", ("mean_rate", "kuramoto")),
        ("Monitors (monitors.NAME.kind)", ("temporal_average", "bold")),
        ("Integrators (simulation.integrator)", ("heun", "rk4")),
    ):
        section = result.out.split(title + "\n")[1].split("\n\n")[0]
        for name in names:
            holds(f"  {name} " in section, section)
    widths = [len(line) for line in result.out.splitlines()]
    holds(max(widths) <= 80, f"{max(widths)} columns")


@test
def models_prints_a_page_with_everything():
    page = splenium("models", "larter_breakspear").out
    found = json.loads(splenium("models", "larter_breakspear", "--json").out)
    model = found["models"][0]
    equal(len(model["parameters"]), 32)
    equal([s["name"] for s in model["states"]], ["V", "W", "Z"])
    equal(found["coupling_functions"] + found["monitors"] + found["integrators"], [])
    table = page.split("\nParameters (model.NAME)\n")[1]
    for parameter in model["parameters"]:
        row = re.search(rf"^  {parameter['name']} +(\S+) .*", table, re.MULTILINE)
        holds(row is not None, parameter["name"])
        equal(float(row[1]), parameter["default"])
    for preset in model["presets"]:
        holds(f"\n  {preset['name']}\n" in page, preset["name"])
        for key, value in preset["settings"].items():
            holds(f"      {key}={value}\n" in page, key)
    for start in model["starts"]:
        holds(f"\n  {start['name']}" in page, start["name"])
    holds("dV/dt = t_scale" in page and "Breakspear" in page, page)


@test
def models_finds_a_name_in_every_registry():
    out = splenium("models", "linear").out
    holds("linear (model)\n" in out and "\nlinear (coupling function)\n" in out, out)
    holds("hrf_length" in splenium("models", "bold").out, "bold")
    equal(splenium("models", "rk4").out.splitlines()[:2], ["rk4 (integrator)", "Order 4."])
    result = splenium("models", "lineer")
    equal((result.code, result.out), (2, ""))
    equal(result.err, "splenium: nothing is called 'lineer'; did you mean 'linear'?\n")
    result = splenium("models", "hodgkin_huxley")
    equal(result.code, 2)
    equal(
        result.err,
        "splenium: nothing is called 'hodgkin_huxley'; 'splenium models' lists all names\n",
    )


@test
def explain_knows_keys_and_parameters():
    result = splenium("explain", "connectome.speed")
    equal(result.code, 0)
    equal(
        result.out,
        "connectome.speed\n  conduction speed; inf = no delays\n  type     speed or inf\n"
        "  default  3\n  unit     mm/ms, of a bare number\n",
    )
    out = splenium("explain", "model.d_V").out
    holds(out.startswith("model.d_V (larter_breakspear)\n"), out)
    holds("  default  0.65\n" in out, out)
    equal(splenium("explain", "coupling.a").out.count("coupling.a ("), 7)
    holds("time between two rows" in splenium("explain", "monitors.x.period").out, "period")
    holds("(bold)" in splenium("explain", "monitors.x.hrf_length").out, "hrf_length")
    result = splenium("explain", "connectome.speeed")
    equal(result.code, 2)
    equal(
        result.err,
        "splenium: unknown key 'connectome.speeed'; did you mean 'connectome.speed'?\n",
    )
    equal(
        splenium("explain", "x").err,
        "splenium: unknown key 'x'; 'splenium explain' lists all keys\n",
    )


if __name__ == "__main__":
    main(sys.argv[2:])
