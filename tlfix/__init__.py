"""A doctor for transfer learning in Keras: it diagnoses by measurement and proves its patches."""

__version__ = "0.1.0"
