"""Callbacks that watch what is not logged, or stop at once."""

from benchmarks.faultbench.planting import Operator, plant

OPERATOR = Operator(
    "callbacks-misconfigured",
    (
        plant(
            "generators",
            "ModelCheckpoint monitors val_acc, which is called val_accuracy",
            ('monitor="val_accuracy", save', 'monitor="val_acc", save'),
            slug="name",
        ),
        plant(
            "generators",
            "EarlyStopping has no patience and the wrong direction",
            (
                'EarlyStopping(monitor="val_loss", patience=3, restore_best_weights=True)',
                'EarlyStopping(monitor="val_loss", mode="max", patience=0)',
            ),
            slug="patience",
        ),
        plant(
            "argparse_main",
            "ReduceLROnPlateau monitors val_acc",
            ('ReduceLROnPlateau(monitor="val_loss"', 'ReduceLROnPlateau(monitor="val_acc"'),
        ),
        plant(
            "arrays_split",
            "EarlyStopping monitors val_accuracy, which is called val_acc",
            (
                "epochs=10, validation_split=0.3)",
                "epochs=10, validation_split=0.3,\n"
                '    callbacks=[tf.keras.callbacks.EarlyStopping(monitor="val_accuracy", '
                "patience=3)],\n)",
            ),
            at="history = model.fit(",
        ),
    ),
)
