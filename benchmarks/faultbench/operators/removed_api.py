"""Calls that current Keras has removed."""

from benchmarks.faultbench.planting import Operator, plant

OPERATOR = Operator(
    "removed-api",
    (
        plant(
            "generators", "Adam(lr=)", ("Adam(learning_rate=0.002)", "Adam(lr=0.002)"), slug="lr"
        ),
        plant(
            "generators",
            "fit_generator",
            ("history = model.fit(\n", "history = model.fit_generator(\n"),
            slug="fit",
        ),
        plant(
            "arrays_split",
            "RMSprop with lr and decay",
            ("RMSprop(learning_rate=1e-3)", "RMSprop(lr=1e-3, decay=1e-6)"),
        ),
        plant(
            "argparse_main",
            "keras.utils.np_utils",
            (
                "from tensorflow.keras.utils import to_categorical",
                "from tensorflow.keras.utils.np_utils import to_categorical",
            ),
        ),
        plant(
            "kfold",
            'history["val_acc"]',
            ('history.history["val_accuracy"][-1]', 'history.history["val_acc"][-1]'),
        ),
        plant(
            "text_tokenizer",
            "predict_classes",
            (
                "validation_data=(x_val, y_val))",
                "validation_data=(x_val, y_val))\nprint(model.predict_classes(x_val[:5]))",
            ),
        ),
    ),
)
