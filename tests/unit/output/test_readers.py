#!/usr/bin/python3
"""Results files as stock h5py and xarray see them, at any moment of a run.

test_readers.py PROGRAM      makes the files: fake_run
"""

import pathlib
import signal
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2]))
from support.crc32c import crc32c  # noqa: E402
from support.tap import Skip, equal, holds, main, test  # noqa: E402
from support.under import under  # noqa: E402

try:
    import h5py
    import numpy as np
    import xarray
except ImportError as error:
    h5py = None
    MISSING = f"{error}; install python3-h5py, python3-xarray"

PROGRAM = str(pathlib.Path(sys.argv[1]).resolve())
ENGINES = {"h5netcdf": "h5netcdf", "netcdf4": "netCDF4"}
LABELS = ["rA", "l\u00e9", "lC"]
STREAMS = {
    # name: variables, type, rows, width, first time, period
    "tavg": (["V", "W"], "<f4", 1000, 3, 0.5, 1.0),
    "mean": (["V"], "<f8", 500, 1, 0.5, 2.0),
    "sparse": (["V", "W"], "<f8", 10, 3, 0.5, 100.0),
}


def need_h5py():
    if h5py is None:
        raise Skip(MISSING)


def need_engine(engine):
    need_h5py()
    try:
        __import__(ENGINES[engine])
    except ImportError as error:
        raise Skip(f"{error}; install python3-{ENGINES[engine].lower()}") from None


def values(stream, variable):
    """What fake_run wrote, in the type of the file."""
    _, dtype, rows, width, _, _ = STREAMS[stream]
    row, node = np.meshgrid(np.arange(rows), np.arange(width), indexing="ij")
    number = list(STREAMS).index(stream)
    return (0.1 + (row * 64 + node * 8 + variable * 4 + number)).astype(dtype)


def durable(file):
    """The rules of the progress slots, as the manual gives them to readers."""
    slots = file["progress"][:]
    n = len(file["progress"].attrs["streams"])
    valid = [
        s
        for s in slots
        if s[0] != 0 and s[3] == n and s[4 + n] == crc32c(s[: 4 + n].tobytes())
    ]
    newest = max(valid, key=lambda slot: slot[0])
    return dict(zip(file["progress"].attrs["streams"], newest[4 : 4 + n].tolist()))


def check_with_h5py(path, code):
    with h5py.File(path, "r") as file:
        names = h5py.check_enum_dtype(file["status/code"].dtype)
        equal({v: k for k, v in names.items()}[file["status/code"][()]], code)
        rows = durable(file)
        for stream, (variables, dtype, n, width, first, period) in STREAMS.items():
            group = file["monitors"][stream]
            equal(sorted(group), sorted([*variables, "region", "time"]))
            holds((group["time"][:] == first + period * np.arange(n)).all(), "times")
            for v, variable in enumerate(variables):
                data = group[variable]
                equal((data.shape, data.dtype.str), ((n, width), dtype))
                equal([d.label or d[0].name for d in data.dims],
                      [group["time"].name, group["region"].name])
                there = rows[stream]
                holds((data[:there] == values(stream, v)[:there]).all(), "durable rows")
                holds((data[there:] == 0).all(), "later rows are zeros")
        return rows


def check_with_xarray(path, engine, complete):
    for stream, (variables, dtype, n, width, first, _) in STREAMS.items():
        group = f"monitors/{stream}"
        with xarray.open_dataset(path, group=group, engine=engine) as data:
            equal(sorted(data.data_vars), variables)
            equal(data.attrs["sample_period_unit"], "ms")
            for v, variable in enumerate(variables):
                array = data[variable]
                equal(array.dims, ("time", "region"))
                equal(array.shape, (n, width))
                equal(array.dtype.str, dtype)
                equal(list(array.region.values), LABELS if width == 3 else ["mean"])
                equal(array.time.values[0], first)
                equal(array.time.attrs["units"], "ms")
                equal(array.attrs["units"], ["mV", "1"][v])
                if complete:
                    holds((array.values == values(stream, v)).all(), "values")


class Run:
    """fake_run in a folder of its own, left in the state asked for."""

    def __init__(self, state):
        self.state = state

    def __enter__(self):
        self.folder = tempfile.TemporaryDirectory()
        self.path = str(pathlib.Path(self.folder.name) / "r.h5")
        self.process = subprocess.Popen(
            [*under(), PROGRAM, self.path, self.state],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        if self.state in ("running", "killed"):
            equal(self.process.stdout.readline(), "ready\n")
        if self.state != "running":
            code = self.process.wait()
            equal(code, -signal.SIGKILL if self.state == "killed" else 0)
        return self

    def more(self):
        self.process.stdin.write("x")
        self.process.stdin.flush()
        equal(self.process.stdout.readline(), "more\n")

    def __exit__(self, *_):
        self.process.stdin.close()
        self.process.stdout.close()
        self.process.wait()
        self.folder.cleanup()


STATES = {
    "complete": ("complete", 1000),
    "interrupted": ("interrupted", 500),
    "running": ("running", 500),
    "killed": ("running", 500),
}


def make_h5py_test(state):
    def function():
        need_h5py()
        with Run(state) as run:
            code, step = STATES[state]
            rows = check_with_h5py(run.path, code)
            equal(rows, {"tavg": step, "mean": step // 2, "sparse": step // 100})

    function.__name__ = f"h5py_opens_a_file_that_is_{state}"
    test(function)


def make_xarray_test(state, engine):
    def function():
        need_engine(engine)
        with Run(state) as run:
            check_with_xarray(run.path, engine, state == "complete")

    function.__name__ = f"xarray_opens_a_file_that_is_{state}_by_{engine}"
    test(function)


@test
def types_are_those_of_other_programs():
    need_h5py()
    with Run("complete") as run, h5py.File(run.path, "r") as file:
        equal(file["connectome/cortical"].dtype, np.dtype(bool))
        equal(file["connectome/cortical"][:].tolist(), [True, False, True])
        equal(file["connectome/labels"].asstr()[:].tolist(), LABELS)
        equal(file["connectome"].attrs["speed"], 3.0)
        equal(file["config/yaml"].asstr()[()], "title: a fake run\n")
        equal(file["model"].attrs["name"], "linear")
        equal(file["model/Iext"][:].tolist(), [0.1, 0.2, 0.3])
        equal(file["model/d_V"][()], 0.1)
        equal(file.attrs["title"], "a fake run")
        equal(file["performance/starts"].shape, (64, 4))
        equal(file["state/final/record"][0], 1000)
        # superblock 0, no user block
        with open(run.path, "rb") as raw:
            equal(raw.read(9), b"\x89HDF\r\n\x1a\n\x00")


@test
def h5py_cannot_write_into_a_run():
    need_h5py()
    with Run("running") as run:
        for mode in ("r+", "a"):
            try:
                h5py.File(run.path, mode).close()
            except OSError as error:
                holds("errno = 11" in str(error) or "unable to lock" in str(error), error)
            else:
                raise AssertionError(f"mode {mode} was let in")


@test
def a_reader_with_memmap_sees_new_rows():
    need_h5py()
    with Run("running") as run:
        with h5py.File(run.path, "r") as file:
            data = file["monitors/tavg/V"]
            offset, shape, dtype = data.id.get_offset(), data.shape, data.dtype
        equal(offset % 4096, 0)
        rows = np.memmap(run.path, dtype, "r", offset, shape)
        holds((rows[:500] == values("tavg", 0)[:500]).all(), "durable rows")
        holds((rows[500:] == 0).all(), "later rows are zeros")
        run.more()
        holds((rows == values("tavg", 0)).all(), "all rows")


POPULATIONS = ["thal.E", "thal.silent", "alone.I"]


def count(population, step):
    """Spikes of a population in a step, as spikes_support.h has them."""
    quiet = population == 1 or step % 3 == 0
    return 0 if quiet else step % 4 + population


@test
def spikes_are_in_the_layout_of_sonata():
    need_h5py()
    with Run("spiking") as run:
        spikes = run.path.replace("r.h5", "r.spikes.h5")
        with h5py.File(run.path, "r") as results, h5py.File(spikes, "r") as file:
            equal(results.attrs["spikes_file"], "r.spikes.h5")
            equal(file.attrs["run_uuid"], results.attrs["uuid"])
            equal((file.attrs["magic"], file.attrs["magic"].dtype), (0x0A7A, np.uint32))
            equal(file.attrs["version"].tolist(), [0, 1])
            # a silent population has no group
            equal(sorted(file["spikes"]), ["alone.I", "thal.E"])
            totals = results["populations/spikes"][:]
            for p, name in enumerate(POPULATIONS):
                n = sum(count(p, step) for step in range(1, 1001))
                equal(totals[p], n)
                if n == 0:
                    continue
                group = file["spikes"][name]
                equal(group["timestamps"].dtype.str, "<f8")
                equal(group["timestamps"].attrs["units"], "ms")
                equal(group["node_ids"].dtype.str, "<u8")
                equal((len(group["timestamps"]), len(group["node_ids"])), (n, n))
                holds((np.diff(group["timestamps"]) >= 0).all(), "by time")
                sorting = h5py.check_enum_dtype(group.attrs.get_id("sorting").dtype)
                equal(sorting, {"none": 0, "by_id": 1, "by_time": 2})
                equal(group.attrs["sorting"], 2)
                equal(group.attrs["size"], results["populations/size"][p])
                equal(group.attrs["region"], results["populations/region"].asstr()[p])


@test
def a_report_is_in_the_layout_of_sonata():
    need_h5py()
    with Run("spiking") as run, h5py.File(run.path, "r") as file:
        report = file["report/thal.E"]
        mapping = report["mapping"]
        equal(report["data"].shape, (1000, 6))
        equal(report["data"].dtype.str, "<f4")
        equal(report.attrs["elements"].tolist(), ["V", "u", "AMPA"])
        equal(report.attrs["element_units"].tolist(), ["mV", "mV/ms", "1/ms"])
        equal(mapping["node_ids"][:].tolist(), [3, 700])
        equal(mapping["index_pointers"][:].tolist(), [0, 3, 6])
        equal(mapping["element_ids"][:].tolist(), [0, 1, 2, 0, 1, 2])
        equal(mapping["element_ids"].dtype.str, "<u4")
        equal(mapping["time"][:].tolist(), [1.0, 1001.0, 1.0])
        equal(mapping["time"].attrs["units"], "ms")
        equal(durable(file)["/report/thal.E"], 1000)


def make_table_test(engine):
    def function():
        need_engine(engine)
        with Run("spiking") as run:
            with xarray.open_dataset(run.path, group="populations", engine=engine) as data:
                equal(data["rate"].dims, ("time", "population"))
                equal(list(data["population"].values), POPULATIONS)
                equal(data["size"].values.tolist(), [800, 10, 4294967295])
                equal(data["rate"].attrs["units"], "kHz")
                equal(data["time"].values[[0, -1]].tolist(), [1.0, 1000.0])
                rate = data["rate"].sel(population="alone.I").values
                wanted = [0.001 * count(2, step) for step in range(1, 1001)]
                holds((rate == np.array(wanted, "<f4")).all(), "rates")
                equal(data["spikes"].dims, ("population",))
                equal(list(data["region"].values), ["rA1", "rA1", ""])
            with xarray.open_dataset(run.path, group="subnetworks", engine=engine) as data:
                equal(data["Q_hat"].dims, ("time", "subnetwork"))
                equal(list(data["mode"].values), ["attach", "alone"])
                equal(data["clips"].values.tolist(), [500, 0])

    function.__name__ = f"xarray_opens_tables_of_populations_by_{engine}"
    test(function)


for engine in ENGINES:
    make_table_test(engine)
for state in STATES:
    make_h5py_test(state)
    for engine in ENGINES:
        make_xarray_test(state, engine)

if __name__ == "__main__":
    main(sys.argv[2:])
