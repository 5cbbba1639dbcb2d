"""Writes the files that users have but should not: make_bad_files.py FOLDER.

Each is a dataset of 40 rows and 3 features but for what its name says.
"""

import os
import sys

import h5py
import numpy as np

os.chdir(sys.argv[1])
rows, features = 40, 3
random = np.random.default_rng(1)
x = random.normal(size=(rows, features))
y = x @ [1.0, -2.0, 0.5] + random.normal(size=rows)
labels = (y > 0).astype(float)
labels[:4] = [0, 1, 1, 0]


def write(name, x=x, y=y, **more):
    with h5py.File(name + ".h5", "w") as file:
        for part, values in dict(X=x, y=y, **more).items():
            if callable(values):
                values(file)
            elif values is not None:
                file[part] = values


def overwrite(name, offset, data):
    with open(name + ".h5", "r+b") as file:
        file.seek(offset)
        file.write(data)


def cut(name, share):
    os.truncate(name + ".h5", int(os.path.getsize(name + ".h5") * share))


# Files that are none, or not whole.
open("empty.h5", "w").close()
with open("text.h5", "w") as file:
    file.write("a,b\n1,2\n")
os.mkdir("folder.h5")
write("truncated")
cut("truncated", 0.5)
write("beheaded")
os.truncate("beheaded.h5", 40)
write("corrupt_superblock")
overwrite("corrupt_superblock", 24, b"\x5a" * 32)
write("corrupt_root")
overwrite("corrupt_root", 96, b"\x5a" * 64)
with h5py.File("left_open.h5", "w", libver="latest") as file:
    file["X"], file["y"] = x, y
# The flag of a writer that has not closed the file: byte 11 of superblock 3, and its checksum.
with open("left_open.h5", "r+b") as file:
    block = bytearray(file.read(48))
    block[11] = 1


def lookup3(data):
    """Jenkins' hash, with which HDF5 checks its superblock."""

    def rotate(value, bits):
        return ((value << bits) | (value >> (32 - bits))) & 0xFFFFFFFF

    a = b = c = (0xDEADBEEF + len(data)) & 0xFFFFFFFF
    words = [int.from_bytes(data[k : k + 4].ljust(4, b"\0"), "little") for k in range(0, len(data), 4)]
    words += [0] * (-len(words) % 3)
    while len(words) > 3:
        a, b, c = ((u + v) & 0xFFFFFFFF for u, v in zip((a, b, c), words))
        for bits in (4, 6, 8, 16, 19, 4):
            a = ((a - c) & 0xFFFFFFFF) ^ rotate(c, bits)
            c = (c + b) & 0xFFFFFFFF
            a, b, c = b, c, a
        words = words[3:]
    a, b, c = ((u + v) & 0xFFFFFFFF for u, v in zip((a, b, c), words))
    for bits in (14, 11, 25, 16, 4, 14, 24):
        c = ((c ^ b) - rotate(b, bits)) & 0xFFFFFFFF
        a, b, c = b, c, a
    return b


overwrite("left_open", 0, bytes(block[:44]) + lookup3(bytes(block[:44])).to_bytes(4, "little"))

# Parts that are missing or do not fit.
write("no_x", x=None)
write("no_y", y=None)
write("x_of_one_dimension", x=x[:, 0])
write("x_of_three_dimensions", x=x.reshape(rows, features, 1))
write("no_rows", x=x[:0], y=y[:0])
write("no_features", x=x[:, :0])
write("fewer_rows_than_features", x=x[:2], y=y[:2])
write("y_too_short", y=y[:-1])
write("y_column", y=y.reshape(rows, 1))
write("y_of_two_targets", y=np.column_stack([y, -y]))
write("y_of_three_dimensions", y=y.reshape(rows, 1, 1))


def named(count):
    def make(file):
        file["X"] = x
        file["X"].attrs["feature_names"] = ["f%d" % k for k in range(count)]

    return make


write("wrong_number_of_names", x=named(4))

# Values that were never written: HDF5 reads them as zeros.
write("x_never_written", x=lambda file: file.create_dataset("X", (rows, features)))
write("y_never_written", y=lambda file: file.create_dataset("y", (rows,)))


def missing_chunk(file):
    part = file.create_dataset("X", (rows, features), chunks=(10, features))
    part[:10], part[30:] = x[:10], x[30:]


write("missing_chunks", x=missing_chunk)


# Values that are no numbers.
def spoilt(value, at):
    out = x.copy()
    out[at] = value
    return out


write("nan", x=spoilt(np.nan, (slice(3, 6), 1)))
write("infinite", x=spoilt(-np.inf, (7, 2)))
write("nan_in_y", y=np.where(np.arange(rows) == 4, np.nan, y))
write("constant_column", x=spoilt(5, (slice(None), 1)))
write("equal_columns", x=np.column_stack([x, x[:, 0]]))

# Types.
write("text_x", x=x.astype("S6"))
write("compound_x", x=np.zeros((rows, features), dtype=[("re", "f8"), ("im", "f4")]))
write("complex_x", x=x.astype(complex))
write("opaque_x", x=x.astype("V8"))
write("array_x", x=lambda file: file.create_dataset("X", (rows, features), dtype="(2,)f8"))
write("half", x=x.astype("f2"))
write("big_endian", x=x.astype(">f8"))
write("long_double", x=x.astype(np.longdouble))
write("int8", x=(10 * x).astype("i1"))
write("bool_y", y=labels.astype(bool))
write("huge_integers", x=lambda file: file.create_dataset(
    "X", data=np.column_stack([2**53 + 1 + np.arange(rows) ** 2, np.arange(rows), (9 * x[:, 0])]).astype("i8")))


def enum_labels(file):
    kind = h5py.enum_dtype({"cat": 0, "dog": 1})
    file.create_dataset("y", data=labels.astype("i1"), dtype=kind)


write("enum_y", y=enum_labels)
write("text_y", y=np.where(labels > 0, "yes", "no").astype(object))
write("fixed_text_y", y=np.where(labels > 0, b"yes", b"no"))

# Labels.
write("labels_one_two", y=labels + 1)
write("labels_minus_plus", y=2 * labels - 1)
write("one_class", y=np.ones(rows))
write("three_classes", y=np.arange(rows) % 3)
write("stray_label", y=np.where(np.arange(rows) == 9, 0.5, labels))

# What the file needs and is not there.
write("broken_link", x=lambda file: file.__setitem__("X", h5py.SoftLink("/nowhere")))
write("broken_external_link",
      x=lambda file: file.__setitem__("X", h5py.ExternalLink("gone.h5", "/data/X")))
write("broken_external_storage",
      x=lambda file: file.create_dataset("X", (rows, features), "f8",
                                         external=[("gone.bin", 0, rows * features * 8)]))


def unknown_filter(number):
    def make(file):
        create = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
        create.set_chunk((rows, features))
        create.set_filter(number, h5py.h5z.FLAG_OPTIONAL)
        part = h5py.h5d.create(file.id, b"X", h5py.h5t.IEEE_F64LE,
                               h5py.h5s.create_simple((rows, features)), create)
        part.write_direct_chunk((0, 0), b"\x01" * 100, 0)

    return make


write("filter_blosc", x=unknown_filter(32001))
write("filter_nobody_knows", x=unknown_filter(31999))


def broken_chunk(file):
    part = file.create_dataset("X", data=x, chunks=(10, features), compression="gzip")
    part.id.write_direct_chunk((20, 0), b"\x00" * 50, 0)


write("broken_chunk", x=broken_chunk)


# Sparse rows that contradict themselves.
def sparse(data, indices, indptr, encoding="csr_matrix"):
    def make(file):
        group = file.create_group("X")
        group["data"], group["indices"], group["indptr"] = data, indices, indptr
        group.attrs["shape"] = (rows, features)
        group.attrs["encoding-type"] = encoding

    return make


flat = x.ravel()
column = np.tile(np.arange(features), rows)
start = np.arange(0, rows * features + 1, features)
write("csr", x=sparse(flat, column, start))
write("csr_beyond_the_columns", x=sparse(flat, np.where(column == 2, 7, column), start))
write("csr_of_falling_starts", x=sparse(flat, column, np.where(start == 30, 120, start)))
write("csr_too_short", x=sparse(flat[:-9], column[:-9], start))
write("csc", x=sparse(flat, column, start, "csc_matrix"))

write("bad_weights", weights=np.where(np.arange(rows) == 2, -1.0, 1.0))
