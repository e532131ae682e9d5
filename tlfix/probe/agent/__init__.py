"""What runs inside the user's interpreter: it watches the training and streams what it sees.

This package imports nothing of tlfix. It is loaded under the name ``tlfix_agent`` into whatever
interpreter the user trains with, and may use the standard library, numpy and the Keras found there.
"""
