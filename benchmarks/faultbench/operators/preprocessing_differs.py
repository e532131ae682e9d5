"""Training and validation images are scaled in different ways."""

from benchmarks.faultbench.planting import Operator, plant

OPERATOR = Operator(
    "preprocessing-differs",
    (
        plant(
            "generators",
            "validation images are divided by 255, training images scaled to [-1, 1]",
            (
                "val_datagen = ImageDataGenerator(preprocessing_function=preprocess_input)",
                "val_datagen = ImageDataGenerator(rescale=1.0 / 255)",
            ),
            at=("train_datagen = ImageDataGenerator(", "val_generator = val_datagen"),
        ),
        plant(
            "argparse_main",
            "validation images stay raw",
            ("    x_val = preprocess_input(x_val)\n", ""),
            at=("x_train = preprocess_input(x_train)", "x_val, y_val, _ = read_images"),
        ),
        plant(
            "subclassed",
            "validation images stay raw",
            ("val_ds = val_ds.map(scale)\n", ""),
            at=("val_ds = keras.utils", "train_ds = train_ds.map(scale)"),
        ),
        plant(
            "tensor_slices",
            "validation has a loader of its own, which divides by 255",
            (
                "def augment(image, label):",
                "def load_plain(path, label):\n"
                "    image = tf.io.decode_jpeg(tf.io.read_file(path), channels=3)\n"
                "    image = tf.image.resize(image, (SIZE, SIZE))\n"
                "    return image / 255.0, label\n\n\n"
                "def augment(image, label):",
            ),
            ("validation = validation.map(load, ", "validation = validation.map(load_plain, "),
            at="    image = image / 127.5 - 1.0",
        ),
    ),
)
