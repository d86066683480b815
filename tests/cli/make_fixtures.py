#!/usr/bin/env python3
"""Write the fixture that the tests cannot make without HDF5: a connectome as The Virtual
Brain stores it, 2 regions. Run in this folder: ./make_fixtures.py"""

import h5py
import numpy as np

with h5py.File("fixtures/tvb_connectome", "w", libver=("earliest", "v108")) as file:
    file["weights"] = np.array([[0.0, 1.0], [2.0, 0.0]])
    file["tract_lengths"] = np.array([[0.0, 10.0], [20.0, 0.0]])
    file["centres"] = np.array([[0.0, 0.0, 0.0], [5.0, 0.0, 0.0]])
    file["region_labels"] = np.array([b"lA", b"rA"])
