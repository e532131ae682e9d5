"""The style of the Keras guide: preprocessing inside the model, a frozen backbone, dropout."""

import keras
from keras import layers

train_ds = keras.utils.image_dataset_from_directory("data/train", image_size=(96, 96), seed=1)
val_ds = keras.utils.image_dataset_from_directory("data/validation", image_size=(96, 96))

data_augmentation = keras.Sequential([layers.RandomFlip("horizontal"), layers.RandomRotation(0.05)])

base_model = keras.applications.MobileNetV2(
    weights="imagenet", input_shape=(96, 96, 3), include_top=False, alpha=0.35
)
base_model.trainable = False

inputs = keras.Input(shape=(96, 96, 3))
x = data_augmentation(inputs)
x = keras.applications.mobilenet_v2.preprocess_input(x)
x = base_model(x, training=False)
x = layers.GlobalAveragePooling2D()(x)
x = layers.Dropout(0.2)(x)
outputs = layers.Dense(8)(x)
model = keras.Model(inputs, outputs)

model.compile(
    optimizer=keras.optimizers.Adam(1e-3),
    loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
    metrics=["accuracy"],
)
model.fit(train_ds, epochs=10, validation_data=val_ds)
model.save("classifier.keras")
