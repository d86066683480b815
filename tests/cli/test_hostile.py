#!/usr/bin/env python3
"""Hostile input: each file gets one line, the right exit code, little memory and time, and
leaves nothing behind.

    test_hostile.py SPLENIUM [TEST]...
    test_hostile.py SPLENIUM --make    print what fixtures/hostile.txt should say
"""

import os
import pathlib
import re
import resource
import struct
import subprocess
import sys
import tempfile
import zipfile

from bad_input import CONFIGURATIONS, CONNECTOMES, USAGE
from command import (
    C2,
    COMMAND,
    L2,
    W2,
    environment,
    files,
    splenium,
    write,
    write_npy,
    write_pair,
    write_zip,
)
from hostile_input import INPUTS
from support.tap import Skip, equal, holds, main, test

try:
    import h5py
except ImportError:
    h5py = None

EXPECTED = pathlib.Path(__file__).resolve().parent / "fixtures" / "hostile.txt"
CPU_SECONDS = 10 if os.environ.get("SPLENIUM_SANITIZE", "none") != "none" else 1
MEBIBYTES = 1500 if CPU_SECONDS > 1 else 250


def answer(name):
    """Exit code and line, seconds of processor and MiB of memory."""
    words = ["validate", name, "--set", "connectome.file=two.zip"]
    if not name.endswith(".yaml"):
        words = ["info", name]
    child = subprocess.Popen(
        [COMMAND, *words],
        env=environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_CPU, (60, 60)),
    )
    said = child.stderr.read().decode()
    child.stderr.close()
    _, status, used = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    lines = [line for line in said.splitlines() if "splenium: warning: " not in line]
    return (
        f"{name} {child.returncode} {' / '.join(lines)}",
        used.ru_utime + used.ru_stime,
        used.ru_maxrss / 1024,
    )


def answers():
    write_pair()
    for name, make in INPUTS:
        make(name)
        yield answer(name)


@test
def every_input_gets_its_line():
    expected = EXPECTED.read_text().splitlines()
    found = list(answers())
    for (line, seconds, mebibytes), wanted in zip(found, expected):
        equal(line, wanted)
        holds(seconds < CPU_SECONDS, f"{line}: {seconds} s")
        holds(mebibytes < MEBIBYTES, f"{line}: {mebibytes} MiB")
    print(f"# {max(s for _, s, _ in found):.2f} s of processor time at most")
    equal(len(found), len(expected))
    equal(len({name for name, _ in INPUTS}), len(INPUTS))


@test
def there_are_two_hundred_of_them():
    """Counted with those of test_bad_input.py, which are not repeated here."""
    n = len(INPUTS) + len(CONNECTOMES) + len(CONFIGURATIONS) + len(USAGE)
    print(f"# {n} inputs")
    holds(n >= 200, str(n))


def peak_mebibytes(*words):
    """As the results say, of a grandchild: a child begins with the peak of its parent."""
    done = subprocess.run(
        ["sh", "-c", '"$@"; exit $?', "sh", COMMAND, *words, "-q", "-o", "out.h5", "--force"],
        env=environment(),
        capture_output=True,
    )
    equal((words, done.returncode), (words, 0))
    with h5py.File("out.h5", "r") as file:
        return file["performance/peak_rss_bytes"][()] / 2**20


def predicted_mebibytes(*words):
    said = splenium("validate", *words).err
    number, unit = re.search(r"splenium: memory ([\d.]+) (\wB)", said).groups()
    return float(number) * {"kB": 1e3, "MB": 1e6, "GB": 1e9}[unit] / 2**20


@test
def no_run_takes_three_times_what_validate_says():
    """But for the libraries, which take some 20 MiB before anything is allocated."""
    if CPU_SECONDS > 1:
        raise Skip("sanitizers take more")
    if h5py is None:
        raise Skip("no h5py; install python3-h5py")
    n = 800
    for name in ("weights", "lengths"):
        write_npy(f"{name}.npy", "<f8", f"({n}, {n})", struct.pack("<d", 1.5) * (n * n))
    large = ["--set", "connectome.weights=weights.npy", "--set", "connectome.lengths=lengths.npy",
             "--set", "connectome.self_connections=drop", "--set", "connectome.speed=0.1",
             "--set", "simulation.duration=20"]  # fmt: skip
    spiking = "subnetworks=[{name: net, size: 200000, nu0: 0.7}]"
    equal(splenium("run", *large, "-q", "-o", "base.h5").code, 0)
    most = 0
    for words in (
        ["--set", "simulation.duration=200"],
        large,
        [*large, "--set", "simulation.from=base.h5"],
        [*large, "--set", "monitors=[{kind: raw, variables: [V, W, Z], dtype: f8}]"],
        ["--set", "simulation.duration=5", "--set", spiking],
    ):
        predicted = predicted_mebibytes(*words)
        peak = peak_mebibytes("run", *words)
        print(f"# {peak:.0f} MiB, predicted {predicted:.0f}: {' '.join(words[-2:])}")
        holds(peak < max(3 * predicted, predicted + 40), f"{words}: {peak} MiB, {predicted}")
        most = max(most, peak)
    holds(most > 80, "no run that takes memory")


def used(*words):
    """Exit code and peak MiB of a grandchild."""
    code = ("import os, sys; pid = os.posix_spawn(sys.argv[1], sys.argv[1:], os.environ);"
            " _, status, used = os.wait4(pid, 0);"
            " print(os.waitstatus_to_exitcode(status), used.ru_maxrss / 1024)")  # fmt: skip
    done = subprocess.run(
        ["sh", "-c", '"$@" </dev/null; exit $?', "sh", sys.executable, "-S", "-c", code,
         COMMAND, *words],
        env=environment(), capture_output=True, text=True,
    )  # fmt: skip
    exit_code, mebibytes = done.stdout.splitlines()[-1].split()
    return int(exit_code), float(mebibytes)


@test
def large_inputs_with_little_in_them_are_refused_or_predicted():
    """Neither to validate nor to run them takes three times what validate says."""
    if CPU_SECONDS > 1:
        raise Skip("sanitizers take more")
    write_pair()
    mib = 1 << 20
    comments = ("# " + 97 * "x" + "\n") * (40 * mib // 100)
    folder = "connectome: {{file: {}}}\n"
    write("comments.yaml", "format: 1\n" + folder.format("two.zip") + comments)
    write("title.yaml", f"format: 1\ntitle: {(mib - 10) * 'x'}\n" + folder.format("two.zip"))
    write("listed.yaml", "format: 1\nmodel: {C: [" + 690_000 * "0," + "0]}\n")
    stored = [("weights.txt", W2), ("tract_lengths.txt", L2), ("centres.txt", C2)]
    write_zip("film.zip", [*stored, ("film.bin", os.urandom(40 * mib))], zipfile.ZIP_STORED)
    write_zip("info.zip", [*stored, ("info.txt", comments)])
    write_zip("centres.zip", [*stored[:2], ("centres.txt", comments + C2)])
    n = 500
    digits = ("1." + 100 * "0" + " ") * n + "\n"
    write_pair("digits.zip", n * digits, n * digits, "".join(f"r{i} 0 0 0\n" for i in range(n)))
    labels = "".join(f"r{i}{180 * 'x'} 0 0 0\n" for i in range(n))
    write_pair("labels.zip", n * (n * "1 " + "\n"), n * (n * "1 " + "\n"), labels)
    os.mkdir("folder")
    write("folder/weights.txt", comments + W2)
    write("folder/tract_lengths.txt", L2)
    keep = ["--set", "connectome.self_connections=drop", "--set", "simulation.duration=5"]
    for name, code in (
        ("comments.yaml", 0), ("title.yaml", 0), ("listed.yaml", 65), ("film.zip", 0),
        ("info.zip", 0), ("centres.zip", 0), ("digits.zip", 0), ("labels.zip", 0), ("folder", 65),
    ):  # fmt: skip
        found, most = used("validate", name, *keep)
        equal((name, found), (name, code))
        holds(most < MEBIBYTES, f"{name}: {most} MiB")
        if code == 0:
            predicted = predicted_mebibytes(name, *keep)
            found, ran = used("run", name, *keep, "-q", "-o", "out.h5", "--force")
            equal((name, found), (name, 0))
            limit = max(3 * predicted, predicted + 40)
            print(f"# {name}: {most:.0f}, {ran:.0f} MiB, predicted {predicted:.0f}")
            holds(max(most, ran) < limit, f"{name}: {most}, {ran} MiB, predicted {predicted}")


if __name__ == "__main__":
    if sys.argv[2:] == ["--make"]:
        with tempfile.TemporaryDirectory() as folder:
            os.chdir(folder)
            for line, seconds, mebibytes in answers():
                print(line)
                print(f"{line[:40]}: {seconds:.2f} s {mebibytes:.0f} MiB", file=sys.stderr)
    else:
        main(sys.argv[2:])
