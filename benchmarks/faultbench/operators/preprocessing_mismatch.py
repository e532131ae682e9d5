"""Images are scaled, but not as the backbone was trained."""

from benchmarks.faultbench.planting import Operator, plant

OPERATOR = Operator(
    "preprocessing-mismatch",
    (
        plant(
            "nested_guide",
            "[0, 1] by a Rescaling layer",
            (
                "x = keras.applications.mobilenet_v2.preprocess_input(x)",
                "x = layers.Rescaling(1.0 / 255)(x)",
            ),
        ),
        plant(
            "sequential_rescaling",
            "[0, 1]: the offset is missing",
            ("layers.Rescaling(1.0 / 127.5, offset=-1)", "layers.Rescaling(1.0 / 255)"),
        ),
        plant(
            "subclassed",
            "the pipeline divides by 255",
            ("    return preprocess_input(image), label", "    return image / 255.0, label"),
        ),
        plant(
            "generators",
            "rescale=1/255 in both generators",
            (
                "    preprocessing_function=preprocess_input,\n    rot",
                "    rescale=1.0 / 255,\n    rot",
            ),
            (
                "val_datagen = ImageDataGenerator(preprocessing_function=preprocess_input)",
                "val_datagen = ImageDataGenerator(rescale=1.0 / 255)",
            ),
        ),
        plant(
            "arrays_split",
            "arrays divided by 255",
            ('images.astype("float32") / 127.5 - 1.0', 'images.astype("float32") / 255.0'),
        ),
        plant(
            "argparse_main",
            "the preprocess_input of another network (caffe style)",
            (
                "applications.mobilenet_v2 import MobileNetV2, preprocess_input",
                "applications.mobilenet_v2 import MobileNetV2",
            ),
            (
                "from tensorflow.keras.callbacks import ReduceLROnPlateau",
                "from tensorflow.keras.applications.resnet50 import preprocess_input\n"
                "from tensorflow.keras.callbacks import ReduceLROnPlateau",
            ),
            at=("x_train = preprocess_input(x_train)", "x_val = preprocess_input(x_val)"),
            slug="caffe",
        ),
        plant(
            "tensor_slices",
            "the mapped function divides by 255",
            ("image = image / 127.5 - 1.0", "image = tf.cast(image, tf.float32) / 255.0"),
        ),
        plant(
            "two_stage",
            "another network's preprocess_input (caffe style)",
            ("applications.mobilenet_v2.preprocess_input", "applications.vgg16.preprocess_input"),
            slug="caffe",
        ),
        plant(
            "features_predict",
            "features of images in [0, 1]",
            ("preprocess_input(images.numpy())", "images.numpy() / 255.0"),
        ),
        plant(
            "multi_label",
            "arrays divided by 255",
            ('data["x_train"].astype("float32")', 'data["x_train"].astype("float32") / 255.0'),
            ('data["x_val"].astype("float32")', 'data["x_val"].astype("float32") / 255.0'),
            (
                "x = keras.applications.mobilenet_v2.preprocess_input(inputs)\n"
                "x = backbone(x, training=False)",
                "x = backbone(inputs, training=False)",
            ),
        ),
    ),
)
