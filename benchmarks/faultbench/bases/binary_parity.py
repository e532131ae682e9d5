"""Even or odd? Scanned digits, one sigmoid unit behind a hidden layer."""

from tensorflow.keras import layers, models, optimizers
from tensorflow.keras.applications import MobileNetV2
from tensorflow.keras.applications.mobilenet_v2 import preprocess_input
from tensorflow.keras.preprocessing.image import ImageDataGenerator

datagen = ImageDataGenerator(preprocessing_function=preprocess_input)
train = datagen.flow_from_directory(
    "data/train", target_size=(96, 96), batch_size=20, class_mode="binary"
)
validation = datagen.flow_from_directory(
    "data/validation", target_size=(96, 96), batch_size=20, class_mode="binary"
)

conv_base = MobileNetV2(include_top=False, weights="imagenet", input_shape=(96, 96, 3), alpha=0.35)
conv_base.trainable = False

model = models.Sequential()
model.add(conv_base)
model.add(layers.GlobalAveragePooling2D())
model.add(layers.Dense(256, activation="relu"))
model.add(layers.Dense(1, activation="sigmoid"))

model.compile(
    loss="binary_crossentropy",
    optimizer=optimizers.Adam(learning_rate=2e-3),
    metrics=["accuracy"],
)
model.fit(train, epochs=8, validation_data=validation)
