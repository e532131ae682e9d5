"""class_weight is no dict over all classes."""

from benchmarks.faultbench.planting import Operator, plant

OPERATOR = Operator(
    "class-weight-invalid",
    (
        plant(
            "generators",
            "the array of scikit-learn",
            (
                "history = model.fit(",
                "rows = train_generator.classes\n"
                'weights = compute_class_weight("balanced", classes=np.unique(rows), y=rows)\n'
                "history = model.fit(",
            ),
            ("    epochs=8,\n", "    epochs=8,\n    class_weight=weights,\n"),
            (
                "from sklearn.metrics import classification_report",
                "from sklearn.metrics import classification_report\n"
                "from sklearn.utils.class_weight import compute_class_weight",
            ),
        ),
        plant(
            "features_predict",
            "a list",
            ("    epochs=20,\n", "    epochs=20,\n    class_weight=[1.0] * 7 + [2.0],\n"),
            at="model.fit(",
        ),
        plant(
            "arrays_split",
            "two of six classes are missing",
            (
                "epochs=10, validation_split=0.3)",
                "epochs=10, validation_split=0.3,\n"
                "    class_weight={0: 1.0, 1: 1.0, 2: 1.0, 3: 1.5},\n)",
            ),
            at="history = model.fit(",
        ),
        plant(
            "argparse_main",
            "keyed by class name",
            (
                "        epochs=args.epochs,\n",
                "        epochs=args.epochs,\n"
                "        class_weight={name: 1.0 for name in names},\n",
            ),
            at="    model.fit(",
        ),
    ),
)
