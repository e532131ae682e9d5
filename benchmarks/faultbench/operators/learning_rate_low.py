"""A learning rate at which nothing moves."""

from benchmarks.faultbench.planting import Operator, plant

OPERATOR = Operator(
    "learning-rate-low",
    (
        plant("sequential_rescaling", "Adam at 1e-6", ("Adam(2e-3)", "Adam(1e-6)")),
        plant("features_predict", "Adam at 1e-6", ("learning_rate=2e-3", "learning_rate=1e-6")),
        plant(
            "argparse_main",
            "the default of an argument is 1e-6",
            ("type=float, default=3e-3", "type=float, default=1e-6"),
            at="optimizer = Adam(",
        ),
        plant("text_vectorization", "Adam at 1e-6", ("learning_rate=0.01", "learning_rate=1e-6")),
    ),
    consequences=("too-few-epochs",),
)
