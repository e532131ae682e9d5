"""K-fold goes on training one model: later folds have seen their validation rows."""

from benchmarks.faultbench.planting import Operator, plant

OPERATOR = Operator(
    "cross-validation-reuse",
    (
        plant(
            "kfold",
            "the model is built before the loop",
            ("    model = build_model()\n    history", "    history"),
            ("scores = []\n", "model = build_model()\nscores = []\n"),
            at=("for train_rows", "    history = model.fit("),
        ),
    ),
)
