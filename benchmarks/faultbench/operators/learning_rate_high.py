"""A learning rate at which training cannot settle."""

from benchmarks.faultbench.planting import Operator, plant

OPERATOR = Operator(
    "learning-rate-high",
    (
        plant("nested_guide", "Adam at 1.0", ("learning_rate=3e-3", "learning_rate=1.0")),
        plant("generators", "Adam at 0.5", ("learning_rate=0.002", "learning_rate=0.5")),
        plant(
            "argparse_main",
            "the default of an argument is 1.0",
            ("type=float, default=3e-3", "type=float, default=1.0"),
            at="optimizer = Adam(",
        ),
        plant(
            "two_stage",
            "fine-tuning at 0.05",
            ("Adam(learning_rate=1e-4)", "Adam(learning_rate=0.05)"),
            at="base_model.trainable = True",
        ),
        plant(
            "text_vectorization",
            "Adam at 5.0",
            ("Adam(learning_rate=0.01)", "Adam(learning_rate=5.0)"),
        ),
    ),
    consequences=("gradients-unhealthy",),
)
