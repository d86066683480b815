"""Files made to do harm: what lies about its size, nests, points elsewhere or is cut. Each
is a name and a function that makes it; what is said of it stands in fixtures/hostile.txt.
"""

import bz2
import gzip
import io
import lzma
import os
import struct
import tarfile
import zipfile

from command import L2, W2, write, write_npy, write_zip

EIGHT = struct.pack("<4d", 0, 1, 2, 0)
INPUTS = []


def add(name, make):
    INPUTS.append((name, make))


def add_text(name, data):
    add(name, lambda path: write(path, data))


def add_zip(name, *members, method=zipfile.ZIP_DEFLATED):
    add(name, lambda path: write_zip(path, members, method))


def zip_bytes(*members, method=zipfile.ZIP_DEFLATED):
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", method) as archive:
        for member, text in members:
            archive.writestr(zipfile.ZipInfo(member), text, method)
    return data.getvalue()


# .npy: the header says one thing, the file holds another

for name, descr, shape, data in (
    ("shape_huge", "<f8", "(99999999999, 99999999999)", EIGHT),
    ("shape_wraps", "<f8", "(4294967296, 4294967297)", EIGHT),
    ("shape_wraps_bytes", "<f8", "(2147483648, 1073741825)", EIGHT),
    ("shape_longer", "<f8", "(2, 3)", EIGHT),
    ("shape_shorter", "<f8", "(1, 1)", EIGHT),
    ("shape_none", "<f8", "()", EIGHT[:8]),
    ("shape_cube", "<f8", "(2, 2, 1)", EIGHT),
    ("shape_zero", "<f8", "(0, 0)", b""),
    ("shape_negative", "<f8", "(-2, -2)", EIGHT),
    ("shape_text", "<f8", "('2', 2)", EIGHT),
    ("shape_float", "<f8", "(2.0, 2)", EIGHT),
    ("shape_digits", "<f8", f"({'9' * 40}, 2)", EIGHT),
    ("descr_object", "|O", "(2, 2)", EIGHT),
    ("descr_complex", "<c16", "(2, 1)", EIGHT),
    ("descr_half", "<f2", "(2, 2)", EIGHT[:8]),
    ("descr_big", ">f8", "(2, 2)", EIGHT),
    ("descr_text", "<U4", "(2, 1)", EIGHT),
    ("descr_void", "|V8", "(2, 2)", EIGHT),
    ("descr_empty", "", "(2, 2)", EIGHT),
):
    add(
        f"{name}.npy",
        lambda path, d=descr, s=shape, b=data: write_npy(path, d, s, b),
    )
HEAD = b"{'descr': '<f8', 'fortran_order': False, 'shape': (2, 2), }"
for name, data in (
    ("head_beyond", b"\x93NUMPY\1\0\xff\xff" + HEAD + EIGHT),
    ("head_4_gib", b"\x93NUMPY\2\0\xf0\xff\xff\xff" + HEAD + EIGHT),
    ("head_none", b"\x93NUMPY\1\0\0\0" + EIGHT),
    ("head_cut", b"\x93NUMPY\1\0"),
    ("head_version", b"\x93NUMPY\x09\0\x3b\0" + HEAD + EIGHT),
    ("head_no_dict", b"\x93NUMPY\1\0\x10\0" + b"0123456789abcde\n" + EIGHT),
    ("head_open", b"\x93NUMPY\1\0\x10\0" + b"{'descr': '<f8'\n" + EIGHT),
    ("head_twice", b"\x93NUMPY\1\0\x30\0" + b"{'descr': '<f8', 'descr': '<f8', }".ljust(47) + b"\n" + EIGHT),
    ("head_unknown", b"\x93NUMPY\1\0\x20\0" + b"{'code': __import__('os'), }".ljust(31) + b"\n" + EIGHT),
    ("head_nul", b"\x93NUMPY\1\0\x3b\0" + HEAD.replace(b"False", b"F\0lse") + EIGHT),
):  # fmt: skip
    add_text(f"{name}.npy", data)

# zip: directories that lie, members of members, names that lead elsewhere

SOUND = zip_bytes(("weights.txt", W2), ("tract_lengths.txt", L2))
END = SOUND.rfind(b"PK\5\6")
CENTRAL = SOUND.find(b"PK\1\2")


def patched(at, form, value):
    data = bytearray(SOUND)
    struct.pack_into(form, data, at, value)
    return bytes(data)


for name, data in (
    ("end_cut.zip", SOUND[:END]),
    ("end_half.zip", SOUND[: END + 10]),
    ("central_far.zip", patched(END + 16, "<I", 0x7FFFFFFF)),
    ("central_none.zip", patched(END + 10, "<H", 0)),
    ("name_long.zip", patched(CENTRAL + 28, "<H", 0xFFFF)),
    ("offset_far.zip", patched(CENTRAL + 42, "<I", 0x7FFFFFFF)),
    ("local_name.zip", patched(26, "<H", 0xFFFF)),
    ("deflate_bad.zip", patched(43, "<I", 0xFFFFFFFF)),
    ("zeros.zip", b"PK\3\4" + bytes(200)),
    ("only_magic.zip", b"PK\3\4"),
):
    add_text(name, data)
add_zip("zip_in_zip.zip", ("weights.txt", SOUND), ("tract_lengths.txt", L2))
add_zip("zip_of_zip.zip", ("inner.zip", SOUND))
add_zip("gz_in_bz2.zip", ("weights.txt.bz2", bz2.compress(gzip.compress(b"x"))), ("tracts.txt", L2))
add_zip("xz_in_zip.zip", ("weights.txt.xz", lzma.compress(W2.encode())), ("tracts.txt", L2))
add_zip("bz2_cut.zip", ("weights.txt.bz2", bz2.compress(W2.encode())[:20]), ("tracts.txt", L2))
add_zip("gz_bad.zip", ("weights.txt.gz", b"\x1f\x8b\x08\0" + bytes(20)), ("tracts.txt", L2))
add_zip("lzma.zip", ("weights.txt", W2 * 9), ("tracts.txt", L2), method=zipfile.ZIP_LZMA)
add_zip("only_up.zip", ("../../etc/passwd", "root"), ("/etc/shadow", "x"))
add_zip("only_dots.zip", ("..", "x"), (".", "y"))
add_zip("only_hidden.zip", ("._weights.txt", W2), ("__MACOSX/weights.txt", W2))
add_zip("slashes.zip", ("////", "x"), ("a//b", "y"))
add_zip("long_name.zip", ("w" * 60000, W2), ("tracts.txt", L2))
add_zip("control.zip", ("wei\x1b[2Jghts.txt", W2), ("tracts.txt", L2))
add_zip("empty_members.zip", ("weights.txt", ""), ("tract_lengths.txt", ""))


def make_link(target):
    def make(path):
        info = zipfile.ZipInfo("weights.txt")
        info.create_system = 3
        info.external_attr = 0o120777 << 16
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr(info, target)
            archive.writestr("tract_lengths.txt", L2)

    return make


add("link_passwd.zip", make_link("/etc/passwd"))
add("link_up.zip", make_link("../../../weights.txt"))


def make_tar(path):
    with tarfile.open(path, "w") as archive:
        info = tarfile.TarInfo("weights.txt")
        info.size = len(W2)
        archive.addfile(info, io.BytesIO(W2.encode()))


add("tar.tar", make_tar)
add("tar.zip", make_tar)
add_text("seven.zip", b"7z\xbc\xaf\x27\x1c" + bytes(40))
add_text("rar.zip", b"Rar!\x1a\7\0" + bytes(40))
add_text("zstd.txt", b"\x28\xb5\x2f\xfd" + bytes(40))
add_text("xz.txt", lzma.compress(W2.encode()))
add_text("elf", b"\x7fELF" + bytes(60))
add_text("pdf.txt", b"%PDF-1.7\n%\xe2\xe3\n")
add_text("png.txt", b"\x89PNG\r\n\x1a\n" + bytes(30))
add_text("utf16.txt", "0 1\n2 0\n".encode("utf-16"))
add_text("nuls.txt", bytes(4096))
add_text("bytes.txt", bytes(range(256)))
add_text("gz_of_gz.gz", gzip.compress(gzip.compress(b"x")))
add_text("bomb.gz", gzip.compress(b" " * (80 << 20)))
add_text("bomb.bz2", bz2.compress(b" " * (80 << 20)))
add_text("cut.bz2", bz2.compress(W2.encode() * 99)[:40])
add_text("tail.gz", gzip.compress(W2.encode())[:-4])

# folders

for name, members in (
    ("folder_empty", {}),
    ("folder_nul", {"weights.txt": b"0 1\0\n2 0\n", "tract_lengths.txt": L2}),
    ("folder_gzip", {"weights.txt": gzip.compress(b"0 x\n"), "tract_lengths.txt": L2}),
):

    def make_folder(path, members=members):
        os.makedirs(path)
        for member, data in members.items():
            write(f"{path}/{member}", data)

    add(name, make_folder)


def make_special(kind):
    def make(path):
        os.makedirs(path)
        write(f"{path}/tract_lengths.txt", L2)
        target = f"{path}/weights.txt"
        if kind == "fifo":
            os.mkfifo(target)
        elif kind == "loop":
            os.symlink("weights.txt", target)
        elif kind == "dangling":
            os.symlink("/nowhere/at/all", target)
        elif kind == "device":
            os.symlink("/dev/zero", target)
        elif kind == "folder":
            os.makedirs(target)

    return make


for kind in ("fifo", "loop", "dangling", "device", "folder"):
    add(f"special_{kind}", make_special(kind))
add("itself", lambda path: os.symlink(path, path))
add("zero", lambda path: os.symlink("/dev/zero", path))
add("pipe", os.mkfifo)

# texts

for name, text in (
    ("wide", " ".join(["0"] * 20001) + "\n"),
    ("endless", "1" * (4 << 20)),
    ("digits", "0 " + "1" * 100000 + "\n2 0\n"),
    ("exponent", "0 1e999999999999\n2 0\n"),
    ("tiny", "0 1e-999x\n2 0\n"),
    ("signs", "0 +-1\n2 0\n"),
    ("dots", "0 1.2.3\n2 0\n"),
    ("point", "0 .\n2 0\n"),
    ("comma", "0,1,,\n2,0\n"),
    ("underscore", "0 1_000\n2 0\n"),
    ("arabic", "0 \u0661\n2 0\n"),
    ("minus", "0 \u22121\n2 0\n"),
    ("space", "0\u00a01\n2 0\n"),
    ("comment", "# nothing\n# at all\n"),
    ("quotes", '"0" "1"\n"2" "0"\n'),
    ("octal", "0 0o7\n2 0\n"),
    ("json", "[[0, 1], [2, 0]]\n"),
    ("html", "<!DOCTYPE html>\n<html></html>\n"),
    ("minus_zero", "-0 -\n2 0\n"),
    ("snan", "0 snan\n2 0\n"),
    ("infinity", "0 Infinity\n2 0\n"),
    ("complex", "0 1+2j\n2 0\n"),
):
    add_text(f"{name}.txt", text)

# YAML: depth, size, expansion, types

for name, text in (
    ("flow", "monitors: " + "[" * 5000 + "]" * 5000),
    ("maps", "a: " + "{a: " * 2000 + "1" + "}" * 2000),
    ("block", "".join(" " * i + "a:\n" for i in range(600))),
    ("items", "- " * 3000 + "1\n"),
    ("laughs", "a: &a [x, x]\nb: &b [*a, *a]\nc: [*b, *b]\n"),
    ("merge", "simulation: {<<: {dt: 1}}\n"),
    ("documents", "title: a\n---\ntitle: b\n"),
    ("key_long", "k" * 100000 + ": 1\n"),
    ("key_list", "? [a, b]\n: 1\n"),
    ("key_null", "~: 1\n"),
    ("unclosed", "simulation: {dt: 0.1\n"),
    ("quote_open", 'title: "x\n'),
    ("tab", "simulation:\n\tdt: 0.1\n"),
    ("control", "title: a\x01b\n"),
    ("python", "title: !!python/object/apply:os.system [ls]\n"),
    ("directive", "%TAG ! tag:x,2000:\n--- !x\na: 1\n"),
    ("percent", "%YAML 9.9\n---\ntitle: x\n"),
    ("latin", b"title: l\xe9\n"),
    ("nodes", "connectome: {max_nodes: 99999999999999999999}\n"),
    ("duration", "simulation: {duration: 1e300 s}\n"),
    ("seed", "simulation: {seed: -1}\n"),
    ("dt", "simulation: {dt: 1e-300}\n"),
    ("threads", "simulation: {threads: 1000000000}\n"),
    ("period", "monitors: [{name: a, kind: subsample, period: 1e-9}]\n"),
    ("names", "monitors: [{name: ../../x, kind: raw}]\n"),
    ("model", "model: {name: ../../etc/passwd}\n"),
    ("values", "model: {C: [" + "0, " * 200 + "0]}\n"),
    ("file", "model: {Iext: {file: /dev/zero}}\n"),
    ("stream", "model: {Iext: {file: /dev/stdin}}\n"),
    ("missing", "model: {Iext: {file: /nowhere/at/all}}\n"),
):
    add_text(f"{name}.yaml", text)
