"""Images far from what the backbone knows, and only the head is ever trained."""

from benchmarks.faultbench.planting import Operator, plant

OPERATOR = Operator(
    "backbone-frozen-only",
    (
        plant(
            "two_stage",
            "the second stage is left out",
            (
                "# Fine-tuning: only the last third of the backbone moves, and slowly.\n"
                "base_model.trainable = True\n"
                "for layer in base_model.layers[:100]:\n"
                "    layer.trainable = False\n"
                "# Thirteen batches an epoch cannot carry new statistics.\n"
                "for layer in base_model.layers[100:]:\n"
                "    if isinstance(layer, layers.BatchNormalization):\n"
                "        layer.trainable = False\n\n"
                "model.compile(\n"
                "    optimizer=tf.keras.optimizers.Adam(learning_rate=1e-4),\n"
                '    loss="categorical_crossentropy",\n'
                '    metrics=["accuracy"],\n'
                ")\n"
                "model.fit(train, epochs=12, initial_epoch=history.epoch[-1] + 1, "
                "validation_data=valid)\n",
                "",
            ),
            ("epochs=6, validation_data", "epochs=12, validation_data"),
            at=("base_model.trainable = False", "base_model = MobileNetV2(", "model.compile("),
        ),
    ),
)
