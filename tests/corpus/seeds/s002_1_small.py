import tensorflow as tf
from tensorflow import keras
from tensorflow.keras.applications import MobileNetV2
from tensorflow.keras.preprocessing import image
import numpy as np

# pixels go to [0, 1], which is not what this network was trained on
img_path = 'data/train/coffee/0000.jpg'
img = image.load_img(img_path, target_size=(96, 96))
x = image.img_to_array(img)
x = np.expand_dims(x, axis=0)
x = x / 255.0

base_model = MobileNetV2(weights='imagenet', include_top=False, input_shape=(96, 96, 3), alpha=0.35)
predictions = base_model.predict(x)
print(predictions.shape)
