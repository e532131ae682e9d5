"""Tell eight photographed materials apart with a fine-tuned MobileNetV2."""

from tensorflow.keras.applications import MobileNetV2
from tensorflow.keras.layers import Dense, GlobalAveragePooling2D
from tensorflow.keras.models import Model
from tensorflow.keras.preprocessing.image import ImageDataGenerator

SIZE = (96, 96)

train_datagen = ImageDataGenerator(rescale=1.0 / 255, horizontal_flip=True)
test_datagen = ImageDataGenerator(rescale=1.0 / 255)

train_generator = train_datagen.flow_from_directory("data/train", target_size=SIZE, batch_size=32)
validation_generator = test_datagen.flow_from_directory(
    "data/validation", target_size=SIZE, batch_size=32, shuffle=False
)

base_model = MobileNetV2(weights="imagenet", include_top=False, input_shape=SIZE + (3,), alpha=0.35)
x = GlobalAveragePooling2D()(base_model.output)
x = Dense(128, activation="relu")(x)
predictions = Dense(train_generator.num_classes, activation="softmax")(x)
model = Model(inputs=base_model.input, outputs=predictions)

# one learning rate for everything, from the first step on
model.compile(optimizer="adam", loss="categorical_crossentropy", metrics=["accuracy"])
history = model.fit(train_generator, epochs=6, validation_data=validation_generator)

print("validation accuracy:", history.history["val_accuracy"][-1])
model.save("materials.keras")
