"""scikit-learn's LinearRegression on the same rows in memory: fit_peer.py DATA.h5 ROUNDS

Prints "WALL CPU", the least seconds of some fits.
"""

import sys
import time

import h5py
from sklearn.linear_model import LinearRegression

with h5py.File(sys.argv[1]) as data:
    x, y = data["X"][:], data["y"][:]
wall = cpu = float("inf")
for _ in range(int(sys.argv[2])):
    start, processors = time.perf_counter(), time.process_time()
    LinearRegression(copy_X=False).fit(x.copy(), y)
    wall = min(wall, time.perf_counter() - start)
    cpu = min(cpu, time.process_time() - processors)
print(f"{wall:.4f} {cpu:.4f}")
