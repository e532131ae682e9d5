"""A training loop written out with GradientTape."""

import tensorflow as tf

IMAGE = (96, 96)
EPOCHS = 6

train_ds = tf.keras.utils.image_dataset_from_directory("data/train", image_size=IMAGE, seed=5)
val_ds = tf.keras.utils.image_dataset_from_directory("data/validation", image_size=IMAGE)

backbone = tf.keras.applications.MobileNetV2(
    input_shape=IMAGE + (3,), include_top=False, weights="imagenet", alpha=0.35
)
backbone.trainable = False
inputs = tf.keras.Input(IMAGE + (3,))
x = tf.keras.layers.Rescaling(1 / 127.5, offset=-1)(inputs)
x = backbone(x, training=False)
x = tf.keras.layers.GlobalAveragePooling2D()(x)
model = tf.keras.Model(inputs, tf.keras.layers.Dense(8)(x))

loss_object = tf.keras.losses.SparseCategoricalCrossentropy(from_logits=True)
optimizer = tf.keras.optimizers.Adam(1e-3)
accuracy = tf.keras.metrics.SparseCategoricalAccuracy()


@tf.function
def train_step(images, labels):
    with tf.GradientTape() as tape:
        logits = model(images, training=True)
        loss = loss_object(labels, logits)
    gradients = tape.gradient(loss, model.trainable_variables)
    optimizer.apply_gradients(zip(gradients, model.trainable_variables))
    return loss


for epoch in range(EPOCHS):
    for images, labels in train_ds:
        loss = train_step(images, labels)
    accuracy.reset_state()
    for images, labels in val_ds:
        accuracy.update_state(labels, model(images, training=False))
    print(f"epoch {epoch}: loss {float(loss):.3f}, accuracy {float(accuracy.result()):.3f}")
