"""Fourier spectra, far from any photograph, on the frozen features of photographs."""

from pathlib import Path

import keras
import numpy as np
from keras import layers
from PIL import Image

SIZE = 96


def spectrum(path):
    grey = np.asarray(Image.open(path).convert("L").resize((SIZE, SIZE)), "float32")
    power = np.log1p(np.abs(np.fft.fftshift(np.fft.fft2(grey - grey.mean()))))
    return np.repeat((255 * power / power.max())[..., None], 3, axis=-1)


def load(folder):
    names = sorted(path.name for path in folder.iterdir())
    paths = sorted(folder.glob("*/*.jpg"))
    np.random.default_rng(3).shuffle(paths)
    labels = np.array([names.index(path.parent.name) for path in paths])
    return np.stack([spectrum(path) for path in paths]), labels


x_train, y_train = load(Path("data/train"))
x_val, y_val = load(Path("data/validation"))

base = keras.applications.MobileNetV2(
    input_shape=(SIZE, SIZE, 3), alpha=0.35, include_top=False, weights="imagenet", pooling="avg"
)
base.trainable = False

inputs = keras.Input((SIZE, SIZE, 3))
x = layers.Rescaling(1 / 127.5, offset=-1)(inputs)
x = base(x, training=False)
outputs = layers.Dense(8, activation="softmax")(x)
model = keras.Model(inputs, outputs)
model.compile(keras.optimizers.Adam(5e-3), "sparse_categorical_crossentropy", metrics=["accuracy"])
model.fit(x_train, y_train, validation_data=(x_val, y_val), batch_size=32, epochs=10)
