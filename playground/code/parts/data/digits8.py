"""scikit-learn's digits."""

import torch
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

digits = load_digits()
x, _, y, _ = train_test_split(
    digits.images / 16, digits.target, test_size=0.25, random_state=0, stratify=digits.target
)
items = torch.from_numpy(x).float()[:, None]  # (n, 1, 8, 8), from 0 to 1
labels = torch.from_numpy(y).long()
