"""Validation images are turned and flipped at random as well."""

from benchmarks.faultbench.planting import Operator, plant

OPERATOR = Operator(
    "augmentation-on-validation",
    (
        plant(
            "generators",
            "one augmenting generator for both splits",
            (
                "val_datagen = ImageDataGenerator(preprocessing_function=preprocess_input)",
                "val_datagen = ImageDataGenerator(\n"
                "    preprocessing_function=preprocess_input,\n"
                "    rotation_range=40,\n    zoom_range=0.4,\n    horizontal_flip=True,\n)",
            ),
            at="val_generator = val_datagen",
        ),
        plant(
            "tensor_slices",
            "augment is mapped over validation too, and crops",
            (
                "    return tf.image.random_flip_left_right(image), label",
                "    image = tf.image.random_crop(image, (64, 64, 3))\n"
                "    image = tf.image.resize(image, (SIZE, SIZE))\n"
                "    return tf.image.random_flip_left_right(image), label",
            ),
            (
                "validation = validation.map(load, num_parallel_calls=AUTOTUNE).batch(32)",
                "validation = validation.map(load, num_parallel_calls=AUTOTUNE)"
                ".map(augment).batch(32)",
            ),
        ),
        plant(
            "nested_guide",
            "the augmentation layer is called with training=True",
            ("x = augmentation(inputs)", "x = augmentation(inputs, training=True)"),
            ("layers.RandomRotation(0.05)", "layers.RandomRotation(0.3)"),
        ),
        plant(
            "binary_parity",
            "one generator that rotates serves both splits",
            (
                "datagen = ImageDataGenerator(preprocessing_function=preprocess_input)",
                "datagen = ImageDataGenerator(\n"
                "    preprocessing_function=preprocess_input, rotation_range=30, shear_range=20\n)",
            ),
            at="validation = datagen",
        ),
    ),
)
