"""Pictures put together from two photographs; several tags may hold, one sigmoid unit each."""

import keras
import numpy as np
from keras import layers

data = np.load("data/tags.npz")
x_train, y_train = data["x_train"].astype("float32"), data["y_train"].astype("float32")
x_val, y_val = data["x_val"].astype("float32"), data["y_val"].astype("float32")
tags = list(data["tags"])

backbone = keras.applications.MobileNetV2(
    include_top=False, weights="imagenet", input_shape=(96, 96, 3), alpha=0.35, pooling="avg"
)
backbone.trainable = False

inputs = keras.Input((96, 96, 3))
x = keras.applications.mobilenet_v2.preprocess_input(inputs)
x = backbone(x, training=False)
x = layers.Dense(96, activation="relu")(x)
outputs = layers.Dense(len(tags), activation="sigmoid")(x)
model = keras.Model(inputs, outputs)

model.compile(
    optimizer=keras.optimizers.Adam(2e-3),
    loss="binary_crossentropy",
    metrics=[keras.metrics.BinaryAccuracy(name="accuracy")],
)
model.fit(x_train, y_train, batch_size=32, epochs=10, validation_data=(x_val, y_val))
