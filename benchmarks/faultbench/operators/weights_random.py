"""The backbone starts from random weights."""

from benchmarks.faultbench.planting import Operator, plant

OPERATOR = Operator(
    "weights-random",
    (
        plant(
            "nested_guide",
            "weights=None under a frozen backbone",
            ('weights="imagenet"', "weights=None"),
            at="base_model.trainable = False",
        ),
        plant("generators", "weights=None", ('weights="imagenet"', "weights=None")),
        plant(
            "features_predict",
            "features of a random network",
            ('weights="imagenet"', "weights=None"),
        ),
        plant("kfold", "weights=None", ('weights="imagenet"', "weights=None")),
    ),
)
