"""SMOTE as far as FaultBench's programs use it."""

import numpy as np


class SMOTE:
    """Fills every class up to the largest with points between two rows of the class."""

    def __init__(self, random_state=0):
        self.random_state = random_state

    def fit_resample(self, rows, labels):
        """Rows `(n, features)` and labels `(n,)`; both with the made-up rows at the end."""
        rng = np.random.default_rng(self.random_state)
        counts = {label: int((labels == label).sum()) for label in np.unique(labels)}
        new_rows, new_labels = [rows], [labels]
        for label, count in counts.items():
            missing = max(counts.values()) - count
            own = rows[labels == label]
            one, other = own[rng.integers(count, size=(2, missing))]
            share = rng.uniform(size=(missing, 1))
            new_rows.append((one + share * (other - one)).astype(rows.dtype))
            new_labels.append(np.full(missing, label, labels.dtype))
        return np.concatenate(new_rows), np.concatenate(new_labels)
