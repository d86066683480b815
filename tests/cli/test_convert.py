#!/usr/bin/env python3
"""convert: copies of results, their rows, filters and attributes; exports; what it refuses,
and that a failure leaves nothing behind.

test_convert.py SPLENIUM [TEST]...
"""

import glob
import hashlib
import json
import os
import pathlib
import re
import resource
import signal
import subprocess
import sys
import time

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
from support.tap import Skip, equal, holds, main, test

try:
    import h5py
    import numpy as np
except ImportError:
    h5py = None

MONITORS = (
    "monitors=[{name: tavg, kind: temporal_average, period: 1, variables: [V, W]},"
    " {name: fine, kind: subsample, period: 2, dtype: f8}, {name: bold, kind: bold, period: 500},"
    " {name: mean, kind: global_average, period: 5}]"
)
SPIKING = """\
format: 1
title: two of them
connectome: {file: two.zip}
simulation: {duration: 2 s, dt: 0.1, seed: 5, threads: 1}
subnetworks:
  - name: net
    region: rA
    size: 100
    populations:
      - {name: E, record: [0, 7], background: [{rate: 2 kHz, weight: 0.03}]}
monitors: [{name: tavg, kind: temporal_average}]
output: {file: out.h5, flush_every: 20 ms}
"""
# What a results file keeps in one piece, as resume and run --from find it.
WHOLE = ("progress", "status", "checksums", "state", "performance", "config")


def succeeds(*words, **options):
    result = splenium(*words, **options)
    equal((result.code, result.err), (0, ""))
    return result.out


def fails(code, said, *words, **options):
    before = files()
    result = splenium("convert", *words, **options)
    equal((result.code, result.err), (code, f"splenium: {said}\n"))
    equal(files(), before)


def make(name="rest.h5", duration="6 s", *words):
    write_pair()
    succeeds(
        "run", "two.zip", "-o", name, "-q", "--set", f"simulation.duration={duration}",
        "--set", MONITORS, "--set", "noise={kind: additive, nsig: {V: 1.0e-4}}",
        "--threads", "1", *words,
    )  # fmt: skip


def sha256(name):
    return hashlib.sha256(pathlib.Path(name).read_bytes()).hexdigest()


def attributes(object_):
    """Values and types, without what makes an axis, which has names, and a copy."""
    found = {}
    for name, value in object_.attrs.items():
        if name not in ("DIMENSION_LIST", "REFERENCE_LIST", "copy"):
            kind = object_.attrs.get_id(name)
            found[name] = (np.asarray(value).tolist(), str(kind.dtype), kind.shape)
    return found


def contents(name):
    found = {}

    def visit(path, object_):
        values = None
        if isinstance(object_, h5py.Dataset):
            data = object_[()]
            values = (
                object_.shape,
                object_.dtype.str,
                data.tobytes() if object_.dtype.kind != "O" else repr(data),
                [[scale.name for scale in axis.values()] for axis in object_.dims],
            )
        found[path] = (attributes(object_), values)

    with h5py.File(name, "r") as file:
        visit("/", file)
        file.visititems(visit)
    return found


def start(*words):
    return subprocess.Popen(
        [COMMAND, *words], env=environment(), stderr=subprocess.PIPE, text=True
    )


def durable(name, live=False):
    """Rows by monitor, as info says; without delay of a run that is to be met while it is live."""
    said = splenium("info", name, lengthy=live).out
    found = re.findall(r"monitor +(\S+):.*; (\d+) of (\d+) rows", said)
    return {stream: (int(n), int(of)) for stream, n, of in found}


def begin_and_kill(*words, name="out.h5"):
    """A run that was killed with some rows in its file."""
    with start("run", *words, "-q", "-o", name) as run:
        wait_until(lambda: os.path.exists(name), "the file")
        wait_until(lambda: all(n > 0 for n, _ in durable(name, live=True).values()), "rows")
        run.kill()
        run.communicate()
    equal(run.returncode, -signal.SIGKILL)


@test
def a_copy_is_the_same_file_in_everything():
    need_h5py()
    make()
    write("c.yaml", SPIKING)
    succeeds("run", "c.yaml", "-q")
    for name in ("rest.h5", "out.h5"):
        before = sha256(name)
        expected = contents(name)
        succeeds("convert", name, "plain.h5", "-q", "--force")
        succeeds("convert", name, "small.h5", "-q", "--force", "--compress")
        succeeds("convert", "small.h5", "back.h5", "-q", "--force")
        succeeds("convert", name, "trimmed.h5", "-q", "--force", "--trim")
        equal(sha256(name), before)
        for copy in ("plain.h5", "small.h5", "back.h5", "trimmed.h5"):
            found = contents(copy)
            equal(sorted(found), sorted(expected))
            for path, wanted in expected.items():
                equal((path, found[path]), (path, wanted))
            equal(digest(copy), digest(name))
            result = splenium("verify", copy)
            equal((result.code, result.err), (0, ""))
            holds("checksums right" in result.out and "good" in result.out, result.out)
    equal([f for f in files() if "tmp" in f or "lock" in f], [])


@test
def rows_are_in_chunks_as_large_as_a_buffer():
    need_h5py()
    make("rest.h5", "12 s")
    for word, level in (("--compress", 1), ("--compress=gzip4", 4)):
        succeeds("convert", "rest.h5", "small.h5", "-q", "--force", word)
        n_chunked = 0
        with h5py.File("rest.h5") as plain, h5py.File("small.h5") as small:
            V = small["monitors/tavg/V"]
            equal((V.shape, V.chunks), ((12000, 2), (4096, 2)))
            equal(small["monitors/fine/V"].chunks, (4096, 2))
            equal(small["monitors/tavg/time"].chunks, (4096,))

            def visit(path, set_):
                nonlocal n_chunked
                if not isinstance(set_, h5py.Dataset):
                    return
                if path.split("/")[0] in WHOLE or set_.size * set_.dtype.itemsize <= 4096:
                    equal((path, set_.chunks), (path, None))
                elif set_.dtype.kind != "O":
                    n_chunked += 1
                    equal(
                        (path, set_.compression, set_.compression_opts, set_.shuffle),
                        (path, "gzip", level, True),
                    )

            small.visititems(visit)
            equal(n_chunked, 7)
            holds(plain["monitors/tavg/V"].chunks is None, "the run compresses")
        holds(os.path.getsize("small.h5") < os.path.getsize("rest.h5"), "not smaller")
    # the level may be a word of its own
    succeeds("convert", "--compress", "gzip4", "rest.h5", "again.h5", "-q")
    equal(os.path.getsize("again.h5"), os.path.getsize("small.h5"))


@test
def copies_run_again_and_branch_but_are_not_resumed():
    make("rest.h5", "2 s")
    succeeds("convert", "rest.h5", "small.h5", "-q", "--compress")
    for name in ("rest.h5", "small.h5"):
        succeeds("run", name, "-q", "-o", "again_" + name)
        succeeds("run", "--from", name, "-q", "-o", "from_" + name)
    equal(digest("again_small.h5"), digest("rest.h5"))
    equal(digest("from_small.h5"), digest("from_rest.h5"))
    result = splenium("resume", "small.h5", "--set", "simulation.duration=3 s", "-q")
    equal(result.code, 65)
    holds("is compressed, so that a run cannot go on in it" in result.err, result.err)


@test
def trimming_keeps_the_durable_rows_of_a_killed_run():
    need_h5py()
    make("whole.h5", "300 s")
    words = [
        "two.zip", "--threads", "1", "--set", "simulation.duration=300 s", "--set", MONITORS,
        "--set", "noise={kind: additive, nsig: {V: 1.0e-4}}", "--set", "output.flush_every=5 ms",
    ]  # fmt: skip
    begin_and_kill(*words)
    rows = durable("out.h5")
    before = sha256("out.h5")
    for option in ("--trim", "--compress"):
        succeeds("convert", "out.h5", "part.h5", "-q", "--force", "--trim", option)
        equal(durable("part.h5"), {name: (n, n) for name, (n, _) in rows.items()})
        with h5py.File("whole.h5") as whole, h5py.File("part.h5") as part:
            for name, (n, of) in rows.items():
                group = part[f"monitors/{name}"]
                for variable in set(group) - {"region"}:
                    wanted = whole[f"monitors/{name}/{variable}"][:n]
                    equal(group[variable].shape, wanted.shape)
                    holds((group[variable][:] == wanted).all(), f"{name}/{variable}")
                holds(n < of, f"{name} was not killed")
                equal(group["V"].dims[0]["time"].name, group["time"].name)
                equal(part[f"checksums/{name}/V"].shape, (-(-n // min(4096, of)),))
            slots = part["progress"][:]
            holds((slots[0] == slots[1]).all(), "slots")
            equal(slots[0][4 : 4 + len(rows)].tolist(), [n for n, _ in rows.values()])
    equal(sha256("out.h5"), before)
    # all rows of a trimmed copy are compared with their checksums, the last block too
    succeeds("convert", "part.h5", "again.h5", "-q")
    equal(digest("again.h5"), digest("part.h5"))
    result = splenium("resume", "again.h5", "-q")
    equal(result.code, 65)
    holds("has fewer rows than its run" in result.err, result.err)
    equal(digest("again.h5"), digest("part.h5"))


@test
def a_copy_in_which_no_run_can_go_on_says_so():
    make("whole.h5", "2 s")
    begin_and_kill("two.zip", "--set", "simulation.duration=600 s", "--set", MONITORS,
                   "--set", "output.flush_every=5 ms")  # fmt: skip
    for name, copied, options in (
        ("trimmed.h5", "trimmed", ["--trim"]),
        ("small.h5", "compressed", ["--compress"]),
        ("both.h5", "trimmed, compressed", ["--trim", "--compress"]),
    ):
        succeeds("convert", "out.h5", name, "-q", *options)
        line = (f"copy       {copied}: the run cannot go on in it; "
                "resume the file of which it was made")
        for verb in ("verify", "info", "watch"):
            result = splenium(verb, name)
            equal((verb, result.code), (verb, 75 if verb == "watch" else 0))
            holds(line in result.out.splitlines(), f"{verb} {name}: {result}")
            holds("splenium resume" not in result.out, result.out)
        found = json.loads(splenium("verify", "--json", name).out)
        equal((found["can_resume"], found["copy"]), (False, copied))
        equal(splenium("resume", name, "-q").code, 65)
    # a copy of a copy is what it is, not what that was
    for name, options, copied in (
        ("trimmed.h5", ["--compress"], "trimmed, compressed"),
        ("both.h5", [], "trimmed"),
        ("small.h5", [], ""),
        ("whole.h5", ["--trim"], ""),
    ):
        succeeds("convert", name, "again.h5", "-q", "--force", *options)
        equal(json.loads(splenium("verify", "--json", "again.h5").out)["copy"], copied)
        if name == "small.h5":
            holds("to go on   splenium resume again.h5" in splenium("verify", "again.h5").out, "-")


@test
def a_run_that_goes_on_is_copied_up_to_its_durable_rows():
    write_pair()
    with start("run", "two.zip", "-q", "-o", "out.h5", "--threads", "1",
               "--set", "simulation.duration=100 h", "--set", "output.flush_every=5 ms",
               "--set", "monitors=[{kind: subsample, period: 1000}]") as run:  # fmt: skip
        wait_until(lambda: os.path.exists("out.h5"), "the file")
        wait_until(lambda: sum(durable("out.h5", live=True)["subsample"]) > 0, "rows")
        try:
            wait_until(lambda: durable("out.h5", live=True)["subsample"][0] > 0, "durable rows")
            said = "out.h5: a run is writing it; wait for its end"
            result = splenium("convert", "out.h5", "copy.h5")
            equal((result.code, result.err),
                  (2, f"splenium: {said}, or copy what is durable with --trim\n"))  # fmt: skip
            result = splenium("convert", "out.h5", "--in-place", "--trim", "--force")
            equal((result.code, result.err), (2, f"splenium: {said}\n"))
            rows = durable("out.h5")["subsample"][0]
            succeeds("convert", "out.h5", "copy.h5", "-q", "--trim", "--compress")
            n, of = durable("copy.h5")["subsample"]
            holds(n == of >= rows, (n, of, rows))
            equal(run.poll(), None)
        finally:
            run.kill()
            run.communicate()


@test
def spikes_of_a_killed_run_are_those_of_the_whole_up_to_a_step():
    need_h5py()
    write_pair()
    write("c.yaml", SPIKING)
    long = ["--set", "simulation.duration=20 s"]
    succeeds("run", "c.yaml", "-q", "-o", "whole.h5", *long)
    begin_and_kill("c.yaml", *long)
    kept = {name: sha256(name) for name in ("out.h5", "out.spk")}
    succeeds("convert", "out.h5", "--spikes", "-q")
    equal({name: sha256(name) for name in kept}, kept)
    succeeds("convert", "out.h5", "other.h5", "--spikes", "-q")
    with h5py.File("whole.spikes.h5") as whole, h5py.File("out.spikes.h5") as part:
        spikes = part["spikes/net.E"]
        wanted = whole["spikes/net.E"]
        n = len(spikes["timestamps"])
        holds(0 < n < len(wanted["timestamps"]), n)
        for name in ("timestamps", "node_ids"):
            holds((spikes[name][:] == wanted[name][:n]).all(), name)
        last = part.attrs["last_step"] * part.attrs["dt"]
        holds(wanted["timestamps"][n] >= last - 1e-9, last)
        with h5py.File("out.h5") as file:
            equal(part.attrs["run_uuid"], file.attrs["uuid"])
    equal(sha256("other.h5"), sha256("out.spikes.h5"))
    exists = "exists already; choose another name, or replace it with --force"
    fails(73, f"out.spikes.h5: {exists}", "out.h5", "--spikes")
    fails(66, "whole.spk: no such journal; the spikes are in whole.spikes.h5 already",
          "whole.h5", "--spikes")  # fmt: skip
    # copies are checked with the journal, or the spikes, of their original
    succeeds("convert", "out.h5", "part.h5", "-q", "--trim", "--compress")
    holds("note" not in succeeds("verify", "part.h5"), "a note")
    # the run can still be resumed
    succeeds("resume", "out.h5", "-q")
    equal(digest("out.h5"), digest("whole.h5"))
    for name in ("part.h5", "away/part.h5"):
        os.makedirs(os.path.dirname(name) or ".", exist_ok=True)
        if not os.path.exists(name):
            os.rename("part.h5", name)
        said = succeeds("verify", name)
        holds("part.spk: missing" in said and "good" in said, said)


TEXTS = {
    "TVB_invalid": "bool:False", "TVB_is_nan": "bool:False", "TVB_visible": "bool:True",
    "TVB_subject": "", "TVB_state": "", "TVB_operation_tag": "",
    **{f"TVB_user_tag_{i}": "" for i in range(1, 6)},
}  # fmt: skip
KINDS = {
    "Connectivity": "tvb.adapters.datatypes.h5.connectivity_h5.ConnectivityH5",
    "TimeSeriesRegion": "tvb.adapters.datatypes.h5.time_series_h5.TimeSeriesRegionH5",
}


def check_attribute(file, name, kind, value):
    """All strings are of variable length and UTF-8, as TVB wants them."""
    found = file.attrs.get_id(name)
    equal((name, found.shape), (name, ()))
    if kind is str:
        text = h5py.check_string_dtype(found.dtype)
        equal((name, text.length, text.encoding), (name, None, "utf-8"))
    else:
        equal((name, found.dtype.str), (name, kind))
    if value is not None:
        equal((name, file.attrs[name]), (name, value))


def check_common(file, path):
    kind, gid = re.fullmatch(r"(\w+)_([0-9a-f]{32})\.h5", os.path.basename(path)).groups()
    parts = [gid[:8], gid[8:12], gid[12:16], gid[16:20], gid[20:]]
    check_attribute(file, "TVB_written_by", str, KINDS[kind])
    check_attribute(file, "TVB_gid", str, "urn:uuid:" + "-".join(parts))
    check_attribute(file, "TVB_Data_version", "<i8", 5)
    check_attribute(file, "TVB_create_date", str, None)
    time.strptime(file.attrs["TVB_create_date"][:-7], "%Y-%m-%d,%H-%M-%S")
    holds(re.search(r"\.\d{6}$", file.attrs["TVB_create_date"]), "no microseconds")
    for name, value in TEXTS.items():
        check_attribute(file, name, str, value)


def check_connectivity(path, results):
    with h5py.File(path) as file, h5py.File(results) as origin:
        check_common(file, path)
        c = origin["connectome"]
        check_attribute(file, "TVB_number_of_regions", "<i8", 2)
        check_attribute(file, "TVB_number_of_connections", "<i8", np.count_nonzero(c["weights"]))
        check_attribute(file, "TVB_undirected", str, "bool:False")
        check_attribute(file, "TVB_saved_selection", str, "[]")
        for name in ("weights", "tract_lengths", "centres"):
            equal((name, file[name].dtype.str, file[name].chunks), (name, "<f8", None))
            equal(file[name][:].tolist(), c[name][:].tolist())
        labels = file["region_labels"]
        kind = labels.id.get_type()
        equal((kind.is_variable_str(), kind.get_cset(), kind.get_strpad()),
              (False, h5py.h5t.CSET_ASCII, h5py.h5t.STR_NULLPAD))  # fmt: skip
        equal(labels[:].tolist(), [b"l\\u00e4A", b"rA"])
        equal(file["hemispheres"].dtype, np.dtype(bool))
        equal(file["hemispheres"][:].tolist(), [False, True])
        return file.attrs["TVB_gid"]


def check_series(path, results, monitor, gid, rows, compression):
    with h5py.File(path) as file, h5py.File(results) as origin:
        check_common(file, path)
        group = origin[f"monitors/{monitor}"]
        names = sorted(set(group) - {"time", "region"})
        regions = group["region"].size
        check_attribute(file, "TVB_title", str, f"pair: {monitor}")
        check_attribute(file, "TVB_connectivity", str, gid)
        check_attribute(file, "TVB_start_time", "<f8", group.attrs["start_time"])
        check_attribute(file, "TVB_sample_period", "<f8", group.attrs["sample_period"])
        check_attribute(file, "TVB_sample_period_unit", str, "ms")
        check_attribute(file, "TVB_sample_rate", "<f8", group.attrs["sample_rate_hz"])
        check_attribute(file, "TVB_nr_dimensions", "<i8", 4)
        check_attribute(file, "TVB_labels_ordering", str, None)
        check_attribute(file, "TVB_labels_dimensions", str, None)
        equal(json.loads(file.attrs["TVB_labels_ordering"]),
              ["Time", "State Variable", "Region", "Mode"])  # fmt: skip
        holds(file.attrs["TVB_labels_dimensions"].isascii(), "not ASCII")
        equal(json.loads(file.attrs["TVB_labels_dimensions"]),
              {"State Variable": names, "Region": ["l\u00e4A", "rA"] if regions == 2 else ["mean"]})  # fmt: skip
        data = file["data"]
        equal(data.shape, (rows, len(names), regions, 1))
        equal((data.dtype, data.compression), (group["V"].dtype, compression))
        equal(data.chunks, (min(4096, rows), 1, regions, 1))
        for v, name in enumerate(names):
            holds((data[:, v, :, 0] == group[name][:rows]).all(), name)
        equal(file["time"].dtype.str, "<f8")
        holds((file["time"][:] == group["time"][:rows]).all(), "time")


def label_pair():
    write_pair(centres="l\u00e4A 0 0 0\nrA 5 0 0\n")


@test
def tvb_gets_connectivity_and_series_with_the_types_it_reads():
    need_h5py()
    label_pair()
    succeeds(
        "run", "two.zip", "-o", "rest.h5", "-q", "--set", "simulation.duration=6 s",
        "--set", MONITORS, "--set", "title=pair",
    )  # fmt: skip
    before = sha256("rest.h5")
    for option, compression in ((), None), (("--compress=gzip1", "--force"), "gzip"):
        result = splenium("convert", "rest.h5", "--tvb", "tvb", *option)
        equal(result.code, 0)
        holds("1 labels are not ASCII" in result.err, result.err)
        (connectivity,) = glob.glob("tvb/Connectivity_*.h5")
        gid = check_connectivity(connectivity, "rest.h5")
        series = {}
        for path in glob.glob("tvb/TimeSeriesRegion_*.h5"):
            with h5py.File(path) as file:
                series[file.attrs["TVB_title"].split(": ")[1]] = path
        equal(sorted(series), ["bold", "fine", "mean", "tavg"])
        for name, rows in (("tavg", 6000), ("fine", 3000), ("bold", 12), ("mean", 1200)):
            check_series(series[name], "rest.h5", name, gid, rows, compression)
        equal(len(os.listdir("tvb")), 5)
    equal(sha256("rest.h5"), before)
    exists = "exists already; choose another name, or replace it with --force"
    fails(73, f"{connectivity}: {exists}", "rest.h5", "--tvb", "tvb")
    fails(73, "two.zip: no such folder can be made: Not a directory", "rest.h5", "--tvb",
          "two.zip")  # fmt: skip
    fails(73, "no/tvb: no such folder can be made: No such file or directory", "rest.h5",
          "--tvb", "no/tvb")  # fmt: skip


@test
def tvb_itself_reads_the_export():
    try:
        from tvb.datatypes.connectivity import Connectivity
    except ImportError as error:
        raise Skip(f"{error}; install tvb-library") from None
    label_pair()
    succeeds("run", "two.zip", "-o", "rest.h5", "-q", "--set", "simulation.duration=200")
    splenium("convert", "rest.h5", "--tvb", "tvb")
    (path,) = glob.glob("tvb/Connectivity_*.h5")
    connectivity = Connectivity.from_file(os.path.abspath(path))
    connectivity.configure()
    equal(connectivity.weights.tolist(), [[0, 1], [2, 0]])
    equal(connectivity.hemispheres.tolist(), [False, True])
    try:
        from tvb.basic.profile import TvbProfile

        TvbProfile.set_profile(TvbProfile.COMMAND_PROFILE)
        from tvb.core.neocom import h5
    except ImportError:
        return
    equal(h5.load(path).weights.tolist(), [[0, 1], [2, 0]])
    series = h5.load(glob.glob("tvb/TimeSeriesRegion_*.h5")[0], with_references=True)
    equal(series.data.shape[1:], (1, 2, 1))
    equal(series.connectivity.weights.tolist(), [[0, 1], [2, 0]])


def damage(name, place, mask=1):
    with open(name, "r+b") as file:
        file.seek(place)
        byte = file.read(1)
        file.seek(place)
        file.write(bytes([byte[0] ^ mask]))


@test
def rows_that_do_not_match_their_checksum_are_refused():
    need_h5py()
    make("rest.h5", "12 s")
    with h5py.File("rest.h5") as file:
        start_of_rows = file["monitors/tavg/W"].id.get_offset()
    damage("rest.h5", start_of_rows + 8 * 5000)
    said = "rows 4096 to 8191 do not match their checksum; the file is damaged"
    for words in ("out.h5",), ("out.h5", "--trim"), ("--in-place", "--compress"), ("--tvb", "t"):
        fails(65, f"rest.h5: /monitors/tavg/W: {said}", "rest.h5", *words)


@test
def verify_finds_damage_in_a_compressed_copy():
    need_h5py()
    make("rest.h5", "12 s")
    succeeds("convert", "rest.h5", "small.h5", "-q", "--compress")
    with h5py.File("small.h5", "r+") as file:
        file["monitors/tavg/W"][5000, 1] += 1
    result = splenium("verify", "small.h5")
    equal(result.code, 65)
    said = "/monitors/tavg/W: rows 4096 to 8191 do not match their checksum; the file is damaged"
    holds(said in result.out + result.err, result)


@test
def what_exists_is_not_replaced_unasked():
    make("rest.h5", "2 s")
    before = sha256("rest.h5")
    write("out.h5", "mine")
    os.mkdir("folder.h5")
    os.symlink("rest.h5", "link.h5")
    exists = "exists already; choose another name, or replace it with --force"
    fails(73, f"out.h5: {exists}", "rest.h5", "out.h5")
    fails(73, "folder.h5: exists and is not a file; choose another name", "rest.h5",
          "folder.h5", "--force")  # fmt: skip
    for name in ("rest.h5", "link.h5", "./rest.h5"):
        fails(2, f"{name}: the same file as rest.h5; use --in-place to replace it by its copy",
              "rest.h5", name, "--force")  # fmt: skip
    fails(73, "no/out.h5: the folder no does not exist; make it, or choose another output.file",
          "rest.h5", "no/out.h5")  # fmt: skip
    succeeds("convert", "rest.h5", "out.h5", "-q", "--force")
    equal(digest("out.h5"), digest("rest.h5"))
    equal(sha256("rest.h5"), before)
    # a leftover of a killed one is deleted
    write("new.h5.tmp", "left over")
    succeeds("convert", "rest.h5", "new.h5", "-q")
    equal([name for name in files() if "tmp" in name], [])


@test
def in_place_replaces_what_a_link_leads_to():
    make("rest.h5", "6 s")
    wanted = digest("rest.h5")
    os.chmod("rest.h5", 0o640)
    os.symlink("rest.h5", "link.h5")
    size = os.path.getsize("rest.h5")
    succeeds("convert", "link.h5", "--in-place", "--compress", "-q")
    holds(os.path.islink("link.h5") and not os.path.islink("rest.h5"), "the link is gone")
    equal(digest("rest.h5"), wanted)
    equal(os.stat("rest.h5").st_mode & 0o777, 0o640)
    holds(os.path.getsize("rest.h5") < size, "not smaller")
    equal(files(), ["link.h5", "rest.h5", "two.zip"])


@test
def in_place_does_not_end_what_could_be_resumed():
    make("rest.h5", "1 s")
    result = splenium(
        "run", "two.zip", "-o", "out.h5", "--threads", "1", "--max-hours", "0.00001",
        "--set", "simulation.duration=1000 s", "--set", MONITORS,
    )  # fmt: skip
    equal(result.code, 75)
    before = files()
    result = splenium("convert", "out.h5", "--in-place", "--trim")
    equal((result.code, files()), (2, before))
    holds("this run could no longer be resumed" in result.err, result.err)
    succeeds("convert", "out.h5", "--in-place", "--trim", "--force", "-q")
    # neither journal nor checkpoints are deleted
    equal(files(), before)
    holds(all(n == of for n, of in durable("out.h5").values()), durable("out.h5"))


@test
def damaged_and_other_files_are_refused():
    make("rest.h5", "2 s")
    write("text.h5", "no HDF5")
    fails(65, "text.h5: not an HDF5 file, so not results", "text.h5", "out.h5")
    fails(66, "none.h5: cannot be opened: No such file or directory; check the path",
          "none.h5", "out.h5")  # fmt: skip
    data = pathlib.Path("rest.h5").read_bytes()
    write("cut.h5", data[: len(data) // 2])
    result = splenium("convert", "cut.h5", "out.h5")
    equal((result.code, result.err.count("\n")), (65, 1))
    need_h5py()
    with h5py.File("other.h5", "w") as file:
        file["weights"] = np.eye(2)
    fails(65, "other.h5: an HDF5 file, but not one of results of splenium", "other.h5", "out.h5")


@test
def strange_contents_are_refused_with_their_name():
    need_h5py()
    make("rest.h5", "8 s")

    def spoil(change):
        write("bad.h5", pathlib.Path("rest.h5").read_bytes())
        with h5py.File("bad.h5", "r+") as file:
            change(file)

    def loop(file):
        file["model/again"] = file["/"]

    def many(file):
        for i in range(5000):
            file[f"links/{i}"] = file["model"]

    pointer = np.dtype([("a", "<f8")])
    for said, change in (
        ("mine: of a type that results do not have; delete it",
         lambda f: f.create_dataset("mine", data=np.zeros(3, pointer))),
        ("/model: the attribute 'mine' is of a kind that results do not have; delete it",
         lambda f: f["model"].attrs.create("mine", np.zeros((2, 2)))),
        ("mine: only hard links are followed; store the data itself",
         lambda f: f.__setitem__("mine", h5py.ExternalLink("/etc/passwd", "/"))),
        ("mine: external storage is not read; store the numbers",
         lambda f: f.create_dataset("mine", (8,), "u1", external=[("two.zip", 0, 8)])),
        ("mine: larger than its file",
         lambda f: f.create_dataset("mine", (1 << 40, 1 << 10), "f8", chunks=(1, 1024))),
        ("/model/again/model/again/model/again/model/again/checksums: not a group of results",
         loop),
        ("/checksums/tavg/V: not the checksums of rows", lambda f: f["checksums/tavg/V"].attrs.modify("rows_per_block", 0)),
        ("/monitors/tavg/V: rows 0 to ",
         lambda f: f["checksums/tavg/V"].attrs.modify("rows_per_block", np.uint64(4000))),
        ("/checksums/tavg/V: fewer checksums than blocks of rows",
         lambda f: f["checksums/tavg/V"].attrs.modify("rows_per_block", np.uint64(100))),
        ("/links: not a group of results", many),
    ):  # fmt: skip
        spoil(change)
        before = files()
        result = splenium("convert", "bad.h5", "out.h5", "--compress")
        equal((said, result.code, result.err.count("\n")), (said, 65, 1))
        holds(said in result.err, f"{said}: {result.err}")
        equal(files(), before)

    # what users add is copied
    spoil(lambda f: (f.create_dataset("analysis/fc", data=np.eye(3)),
                     f["analysis"].attrs.__setitem__("note", "mine"),
                     f["analysis"].attrs.__setitem__("list", np.arange(3)),
                     f["analysis"].attrs.__setitem__("bytes", np.bytes_("mine"))))  # fmt: skip
    succeeds("convert", "bad.h5", "out.h5", "-q", "--compress")
    equal(contents("out.h5"), contents("bad.h5"))


def limit_files(size):
    return lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))


@test
def a_limit_of_file_sizes_leaves_nothing():
    make("rest.h5", "6 s")
    before = sha256("rest.h5")
    listed = files()
    for words in ["out.h5"], ["out.h5", "--compress"], ["--in-place", "--trim"], ["--tvb", "t"]:
        for limit in (0, 2000, 20_000, 100_000):
            result = splenium("convert", "rest.h5", *words, preexec_fn=limit_files(limit))
            equal((words, limit, result.code), (words, limit, 74))
            lines = [line for line in result.err.splitlines() if "warning" not in line]
            equal(len(lines), 1)
            equal((files(), os.path.exists("t")), (listed, False))
    equal(sha256("rest.h5"), before)


def mount(folder, options):
    os.mkdir(folder)
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", options, "tmpfs", folder], capture_output=True
    )
    if mounted.returncode != 0:
        raise Skip("no file system can be mounted here")


@test
def a_full_disk_leaves_nothing():
    make("rest.h5", "6 s")
    mount("disk", "size=64k")
    try:
        for words in ["disk/out.h5"], ["disk/out.h5", "--compress"], ["--tvb", "disk/t"]:
            result = splenium("convert", "rest.h5", *words)
            equal((words, result.code), (words, 74))
            holds("No space left on device" in result.err, result.err)
            equal(result.err.count("\n"), 1)
            equal(os.listdir("disk"), [])
    finally:
        subprocess.run(["umount", "disk"], check=True)


@test
def a_folder_that_cannot_be_written_is_told():
    make("rest.h5", "2 s")
    mount("disk", "ro")
    try:
        for words in ["disk/out.h5"], ["--tvb", "disk/t"]:
            result = splenium("convert", "rest.h5", *words)
            equal((words, result.code, result.err.count("\n")), (words, 73, 1))
            holds("disk" in result.err and "Read-only file system" in result.err, result.err)
    finally:
        subprocess.run(["umount", "disk"], check=True)


@test
def a_signal_ends_it_and_leaves_nothing():
    make("rest.h5", "60 s")
    before = sha256("rest.h5")
    for words in ["out.h5"], ["--in-place"]:
        with start("convert", "rest.h5", *words, "--compress=gzip9") as convert:
            wait_until(lambda: glob.glob("*.tmp"), "the copy to begin")
            convert.terminate()
            said = convert.communicate()[1]
        equal(convert.returncode, 75)
        holds("interrupted; nothing was changed" in said, said)
        equal(files(), ["rest.h5", "two.zip"])
    equal(sha256("rest.h5"), before)


@test
def a_kill_leaves_the_original():
    make("rest.h5", "60 s")
    before = sha256("rest.h5")
    with start("convert", "rest.h5", "--in-place", "--compress=gzip9") as convert:
        wait_until(lambda: os.path.exists("rest.h5.tmp"), "the copy to begin")
        convert.kill()
        convert.communicate()
    equal(sha256("rest.h5"), before)
    wanted = digest("rest.h5")
    succeeds("convert", "rest.h5", "--in-place", "--compress", "-q")
    equal(digest("rest.h5"), wanted)
    equal(files(), ["rest.h5", "two.zip"])


@test
def wrong_usage_is_told():
    make("rest.h5", "1 s")
    for said, words in (
        ("no results file given; see splenium convert --help", []),
        ("no name for the copy of rest.h5; give one, or --in-place, --spikes, --tvb", ["rest.h5"]),
        ("unexpected argument 'c.h5'; see splenium convert --help", ["rest.h5", "b.h5", "c.h5"]),
        ("unexpected argument 'b.h5'; see splenium convert --help",
         ["rest.h5", "b.h5", "--in-place"]),
        ("--spikes, --tvb and --in-place exclude each other", ["rest.h5", "--tvb=t", "--spikes"]),
        ("--spikes takes neither --compress nor --trim", ["rest.h5", "--spikes", "--trim"]),
        ("--compress 'zstd' is not one of gzip1 ... gzip9", ["rest.h5", "b", "--compress=zstd"]),
        ("--compress 'gzip0' is not one of gzip1 ... gzip9", ["rest.h5", "b", "--compress=gzip0"]),
        ("rest.h5: this run had no spiking populations, so there are no spikes",
         ["rest.h5", "--spikes"]),
    ):  # fmt: skip
        fails(2, said, *words)


if __name__ == "__main__":
    main(sys.argv[2:])
