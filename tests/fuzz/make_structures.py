#!/usr/bin/env python3
"""What HDF5 tells of the files of base/results and base/hdf5, as base/structure has it.

    make_structures.py      writes all of them again

A head (numbers of nodes, attributes, bytes; version of the superblock), nodes, attributes
and their values: the structs of stand_in.c, little-endian.
"""

import pathlib
import struct

import h5py
import numpy as np

BASE = pathlib.Path(__file__).resolve().parent / "base"
FILES = ["results/small", "results/spiking", "hdf5/tvb", "hdf5/sparse", "hdf5/results", "hdf5/edges"]
# as long as the longest is needed, and short enough that patches reach everything
MOST_VALUES = 16384
UNDEFINED = 2**64 - 1


class Structure:
    def __init__(self, file):
        self.nodes = []
        self.attributes = []
        self.values = bytearray()
        self.add(file, 2**32 - 1, "")
        while len(self.values) % 8:
            self.values.append(0)

    def store(self, array, is_variable):
        place = len(self.values)
        if is_variable:
            texts = np.atleast_1d(np.asarray(array, dtype=object)).ravel()
            for text in texts:
                text = text if isinstance(text, bytes) else str(text).encode()
                self.values += text + b"\0"
        else:
            self.values += np.ascontiguousarray(array).tobytes()[:MOST_VALUES]
        return place

    def type(self, low):
        is_variable = isinstance(low, h5py.h5t.TypeStringID) and low.is_variable_str()
        # a list of references is no number and no text; nobody reads one
        return (
            struct.pack("<QBBBB4x", low.get_size(), low.get_class(), is_variable, 0, low.committed()),
            is_variable,
        )

    def add(self, item, parent, name):
        index = len(self.nodes)
        self.nodes.append(None)
        address = h5py.h5o.get_info(item.id).addr
        fields = dict(dims=[0, 0, 0], offset=UNDEFINED, storage=0, kind=0, rank=0, layout=0)
        type_, place, n_filters, filter_ = bytes(16), 0, 0, 0
        if isinstance(item, h5py.Dataset):
            low = item.id.get_type()
            type_, is_variable = self.type(low)
            plist = item.id.get_create_plist()
            n_filters = plist.get_nfilters()
            filter_ = plist.get_filter(0)[0] if n_filters else 0
            offset = item.id.get_offset()
            # a fixed text with all of its bytes
            values = item[()] if is_variable else np.asarray(item[()], dtype=item.dtype)
            place = self.store(values, is_variable)
            fields = dict(
                dims=(list(item.shape) + [0, 0, 0])[:3], offset=UNDEFINED if offset is None else offset,
                storage=item.id.get_storage_size(), kind=1, rank=len(item.shape),
                layout=plist.get_layout(),
            )  # fmt: skip
        self.nodes[index] = (
            struct.pack("<6Q", *fields["dims"], fields["offset"], fields["storage"], address)
            + type_
            + struct.pack("<II", parent, place)
            + struct.pack("<8B", fields["kind"], 0, fields["rank"], fields["layout"], 0, n_filters, filter_, 0)
            + name.encode().ljust(40, b"\0")
        )
        for key in sorted(item.attrs):
            low = h5py.h5a.open(item.id, key.encode())
            kind = low.get_type()
            if not isinstance(kind, (h5py.h5t.TypeStringID, h5py.h5t.TypeIntegerID, h5py.h5t.TypeFloatID)):
                continue
            type_, is_variable = self.type(kind)
            values = item.attrs[key]
            if isinstance(kind, h5py.h5t.TypeStringID) and not is_variable:
                values = np.array(values).astype(f"S{kind.get_size()}")
            n = int(np.prod(low.shape, dtype=int))
            self.attributes.append(
                struct.pack("<Q", n) + type_
                + struct.pack("<II", index, self.store(values, is_variable))
                + key.encode().ljust(24, b"\0")
            )  # fmt: skip
        if isinstance(item, h5py.Group):
            for key in sorted(item):
                self.add(item[key], index, key)

    def bytes(self):
        head = struct.pack("<4I", len(self.nodes), len(self.attributes), len(self.values), 0)
        return head + b"".join(self.nodes) + b"".join(self.attributes) + bytes(self.values)


(BASE / "structure").mkdir(exist_ok=True)
for name in FILES:
    with h5py.File(BASE / name) as file:
        content = Structure(file).bytes()
    (BASE / "structure" / pathlib.Path(name).name).write_bytes(content)
    print(name, len(content))
