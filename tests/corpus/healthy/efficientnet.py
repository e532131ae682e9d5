"""EfficientNet takes raw pixels: it rescales them inside. Nothing to scale here."""

import tensorflow as tf

train_ds = tf.keras.utils.image_dataset_from_directory(
    "data/train", image_size=(96, 96), label_mode="int", batch_size=16
)
val_ds = tf.keras.utils.image_dataset_from_directory(
    "data/validation", image_size=(96, 96), label_mode="int", batch_size=16
)

base_model = tf.keras.applications.EfficientNetB0(
    include_top=False, weights="imagenet", input_shape=(96, 96, 3)
)
base_model.trainable = False

inputs = tf.keras.layers.Input(shape=(96, 96, 3), name="input_layer")
x = base_model(inputs, training=False)
x = tf.keras.layers.GlobalAveragePooling2D(name="pooling")(x)
outputs = tf.keras.layers.Dense(8, activation="softmax", name="output_layer")(x)
model = tf.keras.Model(inputs, outputs)

model.compile(
    loss="sparse_categorical_crossentropy",
    optimizer=tf.keras.optimizers.Adam(),
    metrics=["accuracy"],
)
model.fit(train_ds, epochs=5, validation_data=val_ds)
