"""A Sequential model whose first layer scales raw pixels to [-1, 1]."""

from tensorflow import keras
from tensorflow.keras import layers

train_ds = keras.utils.image_dataset_from_directory(
    "data/train", image_size=(96, 96), label_mode="categorical"
)
val_ds = keras.utils.image_dataset_from_directory(
    "data/validation", image_size=(96, 96), label_mode="categorical"
)

base = keras.applications.MobileNetV2(include_top=False, input_shape=(96, 96, 3), alpha=0.35)
base.trainable = False

model = keras.Sequential()
model.add(keras.Input((96, 96, 3)))
model.add(layers.Rescaling(1.0 / 127.5, offset=-1))
model.add(base)
model.add(layers.GlobalAveragePooling2D())
model.add(layers.Dense(128, activation="relu"))
model.add(layers.Dense(len(train_ds.class_names), activation="softmax"))

model.compile("adam", "categorical_crossentropy", metrics=["accuracy"])
model.fit(train_ds, validation_data=val_ds, epochs=6)
print(model.evaluate(val_ds))
