"""Image sizes differ between the splits, or from what the backbone is built for."""

from benchmarks.faultbench.planting import Operator, plant

OPERATOR = Operator(
    "target-size-mismatch",
    (
        plant(
            "generators",
            "validation images have 128 pixels",
            (
                '"data/validation",\n    target_size=(96, 96)',
                '"data/validation",\n    target_size=(128, 128)',
            ),
            at=("train_generator = train_datagen", "base_model = MobileNetV2("),
        ),
        plant(
            "sequential_rescaling",
            "both pipelines give 128 pixels, the model takes 96",
            ('"data/train", image_size=(96, 96)', '"data/train", image_size=(128, 128)'),
            ('"data/validation", image_size=(96, 96)', '"data/validation", image_size=(128, 128)'),
            at=("backbone = keras.applications", "model.add(keras.Input"),
        ),
        plant(
            "binary_parity",
            "training images have 64 pixels, the rest 96",
            ('"data/train", target_size=(96, 96)', '"data/train", target_size=(64, 64)'),
            at=("validation = datagen.flow", "conv_base = MobileNetV2("),
        ),
        plant(
            "features_predict",
            "the extractor is built for 96 pixels",
            ("input_shape=(128, 128, 3)", "input_shape=(96, 96, 3)"),
            at=("train_images = ", "val_images = "),
        ),
    ),
)
