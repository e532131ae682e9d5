import tensorflow as tf
from tensorflow import keras
from tensorflow.keras import layers
from tensorflow.keras.preprocessing.image import ImageDataGenerator

# pixels stay as the files have them, 0 to 255
data_generator = ImageDataGenerator().flow_from_directory(
    'data/train', target_size=(96, 96), class_mode='categorical')
num_classes = data_generator.num_classes

base_model = keras.applications.MobileNetV2(include_top=False, input_shape=(96, 96, 3), alpha=0.35)
base_model.trainable = False

inputs = keras.Input(shape=(96, 96, 3))
x = base_model(inputs, training=False)
x = layers.GlobalAveragePooling2D()(x)
outputs = layers.Dense(num_classes, activation='softmax')(x)
model = keras.Model(inputs, outputs)

model.compile(optimizer=keras.optimizers.Adam(), loss='categorical_crossentropy', metrics=['accuracy'])

model.fit(data_generator, epochs=10, steps_per_epoch=len(data_generator))
