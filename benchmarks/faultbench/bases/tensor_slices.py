"""Photographs by path: from_tensor_slices, decoded and scaled by a mapped function."""

import pathlib

import tensorflow as tf

SIZE = 96
AUTOTUNE = tf.data.AUTOTUNE
root = pathlib.Path("data")
classes = sorted(folder.name for folder in (root / "train").iterdir())


def paths_and_labels(split):
    files = sorted(str(file) for file in (root / split).glob("*/*.jpg"))
    labels = [classes.index(pathlib.Path(file).parent.name) for file in files]
    return files, labels


def load(path, label):
    image = tf.io.decode_jpeg(tf.io.read_file(path), channels=3)
    image = tf.image.resize(image, (SIZE, SIZE))
    image = image / 127.5 - 1.0
    return image, label


def augment(image, label):
    return tf.image.random_flip_left_right(image), label


train = tf.data.Dataset.from_tensor_slices(paths_and_labels("train"))
train = train.shuffle(1000, seed=3)
train = train.map(load, num_parallel_calls=AUTOTUNE)
train = train.map(augment).batch(32).prefetch(AUTOTUNE)

validation = tf.data.Dataset.from_tensor_slices(paths_and_labels("validation"))
validation = validation.map(load, num_parallel_calls=AUTOTUNE).batch(32).prefetch(AUTOTUNE)

backbone = tf.keras.applications.MobileNetV2(
    input_shape=(SIZE, SIZE, 3), alpha=0.35, include_top=False, weights="imagenet"
)
backbone.trainable = False
model = tf.keras.Sequential(
    [
        backbone,
        tf.keras.layers.GlobalAveragePooling2D(),
        tf.keras.layers.Dense(len(classes)),
    ]
)
model.compile(
    optimizer=tf.keras.optimizers.Adam(3e-3),
    loss=tf.keras.losses.SparseCategoricalCrossentropy(from_logits=True),
    metrics=["accuracy"],
)
model.fit(train, epochs=10, validation_data=validation)
