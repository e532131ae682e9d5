import tensorflow as tf
from tensorflow import keras
from tensorflow.keras.applications import ResNet50
from tensorflow.keras.preprocessing import image
import numpy as np

# pixels go to [-1, 1], which is not what this network was trained on
img_path = 'data/train/coffee/0000.jpg'
img = image.load_img(img_path, target_size=(224, 224))
x = image.img_to_array(img)
x = np.expand_dims(x, axis=0)
x = x / 127.5 - 1

base_model = ResNet50(weights='imagenet', include_top=False, input_shape=(224, 224, 3))
predictions = base_model.predict(x)
print(predictions.shape)
