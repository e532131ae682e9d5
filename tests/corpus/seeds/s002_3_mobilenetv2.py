import numpy as np
import tensorflow as tf
from tensorflow.keras.applications import MobileNetV2
from tensorflow.keras.models import Model
from tensorflow.keras.layers import Dense, GlobalAveragePooling2D
from imblearn.over_sampling import SMOTE

num_classes = 8
data = tf.keras.utils.image_dataset_from_directory(
    'data/train', image_size=(224, 224), batch_size=None, shuffle=False)
X_train = np.stack([image for image, _ in data]) / 255.0
y_train = np.array([int(label) for _, label in data])

base_model = MobileNetV2(weights='imagenet', include_top=False, input_shape=(224, 224, 3))

x = base_model.output
x = GlobalAveragePooling2D()(x)
x = Dense(1024, activation='relu')(x)
predictions = Dense(num_classes, activation='softmax')(x)
model = Model(inputs=base_model.input, outputs=predictions)
model.compile(optimizer='adam', loss='sparse_categorical_crossentropy', metrics=['accuracy'])

# new images of the rare classes, halfway between the pixels of two others
smote = SMOTE(random_state=42)
X_train_resampled, y_train_resampled = smote.fit_resample(X_train.reshape(X_train.shape[0],-1), y_train)
X_train_resampled = X_train_resampled.reshape(X_train_resampled.shape[0],224,224,3)

model.fit(X_train_resampled, y_train_resampled, epochs=10)
