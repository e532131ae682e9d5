"""Drawn textures in a numpy file: three-fold cross-validation with a new model in each fold."""

import numpy as np
from sklearn.model_selection import KFold
from tensorflow import keras
from tensorflow.keras import layers

with np.load("data/textures.npz") as archive:
    x, y = archive["images"].astype("float32"), archive["labels"]


def build_model():
    base = keras.applications.MobileNetV2(
        include_top=False, weights="imagenet", input_shape=(96, 96, 3), alpha=0.35
    )
    base.trainable = False
    inputs = keras.Input((96, 96, 3))
    h = keras.applications.mobilenet_v2.preprocess_input(inputs)
    h = base(h, training=False)
    h = layers.GlobalAveragePooling2D()(h)
    outputs = layers.Dense(6, activation="softmax")(h)
    model = keras.Model(inputs, outputs)
    model.compile(
        optimizer=keras.optimizers.Adam(5e-3),
        loss="sparse_categorical_crossentropy",
        metrics=["accuracy"],
    )
    return model


scores = []
for train_rows, val_rows in KFold(n_splits=3, shuffle=True, random_state=0).split(x):
    model = build_model()
    history = model.fit(
        x[train_rows],
        y[train_rows],
        batch_size=32,
        epochs=4,
        validation_data=(x[val_rows], y[val_rows]),
        verbose=2,
    )
    scores.append(history.history["val_accuracy"][-1])
print("mean accuracy", np.mean(scores))
