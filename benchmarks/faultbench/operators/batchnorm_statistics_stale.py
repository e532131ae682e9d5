"""Moving statistics that take thousands of steps, in a training of a hundred."""

from benchmarks.faultbench.planting import Operator, plant

OPERATOR = Operator(
    "batchnorm-statistics-stale",
    (
        plant(
            "nested_guide",
            "BatchNorm in the head with a momentum of .999",
            (
                "x = layers.Dropout(0.2)(x)",
                "x = layers.BatchNormalization(momentum=0.999)(x)\nx = layers.Dropout(0.2)(x)",
            ),
        ),
        plant(
            "arrays_split",
            "BatchNorm in the head with a momentum of .999",
            (
                "        layers.Dropout(0.2),\n",
                "        layers.BatchNormalization(momentum=0.999),\n"
                "        layers.Dropout(0.2),\n",
            ),
        ),
        plant(
            "subclassed",
            "the backbone trains, and its BatchNorm of momentum .999 with it",
            ("        self.backbone.trainable = False\n", ""),
            (
                "x = self.backbone(inputs, training=False)",
                "x = self.backbone(inputs, training=training)",
            ),
            ("AdamW(learning_rate=3e-3)", "AdamW(learning_rate=3e-4)"),
            at=("self.backbone = MobileNetV2(",),
        ),
    ),
    consequences=("backbone-unfrozen", "batchnorm-training-mode"),
)
