"""A linear head on features that only a hidden layer separates."""

from benchmarks.faultbench.planting import Operator, plant

OPERATOR = Operator(
    "head-too-weak",
    (
        plant(
            "binary_parity",
            "no hidden layer: parity is not linear in the features",
            ('model.add(layers.Dense(256, activation="relu"))\n', ""),
            at='model.add(layers.Dense(1, activation="sigmoid"))',
        ),
    ),
)
