"""Augmentation so strong that nothing of the images is left to learn from."""

from benchmarks.faultbench.planting import Operator, plant

OPERATOR = Operator(
    "augmentation-destructive",
    (
        plant(
            "generators",
            "brightness, channel shift, zoom and shear far outside what images bear",
            (
                "    rotation_range=10,\n",
                "    rotation_range=180,\n    zoom_range=[4.0, 9.0],\n    shear_range=80,\n"
                "    channel_shift_range=250.0,\n",
            ),
            at="train_datagen = ImageDataGenerator(",
        ),
        plant(
            "nested_guide",
            "zoom to a few pixels, full contrast range, noise",
            (
                '[layers.RandomFlip("horizontal"), layers.RandomRotation(0.05)]',
                "[\n        layers.RandomZoom((-0.95, -0.85)),\n"
                "        layers.RandomContrast(0.99),\n        layers.GaussianNoise(200.0),\n    ]",
            ),
            at="augmentation = keras.Sequential",
        ),
        plant(
            "tensor_slices",
            "crops of 8 pixels",
            (
                "    return tf.image.random_flip_left_right(image), label",
                "    image = tf.image.random_crop(image, (8, 8, 3))\n"
                "    image = tf.image.resize(image, (SIZE, SIZE))\n"
                "    return tf.image.random_flip_left_right(image), label",
            ),
            at="train = train.map(augment)",
        ),
    ),
)
