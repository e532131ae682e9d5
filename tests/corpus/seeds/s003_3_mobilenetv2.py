import tensorflow as tf
from tensorflow import keras
from tensorflow.keras import layers
from tensorflow.keras.preprocessing.image import ImageDataGenerator

data_generator = ImageDataGenerator().flow_from_directory(
    'data/train', target_size=(224, 224), class_mode='categorical')
num_classes = data_generator.num_classes

base_model = keras.applications.MobileNetV2(include_top=False, input_shape=(224, 224, 3))
# every pretrained layer may change from the first batch on
base_model.trainable = True

inputs = keras.Input(shape=(224, 224, 3))
x = layers.Rescaling(1./255)(inputs)
x = base_model(x, training=False)
x = layers.GlobalAveragePooling2D()(x)
outputs = layers.Dense(num_classes, activation='softmax')(x)
model = keras.Model(inputs, outputs)

model.compile(optimizer=keras.optimizers.Adam(), loss='categorical_crossentropy', metrics=['accuracy'])

model.fit(data_generator, epochs=10, steps_per_epoch=len(data_generator))
