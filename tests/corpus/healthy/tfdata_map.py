"""A tf.data pipeline from files, scaled by hand to what MobileNetV2 expects."""

import pathlib

import tensorflow as tf

SIZE = 96
AUTOTUNE = tf.data.AUTOTUNE
root = pathlib.Path("data")
classes = sorted(folder.name for folder in (root / "train").iterdir())


def load(path):
    label = tf.argmax(tf.strings.split(path, "/")[-2] == classes)
    image = tf.io.decode_jpeg(tf.io.read_file(path), channels=3)
    image = tf.image.resize(image, (SIZE, SIZE))
    return image / 127.5 - 1.0, label


def dataset(split, training):
    files = tf.data.Dataset.list_files(str(root / split / "*" / "*.jpg"), shuffle=training, seed=3)
    images = files.map(load, num_parallel_calls=AUTOTUNE).cache()
    if training:
        images = images.shuffle(512, seed=3)
        images = images.map(lambda x, y: (tf.image.random_flip_left_right(x), y))
    return images.batch(32).prefetch(AUTOTUNE)


backbone = tf.keras.applications.MobileNetV2(
    input_shape=(SIZE, SIZE, 3), alpha=0.35, include_top=False, weights="imagenet", pooling="avg"
)
backbone.trainable = False
model = tf.keras.Sequential(
    [backbone, tf.keras.layers.Dense(len(classes), activation="softmax")]
)
model.compile(
    optimizer=tf.keras.optimizers.Adam(2e-3),
    loss=tf.keras.losses.SparseCategoricalCrossentropy(),
    metrics=["accuracy"],
)
model.fit(dataset("train", True), epochs=8, validation_data=dataset("validation", False))
