"""Running the command, and the small files that its tests are made of."""

import collections
import os
import pathlib
import subprocess
import sys
import time
import zipfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))

from support.tap import Skip, equal, holds  # noqa: E402
from support.under import under  # noqa: E402

COMMAND = str(pathlib.Path(sys.argv[1]).resolve()) if len(sys.argv) > 1 else "splenium"
SOURCE = pathlib.Path(__file__).resolve().parent.parent.parent

# Two regions, with and without self-connections.
W2 = "0 1\n2 0\n"
L2 = "0 10\n20 0\n"
C2 = "lA 0 0 0\nrA 5 0 0\n"

# A run of 0.1 s of that takes a few milliseconds.
SHORT = ["--set", "simulation.duration=100 ms", "--threads", "1"]

Result = collections.namedtuple("Result", "code out err")


def environment(**more):
    """Nothing of the caller's environment but what programs need."""
    keep = {k: v for k, v in os.environ.items() if k in ("PATH", "HOME", "LD_LIBRARY_PATH")}
    keep.update({k: v for k, v in os.environ.items() if k.endswith("SAN_OPTIONS")})
    keep["SPLENIUM_DATA"] = str(SOURCE / "data")
    keep["OMP_WAIT_POLICY"] = "passive"
    keep["OPENBLAS_NUM_THREADS"] = "1"
    keep.update(more)
    return keep


def splenium(*words, env=None, cwd=None, lengthy=False, **options):
    """`lengthy`: not under valgrind, which takes thirty times as long. Nor are limits for it."""
    free = lengthy or "preexec_fn" in options
    before = [] if free else under()
    result = subprocess.run(
        [*before, COMMAND, *[str(word) for word in words]],
        env=env or environment(),
        cwd=cwd,
        capture_output=True,
        timeout=600 if before else 60,
        **options,
    )
    return Result(result.returncode, result.stdout.decode(), result.stderr.decode())


def digest(name):
    """Hash over the results in a file."""
    result = splenium("verify", "--digest", name)
    equal((result.code, result.err), (0, ""))
    return result.out.strip()


def wait_until(condition, what):
    end = time.monotonic() + 30
    while not condition():
        holds(time.monotonic() < end, "waited 30 s for " + what)
        time.sleep(0.002)


def need_h5py():
    try:
        import h5py  # noqa: F401
    except ImportError:
        raise Skip("no h5py; install python3-h5py") from None


def write(name, data):
    path = pathlib.Path(name)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data if isinstance(data, bytes) else data.encode())
    return name


def write_zip(name, members, method=zipfile.ZIP_DEFLATED):
    """Members as pairs: a name may occur twice."""
    with zipfile.ZipFile(name, "w", method) as archive:
        for member, data in members:
            archive.writestr(zipfile.ZipInfo(member), data, method)
    return name


def write_pair(name="two.zip", weights=W2, lengths=L2, centres=C2):
    return write_zip(
        name,
        [
            ("weights.txt", weights),
            ("tract_lengths.txt", lengths),
            ("centres.txt", centres),
        ],
    )


def write_npy(name, descr, shape, data, order=False, version=(1, 0)):
    head = f"{{'descr': '{descr}', 'fortran_order': {order}, 'shape': {shape}, }}"
    head = head.ljust(117) + "\n"
    size = len(head).to_bytes(2 if version == (1, 0) else 4, "little")
    return write(name, b"\x93NUMPY" + bytes(version) + size + head.encode() + data)


def files():
    """Every file below the current folder."""
    return sorted(str(path) for path in pathlib.Path(".").rglob("*") if path.is_file())
