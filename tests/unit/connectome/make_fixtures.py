#!/usr/bin/env python3
"""Write the fixtures that the C tests cannot make themselves: zip methods that libarchive
reads but does not write, and .npy files by NumPy. Run in this folder: ./make_fixtures.py"""
import io
import zipfile

import numpy as np
import scipy.sparse

W, L, C = "0 1\n2 0\n", "0 10\n20 0\n", "rA 1 0 0\nlA -1 0 0\n"
WHEN = (2000, 1, 1, 0, 0, 0)


def write_zip(name, method):
    with zipfile.ZipFile(f"fixtures/{name}", "w") as archive:
        for member, text in (("weights.txt", W), ("tract_lengths.txt", L), ("centres.txt", C)):
            archive.writestr(zipfile.ZipInfo(member, WHEN), text, method)


class Pipe(io.RawIOBase):
    """A stream that cannot seek: zipfile then writes data descriptors (flag 0x8)."""

    def __init__(self, file):
        self.file = file

    def writable(self):
        return True

    def write(self, data):
        return self.file.write(data)


def write_descriptors():
    with open("fixtures/descriptor.zip", "wb") as file, \
            zipfile.ZipFile(Pipe(file), "w", zipfile.ZIP_DEFLATED) as archive:
        for member, text in (("weights.txt", W), ("tract_lengths.txt", L)):
            with archive.open(zipfile.ZipInfo(member, WHEN), "w") as stream:
                stream.write(text.encode())


def write_sparse():
    """Two nodes and a third without connections, whose entry (3, 3) is stored as 0."""
    indices, indptr = [1, 0, 2], [0, 1, 2, 3]
    for name, data in (("w", [1.0, 2.0, 0.0]), ("l", [10.0, 20.0, 0.0])):
        matrix = scipy.sparse.csr_matrix((data, indices, indptr), shape=(3, 3))
        scipy.sparse.save_npz(f"fixtures/sparse_{name}.npz", matrix)


def main():
    write_sparse()
    weights = np.array([[0, 1], [2, 0]])
    lengths = np.array([[0, 10], [20, 0]])
    write_zip("bzip2.zip", zipfile.ZIP_BZIP2)
    write_zip("lzma.zip", zipfile.ZIP_LZMA)
    write_descriptors()
    for compressed, save in ((0, np.savez), (1, np.savez_compressed)):
        save(f"fixtures/np{compressed}.npz", weights=weights * 1.0, tract_lengths=lengths)
    for dtype in ("<f4", "<f8", "<i4", "<i8", "|u1"):
        for order in "CF":
            array = np.array(weights, dtype=dtype, order=order)
            np.save(f"fixtures/{dtype[1:]}{order}.npy", array)
    np.save("fixtures/b1C.npy", weights != 0)
    np.save("fixtures/strings.npy", np.array(["a", "b"]))
    np.save("fixtures/big_endian.npy", weights.astype(">f8"))
    for version in ((2, 0), (3, 0)):
        with open(f"fixtures/version{version[0]}.npy", "wb") as file:
            np.lib.format.write_array(file, weights * 1.0, version=version)


main()
