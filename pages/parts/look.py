"""A saved moment of a run as the Explore pages see it: its model, its items coded, PCA beside it; each made once."""

from __future__ import annotations

from dataclasses import dataclass

import streamlit as st
import torch

from pages.parts import state
from pages.parts.source import Source
from playground.experiment import Experiment
from playground.families.base import Family
from playground.latent.coded import Coded, Part, coded
from playground.latent.moments import moment
from playground.latent.pca import Pca
from playground.rng import fresh

MANY = 2000  # items that a page looks at


@dataclass(frozen=True)
class Look:
    """A saved moment of a run; `cuts` tells a step that was trained anew from what it was before."""

    run: str
    step: int
    cuts: int

    @property
    def experiment(self) -> Experiment:
        """What was being trained at that moment."""
        return moment(self.run, self.step).experiment

    @property
    def model(self) -> Family:
        """The model as it was at that moment."""
        return moment(self.run, self.step).family

    @property
    def source(self) -> Source:
        """The same moment, for components that ask it themselves."""
        data = self.experiment.data
        return Source(self.run, self.step, state.engine().token, data.kind, data.shape, data.classes)

    def scores(self) -> dict[str, float]:
        """Return the last scores at or before that moment."""
        folder = state.engine().folder(self.run)
        return {} if folder is None else folder.at(self.step)["scores"]

    def ready(self) -> None:
        """Raise what its file or its data have against being looked at, in one sentence."""
        held = self.experiment.data.held_out(1, 0).x
        model = self.model
        model.encode(held) if "encode" in model.abilities else model.noise(1, fresh(0, "ready"))

    def pca(self) -> Pca:
        """Return PCA of the training items with as many components as the model has codings."""
        return _pca(self)

    def items(self, n: int, part: Part = "held-out") -> Coded:
        """Return n items of its data, sent through the model and back."""
        return _items(self, n, part)


@st.cache_resource(max_entries=12, show_spinner="Encoding and decoding …")
def _items(look: Look, n: int, part: Part) -> Coded:
    then = moment(look.run, look.step)
    with then.lock:
        return coded(then.family, then.experiment.data, n, part, then.experiment.seed)


@st.cache_resource(max_entries=8, show_spinner=False)
def _pca(look: Look) -> Pca:
    known = look.items(MANY, "training")
    return Pca.fit(torch.from_numpy(known.x), known.codes.shape[1])
