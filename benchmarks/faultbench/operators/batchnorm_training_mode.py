"""Fine-tuning moves the statistics of BatchNorm along, batch by small batch."""

from benchmarks.faultbench.planting import Operator, plant

OPERATOR = Operator(
    "batchnorm-training-mode",
    (
        plant(
            "two_stage",
            "BatchNorm is not left out when the backbone is unfrozen, and batches are small",
            (
                "# Thirteen batches an epoch cannot carry new statistics.\n"
                "for layer in base_model.layers[100:]:\n"
                "    if isinstance(layer, layers.BatchNormalization):\n"
                "        layer.trainable = False\n",
                "",
            ),
            (
                '"data/train", image_size=IMG_SIZE, batch_size=32',
                '"data/train", image_size=IMG_SIZE, batch_size=8',
            ),
            at=(
                "base_model.trainable = True",
                "for layer in base_model.layers[:100]",
                "x = base_model(x",
            ),
        ),
    ),
    consequences=("batchnorm-statistics-stale",),
)
