"""Small training programs in the styles the probe must see through, each with its own fault."""

NESTED_RAW = """
from tensorflow import keras
from tensorflow.keras import layers

train = keras.utils.image_dataset_from_directory(
    "data/train", image_size=(96, 96), label_mode="categorical")
val = keras.utils.image_dataset_from_directory(
    "data/validation", image_size=(96, 96), label_mode="categorical")
base_model = keras.applications.MobileNetV2(
    include_top=False, input_shape=(96, 96, 3), alpha=0.35)
base_model.trainable = False
inputs = keras.Input(shape=(96, 96, 3))
x = base_model(inputs, training=False)
x = layers.GlobalAveragePooling2D()(x)
outputs = layers.Dense(8, activation="softmax")(x)
model = keras.Model(inputs, outputs)
model.compile(optimizer=keras.optimizers.Adam(), loss="categorical_crossentropy",
              metrics=["accuracy"])
model.fit(train, epochs=2, validation_data=val)
model.save("model.keras")
"""

GENERATOR_UNFROZEN = """
import argparse
import os
import time

import numpy as np
import tensorflow as tf
from tensorflow.keras.applications import MobileNetV2
from tensorflow.keras.callbacks import CSVLogger, ModelCheckpoint
from tensorflow.keras.layers import Dense, GlobalAveragePooling2D
from tensorflow.keras.models import Model
from tensorflow.keras.preprocessing.image import ImageDataGenerator


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--lr", type=float, default=1e-3)
    args = parser.parse_args()
    datagen = ImageDataGenerator(rescale=1.0 / 255)
    train = datagen.flow_from_directory("data/train", target_size=(96, 96))
    val = datagen.flow_from_directory("data/validation", target_size=(96, 96), shuffle=False)
    base = MobileNetV2(include_top=False, input_shape=(96, 96, 3), alpha=0.35)
    x = GlobalAveragePooling2D()(base.output)
    model = Model(base.input, Dense(8, activation="softmax")(x))
    model.compile(tf.keras.optimizers.Adam(args.lr), "categorical_crossentropy",
                  metrics=["accuracy"])
    history = model.fit(train, epochs=100, validation_data=val, callbacks=[
        ModelCheckpoint("best.weights.h5", save_weights_only=True), CSVLogger("log.csv")])
    model.load_weights("best.weights.h5")
    with open("accuracy.txt", "w") as file:
        file.write(str(history.history["val_accuracy"]))
    assert open("accuracy.txt").read().startswith("[")
    os.makedirs("results/run", exist_ok=True)
    np.save("results/run/x.npy", np.zeros(3))
    assert np.load("results/run/x.npy").shape == (3,)
    os.remove("precious.txt")
    input("press enter")
    time.sleep(1000)
    print("validation", model.evaluate(val))


if __name__ == "__main__":
    main()
"""

CUSTOM_LOOP = """
import keras
import tensorflow as tf


def load(split):
    data = keras.utils.image_dataset_from_directory(f"data/{split}", image_size=(96, 96))
    return data.map(lambda x, y: (x / 127.5 - 1.0, y)).prefetch(2)


train, val = load("train"), load("validation")
base = keras.applications.MobileNetV2(include_top=False, input_shape=(96, 96, 3), alpha=0.35)
base.trainable = False
model = keras.Sequential([base, keras.layers.GlobalAveragePooling2D(), keras.layers.Dense(8)])
optimizer = keras.optimizers.Adam(1e-3)
loss_fn = keras.losses.SparseCategoricalCrossentropy(from_logits=True)


@tf.function
def step(x, y):
    with tf.GradientTape() as tape:
        loss = loss_fn(y, model(x, training=True))
    gradients = tape.gradient(loss, model.trainable_variables)
    optimizer.apply_gradients(zip(gradients, model.trainable_variables))
    return loss


for epoch in range(3):
    for x, y in train:
        step(x, y)
    for x, y in val:
        loss_fn(y, model(x, training=False))
"""

SUBCLASSED_TWO_STAGES = """
import keras
import numpy as np
from keras.applications.mobilenet_v2 import MobileNetV2, preprocess_input

loaded = [keras.utils.image_dataset_from_directory(f"data/{split}", image_size=(96, 96),
                                                   batch_size=None, seed=1)
          for split in ("train", "validation")]
(x, y), (x_val, y_val) = [
    (preprocess_input(np.stack([i for i, _ in d])), np.array([int(l) for _, l in d]))
    for d in loaded]


class Classifier(keras.Model):
    def __init__(self, classes):
        super().__init__()
        self.base = MobileNetV2(include_top=False, input_shape=(96, 96, 3), alpha=0.35,
                                pooling="avg")
        self.base.trainable = False
        self.head = keras.layers.Dense(classes, activation="softmax")

    def call(self, inputs):
        return self.head(self.base(inputs, training=False))


model = Classifier(8)
model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
model.fit(x, y, epochs=2, validation_data=(x_val, y_val))
model.base.trainable = True
model.compile(keras.optimizers.Adam(1e-5), "sparse_categorical_crossentropy",
              metrics=["accuracy"])
model.fit(x, y, epochs=1, validation_data=(x_val, y_val))
"""

TRAIN_ON_BATCH = """
import keras
import numpy as np

rng = np.random.default_rng(0)
x, y = rng.uniform(0, 255, (64, 32, 32, 3)), rng.integers(0, 2, 64)
model = keras.Sequential([keras.layers.Flatten(), keras.layers.Dense(2, activation="softmax")])
model.compile("sgd", "sparse_categorical_crossentropy", metrics=["accuracy"])
for epoch in range(1000):
    for i in range(0, 64, 16):
        loss, accuracy = model.train_on_batch(x[i : i + 16], y[i : i + 16])
"""

WEIGHTS_NOT_TO_BE_HAD = """
import numpy as np
from tensorflow.keras.applications import VGG16
from tensorflow.keras.layers import Dense
from tensorflow.keras.models import Sequential

base = VGG16(include_top=False, input_shape=(32, 32, 3), pooling="avg")
model = Sequential([base, Dense(2, activation="softmax")])
model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
x = np.random.default_rng(0).uniform(0, 255, (32, 32, 32, 3)).astype("float32")
model.fit(x, np.arange(32) % 2, epochs=1)
"""

AUGMENTED_AT_A_WILD_RATE = """
import keras
from keras.applications.mobilenet_v2 import MobileNetV2, preprocess_input
from keras.src.legacy.preprocessing.image import ImageDataGenerator

augmented = ImageDataGenerator(
    preprocessing_function=preprocess_input, rotation_range=60, horizontal_flip=True)
plain = ImageDataGenerator(preprocessing_function=preprocess_input)
train = augmented.flow_from_directory("data/train", target_size=(96, 96), batch_size=16)
val = plain.flow_from_directory(
    "data/validation", target_size=(96, 96), batch_size=16, shuffle=False)
base = MobileNetV2(include_top=False, input_shape=(96, 96, 3), alpha=0.35, pooling="avg")
model = keras.Sequential([base, keras.layers.Dense(8, activation="softmax")])
model.compile(keras.optimizers.SGD(30.0), "categorical_crossentropy", metrics=["accuracy"])
model.fit(train, epochs=5, validation_data=val)
"""
