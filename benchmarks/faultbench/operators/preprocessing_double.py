"""Images are scaled twice."""

from benchmarks.faultbench.planting import Operator, plant

OPERATOR = Operator(
    "preprocessing-double",
    (
        plant(
            "nested_guide",
            "the data sets divide by 255, the model scales again",
            (
                "augmentation = keras.Sequential",
                "train_ds = train_ds.map(lambda image, label: (image / 255.0, label))\n"
                "val_ds = val_ds.map(lambda image, label: (image / 255.0, label))\n\n"
                "augmentation = keras.Sequential",
            ),
            at="x = keras.applications.mobilenet_v2.preprocess_input(x)",
        ),
        plant(
            "generators",
            "rescale and preprocess_input in both generators",
            (
                "    preprocessing_function=preprocess_input,\n    rot",
                "    rescale=1.0 / 255,\n    preprocessing_function=preprocess_input,\n    rot",
            ),
            (
                "ImageDataGenerator(preprocessing_function=preprocess_input)",
                "ImageDataGenerator(\n"
                "    rescale=1.0 / 255, preprocessing_function=preprocess_input\n)",
            ),
        ),
        plant(
            "argparse_main",
            "the reader divides by 255, main scales again",
            (
                'images.append(np.asarray(image.resize((size, size)), dtype="float32"))',
                'images.append(np.asarray(image.resize((size, size)), dtype="float32") / 255.0)',
            ),
            at=("x_train = preprocess_input(x_train)", "x_val = preprocess_input(x_val)"),
        ),
        plant(
            "split_directory",
            "Rescaling in the pipeline and in the model",
            (
                "train_ds = train_ds.prefetch(tf.data.AUTOTUNE)\n"
                "val_ds = val_ds.prefetch(tf.data.AUTOTUNE)",
                "normalize = layers.Rescaling(scale=1 / 127.5, offset=-1.0)\n"
                "train_ds = train_ds.map(lambda x, y: (normalize(x), y))"
                ".prefetch(tf.data.AUTOTUNE)\n"
                "val_ds = val_ds.map(lambda x, y: (normalize(x), y)).prefetch(tf.data.AUTOTUNE)",
            ),
            at="x = layers.Rescaling(scale=1 / 127.5, offset=-1)(inputs)",
        ),
        plant(
            "kfold",
            "arrays divided by 255 before a model that scales",
            ('archive["images"].astype("float32")', 'archive["images"].astype("float32") / 255.0'),
            at="h = keras.applications.mobilenet_v2.preprocess_input(inputs)",
        ),
    ),
)
