#!/usr/bin/python3
"""Compares datasets that `dataset import` wrote with the same files read by Python alone.

    compare_import.py NAME SOURCE... DATASET.h5

Reads the source with csv, gzip and numpy, encodes it here from scratch, and compares every cell of
the HDF5 file as h5py reads it. Ends with 0 when all bits agree, else names the first difference.
"""

import csv
import gzip
import io
import math
import re
import sys

import h5py
import numpy as np

MISSING = {"", "NA", "NaN", "nan", "?"}


def text_of(path):
    opened = gzip.open(path, "rb") if path.endswith(".gz") else open(path, "rb")
    with opened as file:
        return file.read()


def table(path, header=True, **dialect):
    text = text_of(path).decode("utf-8", "surrogateescape")
    rows = [[f.strip(" \t") for f in row] for row in csv.reader(io.StringIO(text, newline=""), **dialect) if row]
    names = rows.pop(0) if header else [f"column{j + 1}" for j in range(len(rows[0]))]
    return names, rows


def is_number(text):
    try:
        float(text)
        return True
    except ValueError:
        return False


def levels_of(values):
    return sorted(set(values) - MISSING, key=lambda level: level.encode("utf-8", "surrogateescape"))


def encode(names, rows, target, skipped=(), missing="error"):
    """X, names, y, levels as treatment contrasts with the first level left out."""
    used = [j for j, name in enumerate(names) if name not in skipped]
    if missing in ("error", "drop"):
        kept = [row for row in rows if not any(row[j] in MISSING for j in used)]
        assert missing == "drop" or len(kept) == len(rows)
        rows = kept
    columns, labels, y, target_levels = [], [], None, []
    for j in used:
        values = [row[j] for row in rows]
        present = [v for v in values if v not in MISSING]
        numeric = all(is_number(v) for v in present)
        if names[j] == target:
            target_levels = [] if numeric else levels_of(values)
            y = [float(v) if numeric else float(target_levels.index(v)) for v in values]
            continue
        if numeric:
            mean = math.fsum(float(v) for v in present) / len(present)
            columns.append([mean if v in MISSING else float(v) for v in values])
            labels.append(names[j])
        else:
            for level in levels_of(values)[1:]:
                share = present.count(level) / len(present)
                columns.append([share if v in MISSING else float(v == level) for v in values])
                labels.append(f"{names[j]}={level}")
        if missing == "indicator" and len(present) < len(values):
            columns.append([float(v in MISSING) for v in values])
            labels.append(names[j] + "=NA")
    return np.array(columns).T, labels, np.array(y), target_levels


def words(text):
    raw = text.encode("utf-8", "surrogateescape")
    lower = bytes(b + 32 if 65 <= b <= 90 else b for b in raw)
    return re.findall(rb"[0-9a-z_\x80-\xff]{2,}", lower)


def word_features(texts, tfidf):
    counts = [{} for _ in texts]
    for found, text in zip(counts, texts):
        for word in words(text):
            found[word] = found.get(word, 0) + 1
    vocabulary = sorted({word for found in counts for word in found})
    position = {word: k for k, word in enumerate(vocabulary)}
    x = np.zeros((len(texts), len(vocabulary)))
    for i, found in enumerate(counts):
        for word, count in found.items():
            x[i, position[word]] = count
    if tfidf:
        idf = np.log((1 + len(texts)) / (1 + (x > 0).sum(axis=0))) + 1
        x *= idf
        norms = np.sqrt((x * x).sum(axis=1, keepdims=True))
        x = np.divide(x, norms, out=x, where=norms > 0)
    return x, [word.decode("utf-8", "surrogateescape") for word in vocabulary]


def libsvm(path):
    rows = [line.split() for line in text_of(path).decode().splitlines()]
    entries = [(i, int(k), float(v)) for i, row in enumerate(rows) for k, v in (e.split(":") for e in row[1:])]
    x = np.zeros((len(rows), max(k for _, k, _ in entries)))
    for i, k, v in entries:
        x[i, k - 1] = v
    return x, np.array([float(row[0]) for row in rows])


def idx(path):
    raw = text_of(path)
    shape = [int.from_bytes(raw[4 + 4 * k : 8 + 4 * k], "big") for k in range(raw[3])]
    return np.frombuffer(raw, np.uint8, offset=4 + 4 * len(shape)).reshape(shape)


def stored(file):
    x = file["X"]
    if isinstance(x, h5py.Dataset):
        return x[...]
    assert x.attrs["encoding-type"] == "csr_matrix"
    dense = np.zeros(x.attrs["shape"], x["data"].dtype)
    starts, indices, data = x["indptr"][...], x["indices"][...], x["data"][...]
    for i in range(len(starts) - 1):
        row = slice(starts[i], starts[i + 1])
        assert (np.diff(indices[row]) > 0).all(), f"row {i}: columns are not ascending"
        dense[i, indices[row]] = data[row]
    return dense


def same(what, got, expected, tolerance=0.0):
    assert got.shape == expected.shape, f"{what}: shape {got.shape}, expected {expected.shape}"
    wrong = np.argwhere(~(np.abs(got - expected) <= tolerance * np.abs(expected)))
    if len(wrong):
        at = tuple(wrong[0])
        sys.exit(f"{what}{list(at)} is {got[at]!r}, expected {expected[at]!r}; {len(wrong)} differ")


def names_in(file):
    return [name if isinstance(name, str) else name.decode("utf-8", "surrogateescape")
            for name in file["X"].attrs["feature_names"]]


def compare(file, x, y, names=None, levels=None, tolerance=0.0):
    got = stored(file)
    same("X", got, x.astype(got.dtype), tolerance)
    same("y", file["y"][...], y)
    if names is not None:
        assert names_in(file) == names, f"names differ: {names_in(file)} {names}"
    if levels:
        assert list(file["y"].attrs["levels"]) == levels


def california(file, source):
    names, rows = table(source)
    x, labels, y, _ = encode(names, rows, "median_house_value", missing="drop")
    compare(file, x, y, labels)


def adult(file, source):
    names, rows = table(source, header=False, skipinitialspace=True)
    compare(file, *reorder(encode(names, rows, "column15", missing="indicator")))


def default(file, source):
    names, rows = table(source)
    compare(file, *reorder(encode(names, rows, "default", skipped={"rownames"})))


def spector(file, source):
    names, rows = table(source, delimiter=" ", quotechar="'")
    compare(file, *reorder(encode(names, rows, "GRADE", skipped={"OBS"})))


def sms(file, source):
    _, rows = table(source, header=False, delimiter="\t")
    x, vocabulary = word_features([row[1] for row in rows], tfidf=True)
    y = np.array([float(row[0] == "spam") for row in rows])
    # The norm is a sum: Python's order of additions is another.
    compare(file, x, y, [f"column2:{word}" for word in vocabulary], ["ham", "spam"], 8 * np.finfo(float).eps)


def a9a(file, source):
    compare(file, *libsvm(source))


def mnist(file, images, labels):
    pixels = idx(images)
    compare(file, pixels.reshape(len(pixels), -1).astype(float), idx(labels).astype(float),
            [f"pixel{k + 1}" for k in range(784)])


def reorder(encoded):
    x, labels, y, levels = encoded
    return x, y, labels, levels


if __name__ == "__main__":
    name, *sources, result = sys.argv[1:]
    with h5py.File(result, "r") as opened:
        globals()[name](opened, *sources)
