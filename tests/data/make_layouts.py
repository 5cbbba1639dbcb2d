#!/usr/bin/env python3
"""Writes HDF5 datasets in the layouts that people have, all with the same closed-form values.

usage: make_layouts.py FOLDER

X[i, j] is ((7 i + 13 j) mod 101) / d, where d is 8 for floating-point files and 1 for the others; in
sparse files it is 0 where (i + j) mod 3 is not 0. y[i, t] is ((3 i + 5 t) mod 17) / d, labels are
classes i mod 3, weights are 1 + i mod 4. The file "manifest" has a line for each file:
name|rows|features|d|sparse|targets|weights|labels|features path|target path|names
"""
import os
import sys

import h5py
import numpy as np

ROWS, FEATURES = 1003, 23
NAMES = [f"f{j}" for j in range(FEATURES)]
CLASSES = ["ash", "birch", "cedar"]
manifest = []


def x_values(d, rows=ROWS, features=FEATURES):
    i, j = np.arange(rows)[:, None], np.arange(features)[None, :]
    return ((7 * i + 13 * j) % 101) / d


def y_values(d, rows=ROWS, targets=1):
    i, t = np.arange(rows)[:, None], np.arange(targets)[None, :]
    return ((3 * i + 5 * t) % 17) / d


def sparse_values(d):
    import scipy.sparse
    x = x_values(d)
    i, j = np.indices(x.shape)
    return scipy.sparse.csr_matrix(np.where((i + j) % 3 == 0, x, 0))


def note(name, rows=ROWS, features=FEATURES, d=8, sparse=0, targets=1, weights=0, labels=0, x="",
         y="", names=0):
    manifest.append("|".join(map(str, (name, rows, features, d, sparse, targets, weights, labels, x,
                                       y, names))))


def plain(name, dtype="f8", rows=ROWS, libver=None, userblock=None, **storage):
    d = 8 if np.dtype(dtype).kind == "f" else 1
    x = x_values(d, rows)
    if np.dtype(dtype).kind == "b":
        raise ValueError("no such values")
    with h5py.File(name, "w", libver=libver, userblock_size=userblock) as f:
        f.create_dataset("X", data=x.astype(dtype), **storage)
        f.create_dataset("y", data=y_values(d, rows)[:, 0])
    note(name, rows=rows, d=d)


def types():
    for t in ("<f8", "<f4", "<f2", ">f8", ">f4", ">f2", "i1", "<i2", "<i4", "<i8", "u1", "<u2",
              "<u4", "<u8", ">i2", ">i4", ">i8", ">u4"):
        plain(f"type-{'big-' if t[0] == '>' else ''}{t.lstrip('<>')}.h5", t)
    plain("type-f2-chunked.h5", "<f2", chunks=(100, 5))
    plain("type-big-gzip.h5", ">f8", chunks=(100, 5), compression="gzip", shuffle=True)
    plain("type-longdouble.h5", np.longdouble)


def chunks():
    for name, shape in (("full", (64, FEATURES)), ("narrow", (64, 4)), ("small", (7, 3)),
                        ("tall", (ROWS, 1)), ("one", (ROWS, FEATURES)), ("rows", (1, FEATURES)),
                        ("auto", True)):
        plain(f"chunk-{name}.h5", chunks=shape)
        plain(f"chunk-{name}-gzip.h5", chunks=shape, compression="gzip")
        plain(f"chunk-{name}-latest.h5", chunks=shape, libver="latest")
    plain("chunk-unlimited.h5", chunks=(64, 32), maxshape=(None, None))
    plain("chunk-unlimited-gzip.h5", chunks=(64, 32), maxshape=(None, None), compression="gzip")
    plain("chunk-rows-unlimited-latest.h5", chunks=(64, 4), maxshape=(None, FEATURES),
          libver="latest")
    plain("chunk-f4-narrow.h5", "<f4", chunks=(50, 4))


def filters():
    wide = {"chunks": (100, FEATURES)}
    plain("filter-shuffle-gzip.h5", compression="gzip", shuffle=True, **wide)
    plain("filter-shuffle-gzip-f4.h5", "<f4", compression="gzip", shuffle=True, **wide)
    plain("filter-shuffle-i2.h5", "<i2", compression="gzip", shuffle=True, **wide)
    plain("filter-fletcher.h5", fletcher32=True, **wide)
    plain("filter-all.h5", compression="gzip", shuffle=True, fletcher32=True, chunks=(64, 4))
    plain("filter-lzf.h5", compression="lzf", **wide)
    plain("filter-lzf-shuffle.h5", compression="lzf", shuffle=True, chunks=(64, 4))
    plain("filter-scaleoffset.h5", "<i4", scaleoffset=0, **wide)
    # Random bits do not shrink: LZF leaves those chunks as they are.
    noise = np.random.default_rng(1).random((ROWS, FEATURES))
    with h5py.File("filter-lzf-raw.h5", "w") as f:
        f.create_dataset("noise", data=noise, compression="lzf", chunks=(100, FEATURES))
        f.create_dataset("X", data=noise)
        f.create_dataset("y", data=y_values(8)[:, 0])
    manifest.append("filter-lzf-raw.h5|same")


def storages():
    plain("userblock.h5", userblock=1024)
    plain("userblock-chunks.h5", userblock=1024, chunks=(64, FEATURES))
    plain("userblock-gzip.h5", userblock=1024, chunks=(64, 4), compression="gzip")
    x, y = x_values(8), y_values(8)[:, 0]
    with h5py.File("compact.h5", "w") as f:
        creation = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
        creation.set_layout(h5py.h5d.COMPACT)
        for name, data in (("X", x[:100]), ("y", y[:100])):
            space = h5py.h5s.create_simple(data.shape)
            made = h5py.h5d.create(f.id, name.encode(), h5py.h5t.IEEE_F64LE, space, creation)
            made.write(h5py.h5s.ALL, h5py.h5s.ALL, np.ascontiguousarray(data))
    note("compact.h5", rows=100)
    with h5py.File("external.h5", "w") as f:
        f.create_dataset("X", data=x, external=[("external.raw", 0, h5py.h5f.UNLIMITED)])
        f.create_dataset("y", data=y)
    note("external.h5")
    half = ROWS // 2
    for name, part in (("virtual-a.h5", x[:half]), ("virtual-b.h5", x[half:])):
        with h5py.File(name, "w") as f:
            f["part"] = part
    layout = h5py.VirtualLayout(shape=x.shape, dtype="f8")
    layout[:half] = h5py.VirtualSource("virtual-a.h5", "part", shape=(half, FEATURES))
    layout[half:] = h5py.VirtualSource("virtual-b.h5", "part", shape=(ROWS - half, FEATURES))
    with h5py.File("virtual.h5", "w", libver="latest") as f:
        f.create_virtual_dataset("X", layout)
        f.create_dataset("y", data=y)
    note("virtual.h5")
    with h5py.File("linked.h5", "w") as f:
        f["X"] = h5py.ExternalLink("type-f8.h5", "/X")
        f["y"] = h5py.SoftLink("/deep/y")
        f["deep/y"] = y
    note("linked.h5")


def targets():
    d, x = 8, x_values(8)
    with h5py.File("target-column.h5", "w") as f:
        f["X"], f["y"] = x, y_values(d)
    note("target-column.h5")
    with h5py.File("target-three.h5", "w") as f:
        f["X"] = x
        f.create_dataset("y", data=y_values(d, targets=3), chunks=(50, 2), compression="gzip")
        f["weights"] = 1 + np.arange(ROWS) % 4
    note("target-three.h5", targets=3, weights=1)
    with h5py.File("deep.h5", "w") as f:
        f["train/images"], f["train/outcome"] = x, y_values(d)[:, 0]
    note("deep.h5", x="train/images", y="/train/outcome")
    labels = [CLASSES[i % 3] for i in range(ROWS)]
    numbers = np.arange(ROWS) % 3
    kinds = {"text": np.array(labels, dtype=h5py.string_dtype()), "fixed": np.array(labels, "S7"),
             "int": numbers.astype("i4"),
             "enum": numbers.astype(h5py.enum_dtype({c: i for i, c in enumerate(CLASSES)}, "i1"))}
    for kind, data in kinds.items():
        with h5py.File(f"label-{kind}.h5", "w") as f:
            f["X"], f["y"] = x, data
        note(f"label-{kind}.h5", labels=1 if kind == "int" else 2)
    with h5py.File("label-bool.h5", "w") as f:
        f["X"], f["y"] = x > 5, numbers == 1
    manifest.append("label-bool.h5|bool")


def names():
    x, y = x_values(8), y_values(8)[:, 0]
    for kind, data in (("text", NAMES), ("fixed", np.array(NAMES, "S5"))):
        with h5py.File(f"names-{kind}.h5", "w") as f:
            f["X"], f["y"] = x, y
            f["X"].attrs["feature_names"] = data
        note(f"names-{kind}.h5", names=1)
    with h5py.File("names-scale.h5", "w") as f:
        f["X"], f["y"], f["columns"] = x, y, NAMES
        f["columns"].make_scale("columns")
        f["X"].dims[1].attach_scale(f["columns"])
    note("names-scale.h5", names=1)


def sparse():
    import anndata
    import pandas
    x = sparse_values(8)
    for kind, options in (("plain", {}), ("gzip", {"compression": "gzip", "chunks": (1000,)})):
        with h5py.File(f"sparse-{kind}.h5", "w") as f:
            group = f.create_group("X")
            for part in ("data", "indices", "indptr"):
                group.create_dataset(part, data=getattr(x, part), **options)
            group.attrs["shape"] = x.shape
            f["y"] = y_values(8)[:, 0]
        note(f"sparse-{kind}.h5", sparse=1)
    with h5py.File("sparse-dataset-shape.h5", "w") as f:
        f["X/data"], f["X/indices"] = x.data.astype("f4"), x.indices.astype("u8")
        f["X/indptr"], f["X/shape"] = x.indptr.astype("i8"), x.shape
        f["y"] = y_values(8)[:, 0]
    note("sparse-dataset-shape.h5", sparse=1)
    obs = pandas.DataFrame({"kind": pandas.Categorical([CLASSES[i % 3] for i in range(ROWS)]),
                            "size": y_values(8)[:, 0]}, index=[f"cell{i}" for i in range(ROWS)])
    for name, data in (("dense", x_values(8)), ("sparse", x)):
        cells = anndata.AnnData(data, obs=obs, var=pandas.DataFrame(index=NAMES), dtype="f8")
        for packed in (None, "gzip"):
            file = f"anndata-{name}{'-gzip' if packed else ''}.h5ad"
            cells.write_h5ad(file, compression=packed)
            note(file, sparse=int(name == "sparse"), y="obs/size", names=1)
        note(file, sparse=int(name == "sparse"), y="obs/kind", names=1, labels=2)


def sizes():
    plain("two-rows.h5", rows=2)
    plain("two-rows-gzip.h5", rows=2, chunks=(1, FEATURES), compression="gzip")
    plain("long-gzip.h5", rows=20011, chunks=True, compression="gzip")
    with h5py.File("one-column.h5", "w") as f:
        f["X"], f["y"] = x_values(8, 5, 1), y_values(8, 5)[:, 0]
    note("one-column.h5", rows=5, features=1)
    with h5py.File("wide.h5", "w") as f:
        f.create_dataset("X", data=x_values(8, 60, 3000), chunks=(16, 100))
        f["y"] = y_values(8, 60)[:, 0]
    note("wide.h5", rows=60, features=3000)


if __name__ == "__main__":
    os.chdir(sys.argv[1])
    for write in (types, chunks, filters, storages, targets, names, sparse, sizes):
        write()
    with open("manifest", "w") as out:
        out.write("\n".join(manifest) + "\n")
