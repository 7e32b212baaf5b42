from typing import final

@final
class Attribute:
    """The values of one attribute as one worker meets them."""
