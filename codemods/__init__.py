"""Source transformations for Keras programs, one per file; they know nothing about causes.

Each module ``codemods/<name>.py`` defines one class ``Codemod``, an ordinary
``libcst.codemod.VisitorBasedCodemodCommand``, told exactly where to edit by positions.
"""

from tlfix.codemods.base import Declined, Position, names, transform

__all__ = ["Declined", "Position", "names", "transform"]
