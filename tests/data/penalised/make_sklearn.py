#!/usr/bin/python3
"""Lasso, ElasticNet, Ridge and paths by scikit-learn on small problems, to the last digits.

    /usr/bin/python3 make_sklearn.py > sklearn.json     (Debian 12: python3-sklearn 1.2.1)
"""
import json
import warnings

import numpy as np
from sklearn.linear_model import ElasticNet, Lasso, Ridge, lasso_path

warnings.filterwarnings("ignore")
TIGHT = {"tol": 1e-16, "max_iter": 200_000}


def problem(seed, rows, features, common):
    random = np.random.default_rng(seed)
    x = random.normal(size=(rows, features)) + common * random.normal(size=(rows, 1))
    x = np.round(x * (1 + np.arange(features) % 3) + np.arange(features) % 5, 3)
    b = np.where(np.arange(features) % 3 == 0, 1.5, 0) - (np.arange(features) % 4 == 1)
    y = np.round(x @ b + 3 + random.normal(size=rows), 3)
    w = np.round(random.uniform(0.1, 3, size=rows), 2)
    return x, y, w


def fitted(kind, model, x, y, w=None):
    model.fit(x, y, sample_weight=w)
    return {"model": kind, "weighted": w is not None, "intercept": model.fit_intercept,
            "coefficients": [float(model.intercept_), *map(float, model.coef_)]}


def cases(x, y, w):
    for alpha in (1.0, 0.1, 0.01):
        for weights in (None, w):
            yield {"alpha": alpha, **fitted("lasso", Lasso(alpha=alpha, **TIGHT), x, y, weights)}
            for ratio in (0.3, 0.9):
                model = ElasticNet(alpha=alpha, l1_ratio=ratio, **TIGHT)
                yield {"alpha": alpha, "l1_ratio": ratio,
                       **fitted("elastic net", model, x, y, weights)}
            yield {"alpha": alpha, **fitted("ridge", Ridge(alpha=alpha, solver="cholesky"),
                                            x, y, weights)}
    yield {"alpha": 0.1, **fitted("lasso", Lasso(alpha=0.1, fit_intercept=False, **TIGHT), x, y)}


out = []
for name, arguments in {"tall": (1, 40, 7, 0), "correlated": (2, 60, 10, 4),
                        "wide": (3, 15, 30, 0.5)}.items():
    x, y, w = problem(*arguments)
    alphas, path, _ = lasso_path(x - x.mean(0), y - y.mean(), n_alphas=20, eps=1e-3,
                                 precompute=False, **TIGHT)
    out.append({"name": name, "x": x.tolist(), "y": y.tolist(), "weights": w.tolist(),
                "fits": list(cases(x, y, w)), "path_alphas": alphas.tolist(),
                "path": path.T.tolist()})
print(json.dumps(out).replace("}, {", "},\n{"))
