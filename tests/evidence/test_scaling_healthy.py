"""Programs that scale rightly, in the many ways real ones do: nothing may be said of them."""

# ruff: noqa: E501  the programs are quoted as they are
from __future__ import annotations

import pytest

from tests.causes.scaling_cases import findings
from tlfix.causes import (
    preprocessing_differs,
    preprocessing_double,
    preprocessing_mismatch,
    preprocessing_missing,
    target_size_mismatch,
)

CAUSES = (
    preprocessing_missing.CAUSE,
    preprocessing_mismatch.CAUSE,
    preprocessing_double.CAUSE,
    preprocessing_differs.CAUSE,
    target_size_mismatch.CAUSE,
)

# https://keras.io/guides/transfer_learning
KERAS_GUIDE = """\
import numpy as np
import keras
from keras import layers
import tensorflow_datasets as tfds
from tensorflow import data as tf_data

train_ds, validation_ds, test_ds = tfds.load(
    "cats_vs_dogs",
    split=["train[:40%]", "train[40%:50%]", "train[50%:60%]"],
    as_supervised=True,
)
resize_fn = keras.layers.Resizing(150, 150)
train_ds = train_ds.map(lambda x, y: (resize_fn(x), y))
validation_ds = validation_ds.map(lambda x, y: (resize_fn(x), y))
test_ds = test_ds.map(lambda x, y: (resize_fn(x), y))
augmentation_layers = [
    layers.RandomFlip("horizontal"),
    layers.RandomRotation(0.1),
]

def data_augmentation(x):
    for layer in augmentation_layers:
        x = layer(x)
    return x

train_ds = train_ds.map(lambda x, y: (data_augmentation(x), y))
batch_size = 64
train_ds = train_ds.batch(batch_size).prefetch(tf_data.AUTOTUNE).cache()
validation_ds = validation_ds.batch(batch_size).prefetch(tf_data.AUTOTUNE).cache()

base_model = keras.applications.Xception(
    weights="imagenet", input_shape=(150, 150, 3), include_top=False,
)
base_model.trainable = False
inputs = keras.Input(shape=(150, 150, 3))
scale_layer = keras.layers.Rescaling(scale=1 / 127.5, offset=-1)
x = scale_layer(inputs)
x = base_model(x, training=False)
x = keras.layers.GlobalAveragePooling2D()(x)
x = keras.layers.Dropout(0.2)(x)
outputs = keras.layers.Dense(1)(x)
model = keras.Model(inputs, outputs)
model.compile(optimizer=keras.optimizers.Adam(), loss=keras.losses.BinaryCrossentropy(from_logits=True))
model.fit(train_ds, epochs=2, validation_data=validation_ds)
base_model.trainable = True
model.compile(optimizer=keras.optimizers.Adam(1e-5), loss=keras.losses.BinaryCrossentropy(from_logits=True))
model.fit(train_ds, epochs=1, validation_data=validation_ds)
model.evaluate(test_ds)
"""

# https://www.tensorflow.org/tutorials/images/transfer_learning
TF_TUTORIAL = """\
import matplotlib.pyplot as plt
import numpy as np
import os
import tensorflow as tf

IMG_SIZE = (160, 160)
train_dataset = tf.keras.utils.image_dataset_from_directory(train_dir, shuffle=True, batch_size=32, image_size=IMG_SIZE)
validation_dataset = tf.keras.utils.image_dataset_from_directory(validation_dir, shuffle=True, batch_size=32, image_size=IMG_SIZE)
plt.figure(figsize=(10, 10))
for images, labels in train_dataset.take(1):
  for i in range(9):
    plt.imshow(images[i].numpy().astype("uint8"))
test_dataset = validation_dataset.take(5)
validation_dataset = validation_dataset.skip(5)
AUTOTUNE = tf.data.AUTOTUNE
train_dataset = train_dataset.prefetch(buffer_size=AUTOTUNE)
validation_dataset = validation_dataset.prefetch(buffer_size=AUTOTUNE)
test_dataset = test_dataset.prefetch(buffer_size=AUTOTUNE)
data_augmentation = tf.keras.Sequential([
  tf.keras.layers.RandomFlip('horizontal'),
  tf.keras.layers.RandomRotation(0.2),
])
for image, _ in train_dataset.take(1):
  plt.imshow(data_augmentation(tf.expand_dims(image[0], 0))[0] / 255)
preprocess_input = tf.keras.applications.mobilenet_v2.preprocess_input
rescale = tf.keras.layers.Rescaling(1./127.5, offset=-1)
IMG_SHAPE = IMG_SIZE + (3,)
base_model = tf.keras.applications.MobileNetV2(input_shape=IMG_SHAPE, include_top=False, weights='imagenet')
image_batch, label_batch = next(iter(train_dataset))
feature_batch = base_model(image_batch)
base_model.trainable = False
global_average_layer = tf.keras.layers.GlobalAveragePooling2D()
feature_batch_average = global_average_layer(feature_batch)
prediction_layer = tf.keras.layers.Dense(1, activation='sigmoid')
inputs = tf.keras.Input(shape=(160, 160, 3))
x = data_augmentation(inputs)
x = preprocess_input(x)
x = base_model(x, training=False)
x = global_average_layer(x)
x = tf.keras.layers.Dropout(0.2)(x)
outputs = prediction_layer(x)
model = tf.keras.Model(inputs, outputs)
model.compile(optimizer='adam', loss=tf.keras.losses.BinaryCrossentropy(), metrics=['accuracy'])
history = model.fit(train_dataset, epochs=10, validation_data=validation_dataset)
loss, accuracy = model.evaluate(test_dataset)
image_batch, label_batch = test_dataset.as_numpy_iterator().next()
predictions = model.predict_on_batch(image_batch).flatten()
"""

# https://keras.io/examples/vision/image_classification_efficientnet_fine_tuning
EFFICIENTNET = """\
import tensorflow as tf
import tensorflow_datasets as tfds
import keras
from keras import layers
from keras.applications import EfficientNetB0

IMG_SIZE = 224
(ds_train, ds_test), ds_info = tfds.load("stanford_dogs", split=["train", "test"], with_info=True, as_supervised=True)
size = (IMG_SIZE, IMG_SIZE)
ds_train = ds_train.map(lambda image, label: (tf.image.resize(image, size), label))
ds_test = ds_test.map(lambda image, label: (tf.image.resize(image, size), label))

def input_preprocess_train(image, label):
    image = img_augmentation(image)
    label = tf.one_hot(label, 120)
    return image, label

ds_train = ds_train.map(input_preprocess_train).batch(64).prefetch(2)
ds_test = ds_test.map(lambda i, l: (i, tf.one_hot(l, 120))).batch(64)

def build_model(num_classes):
    inputs = layers.Input(shape=(IMG_SIZE, IMG_SIZE, 3))
    model = EfficientNetB0(include_top=False, input_tensor=inputs, weights="imagenet")
    model.trainable = False
    x = layers.GlobalAveragePooling2D(name="avg_pool")(model.output)
    x = layers.BatchNormalization()(x)
    outputs = layers.Dense(num_classes, activation="softmax", name="pred")(x)
    model = keras.Model(inputs, outputs, name="EfficientNet")
    model.compile(optimizer="adam", loss="categorical_crossentropy", metrics=["accuracy"])
    return model

model = build_model(num_classes=120)
hist = model.fit(ds_train, epochs=25, validation_data=ds_test)
"""

FUNCTIONS = """\
import cv2, glob
import numpy as np
from tensorflow.keras.applications.vgg16 import VGG16, preprocess_input
from tensorflow.keras.models import Sequential
from tensorflow.keras.layers import Dense, Flatten
from sklearn.model_selection import train_test_split

def load(folder):
    images = []
    for path in glob.glob(folder + "/*.jpg"):
        image = cv2.cvtColor(cv2.imread(path), cv2.COLOR_BGR2RGB)
        images.append(cv2.resize(image, (224, 224)))
    return np.array(images)

X = preprocess_input(load("data").astype("float32"))
X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.2)

def main(x, labels):
    base = VGG16(weights="imagenet", include_top=False, input_shape=(224, 224, 3))
    model = Sequential()
    model.add(base)
    model.add(Flatten())
    model.add(Dense(2, activation="softmax"))
    model.compile("adam", "sparse_categorical_crossentropy")
    model.fit(x, labels, validation_data=(X_test, y_test))
    return model

main(X_train, y_train)
"""

TARGETS_SCALED = """\
import tensorflow as tf
from tensorflow.keras.applications import MobileNetV2
from tensorflow.keras.applications.mobilenet_v2 import preprocess_input
from tensorflow.keras import layers

def parse(path, box):
    image = tf.io.decode_jpeg(tf.io.read_file(path), channels=3)
    image = preprocess_input(tf.cast(tf.image.resize(image, (224, 224)), tf.float32))
    box = box / 255.0  # not pixels
    return image, box

train = tf.data.Dataset.from_tensor_slices((paths, boxes)).map(parse).map(lambda x, y: (x, y / 255.0)).batch(8)
base = MobileNetV2(weights="imagenet", include_top=False, input_shape=(224, 224, 3), pooling="avg")
model = tf.keras.Sequential([base, layers.Dense(4)])
model.compile("adam", "mse")
model.fit(train)
"""

PREPROCESS_ARGUMENTS = """\
from keras.applications.resnet50 import ResNet50, preprocess_input
from keras.preprocessing.image import ImageDataGenerator, img_to_array, load_img
from keras.layers import Dense
from keras.models import Model
import numpy as np

def prepare(path):
    return preprocess_input(np.expand_dims(img_to_array(load_img(path)), 0))

gen = ImageDataGenerator(preprocessing_function=preprocess_input, validation_split=0.2)
train = gen.flow_from_directory("a", target_size=(224, 224), subset="training")
val = gen.flow_from_directory("a", target_size=(224, 224), subset="validation")
base = ResNet50(weights="imagenet", include_top=False, input_shape=(224, 224, 3), pooling="avg")
model = Model(base.input, Dense(3)(base.output))
model.compile("adam", "categorical_crossentropy")
model.fit_generator(train, validation_data=val)
model.predict(prepare("x.jpg"))
"""

PROGRAMS = {
    "keras-guide": KERAS_GUIDE,
    "tf-tutorial": TF_TUTORIAL,
    "efficientnet": EFFICIENTNET,
    "functions": FUNCTIONS,
    "targets-scaled": TARGETS_SCALED,
    "preprocess-arguments": PREPROCESS_ARGUMENTS,
}


@pytest.mark.parametrize("name", PROGRAMS)
def test_healthy_programs(name: str) -> None:
    said = [
        (spec.id, finding.evidence[0].summary)
        for spec in CAUSES
        for finding in findings(spec, PROGRAMS[name])
    ]
    assert said == []


@pytest.mark.parametrize(
    ("name", "old", "new", "cause"),
    [
        ("keras-guide", "scale=1 / 127.5, offset=-1", "1 / 255", "preprocessing-mismatch"),
        ("keras-guide", "x = scale_layer(inputs)", "x = inputs", "preprocessing-missing"),
        ("tf-tutorial", "x = preprocess_input(x)\n", "", "preprocessing-missing"),
        (
            "tf-tutorial",
            "mobilenet_v2.preprocess_input",
            "resnet50.preprocess_input",
            "preprocessing-mismatch",
        ),
        (
            "efficientnet",
            "tf.image.resize(image, size), label))\nds_test",
            "tf.image.resize(image, size) / 255.0, label))\nds_test",
            "preprocessing-differs",
        ),
        ("efficientnet", "image, size)", "image, size) / 255.0", "preprocessing-double"),
        (
            "functions",
            'preprocess_input(load("data").astype("float32"))',
            'load("data") / 255.0',
            "preprocessing-mismatch",
        ),
        (
            "functions",
            'preprocess_input(load("data").astype("float32"))',
            'load("data")',
            "preprocessing-missing",
        ),
        (
            "preprocess-arguments",
            "return preprocess_input(",
            "return (",
            "preprocessing-differs",
        ),
    ],
)
def test_the_same_programs_made_ill(name: str, old: str, new: str, cause: str) -> None:
    assert old in PROGRAMS[name]
    text = PROGRAMS[name].replace(old, new)
    assert [spec.id for spec in CAUSES for _ in findings(spec, text)] == [cause]
