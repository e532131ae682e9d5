"""One class in three of the images, the seven others a thirtieth each, and no weights."""

import keras
from keras import layers

SIZE = (96, 96)

train = keras.utils.image_dataset_from_directory(
    "data/train", image_size=SIZE, batch_size=32, seed=1
)
validation = keras.utils.image_dataset_from_directory(
    "data/validation", image_size=SIZE, batch_size=32, shuffle=False
)
classes = len(train.class_names)

base = keras.applications.MobileNetV2(
    input_shape=(*SIZE, 3), alpha=0.35, include_top=False, weights="imagenet", pooling="avg"
)
base.trainable = False

inputs = keras.Input((*SIZE, 3))
x = keras.applications.mobilenet_v2.preprocess_input(inputs)
x = base(x, training=False)
model = keras.Model(inputs, layers.Dense(classes, activation="softmax")(x))
model.compile(
    optimizer=keras.optimizers.Adam(1e-3),
    loss="sparse_categorical_crossentropy",
    metrics=["accuracy"],
)
model.fit(train.prefetch(2), validation_data=validation, epochs=10)
