"""scikit-learn's handwritten digits: 1,797 pictures of 8 x 8 pixels, bundled with the package, so always there.

The test part of the UCI set "Optical recognition of handwritten digits" (Alpaydin and Kaynak 1998): each pixel counts
the dark dots of a 4 x 4 block of the scan, 0 to 16, here divided by 16. A quarter is held out, every class with its
share, by scikit-learn's own split with random state 0, so that published figures on that split can be compared.
"""

from __future__ import annotations

from typing import ClassVar

import torch

from playground.data.base import Items, Kind, Table


class Digits(Table):
    """The 8 x 8 digits."""

    id: ClassVar[str] = "digits"
    title: ClassVar[str] = "Digits 8 × 8"
    about: ClassVar[str] = "1,797 handwritten digits of 8 × 8 pixels that come with scikit-learn: small, real, fast."
    kind: ClassVar[Kind] = "images"
    rank: ClassVar[int] = 20

    @property
    def shape(self) -> tuple[int, ...]:
        """One grey channel of 8 x 8 pixels."""
        return (1, 8, 8)

    @property
    def classes(self) -> tuple[str, ...]:
        """The ten digits."""
        return tuple("0123456789")

    def load(self) -> tuple[Items, Items]:
        """Return 1,347 digits to train on and 450 held out, the split of
        `train_test_split(x, y, test_size=0.25, random_state=0, stratify=y)`."""
        from sklearn.datasets import load_digits
        from sklearn.model_selection import train_test_split

        digits = load_digits()
        split = train_test_split(
            digits.images / 16, digits.target, test_size=0.25, random_state=0, stratify=digits.target
        )
        x, x_held, y, y_held = (torch.from_numpy(part) for part in split)
        return Items(x.float()[:, None], y.long()), Items(x_held.float()[:, None], y_held.long())
