#!/usr/bin/python3
"""One table as CSV and as HDF5, and whether two datasets made of it are the same.

    same_tables.py make             writes t.csv, dense.h5 and sparse.h5 here
    same_tables.py compare A B...   ends with 0 when all objects, bits and attributes but those of
                                    the files themselves agree, else names the first that does not
    same_tables.py spoil            puts an infinite value into row 42 of dense.h5
"""

import sys

import h5py
import numpy as np

ROWS = 500
NAMES = ["a", "b", "c", "d"]


def text(value):
    if np.isnan(value):
        return ""
    return str(int(value)) if value == int(value) else repr(float(value))


def make():
    random = np.random.default_rng(5)
    x = np.column_stack([
        random.normal(size=ROWS),
        np.round(random.normal(size=ROWS), 2),
        random.integers(0, 4, size=ROWS),
        np.where(random.random(ROWS) < 0.7, 0, random.normal(size=ROWS)),
    ])
    for column in range(1, 4):
        x[random.random(ROWS) < 0.06, column] = np.nan
    y = random.normal(size=ROWS)
    y[7] = np.nan
    species = random.integers(0, 3, size=ROWS)
    weights = random.random(ROWS)
    words = ["ash", "elm", "oak"]
    with open("t.csv", "w") as out:
        out.write(",".join(NAMES + ["y", "species", "w"]) + "\n")
        for i in range(ROWS):
            numbers = ",".join(text(v) for v in (*x[i], y[i]))
            out.write(f"{numbers},{words[species[i]]},{text(weights[i])}\n")
    beside = {"y": y, "w": weights, "species": np.array(words, dtype="S")[species]}
    with h5py.File("dense.h5", "w") as file:
        made = file.create_dataset("X", data=x, chunks=(37, 3), compression="gzip")
        made.attrs["feature_names"] = NAMES
        for name, values in beside.items():
            file[name] = values
    # Rows that are not in the order of the columns, and an element in two parts.
    columns, values, starts = [], [], [0]
    for row in x:
        stored = [j for j in range(4) if not row[j] == 0][::-1]
        columns += stored + [0]
        values += [row[j] for j in stored] + [0.0]
        starts.append(len(columns))
    with h5py.File("sparse.h5", "w") as file:
        group = file.create_group("X")
        group.attrs["shape"] = x.shape
        group.attrs["feature_names"] = NAMES
        group["data"], group["indices"], group["indptr"] = values, columns, starts
        for name, values in beside.items():
            file[name] = values


def content(path):
    found = {}

    def note(name, item):
        attributes = sorted((key, str(np.ravel(value))) for key, value in item.attrs.items())
        bits = None
        if isinstance(item, h5py.Dataset):
            bits = (item.dtype.str, item.shape, item[()].tobytes())
        found[name] = (attributes, bits)

    with h5py.File(path, "r") as file:
        file.visititems(note)
    return found


def compare(first, *others):
    a = content(first)
    for other in others:
        b = content(other)
        for name in sorted(set(a) | set(b)):
            if a.get(name) != b.get(name):
                sys.exit(f"{name} of {other} differs")


def spoil():
    with h5py.File("dense.h5", "a") as file:
        file["X"][41, 2] = np.inf


{"make": make, "compare": compare, "spoil": spoil}[sys.argv[1]](*sys.argv[2:])
