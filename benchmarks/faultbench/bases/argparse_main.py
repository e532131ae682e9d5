"""Photographs read with PIL; hyperparameters from the command line, everything inside main."""

import argparse
import os

import numpy as np
from PIL import Image
from tensorflow.keras.applications.mobilenet_v2 import MobileNetV2, preprocess_input
from tensorflow.keras.callbacks import ReduceLROnPlateau
from tensorflow.keras.layers import Dense, Dropout, GlobalAveragePooling2D
from tensorflow.keras.models import Model
from tensorflow.keras.optimizers import Adam
from tensorflow.keras.utils import to_categorical


def read_images(folder, size):
    images, labels = [], []
    names = sorted(os.listdir(folder))
    for index, name in enumerate(names):
        for file in sorted(os.listdir(os.path.join(folder, name))):
            image = Image.open(os.path.join(folder, name, file)).convert("RGB")
            images.append(np.asarray(image.resize((size, size)), dtype="float32"))
            labels.append(index)
    return np.stack(images), np.array(labels), names


def build_model(size, classes, lr):
    base = MobileNetV2(
        weights="imagenet", include_top=False, input_shape=(size, size, 3), alpha=0.35
    )
    base.trainable = False
    x = GlobalAveragePooling2D()(base.output)
    x = Dropout(0.25)(x)
    outputs = Dense(classes, activation="softmax")(x)
    model = Model(base.input, outputs)
    optimizer = Adam(learning_rate=lr)
    model.compile(optimizer, loss="categorical_crossentropy", metrics=["accuracy"])
    return model


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--size", type=int, default=96)
    parser.add_argument("--lr", type=float, default=3e-3)
    parser.add_argument("--epochs", type=int, default=10)
    args = parser.parse_args()

    x_train, y_train, names = read_images("data/train", args.size)
    x_val, y_val, _ = read_images("data/validation", args.size)
    order = np.random.default_rng(0).permutation(len(x_train))
    x_train, y_train = x_train[order], y_train[order]
    x_train = preprocess_input(x_train)
    x_val = preprocess_input(x_val)
    y_train = to_categorical(y_train, len(names))
    y_val = to_categorical(y_val, len(names))

    model = build_model(args.size, len(names), args.lr)
    model.fit(
        x_train,
        y_train,
        batch_size=32,
        epochs=args.epochs,
        validation_data=(x_val, y_val),
        callbacks=[ReduceLROnPlateau(monitor="val_loss", factor=0.5, patience=3)],
    )


if __name__ == "__main__":
    main()
