"""Run tools/make-surface-network small: the network is what its text says, in both forms."""

import json
import os
import subprocess
import sys
import tempfile

try:
    import h5py
    import numpy as np
except ImportError as error:
    print("skipped: %s" % error)
    sys.exit(77)

N, DEGREE = 1000, 20
SOURCE = os.environ.get("SPLENIUM_SOURCE", ".")
sys.path.insert(0, os.path.join(SOURCE, "tests"))
from support.under import under  # noqa: E402


def make(path, *options):
    script = os.path.join(SOURCE, "tools", "make-surface-network")
    subprocess.run([sys.executable, "-B", script, path, "--nodes", str(N), "--degree",
                    str(DEGREE), *options], check=True, stdout=subprocess.DEVNULL)


def read(path):
    with h5py.File(path) as file:
        assert file["weights/indices"] == file["tract_lengths/indices"]
        assert tuple(file["weights"].attrs["shape"]) == (N, N)
        return {name: file[place][:] for name, place in (
            ("indptr", "weights/indptr"), ("indices", "weights/indices"),
            ("weights", "weights/data"), ("lengths", "tract_lengths/data"),
            ("centres", "centres"), ("right", "hemispheres"))}


def check_surface(network):
    assert (network["indptr"] == DEGREE * np.arange(N + 1)).all()
    sources = network["indices"].reshape(N, DEGREE)
    lengths = network["lengths"].reshape(N, DEGREE)
    assert (np.diff(sources, axis=1) > 0).all(), "sorted, none twice"
    assert (sources != np.arange(N)[:, None]).all(), "no self-connections"
    assert np.allclose(network["weights"].reshape(N, DEGREE).sum(axis=1), 1.0)
    straight = np.linalg.norm(
        network["centres"][:, None] - network["centres"][sources], axis=2)
    assert (lengths > 0.99 * straight).all()
    # most inputs come from the neighbourhood, and those stay within their hemisphere
    same = network["right"][:, None] == network["right"][sources]
    assert (np.sort(lengths, axis=1)[:, :18].max() < np.sort(lengths, axis=1)[:, 18:].min()
            + 1e-9)
    assert 0.93 < same.mean() < 0.97, same.mean()
    assert network["right"].sum() == N // 2


def main():
    with tempfile.TemporaryDirectory() as folder:
        paths = [os.path.join(folder, name) for name in ("a.h5", "b.h5", "c.h5", "d")]
        make(paths[0])
        make(paths[1])
        make(paths[2], "--shuffle", "--seed", "2")
        make(paths[3])
        first, again, shuffled = map(read, paths[:3])
        assert all((first[name] == again[name]).all() for name in first)
        check_surface(first)
        check_surface(shuffled)
        assert np.abs(np.diff(first["indices"])).mean() < 0.7 * np.abs(
            np.diff(shuffled["indices"].astype(int))).mean()
        pages = [json.loads(subprocess.run([*under(), sys.argv[1], "info", "-q", "--json",
                                            path], check=True, capture_output=True).stdout)
                 for path in (paths[0], paths[3])]
        assert pages[0]["form"] == "sparse HDF5" and pages[1]["form"] == "folder"
        for name in ("edges", "sparse", "weights", "lengths_mm", "delays", "right"):
            assert pages[0][name] == pages[1][name], name
        assert pages[0]["edges"] == N * DEGREE and pages[0]["sparse"]
    print("%d nodes x %d edges, in both forms" % (N, DEGREE))


main()
