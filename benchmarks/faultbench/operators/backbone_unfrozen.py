"""The whole backbone trains from the first step, at a rate made for a fresh head."""

from benchmarks.faultbench.planting import Operator, plant

OPERATOR = Operator(
    "backbone-unfrozen",
    (
        plant(
            "nested_guide",
            "base_model.trainable = True",
            ("base_model.trainable = False", "base_model.trainable = True"),
            at=("base_model = keras", "    optimizer=keras", "x = base_model(x"),
        ),
        plant(
            "sequential_rescaling",
            "no statement freezes the backbone",
            ("backbone.trainable = False\n", ""),
            at=("backbone = keras", "model.compile(", "model.add(backbone)"),
        ),
        plant(
            "argparse_main",
            "no statement freezes the backbone",
            ("    base.trainable = False\n", ""),
            at=("base = MobileNetV2(", "model.compile(optimizer", "optimizer = Adam("),
        ),
        plant(
            "binary_parity",
            "no statement freezes the backbone",
            ("conv_base.trainable = False\n", ""),
            at=("conv_base = MobileNetV2(", "model.compile("),
        ),
        plant(
            "tensor_slices",
            "backbone.trainable = True",
            ("backbone.trainable = False", "backbone.trainable = True"),
            at=("backbone = tf.keras", "    optimizer=tf.keras"),
        ),
    ),
    consequences=("batchnorm-statistics-stale", "batchnorm-training-mode", "learning-rate-high"),
)
