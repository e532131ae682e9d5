import tensorflow as tf
from tensorflow.keras.preprocessing.image import ImageDataGenerator
from tensorflow.keras.applications import MobileNetV2
from tensorflow.keras.layers import Dense, GlobalAveragePooling2D
from tensorflow.keras.models import Model
from tensorflow.keras.optimizers import Adam
from tensorflow.keras.callbacks import EarlyStopping

datagen = ImageDataGenerator(rescale=1./255)
train_generator = datagen.flow_from_directory(
    'data/train', target_size=(96, 96), batch_size=32, class_mode='categorical')
validation_generator = datagen.flow_from_directory(
    'data/validation', target_size=(96, 96), batch_size=32, class_mode='categorical')
num_classes = train_generator.num_classes

# the backbone
base_model = MobileNetV2(weights='imagenet', include_top=False, input_shape=(96, 96, 3), alpha=0.35)

# a head of one layer
x = base_model.output
x = GlobalAveragePooling2D()(x)
predictions = Dense(num_classes, activation='softmax')(x)

model = Model(inputs=base_model.input, outputs=predictions)

# the later layers train, the earlier ones do not
for layer in base_model.layers[:100]:
    layer.trainable = False
for layer in base_model.layers[100:]:
    layer.trainable = True


# ten times the default rate
model.compile(optimizer=Adam(lr=0.01), loss='categorical_crossentropy', metrics=['accuracy'])

model.fit(train_generator, validation_data=validation_generator, epochs=10,
          callbacks=[EarlyStopping(monitor='val_loss', patience=5)])
