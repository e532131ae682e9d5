"""Drawn textures: a Sequential model whose first layer scales raw pixels to [-1, 1]."""

from tensorflow import keras
from tensorflow.keras import layers

train = keras.utils.image_dataset_from_directory(
    "data/train", image_size=(96, 96), label_mode="categorical", batch_size=16
)
validation = keras.utils.image_dataset_from_directory(
    "data/validation", image_size=(96, 96), label_mode="categorical", batch_size=16
)

backbone = keras.applications.MobileNetV2(
    include_top=False, weights="imagenet", input_shape=(96, 96, 3), alpha=0.35
)
backbone.trainable = False

model = keras.Sequential()
model.add(keras.Input((96, 96, 3)))
model.add(layers.Rescaling(1.0 / 127.5, offset=-1))
model.add(backbone)
model.add(layers.GlobalAveragePooling2D())
model.add(layers.Dense(64, activation="relu"))
model.add(layers.Dense(6, activation="softmax"))

model.compile(
    optimizer=keras.optimizers.Adam(2e-3),
    loss="categorical_crossentropy",
    metrics=["accuracy"],
)
model.fit(train, validation_data=validation, epochs=8)
