"""Fine-tuning moves the statistics of BatchNorm along, batch by small batch."""

from benchmarks.faultbench.planting import Operator, plant

OPERATOR = Operator(
    "batchnorm-training-mode",
    (
        plant(
            "two_stage",
            "training=False is missing at the backbone's call",
            ("x = base_model(x, training=False)", "x = base_model(x)"),
            (
                '"data/train", image_size=IMG_SIZE, batch_size=32',
                '"data/train", image_size=IMG_SIZE, batch_size=8',
            ),
            at="base_model.trainable = True",
        ),
        plant(
            "nested_guide",
            "training=True at the call of a frozen backbone",
            ("x = base_model(x, training=False)", "x = base_model(x, training=True)"),
        ),
    ),
    consequences=("batchnorm-statistics-stale",),
)
