#!/usr/bin/env python3
"""verify: what it says of good files, of every kind of damage, and of runs at any stage.

test_verify.py SPLENIUM [TEST]...
"""

import json
import os
import random
import shutil
import signal
import subprocess
import sys

from command import (
    COMMAND,
    digest,
    environment,
    files,
    need_h5py,
    splenium,
    wait_until,
    write,
    write_pair,
)
from support.crc32c import crc32c
from support.tap import equal, holds, main, test

try:
    import h5py
    import numpy as np
except ImportError:
    h5py = None

# Spiking neurons as well, so that there is every kind of file.
RUN = """\
format: 1
connectome: {file: two.zip}
simulation: {duration: 900 ms, dt: 0.1, seed: 5, threads: 1}
subnetworks:
  - {name: thal, region: rA, size: 100, K: 20, nu0: 0.7}
monitors: [{name: tavg, kind: temporal_average, period: 1 ms, variables: [V, W]}]
output: {file: out.h5, flush_every: 20 ms, checkpoint_every: 50 ms}
"""


def run(*words):
    write_pair()
    write("c.yaml", RUN)
    result = splenium("run", "c.yaml", "-q", *words)
    equal((result.code, result.err), (0, ""))


def start(*words):
    write_pair()
    write("c.yaml", RUN)
    return subprocess.Popen(
        [COMMAND, "run", "c.yaml", "--set", "simulation.duration=2000 s", "-q", *words],
        env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def begin_and_stop(number):
    """A run with two checkpoints, ended by a signal."""
    with start() as process:
        wait_until(lambda: os.path.exists("out.ckpt.prev"), "checkpoints")
        process.send_signal(number)
        process.communicate()
    return process.returncode


def findings(result, kind="damage"):
    start = kind.ljust(11)
    return [line[len(start):] for line in result.out.splitlines() if line.startswith(start)]


def place(name, dataset, at=0):
    with h5py.File(name, "r") as file:
        offset = file[dataset].id.get_offset()
    return offset + at


def change(name, at, data):
    with open(name, "r+b") as file:
        file.seek(at)
        before = file.read(len(data))
        file.seek(at)
        file.write(data)
    return before


def flip(name, at):
    with open(name, "rb") as file:
        file.seek(at)
        byte = file.read(1)[0]
    change(name, at, bytes([byte ^ 0x40]))


def finds(text, what, file="out.h5", code=65):
    """One line of damage, which begins like that."""
    result = splenium("verify", file)
    equal((what, result.code, result.err), (what, code, ""))
    found = findings(result)
    equal((what, len(found)), (what, 1))
    holds(found[0].startswith(text), f"{what}: {found[0]}")
    holds("verdict    out.h5: damaged, 1 finding\n" in result.out, result.out)
    return result


def is_good(name="out.h5"):
    result = splenium("verify", name)
    equal((result.code, result.err, findings(result)), (0, "", []))
    holds(result.out.endswith(f"verdict    {name}: good\n"), result.out)
    return result


@test
def a_complete_file_is_good():
    run()
    before = {name: open(name, "rb").read() for name in files()}
    result = is_good()
    equal(result.out.splitlines()[0], "rows       tavg: 900 of 900 rows of V W; checksums right")
    holds("run        complete after 9000 steps\n" in result.out, result.out)
    holds("to go on" not in result.out, result.out)
    found = json.loads(splenium("verify", "out.h5", "--json").out)
    equal((found["good"], found["state"], found["step"], found["findings"]),
          (True, "complete", 9000, []))
    equal([s["confirmed"] for s in found["streams"]], [s["rows"] for s in found["streams"]])
    equal(splenium("verify", "-q", "out.h5"), (0, "", ""))
    # nothing is changed, nothing is left
    equal({name: open(name, "rb").read() for name in files()}, before)


@test
def every_damage_of_a_complete_file_has_its_line():
    need_h5py()
    run()
    rows = len(h5py.File("out.h5", "r")["populations/rate"])
    with h5py.File("out.h5", "r") as file:
        block = int(file["checksums/populations/rate"].attrs["rows_per_block"])
        width = file["populations/rate"].shape[1] * 4
        arrays = [str(name) for name in file["state/final/record"].attrs["arrays"]]
    later = f"rows {block} to {2 * block - 1} do not match their checksum"
    table = {
        ("monitors/tavg/V", 0): "out.h5: /monitors/tavg/V: rows 0 to 899 do not match",
        ("monitors/tavg/W", 899 * 8 + 7): "out.h5: /monitors/tavg/W: rows 0 to 899 do not",
        ("populations/rate", block * width): f"out.h5: /populations/rate: {later}",
        ("populations/mean_V", (rows - 1) * width): "out.h5: /populations/mean_V: rows",
        ("subnetworks/drive", 17): "out.h5: /subnetworks/drive: rows 0 to",
        ("checksums/tavg/W", 3): "out.h5: /monitors/tavg/W: rows 0 to 899 do not match",
        ("checksums/subnetworks/Q_hat", 4): "out.h5: /subnetworks/Q_hat: rows 4096 to",
        ("progress", 33): "out.h5: /progress: slot 0 is torn, though the run came to its end",
        ("progress", 4096): "out.h5: /progress: slot 1 is torn, though the run came to its",
        ("status/code", 0): "out.h5: /status/code: 65 means nothing",
        ("status/message", 0): "out.h5: /status/message: '@', though the run is complete",
        ("state/final/record", 0): "out.h5: /state/final/record: is of step 9064, the run",
        ("state/final/record", 8): "out.h5: /state/final/record: the state at step 9000 does",
        ("state/final/" + arrays[0], 5): "out.h5: /state/final/record: the state at step",
        ("state/final/" + arrays[-1], 1): "out.h5: /state/final/record: the state at step",
        ("populations/spikes", 0): "out.spikes.h5: thal.E: has not the",
    }
    for (dataset, at), text in table.items():
        at = place("out.h5", dataset, at)
        flip("out.h5", at)
        finds(text, dataset)
        flip("out.h5", at)
    for dataset, at in (("spikes/thal.E/timestamps", 9), ("spikes/thal.I/node_ids", 0),
                        ("checksums/thal.E", 1)):
        at = place("out.spikes.h5", dataset, at)
        flip("out.spikes.h5", at)
        name = dataset if "spikes" in dataset else "spikes/thal.E/timestamps"
        finds(f"out.spikes.h5: /{name}: does not match its checksum", dataset)
        flip("out.spikes.h5", at)
    is_good()


@test
def slots_that_say_less_than_a_complete_run_are_damage():
    need_h5py()
    run()
    begin = place("out.h5", "progress")
    slots = change("out.h5", begin, bytes(8192))
    finds("out.h5: /progress: no valid slot", "both slots")
    change("out.h5", begin, slots[:4096])
    finds("out.h5: /progress: slot 1 is empty, though the run came to its end", "one slot")
    change("out.h5", begin, slots)
    # a valid slot of fewer rows: somebody forged both
    import struct
    n = struct.unpack_from("<Q", slots, 24)[0]
    words = list(struct.unpack_from(f"<{4 + n}Q", slots))
    words[4] -= 1
    forged = struct.pack(f"<{4 + n}Q", *words)
    forged += struct.pack("<Q", crc32c(forged))
    change("out.h5", begin, forged)
    result = splenium("verify", "out.h5")
    equal((result.code, len(findings(result))), (65, 2))
    holds(findings(result)[0].startswith("out.h5: /progress: the two slots differ"), result.out)
    change("out.h5", begin + 4096, forged)
    finds("out.h5: /status/code: complete, but tavg has 899 of 900 rows", "rows")
    change("out.h5", begin, slots)
    is_good()


@test
def changed_layouts_are_told():
    need_h5py()
    run()
    shutil.copy("out.h5", "whole.h5")
    size = os.path.getsize("out.h5")
    os.truncate("out.h5", size - 100)
    result = splenium("verify", "out.h5")
    equal((result.code, len(findings(result))), (65, 1))
    holds(findings(result)[0].startswith("out.h5: not a readable HDF5 file: "), result.out)

    def edited(change):
        shutil.copy("whole.h5", "out.h5")
        with h5py.File("out.h5", "r+") as file:
            change(file)

    def compress(file):
        data = file["performance/starts"][:]
        del file["performance/starts"]
        file.create_dataset("performance/starts", data=data, compression="gzip")

    def narrow(file):
        del file["checksums/tavg/V"]
        file["checksums/tavg/V"] = np.zeros(7, "<u4")

    def remove(file):
        del file["config/resolved_json"]

    def replace(file):
        del file["performance/starts"]
        file["performance/starts"] = np.zeros(3)

    for edit, text in (
        (compress, "out.h5: /performance/starts: does not lie in one piece"),
        (narrow, "out.h5: /checksums/tavg/V: not of the type and shape that a run writes"),
        (remove, "out.h5: /config/resolved_json: missing"),
        (replace, "out.h5: /performance/starts: not of the type and shape"),
    ):
        edited(edit)
        finds(text, edit.__name__)


@test
def spikes_of_another_run_are_told():
    run()
    run("-o", "other.h5")
    os.rename("out.spikes.h5", "mine.h5")
    finds("out.spikes.h5: missing; it has the spikes of this run", "no spikes")
    os.rename("other.spikes.h5", "out.spikes.h5")
    finds("out.spikes.h5: the spikes of another run", "spikes")
    write("out.spikes.h5", "no HDF5")
    finds("out.spikes.h5: not a readable HDF5 file", "no HDF5")
    os.rename("mine.h5", "out.spikes.h5")
    is_good()


@test
def a_killed_run_is_good_and_tells_how_to_go_on():
    equal(begin_and_stop(signal.SIGKILL), -signal.SIGKILL)
    result = is_good()
    holds("run        killed after " in result.out, result.out)
    holds("\nto go on   splenium resume out.h5\n" in result.out, result.out)
    os.rename("out.h5", "it's mine.h5")
    for ending in (".ckpt", ".ckpt.prev", ".spk"):
        os.rename("out" + ending, "it's mine" + ending)
    result = splenium("verify", "it's mine.h5")
    line = next(line for line in result.out.splitlines() if line.startswith("to go on"))
    holds(line.endswith("splenium resume 'it'\\''s mine.h5'"), line)
    holds("to go on   splenium resume" in splenium("info", "it's mine.h5").out, "info")


@test
def an_interrupted_run_is_good_and_tells_how_to_go_on():
    equal(begin_and_stop(signal.SIGINT), 75)
    result = is_good()
    holds("run        interrupted after " in result.out, result.out)
    holds("\nto go on   splenium resume out.h5\n" in result.out, result.out)
    if h5py is not None:
        with h5py.File("out.h5", "r") as file:
            name = str(file["state/final/record"].attrs["arrays"][0])
        flip("out.h5", place("out.h5", "state/final/" + name))
        finds("out.h5: /state/final/record: the state at step", "final state")


@test
def every_damage_of_an_unfinished_run_has_its_line():
    need_h5py()
    equal(begin_and_stop(signal.SIGKILL), -signal.SIGKILL)
    is_good()
    # a kill may leave half a frame or a file under way, each with a note of its own
    before = findings(splenium("verify", "out.h5"), "note")
    # one torn slot is what a crash leaves
    begin = place("out.h5", "progress")
    with open("out.h5", "rb") as file:
        file.seek(begin)
        slots = file.read(8192)
    older = 0 if slots[:8][::-1] < slots[4096:4104][::-1] else 1
    at = begin + 4096 * older + 40
    flip("out.h5", at)
    result = splenium("verify", "out.h5")
    notes = [note for note in findings(result, "note") if note not in before]
    equal((result.code, findings(result), len(notes)), (0, [], 1))
    holds(notes[0].startswith(f"out.h5: /progress: slot {older} is torn, as a crash"), notes[0])
    flip("out.h5", at)
    # without the newer one, the checkpoints may be of later steps than the results
    flip("out.h5", begin + 4096 * (1 - older))
    holds(all(line.startswith("out.ckpt") for line in findings(splenium("verify", "out.h5"))),
          "more than that")
    flip("out.h5", begin + 4096 * (1 - older))
    flip("out.h5", begin + 40)
    flip("out.h5", begin + 4096 + 40)
    finds("out.h5: /progress: no valid slot", "both slots")
    flip("out.h5", begin + 40)
    flip("out.h5", begin + 4096 + 40)
    for name in ("out.ckpt", "out.ckpt.prev"):
        size = os.path.getsize(name)
        for at in (0, 50, size // 2, size - 3):
            flip(name, at)
            finds(f"{name}: ", f"{name} at {at}")
            flip(name, at)
        data = open(name, "rb").read()
        write(name, data[:-7])
        finds(f"{name}: longer or shorter than it says", name)
        write(name, data)
    size = os.path.getsize("out.spk")
    journal = open("out.spk", "rb").read()
    flip("out.spk", 20)
    finds("out.spk: the header's checksum is wrong", "header")
    flip("out.spk", 20)
    flip("out.spk", size // 4)
    finds("out.spk: the frame at byte ", "frame")
    flip("out.spk", size // 4)
    write("out.spk", journal[:size // 2])
    finds("out.spk: the frame at byte ", "cut")
    os.remove("out.spk")
    finds("out.spk: missing", "no journal")
    write("out.spk", journal + b"torn")
    result = is_good()
    holds(findings(result, "note") == ["out.spk: 4 bytes behind its last frame are torn, as a "
                                       "crash may leave them; resume cuts them"], result.out)
    write("out.spk", journal)
    # what another run left
    for name in ("out.h5", "out.ckpt", "out.ckpt.prev", "out.spk"):
        os.rename(name, name.replace("out", "mine"))
    equal(begin_and_stop(signal.SIGKILL), -signal.SIGKILL)
    for name, text in (("out.ckpt", "a checkpoint of another run"),
                       ("out.spk", "the spike journal of another run")):
        os.rename(name, "keep")
        shutil.copy(name.replace("out", "mine"), name)
        finds(f"{name}: {text}", name)
        os.rename("keep", name)
    is_good()


@test
def no_flipped_byte_is_worse_than_a_finding():
    run()
    size = os.path.getsize("out.h5")
    chance = random.Random(9)
    codes = set()
    for _ in range(60):
        at = chance.randrange(size if chance.random() < 0.5 else 20000)
        flip("out.h5", at)
        result = splenium("verify", "out.h5")
        holds(result.code in (0, 65), f"byte {at}: {result}")
        equal((at, result.code == 65), (at, len(findings(result)) + len(result.err) > 0))
        codes.add(result.code)
        flip("out.h5", at)
    equal(codes, {0, 65})
    is_good()


@test
def a_running_file_is_checked_and_read_without_disturbing_it():
    need_h5py()
    seen = []
    with start("--set", "simulation.duration=30 s") as process:
        wait_until(lambda: os.path.exists("out.h5"), "the results file")
        while process.poll() is None:
            result = splenium("verify", "out.h5")
            holds(result.code == 0, result.out)
            equal(findings(result), [])
            rows, data = read_durable("out.h5")
            seen.append((rows, data, result.out))
        equal(process.communicate(), ("", ""))
    equal(process.returncode, 0)
    holds(any("run        running after" in out for _, _, out in seen), seen[0][2])
    print(f"# {len(seen)} times, rows {[rows for rows, _, _ in seen][:12]} ...")
    # what was durable was final
    with h5py.File("out.h5", "r") as file:
        final = file["monitors/tavg/V"][:]
    for rows, data, _ in seen:
        holds((data == final[:rows]).all(), f"of {rows} rows, some changed")
    equal([rows for rows, _, _ in seen], sorted(rows for rows, _, _ in seen))
    is_good()
    equal(digest("out.h5"), digest_of_undisturbed())


def read_durable(name):
    with h5py.File(name, "r") as file:
        slots = file["progress"][:]
        n = len(file["progress"].attrs["streams"])
        valid = [s for s in slots
                 if s[0] != 0 and s[4 + n] == crc32c(s[:4 + n].astype("<u8").tobytes())]
        rows = int(max(valid, key=lambda s: int(s[0]))[4])
        return rows, file["monitors/tavg/V"][:rows]


def digest_of_undisturbed():
    run("--set", "simulation.duration=30 s", "-o", "whole.h5")
    hashed = digest("whole.h5")
    equal(splenium("verify", "--digest", "whole.h5").out, hashed + "\n")
    equal(len(hashed), 64)
    return hashed


if __name__ == "__main__":
    main(sys.argv[2:])
