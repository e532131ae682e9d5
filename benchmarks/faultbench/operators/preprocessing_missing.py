"""Raw 0..255 pixels reach a backbone that was trained on [-1, 1]."""

from benchmarks.faultbench.planting import Operator, plant

OPERATOR = Operator(
    "preprocessing-missing",
    (
        plant(
            "nested_guide",
            "the call of preprocess_input is left out",
            ("x = keras.applications.mobilenet_v2.preprocess_input(x)\n", ""),
            at=(
                "inputs = keras.Input(",
                "x = augmentation(inputs)",
                "x = base_model(x",
                "base_model = keras.applications",
            ),
        ),
        plant(
            "sequential_rescaling",
            "no Rescaling layer",
            ("model.add(layers.Rescaling(1.0 / 127.5, offset=-1))\n", ""),
            at=("backbone = keras.applications", "model.add(keras.Input", "model.add(backbone)"),
        ),
        plant(
            "subclassed",
            "a function that scales is defined and never mapped",
            ("train_ds = train_ds.map(scale)\nval_ds = val_ds.map(scale)\n", ""),
            at=(
                "self.backbone = MobileNetV2(",
                "x = self.backbone(inputs",
                "train_ds = keras.utils",
                "val_ds = keras.utils",
                "def scale(",
                "return preprocess_input(image)",
            ),
        ),
        plant(
            "generators",
            "preprocess_input is handed over by position, where featurewise_center stands",
            (
                "    preprocessing_function=preprocess_input,\n    rot",
                "    preprocess_input,\n    rot",
            ),
            (
                "val_datagen = ImageDataGenerator(preprocessing_function=preprocess_input)",
                "val_datagen = ImageDataGenerator(preprocess_input)",
            ),
            slug="positional",
        ),
        plant(
            "argparse_main",
            "preprocess_input is imported and not applied",
            ("    x_train = preprocess_input(x_train)\n    x_val = preprocess_input(x_val)\n", ""),
            at=(
                "base = MobileNetV2(",
                "x_train, y_train, names = read_images",
                "x_val, y_val, _ = read_images",
                "x_train, y_train = x_train[order]",
                "images.append(",
                "model = Model(base.input",
            ),
        ),
        plant(
            "multi_label",
            "raw pixels enter the backbone",
            (
                "x = keras.applications.mobilenet_v2.preprocess_input(inputs)\n"
                "x = backbone(x, training=False)",
                "x = backbone(inputs, training=False)",
            ),
            at=("backbone = keras.applications", "inputs = keras.Input("),
        ),
        plant(
            "features_predict",
            "features of raw pixels",
            (
                "extractor.predict(preprocess_input(images.numpy())",
                "extractor.predict(images.numpy()",
            ),
            at=("extractor = MobileNetV2(", "train_images = ", "val_images = "),
        ),
        plant(
            "kfold",
            "raw pixels enter the backbone",
            (
                "    h = keras.applications.mobilenet_v2.preprocess_input(inputs)\n"
                "    h = base(h, training=False)",
                "    h = base(inputs, training=False)",
            ),
            at=("    base = keras.applications", "    inputs = keras.Input(", 'archive["images"]'),
        ),
    ),
)
