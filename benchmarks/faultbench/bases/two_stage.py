"""Scanned digits: the head first, then the upper part of the backbone at a tenth of the rate."""

import tensorflow as tf
from tensorflow.keras import layers
from tensorflow.keras.applications import MobileNetV2

IMG_SIZE = (96, 96)

train = tf.keras.utils.image_dataset_from_directory(
    "data/train", image_size=IMG_SIZE, batch_size=32, label_mode="categorical"
).prefetch(tf.data.AUTOTUNE)
valid = tf.keras.utils.image_dataset_from_directory(
    "data/validation", image_size=IMG_SIZE, batch_size=32, label_mode="categorical"
).prefetch(tf.data.AUTOTUNE)

base_model = MobileNetV2(
    input_shape=IMG_SIZE + (3,), include_top=False, weights="imagenet", alpha=0.35
)
base_model.trainable = False

inputs = tf.keras.Input(shape=IMG_SIZE + (3,))
x = tf.keras.applications.mobilenet_v2.preprocess_input(inputs)
x = base_model(x, training=False)
x = layers.GlobalAveragePooling2D()(x)
outputs = layers.Dense(10, activation="softmax")(x)
model = tf.keras.Model(inputs, outputs)

model.compile(
    optimizer=tf.keras.optimizers.Adam(learning_rate=3e-3),
    loss="categorical_crossentropy",
    metrics=["accuracy"],
)
history = model.fit(train, epochs=6, validation_data=valid)

# Fine-tuning: only the last third of the backbone moves, and slowly.
base_model.trainable = True
for layer in base_model.layers[:100]:
    layer.trainable = False
# Thirteen batches an epoch cannot carry new statistics.
for layer in base_model.layers[100:]:
    if isinstance(layer, layers.BatchNormalization):
        layer.trainable = False

model.compile(
    optimizer=tf.keras.optimizers.Adam(learning_rate=1e-4),
    loss="categorical_crossentropy",
    metrics=["accuracy"],
)
model.fit(train, epochs=12, initial_epoch=history.epoch[-1] + 1, validation_data=valid)
