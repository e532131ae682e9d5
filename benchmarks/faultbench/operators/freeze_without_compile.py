"""The backbone is unfrozen or frozen after a fit, without a compile that makes it count."""

from benchmarks.faultbench.planting import Operator, plant

OPERATOR = Operator(
    "freeze-without-compile",
    (
        plant(
            "two_stage",
            "no compile before the second stage",
            (
                "model.compile(\n"
                "    optimizer=tf.keras.optimizers.Adam(learning_rate=1e-4),\n"
                '    loss="categorical_crossentropy",\n'
                '    metrics=["accuracy"],\n'
                ")\n",
                "",
            ),
            at=(
                "base_model.trainable = True",
                "for layer in base_model.layers[:100]",
                "model.fit(train, epochs=12",
                "history = model.fit(",
            ),
        ),
        plant(
            "nested_guide",
            "a second fit after unfreezing, without a compile",
            (
                "model.fit(train_ds, epochs=10, validation_data=val_ds)\n",
                "model.fit(train_ds, epochs=6, validation_data=val_ds)\n\n"
                "base_model.trainable = True\n"
                "model.fit(train_ds, epochs=4, validation_data=val_ds)\n",
            ),
        ),
    ),
    consequences=("backbone-frozen-only",),
)
