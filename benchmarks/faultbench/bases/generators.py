"""Photographs from two folders through ImageDataGenerator, with a report at the end."""

import numpy as np
from sklearn.metrics import classification_report
from tensorflow.keras.applications.mobilenet_v2 import MobileNetV2, preprocess_input
from tensorflow.keras.callbacks import EarlyStopping, ModelCheckpoint
from tensorflow.keras.layers import Dense, Dropout, GlobalAveragePooling2D
from tensorflow.keras.models import Model
from tensorflow.keras.optimizers import Adam
from tensorflow.keras.preprocessing.image import ImageDataGenerator

train_datagen = ImageDataGenerator(
    preprocessing_function=preprocess_input,
    rotation_range=10,
    horizontal_flip=True,
)
val_datagen = ImageDataGenerator(preprocessing_function=preprocess_input)

train_generator = train_datagen.flow_from_directory(
    "data/train",
    target_size=(96, 96),
    batch_size=32,
    class_mode="categorical",
)
val_generator = val_datagen.flow_from_directory(
    "data/validation",
    target_size=(96, 96),
    batch_size=32,
    class_mode="categorical",
    shuffle=False,
)

base_model = MobileNetV2(
    weights="imagenet", include_top=False, input_shape=(96, 96, 3), alpha=0.35
)
for layer in base_model.layers:
    layer.trainable = False

x = GlobalAveragePooling2D()(base_model.output)
x = Dense(64, activation="relu")(x)
x = Dropout(0.3)(x)
predictions = Dense(8, activation="softmax")(x)
model = Model(inputs=base_model.input, outputs=predictions)

model.compile(
    optimizer=Adam(learning_rate=0.002),
    loss="categorical_crossentropy",
    metrics=["accuracy"],
)
history = model.fit(
    train_generator,
    epochs=8,
    validation_data=val_generator,
    callbacks=[
        EarlyStopping(monitor="val_loss", patience=3, restore_best_weights=True),
        ModelCheckpoint("best.keras", monitor="val_accuracy", save_best_only=True),
    ],
)

print("best validation accuracy:", max(history.history["val_accuracy"]))
predicted = np.argmax(model.predict(val_generator), axis=1)
print(classification_report(val_generator.classes, predicted))
