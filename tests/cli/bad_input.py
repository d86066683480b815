"""Every kind of bad input that a user can hand to the command, with what it has to say."""

import bz2
import gzip
import os
import struct
import zipfile

from command import C2, L2, W2, write, write_npy, write_pair, write_zip


def make_encrypted(name):
    write_zip(name, [("weights.txt", W2), ("tract_lengths.txt", L2)])
    data = bytearray(open(name, "rb").read())
    # bit 0 of the flags of every local and central header
    for magic, offset in ((b"PK\3\4", 6), (b"PK\1\2", 8)):
        at = data.find(magic)
        while at >= 0:
            data[at + offset] |= 1
            at = data.find(magic, at + 4)
    write(name, bytes(data))


def make_bad_crc(name):
    write_zip(name, [("weights.txt", W2), ("tract_lengths.txt", L2)], zipfile.ZIP_STORED)
    data = open(name, "rb").read()
    write(name, data.replace(b"0 1\n", b"0 3\n"))


def make_short_size(name):
    """A member that declares fewer bytes than it has."""
    write_zip(name, [("weights.txt", W2 * 50), ("tract_lengths.txt", L2)])
    data = open(name, "rb").read()
    size = struct.pack("<I", len(W2) * 50)
    write(name, data.replace(size, struct.pack("<I", 4)))


def make_truncated(name):
    write_pair(name)
    os.truncate(name, 60)


def make_folder(**members):
    def make(name):
        for member, text in members.items():
            write(f"{name}/{member}.txt", text)

    return make


def make_zip(*members):
    return lambda name: write_zip(name, members)


def make_matrix(text):
    """Weights with bad text; the lengths are good."""
    return make_folder(weights=text, tract_lengths=L2)


def make_bomb(name):
    write_zip(
        name,
        [
            ("weights.txt", W2),
            ("tract_lengths.txt", L2),
            ("centres.txt", b" " * (80 << 20)),
        ],
    )


def make_nested_bomb(name):
    packed = bz2.compress(b" " * (80 << 20))
    write_zip(
        name, [("weights.txt", W2), ("tract_lengths.txt", L2), ("centres.txt.bz2", packed)]
    )


def make_text(data):
    return lambda name: write(name, data)


# name of the input, how to make it, further words, exit code, what is said
CONNECTOMES = [
    # containers
    (
        "nosuch.zip",
        None,
        [],
        66,
        "nosuch.zip: cannot be opened: No such file or directory; check the path",
    ),
    (
        "empty.zip",
        make_text(bytes()),
        [],
        65,
        "empty.zip: holds no numbers; give a table of numbers",
    ),
    (
        "two.zip",
        make_zip(("weights.txt", W2), ("b/weight.csv", W2)),
        [],
        65,
        (
            "two.zip: two candidates for weights: 'weights.txt' and 'b/weight.csv'; "
            "remove one"
        ),
    ),
    (
        "twice.zip",
        make_zip(("weights.txt", W2), ("x", "1"), ("x", "2")),
        [],
        65,
        "twice.zip: member 'x' occurs twice, as number 2 and 3; remove one",
    ),
    (
        "none.zip",
        make_zip(("a.txt", W2), ("b.txt", W2)),
        [],
        65,
        (
            "none.zip: no member named weights (or weight) among 2; add weights.txt "
            "or weights.npy"
        ),
    ),
    (
        "mat.zip",
        make_zip(("weights.mat", "x")),
        [],
        65,
        "mat.zip: weights.mat: .mat files are not read here; store text or .npy",
    ),
    (
        "h5.zip",
        make_zip(("weights.txt", b"\x89HDF\r\n\x1a\n"), ("tracts", L2)),
        [],
        65,
        (
            "h5.zip: weights.txt: HDF5 inside another container is not read; store "
            "text or .npy"
        ),
    ),
    (
        "many.zip",
        make_zip(*[(f"m{i}", "x") for i in range(257)]),
        [],
        65,
        (
            "many.zip: more than 256 members; make an archive of the connectome's "
            "files only"
        ),
    ),
    (
        "enc.zip",
        make_encrypted,
        [],
        65,
        "enc.zip: weights.txt: the member is encrypted; store it without a password",
    ),
    (
        "crc.zip",
        make_bad_crc,
        [],
        65,
        (
            "crc.zip: weights.txt: damaged member: ZIP bad CRC: 0xbaf0710d should be "
            "0xf738d006; fetch the archive again"
        ),
    ),
    (
        "size.zip",
        make_short_size,
        [],
        65,
        (
            "size.zip: weights.txt: damaged member: ZIP uncompressed data is wrong "
            "size (read 400, expected 4)?; fetch the archive again"
        ),
    ),
    (
        "cut.zip",
        make_truncated,
        [],
        65,
        "cut.zip: damaged zip archive: Unrecognized archive format; fetch it again",
    ),
    (
        "bomb.zip",
        make_bomb,
        [],
        65,
        (
            "bomb.zip: centres.txt: 81890 bytes expand to more than 82051072, beyond "
            "1000 to 1; store the data without this compression if they are genuine"
        ),
    ),
    (
        "nested.zip",
        make_nested_bomb,
        [],
        65,
        (
            "nested.zip: centres.txt.bz2: 83 bytes expand to more than 67174400, "
            "beyond 1000 to 1; store the data without this compression if they are "
            "genuine"
        ),
    ),
    (
        "cut.gz",
        make_text(gzip.compress(W2.encode())[:-12]),
        [],
        65,
        "cut.gz: damaged compressed data: truncated gzip input; fetch it again",
    ),
    (
        "no.h5",
        make_text(b"\x89HDF\r\n\x1a\n and then nothing"),
        [],
        65,
        "no.h5: not a readable HDF5 file: bad superblock version number",
    ),
    (
        "bare",
        make_folder(readme="x"),
        [],
        65,
        (
            "bare: no member named weights (or weight) among 1; add weights.txt or "
            "weights.npy"
        ),
    ),
    # .npy
    (
        "s.npy",
        lambda name: write_npy(name, "<U1", "(2,)", b"abcdefgh"),
        [],
        65,
        "s.npy: dtype '<U1' is not read; save as <f8, <f4, <i4, <i8, |u1 or |b1",
    ),
    (
        "b.npy",
        lambda name: write_npy(name, ">f8", "(1, 1)", b"12345678"),
        [],
        65,
        "b.npy: dtype '>f8' is not read; save as <f8, <f4, <i4, <i8, |u1 or |b1",
    ),
    (
        "t.npy",
        lambda name: write_npy(name, "<f8", "(2, 2)", b"12345678"),
        [],
        65,
        "t.npy: 8 bytes of data for the shape 2 x 2 of '<f8'; save the array again",
    ),
    (
        "v.npy",
        make_text(b"\x93NUMPY\x09\x00\x00\x00"),
        [],
        65,
        "v.npy: .npy version 9.0 is not read; save it with version 1.0, 2.0 or 3.0",
    ),
    (
        "n.npy",
        lambda name: write_npy(name, "<f8", "(99999, 9)", b"12345678"),
        [],
        65,
        (
            "n.npy: shape 99999 x 9, above the limit of 20000 nodes; raise "
            "connectome.max_nodes"
        ),
    ),
    # text
    (
        "ragged",
        make_matrix("0 1\n2\n"),
        [],
        65,
        (
            "ragged: weights.txt:2:2: 1 numbers in row 2, expected 2 as in the first "
            "row; complete the file"
        ),
    ),
    (
        "word",
        make_matrix("0 1\n2 x\n"),
        [],
        65,
        (
            "word: weights.txt:2:3: 'x' is not a decimal number; write plain decimal "
            "numbers such as 0.5 or 5e-1"
        ),
    ),
    (
        "hex",
        make_matrix("0 0x1\n2 0\n"),
        [],
        65,
        (
            "hex: weights.txt:1:3: '0x1' is not a decimal number; write plain decimal"
            " numbers such as 0.5 or 5e-1"
        ),
    ),
    (
        "fortran",
        make_matrix("0 1D3\n2 0\n"),
        [],
        65,
        (
            "fortran: weights.txt:1:3: '1D3' is not a decimal number; write plain "
            "decimal numbers such as 0.5 or 5e-1"
        ),
    ),
    (
        "under",
        make_matrix("0 1_000\n2 0\n"),
        [],
        65,
        (
            "under: weights.txt:1:3: '1_000' is not a decimal number; write plain "
            "decimal numbers such as 0.5 or 5e-1"
        ),
    ),
    (
        "nan",
        make_matrix("0 nan\n2 0\n"),
        [],
        65,
        (
            "nan: weights.txt: row 1 column 2: nan is not a usable value; replace it "
            "(write 0 where there is no connection)"
        ),
    ),
    (
        "inf",
        make_matrix("0 1\ninf 0\n"),
        [],
        65,
        (
            "inf: weights.txt: row 2 column 1: inf is not a usable value; replace it "
            "(write 0 where there is no connection)"
        ),
    ),
    (
        "cr",
        make_matrix("0 1\r2 0\r"),
        [],
        65,
        (
            "cr: weights.txt:1:4: carriage return without line feed; convert the file"
            " to LF line ends"
        ),
    ),
    (
        "nothing",
        make_matrix(" "),
        [],
        65,
        "nothing: weights.txt: holds no numbers; give a table of numbers",
    ),
    (
        "latin",
        make_folder(weights=W2, tract_lengths=L2, centres=b"l\xe9 0 0 0\nrA 5 0 0\n"),
        [],
        65,
        (
            "latin: centres.txt:1:2: byte 0xe9 in the label is not UTF-8; save the "
            "file as UTF-8"
        ),
    ),
    (
        "escape",
        make_folder(weights=W2, tract_lengths=L2, centres="a 0 0 0\nb\x1b[31m 5 0 0\n"),
        [],
        65,
        "escape: centres.txt:2:2: control character 0x1b in the label 'b?[31m'; remove it",
    ),
    # contents
    (
        "wide",
        make_matrix("0 1 2\n2 0 3\n"),
        [],
        65,
        "wide: weights.txt: 2 rows and 3 columns; weights must be square",
    ),
    (
        "shapes",
        make_folder(weights=W2, tract_lengths="0 1 2\n2 0 1\n3 4 0\n"),
        [],
        65,
        (
            "shapes: weights.txt is 2 x 2, but shapes: tract_lengths.txt is 3 x 3; "
            "both must have the shape N x N"
        ),
    ),
    (
        "nolengths",
        make_folder(weights=W2),
        [],
        65,
        (
            "nolengths: weights.txt: no tract_lengths beside these weights; add them,"
            " or set connectome.speed: inf or connectome.missing_lengths: euclidean"
        ),
    ),
    (
        "noeuclid",
        make_folder(weights=W2),
        ["--set", "connectome.missing_lengths=euclidean"],
        65,
        (
            "noeuclid: weights.txt: neither tract_lengths nor centres beside these "
            "weights, so there are no Euclidean lengths; add centres"
        ),
    ),
    (
        "negative",
        make_matrix("0 1\n-2 0\n"),
        [],
        65,
        (
            "negative: weights.txt: row 2 column 1: negative weight -2; set "
            "connectome.allow_negative: true if it is meant"
        ),
    ),
    (
        "back",
        make_folder(weights=W2, tract_lengths="0 -1\n2 0\n"),
        [],
        65,
        (
            "back: tract_lengths.txt: row 1 column 2: negative tract length -1; "
            "lengths are distances in mm, correct the file"
        ),
    ),
    (
        "upper",
        make_matrix("0 1\n0 0\n"),
        [],
        65,
        (
            "upper: weights.txt: all weights below the diagonal are 0; set "
            "connectome.triangular to symmetrise or accept"
        ),
    ),
    (
        "self",
        make_matrix("1 1\n2 0\n"),
        ["--set", "connectome.self_connections=error"],
        65,
        (
            "self: weights.txt: 1 nonzero weights on the diagonal; set "
            "connectome.self_connections to keep or drop"
        ),
    ),
    (
        "zero",
        make_folder(weights=W2, tract_lengths="0 0\n1 0\n"),
        ["--set", "connectome.zero_length=error"],
        65,
        (
            "zero: tract_lengths.txt: row 1 column 2: length 0 of an edge between two"
            " nodes; correct it or set connectome.zero_length to warn or accept"
        ),
    ),
    (
        "allzero",
        make_matrix("0 0\n0 0\n"),
        ["--set", "connectome.normalise=tract"],
        65,
        (
            "allzero: weights.txt: the largest weight is 0, so the weights cannot be "
            "divided by it; use normalise: none"
        ),
    ),
    (
        "labels",
        make_folder(weights=W2, tract_lengths=L2, centres="a 1 2 3\n"),
        [],
        65,
        (
            "labels: centres.txt: 1 x 3 numbers, expected 2 x 3 as labels: "
            "weights.txt has 2 nodes"
        ),
    ),
    (
        "sides",
        make_folder(weights=W2, tract_lengths=L2, hemispheres="0\n2\n"),
        [],
        65,
        (
            "sides: hemispheres.txt: row 2 column 1: 2 is neither 0 nor 1; write 0, "
            "1, true or false"
        ),
    ),
    (
        "big",
        make_matrix(W2),
        ["--set", "connectome.max_nodes=1"],
        65,
        (
            "big: weights.txt: 2 columns, above the limit of 1 nodes; raise "
            "connectome.max_nodes"
        ),
    ),
    (
        "slow",
        make_matrix(W2),
        ["--set", "connectome.speed=1e-9"],
        65,
        (
            "a tract of 10 mm at 1e-09 mm/ms lasts 1e+11 steps of 0.1 ms, above 2^24;"
            " raise the speed or the step"
        ),
    ),
]

# text of config.yaml, exit code, what is said
CONFIGURATIONS = [
    (
        "simulation:\n  dt: 0.1\n  duratoin: 5\n",
        65,
        (
            "config.yaml:3:3: unknown key 'duratoin' in simulation; did you mean "
            "'duration'?"
        ),
    ),
    (
        "connectome: {speeed: 3}\n",
        65,
        ("config.yaml:1:14: unknown key 'speeed' in connectome; did you mean " "'speed'?"),
    ),
    (
        "simulation: {dt: 0.1, dt: 0.2}\n",
        65,
        "config.yaml:1:23: duplicate key 'dt', first at line 1; remove one of them",
    ),
    (
        "simulation: {dt: abc}\n",
        65,
        (
            "config.yaml:1:18: simulation.dt: 'abc' is not a quantity; write a number"
            " in ms, or a number, a blank and one of us, ms, s, min, h"
        ),
    ),
    (
        "simulation: {duration: 10 mm}\n",
        65,
        (
            "config.yaml:1:24: simulation.duration: '10 mm' is not a quantity; write "
            "a number in ms, or a number, a blank and one of us, ms, s, min, h"
        ),
    ),
    (
        "simulation: {dt: 0}\n",
        65,
        "config.yaml:1:18: simulation.dt: '0' must be greater than 0",
    ),
    ("title: *x\n", 65, "config.yaml:1:8: aliases are not supported; write the value out"),
    (
        "title: !!str x\n",
        65,
        (
            "config.yaml:1:8: tags are not supported; remove it; the schema knows the"
            " type of every key"
        ),
    ),
    (
        "- 1\n- 2\n",
        65,
        (
            "config.yaml:1:1: not a configuration; it must consist of lines like "
            "'key: value'"
        ),
    ),
    (
        "0 1\n2 0\n",
        65,
        (
            "config.yaml:1:1: not a configuration; it must consist of lines like "
            "'key: value'"
        ),
    ),
    (
        'title: "abc\n',
        65,
        (
            "config.yaml:2:1: found unexpected end of stream; check indentation, "
            "brackets and quotes (YAML)"
        ),
    ),
    (
        "format: 2\n",
        65,
        "config.yaml:1:9: format 2 is unknown; this version reads format 1",
    ),
    (
        "model: {name: larter}\n",
        65,
        "config.yaml:1:15: unknown model 'larter'; known: larter_breakspear, linear",
    ),
    (
        "model: {preset: roberts2018}\n",
        65,
        ("config.yaml:1:17: unknown preset 'roberts2018'; did you mean " "'roberts2019'?"),
    ),
    (
        "model: {C: [1, 2, 3]}\n",
        65,
        (
            "config.yaml:1:12: model.C: 3 values for 2 regions; give one number for "
            "all or one for each"
        ),
    ),
    (
        "model: {C: {default: 0.1, lB: 0.2}}\n",
        65,
        ("config.yaml:1:27: model.C: no region has the label 'lB'; did you mean " "'lA'?"),
    ),
    (
        "model: {C: {file: nosuch.txt}}\n",
        66,
        (
            "model.C: nosuch.txt: cannot be opened: No such file or directory; check "
            "the path"
        ),
    ),
    (
        "simulation: {integrator: hein}\n",
        65,
        "config.yaml:1:26: unknown integrator 'hein'; did you mean 'heun'?",
    ),
    (
        "noise: {kind: pink}\n",
        65,
        (
            "config.yaml:1:15: noise.kind: 'pink' is not one of: none | additive | "
            "multiplicative | ou"
        ),
    ),
    (
        "monitors: [{name: a, kind: rwa}]\n",
        65,
        (
            "config.yaml:1:28: unknown kind of monitor 'rwa'; known: raw, subsample, "
            "temporal_average, global_average, afferent_coupling, bold, balloon"
        ),
    ),
    (
        "monitors: [{name: a, kind: subsample, period: 0.25}]\n",
        65,
        (
            "config.yaml:1:47: monitors.a: period 0.25 ms is not a multiple of dt 0.1"
            " ms; nearest: 0.2 ms"
        ),
    ),
    (
        "monitors: [{name: a, kind: bold, kernel: Gama}]\n",
        65,
        "config.yaml:1:42: unknown kernel 'Gama'; did you mean 'Gamma'?",
    ),
    (
        "coupling: {function: linera}\n",
        65,
        ("config.yaml:1:22: unknown coupling function 'linera'; did you mean " "'linear'?"),
    ),
    (
        "connectome: {file: nosuch.zip}\n",
        66,
        "nosuch.zip: cannot be opened: No such file or directory; check the path",
    ),
    (
        "connectome: {lengths: b.txt}\n",
        65,
        (
            "config.yaml:1:14: connectome.weights is missing; separate files need at "
            "least the weights"
        ),
    ),
]

# words after `run two.zip`, exit code, what is said
USAGE = [
    (
        ["--set", "simulation.dt"],
        2,
        (
            "--set 'simulation.dt': not of the form key=value; write it like --set "
            "coupling.a=0.2"
        ),
    ),
    (
        ["--set", "=1"],
        2,
        "--set '=1': not of the form key=value; write it like --set coupling.a=0.2",
    ),
    (["--set"], 2, "no argument after '--set'; see splenium run --help"),
    (
        ["--set", "simulation.dt=abc"],
        2,
        (
            "--set simulation.dt=abc: simulation.dt: 'abc' is not a quantity; write a"
            " number in ms, or a number, a blank and one of us, ms, s, min, h"
        ),
    ),
    (
        ["--set", "simulation.dtt=1"],
        2,
        ("--set simulation.dtt=1: unknown key 'dtt' in simulation; did you mean " "'dt'?"),
    ),
    (
        ["--set", "simulation.dt="],
        2,
        (
            "--set simulation.dt=: simulation.dt: '' is not a quantity; write a "
            "number in ms, or a number, a blank and one of us, ms, s, min, h"
        ),
    ),
    (
        ["--set", "simulation.dt={a: "],
        2,
        (
            "--set simulation.dt={a: : did not find expected node content; check "
            "indentation, brackets and quotes (YAML)"
        ),
    ),
    (
        ["--set", "model.C.xyz=0.2"],
        2,
        (
            "--set model.C.xyz=0.2: model.C: no region has the label 'xyz'; `splenium"
            " info` lists the connectome"
        ),
    ),
    (
        ["--set", "model.d_v=0.2"],
        2,
        "--set model.d_v=0.2: unknown key 'd_v' in model; did you mean 'd_V'?",
    ),
    (
        ["--set", "monitors.blod.period=2 s"],
        2,
        (
            "--set monitors.blod.period=2 s: no monitor is named 'blod'; known: tavg,"
            " bold"
        ),
    ),
    (
        ["--threads", "many"],
        2,
        (
            "--set simulation.threads=many: simulation.threads: 'many' is not a whole"
            " number from 0 to 18446744073709551615"
        ),
    ),
    (
        ["--thread=2x"],
        2,
        (
            "--set simulation.threads=2x: simulation.threads: '2x' is not a whole "
            "number from 0 to 18446744073709551615"
        ),
    ),
    (["--treads", "2"], 2, "unknown option '--treads'; did you mean '--threads'?"),
    (["--nonsense"], 2, "unknown option '--nonsense'; see splenium run --help"),
    (["--fo=1"], 2, "an option that takes no value: '--fo=1'; see splenium run --help"),
    (
        ["--force=yes"],
        2,
        "an option that takes no value: '--force=yes'; see splenium run --help",
    ),
    (["-x"], 2, "unknown option '-x'; see splenium run --help"),
    (["-qx"], 2, "unknown option '-x'; see splenium run --help"),
    (["-o"], 2, "no argument after '-o'; see splenium run --help"),
    (
        ["--progress", "loud"],
        2,
        "--progress 'loud' is not one of: auto | plain | json | none",
    ),
    (["--qui", "--ver", "--se"], 2, "no argument after '--se'; see splenium run --help"),
    (["more.yaml"], 2, "unexpected argument 'more.yaml'; see splenium run --help"),
    (
        ["-o", "nosuch/out.h5"],
        73,
        (
            "nosuch/out.h5: the folder nosuch does not exist; make it, or choose "
            "another output.file"
        ),
    ),
    (["-o", "."], 73, ".: exists and is not a file; choose another output.file"),
]
