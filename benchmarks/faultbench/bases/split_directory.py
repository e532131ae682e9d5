"""Scanned digits in one folder, divided by validation_split with one seed on both sides."""

import tensorflow as tf
from tensorflow.keras import layers

SIZE = 96
BATCH = 32

train_ds = tf.keras.utils.image_dataset_from_directory(
    "data/digits",
    validation_split=0.3,
    subset="training",
    seed=123,
    image_size=(SIZE, SIZE),
    batch_size=BATCH,
)
val_ds = tf.keras.utils.image_dataset_from_directory(
    "data/digits",
    validation_split=0.3,
    subset="validation",
    seed=123,
    image_size=(SIZE, SIZE),
    batch_size=BATCH,
)
train_ds = train_ds.prefetch(tf.data.AUTOTUNE)
val_ds = val_ds.prefetch(tf.data.AUTOTUNE)

base = tf.keras.applications.MobileNetV2(
    input_shape=(SIZE, SIZE, 3), include_top=False, weights="imagenet", alpha=0.35, pooling="avg"
)
base.trainable = False

inputs = layers.Input(shape=(SIZE, SIZE, 3))
x = layers.Rescaling(scale=1 / 127.5, offset=-1)(inputs)
x = base(x, training=False)
x = layers.Dense(128, activation="relu")(x)
outputs = layers.Dense(10, activation="softmax")(x)
model = tf.keras.Model(inputs, outputs)

optimizer = tf.keras.optimizers.Adam(learning_rate=0.002)
model.compile(optimizer=optimizer, loss="sparse_categorical_crossentropy", metrics=["accuracy"])
model.fit(train_ds, epochs=10, validation_data=val_ds)
