"""The training loops that people take off the shelf, for `benchmarks.autoencoder`: PyTorch Lightning's and pythae's.

Falcon et al. 2019, github.com/Lightning-AI/pytorch-lightning; Chadebec et al. 2022, "Pythae: unifying generative
autoencoders in Python", arXiv 2206.08309. Each trains a module that has `encode`, `decode` and `loss` on a DataLoader
of its own, on the CPU, with Adam at 1e-3 and batches of 128, without end; `done` is called after each step. Lightning's
module logs its loss as the autoencoder of its introduction does; pythae computes the loss in its own model, VAE or AE,
around the module's nets. Logger, checkpoints and progress bars are off. Neither is a requirement of the project.
"""

from __future__ import annotations

import importlib.util
import logging
import tempfile
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from torch import Tensor, nn, optim
from torch.utils.data import DataLoader, TensorDataset

PINS = {"Lightning's Trainer": ("lightning", "2.6.6"), "pythae's BaseTrainer": ("pythae", "0.1.2")}
BATCH, LR, FOR_EVER = 128, 1e-3, 10**9


def missing(trainer: str) -> str | None:
    """Say in one sentence how to install what a trainer needs; None where it is there or needs nothing."""
    package, version = PINS.get(trainer, ("torch", ""))
    if importlib.util.find_spec(package):
        return None
    return f"{package} is not installed: measure this with pip install {package}=={version}"


@contextmanager
def quietly() -> Iterator[None]:
    """Let nothing but errors be said."""
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        with warnings.catch_warnings(action="ignore"):
            yield
    finally:
        logging.disable(before)


def by_lightning(module: nn.Module, x: Tensor, done: Callable[[], None]) -> None:
    """Train with `lightning.Trainer`."""
    import lightning

    class Module(lightning.LightningModule):
        def __init__(self) -> None:
            super().__init__()
            self.module = module

        def training_step(self, batch: list[Tensor], index: int) -> Tensor:
            (x,) = batch
            loss = self.module.loss(x.flatten(1)) / len(x)
            self.log("train_loss", loss)
            return loss

        def configure_optimizers(self) -> optim.Optimizer:
            return optim.Adam(self.parameters(), lr=LR)

    class HandOver(lightning.Callback):
        def on_train_batch_end(self, *args: Any, **kwargs: Any) -> None:
            done()

    quiet = {"logger": False, "enable_checkpointing": False, "enable_progress_bar": False}
    with quietly():
        trainer = lightning.Trainer(
            accelerator="cpu", max_epochs=-1, enable_model_summary=False, callbacks=[HandOver()], **quiet
        )
        trainer.fit(Module(), DataLoader(TensorDataset(x), batch_size=BATCH, shuffle=True))


def by_pythae(module: nn.Module, x: Tensor, done: Callable[[], None]) -> None:
    """Train with `pythae.trainers.BaseTrainer`, as its VAE where the module has log variances, else as its AE."""
    with quietly(), tempfile.TemporaryDirectory() as folder:
        from pythae import trainers
        from pythae.data.datasets import BaseDataset
        from pythae.trainers.training_callbacks import CallbackHandler, TrainingCallback

        class HandOver(TrainingCallback):
            def on_train_step_end(self, *args: Any, **kwargs: Any) -> None:
                done()

        class Trainer(trainers.BaseTrainer):
            def _setup_callbacks(self) -> None:  # its own adds a progress bar
                self.callback_handler = CallbackHandler([HandOver()], self.model)

        config = trainers.BaseTrainerConfig(
            output_dir=folder, per_device_train_batch_size=BATCH, learning_rate=LR, num_epochs=FOR_EVER, no_cuda=True
        )
        Trainer(pythae_model(module, x), BaseDataset(x, x.new_zeros(len(x))), training_config=config).train()


def pythae_model(module: nn.Module, x: Tensor) -> nn.Module:
    """Return pythae's model around a module's two nets."""
    from pythae.models import AE, VAE, AEConfig, VAEConfig
    from pythae.models.base.base_utils import ModelOutput
    from pythae.models.nn import BaseDecoder, BaseEncoder

    class Encoder(BaseEncoder):
        def __init__(self) -> None:
            super().__init__()
            self.module = module

        def forward(self, x: Tensor) -> Any:
            names = ("embedding", "log_covariance")
            return ModelOutput(**dict(zip(names, self.module.encode(x.flatten(1)), strict=False)))

    class Decoder(BaseDecoder):
        def __init__(self) -> None:
            super().__init__()
            self.module = module

        def forward(self, z: Tensor) -> Any:
            return ModelOutput(reconstruction=self.module.decode(z))

    shape, codes = tuple(x.shape[1:]), module.encode(x[:1].flatten(1))
    how = {"input_dim": shape, "latent_dim": codes[0].shape[1]}
    if len(codes) == 2:
        return VAE(VAEConfig(reconstruction_loss="bce", **how), Encoder(), Decoder())
    return AE(AEConfig(**how), Encoder(), Decoder())


TRAINERS: dict[str, Callable[[nn.Module, Tensor, Callable[[], None]], None]] = {
    "Lightning's Trainer": by_lightning, "pythae's BaseTrainer": by_pythae,
}  # fmt: skip
