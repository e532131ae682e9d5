"""Training ends while it is still improving fast."""

from benchmarks.faultbench.planting import Operator, plant

OPERATOR = Operator(
    "too-few-epochs",
    (
        plant(
            "nested_guide",
            "two epochs at a modest rate",
            ("model.fit(train_ds, epochs=10", "model.fit(train_ds, epochs=2"),
            ("learning_rate=3e-3", "learning_rate=1e-3"),
        ),
        plant(
            "split_directory",
            "two epochs at a modest rate",
            ("model.fit(train_ds, epochs=10", "model.fit(train_ds, epochs=2"),
            ("learning_rate=0.002", "learning_rate=0.0005"),
        ),
        plant(
            "features_predict",
            "two epochs at a modest rate",
            ("    epochs=20,\n", "    epochs=2,\n"),
            ("learning_rate=2e-3", "learning_rate=5e-4"),
            at="model.fit(",
        ),
    ),
    consequences=("learning-rate-low",),
)
