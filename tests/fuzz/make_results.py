#!/usr/bin/env python3
"""Parts of base/results/small with so few objects that HDF5 is done with them soon.

bare is what a description needs of a run without monitors, rows one stream that is walked
through and copied.

Usage: make_results.py, in tests/fuzz
"""
import h5py

PARTS = {
    "bare": ["config/resolved_json", "progress", "status/code", "status/escaped_nodes", "status/message"],
    "rows": ["monitors/tavg/V", "monitors/tavg/region"],
}
# Both slots of a run of 50 steps that has no streams, with their checksum.
NO_STREAMS = [51, 50, 0, 0, 1327366258]


def copy(source, file, path):
    """As Splenium writes it: at its place in the file at once, without times."""
    dataset = source[path]
    properties = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    properties.set_alloc_time(h5py.h5d.ALLOC_TIME_EARLY)
    properties.set_obj_track_times(False)
    for group in [path[:i] for i, c in enumerate(path) if c == "/"]:
        file.require_group(group)
    made = h5py.Dataset(
        h5py.h5d.create(file.id, path.encode(), dataset.id.get_type(), dataset.id.get_space(), properties)
    )
    made[...] = dataset[...]


def main():
    with h5py.File("base/results/small", "r") as source:
        for name, paths in PARTS.items():
            with h5py.File(f"base/results/{name}", "w", libver="earliest") as file:
                file.attrs["format"] = source.attrs["format"]
                for path in paths:
                    copy(source, file, path)
                if "progress" in paths:
                    file["progress"].attrs.create("streams", [], dtype=h5py.string_dtype())
                    file["progress"][:] = 0
                    file["progress"][:, : len(NO_STREAMS)] = NO_STREAMS
                else:
                    file["monitors/tavg"].attrs["kind"] = source["monitors/tavg"].attrs["kind"]


main()
