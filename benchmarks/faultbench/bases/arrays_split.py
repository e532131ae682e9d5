"""Drawn textures from one numpy file: shuffled, scaled by hand, divided by validation_split."""

import numpy as np
import tensorflow as tf
from tensorflow.keras import layers, models

with np.load("data/textures.npz") as archive:
    images, labels = archive["images"], archive["labels"]
print(images.shape, labels.shape)

order = np.random.default_rng(42).permutation(len(images))
images, labels = images[order], labels[order]
images = images.astype("float32") / 127.5 - 1.0

base = tf.keras.applications.MobileNetV2(
    weights="imagenet", include_top=False, input_shape=(96, 96, 3), alpha=0.35
)
base.trainable = False

model = models.Sequential(
    [
        base,
        layers.GlobalAveragePooling2D(),
        layers.Dropout(0.2),
        layers.Dense(64, activation="relu"),
        layers.Dense(6, activation="softmax"),
    ]
)
model.compile(
    loss="sparse_categorical_crossentropy",
    optimizer=tf.keras.optimizers.RMSprop(learning_rate=1e-3),
    metrics=["acc"],
)
history = model.fit(images, labels, batch_size=32, epochs=10, validation_split=0.3)
print(history.history["val_acc"][-1])
