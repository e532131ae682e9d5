"""Step counts that starve training or run out of data."""

from benchmarks.faultbench.planting import Operator, plant

OPERATOR = Operator(
    "steps-misconfigured",
    (
        plant(
            "generators",
            "one step per epoch",
            ("    epochs=8,\n", "    epochs=8,\n    steps_per_epoch=1,\n"),
            at="history = model.fit(",
        ),
        plant(
            "subclassed",
            "far more steps than there are batches",
            ("epochs=12)", "epochs=12, steps_per_epoch=320)"),
        ),
        plant(
            "binary_parity",
            "validation on a single batch",
            ("validation_data=validation)", "validation_data=validation, validation_steps=1)"),
        ),
    ),
)
