#!/usr/bin/env python3
"""Cut eight columns out of lb_unit.h5: make_lb_points.py lb_unit.h5 lb_points.h5"""

import sys

import h5py

COLUMNS = [0, 1, 2, 3, 128, 129, 130, 131]  # four of the defaults, four heterogeneous

with h5py.File(sys.argv[1]) as full, h5py.File(sys.argv[2], "w", libver="earliest") as out:
    out.attrs["origin"] = full.attrs["origin"]

    def copy(name, item):
        if not isinstance(item, h5py.Dataset):
            return
        data = item[()]
        if name != "param_names":
            data = data[..., COLUMNS]
        made = out.create_dataset(name, data=data)
        for key, value in item.attrs.items():
            made.attrs[key] = value

    full.visititems(copy)
