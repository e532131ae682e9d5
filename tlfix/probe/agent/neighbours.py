"""Labels against looks: do neighbours in feature space agree, and would a renaming of classes?"""

from __future__ import annotations

from typing import Any

import numpy as np

from tlfix_agent.features import standardised

NEAREST = 5
PERMUTATIONS = 200
FEWEST = 20  # images; fewer have no neighbours worth the name


def agreement(features: np.ndarray, true: np.ndarray, floor: float = 0.0) -> dict[str, Any] | None:
    """How often an image's nearest others carry its label, as an event (``NeighboursSeen``).

    Args:
        features: (n, d); standardised and compared by cosine.
        true: their classes (n,).
        floor: as for :func:`tlfix_agent.features.ridge`.

    The same is computed for ``PERMUTATIONS`` random orders of the labels, which keep the classes'
    shares. None for fewer than 20 images or a single class.
    """
    n = len(features)
    if n < FEWEST or len(np.unique(true)) < 2:
        return None
    values = standardised(features, features[:1], floor)[0]
    unit = values / np.maximum(np.linalg.norm(values, axis=1, keepdims=True), 1e-12)
    cosine = unit @ unit.T
    np.fill_diagonal(cosine, -np.inf)
    nearest = np.argsort(-cosine, axis=1, kind="stable")[:, :NEAREST]
    rng = np.random.default_rng(0)
    shuffled = []
    for _ in range(PERMUTATIONS):
        other = rng.permutation(true)
        shuffled.append(float((other[nearest] == other[:, None]).mean()))
    return {
        "n": n,
        "k": NEAREST,
        "agreement": float((true[nearest] == true[:, None]).mean()),
        "shuffled_mean": float(np.mean(shuffled)),
        "shuffled_std": float(np.std(shuffled)),
    }


def renaming(predicted: np.ndarray, true: np.ndarray) -> dict[str, Any] | None:
    """The renaming of classes that best explains ``predicted`` by ``true`` (both (n,)), as an event
    (``PermutationSeen``): found on one random half of the images, scored on the other.

    Classes that the first half says nothing about keep their name. None for fewer than 20 images
    or more than 200 classes.
    """
    n, classes = len(true), int(max(predicted.max(), true.max())) + 1
    if n < FEWEST or not 2 <= classes <= 200:
        return None
    order = np.random.default_rng(0).permutation(n)
    half, other = order[: n // 2], order[n // 2 :]
    counts = np.zeros((classes, classes))
    np.add.at(counts, (predicted[half], true[half]), 1.0)
    mapping = assignment(-counts - 1e-3 * np.eye(classes))
    return {
        "mapping": mapping,
        "accuracy": float((predicted[other] == true[other]).mean()),
        "renamed": float((mapping[predicted[other]] == true[other]).mean()),
        "n": len(other),
    }


def assignment(cost: np.ndarray) -> np.ndarray:
    """The column of each row in the one-to-one assignment of least cost, for a square matrix.

    The Hungarian method with potentials (Kuhn 1955; shortest augmenting paths after Jonker &
    Volgenant 1987), written out because the program's interpreter need not have SciPy.
    """
    n = len(cost)
    rows, columns = np.zeros(n + 1), np.zeros(n + 1)
    row_of = np.full(n + 1, n)  # of each column; column n is the start of a path
    for row in range(n):
        row_of[n] = row
        column, least = n, np.full(n + 1, np.inf)
        previous, used = np.full(n + 1, n), np.zeros(n + 1, bool)
        while row_of[column] != n:
            used[column] = True
            here = row_of[column]
            slack = cost[here] - rows[here] - columns[:n]
            better = ~used[:n] & (slack < least[:n])
            least[:n][better] = slack[better]
            previous[:n][better] = column
            free = np.where(used[:n], np.inf, least[:n])
            following = int(np.argmin(free))
            step = free[following]
            rows[row_of[used]] += step
            columns[used] -= step
            least[:n][~used[:n]] -= step
            column = following
        while column != n:
            row_of[column] = row_of[previous[column]]
            column = int(previous[column])
        row_of[n] = n
    found = np.empty(n, int)
    found[row_of[:n]] = np.arange(n)
    return found
