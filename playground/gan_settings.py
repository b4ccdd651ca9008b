"""What can be set on adversarial families: networks, losses, penalties, optimisers and tricks of the two players."""

from __future__ import annotations

from typing import Literal

from playground import augmentation, fast, losses, nets, optim, penalties
from playground.config import Config, knob

GOODFELLOW = "Goodfellow et al. 2014, arXiv 1406.2661"
MESCHEDER = "Mescheder et al. 2018, arXiv 1801.04406"
SALIMANS = "Salimans et al. 2016, arXiv 1606.03498"
KINGMA = "Kingma and Ba 2014, arXiv 1412.6980"
RADFORD = "Radford et al. 2015, arXiv 1511.06434"
IOFFE = "Ioffe and Szegedy 2015, arXiv 1502.03167"
HEUSEL = "Heusel et al. 2017, arXiv 1706.08500"
G, D, OBJECTIVE, TRAINING, TRICKS = "Generator", "Discriminator", "Objective", "Training", "Tricks"

Body = Literal["dense", "dcgan", "upsample"]
CONVOLUTIONAL = ("dcgan", "upsample")


class GanSettings(Config):
    """What can be set on a GAN. Live fields act on the running model; the others build it anew."""

    # fmt: off
    body: Body = knob("dense", "What the networks are made of: fully connected layers, or convolutions that know that "
        "neighbouring pixels belong together.", short="body", group=G, kinds=("images",),
        paper=RADFORD, choice_labels=("dense", "DCGAN", "upsample and convolve"))
    g_depth: int = knob(3, "Hidden layers of G.", short="gd", group=G, label="Depth", low=1, high=6,
        needs=("body", ("dense",)))
    g_width: int = knob(128, "Units in each hidden layer of G.", short="gw", group=G, label="Width",
        low=4, high=1024, scale="log", needs=("body", ("dense",)))
    noise_dim: int = knob(8, "Numbers in z, the noise G turns into one point or image; 2 can be drawn as a square.",
        short="z", group=G, label="Noise dimension", low=1, high=256, scale="log")
    maps: int = knob(32, "Feature maps beside the image; each halving of its side doubles them.", short="maps", group=G,
        label="Feature maps", low=4, high=128, scale="log", kinds=("images",), needs=("body", CONVOLUTIONAL))
    g_norm: Literal["none", "batch"] = knob("batch", "Keep G's numbers in range: give each feature map mean 0 and "
        "spread 1 over the batch.", short="gn", group=G, label="Norm of G", kinds=("images",), paper=IOFFE,
        needs=("body", CONVOLUTIONAL), choice_labels=("none", "batch norm"))
    noise_kind: Literal["gaussian", "uniform"] = knob("gaussian", "Where z comes from: N(0, 1) or U(-1, 1) each.",
        short="zk", group=G, label="Noise", choice_labels=("Gaussian", "uniform"))
    activation: nets.Activation = knob("leaky-relu", "Bend between the layers of both nets; convolutional ones have "
        "ReLU in G and leaky ReLU in D.", short="act", group=G, paper=RADFORD, needs=("body", ("dense",)),
        choice_labels=("ReLU", "leaky ReLU 0.2", "tanh", "ELU", "GELU", "SiLU"))
    init: nets.Init = knob("default", "How the first weights of both nets are drawn; usual is PyTorch's way for dense "
        "layers and normal 0.02 for convolutional players.", short="init", group=G,
        label="First weights", choice_labels=("usual", "Xavier", "Kaiming", "orthogonal", "normal 0.02"))
    init_gain: float = knob(1.0, "Factor on the first weights.", short="gain", group=G, label="Gain of first weights",
        low=0.1, high=3.0, step=0.05)
    d_depth: int = knob(3, "Hidden layers of D.", short="dd", group=D, label="Depth", low=1, high=6,
        needs=("body", ("dense",)))
    d_width: int = knob(128, "Units in each hidden layer of D.", short="dw", group=D, label="Width",
        low=4, high=1024, scale="log", needs=("body", ("dense",)))
    d_norm: Literal["none", "batch", "layer"] = knob("batch", "Keep D's numbers in range: over the batch, or in each "
        "row by itself, which penalties on D's slope need.", short="dn", group=D, label="Norm of D", kinds=("images",),
        paper=IOFFE, needs=("body", CONVOLUTIONAL), choice_labels=("none", "batch norm", "layer norm"))
    spectral: bool = knob(False, "Divide each weight of D by its largest singular value: D's slope stays below 1.",
        short="sn", group=D, label="Spectral norm", paper="Miyato et al. 2018, arXiv 1802.05957")

    loss: losses.Name = knob("non-saturating", "What the two players minimise.", short="loss",
        group=OBJECTIVE, live=True, paper=GOODFELLOW, choice_labels=("minimax", "non-saturating", "least squares",
        "hinge", "Wasserstein, clipped", "Wasserstein, gradient penalty", "relativistic average"))
    clip: float = knob(0.1, "After each update D's weights are cut to [-clip, clip].", short="clip", group=OBJECTIVE,
        live=True, low=0.001, high=1.0, scale="log", needs=("loss", ("wasserstein-clip",)),
        paper="Arjovsky et al. 2017, arXiv 1701.07875")
    penalty: penalties.Name = knob("none", "Charge D for its slope: between real and fake (GP), at real points (R1), "
        "at fakes (R2), around real points (DRAGAN).", short="pen", group=OBJECTIVE, live=True, paper=MESCHEDER,
        choice_labels=("none", "gradient penalty", "R1", "R2", "DRAGAN"),
        needs=("loss", (*losses.SMOOTHED, "hinge", "wasserstein-clip")))
    penalty_weight: float = knob(1.0, "Weight of the penalty: λ for GP and DRAGAN, γ for R1 and R2 (γ/2 |slope|²).",
        short="pw", group=OBJECTIVE, live=True, low=0.0, high=100.0, scale="log", step=0.05, paper=MESCHEDER,
        needs=("penalty_in_use", ("gp", "r1", "r2", "dragan")))
    penalty_target: float = knob(1.0, "Slope that GP and DRAGAN pull D to: 1, or 0 for a zero-centred penalty.",
        short="pt", group=OBJECTIVE, live=True, low=0.0, high=1.0, step=0.5, needs=("penalty_in_use", ("gp", "dragan")),
        paper="Gulrajani et al. 2017, arXiv 1704.00028")

    lr_d: float = knob(1e-3, "Learning rate of D.", short="lrd", group=TRAINING, live=True, label="Learning rate D",
        low=1e-6, high=1.0, scale="log", paper=HEUSEL)
    lr_g: float = knob(1e-3, "Learning rate of G.", short="lrg", group=TRAINING, live=True, label="Learning rate G",
        low=1e-6, high=1.0, scale="log", paper=HEUSEL)
    optimiser_d: optim.Name = knob("adam", "Rule of D's updates.", short="od", group=TRAINING, label="Optimiser D",
        paper=KINGMA, choice_labels=("SGD", "Adam", "RMSprop", "optimistic Adam"))
    optimiser_g: optim.Name = knob("adam", "Rule of G's updates.", short="og", group=TRAINING, label="Optimiser G",
        paper="Daskalakis et al. 2018, arXiv 1711.00141", choice_labels=("SGD", "Adam", "RMSprop", "optimistic Adam"))
    beta1: float = knob(0.5, "How much of the last direction Adam keeps (both players).", short="b1", group=TRAINING,
        live=True, low=0.0, high=0.999, step=0.01, needs=("has_beta1", (True,)), paper=KINGMA)
    beta2: float = knob(0.999, "Memory of the squared gradients in Adam and RMSprop (both players).", short="b2",
        group=TRAINING, live=True, low=0.0, high=0.9999, step=0.001, needs=("has_beta2", (True,)), paper=KINGMA)
    momentum: float = knob(0.0, "Momentum of SGD and RMSprop (both players).", short="mom", group=TRAINING, live=True,
        low=0.0, high=0.999, step=0.01, needs=("has_momentum", (True,)))
    batch: int = knob(256, "Rows that D scores in one update: so many real and so many fake.", short="batch",
        group=TRAINING, live=True, label="Batch size", low=1, high=4096, scale="log", unit="rows")
    precision: fast.Precision = knob("float32", "Arithmetic of the layers. bfloat16 keeps 8 bits of each number and is "
        "faster where the device has it (else float32 goes on).", short="prec", group=TRAINING, live=True,
        kinds=("images",), paper="Kalamkar et al. 2019, arXiv 1905.12322")
    d_steps: int = knob(1, "Updates of D in one step.", short="ds", group=TRAINING, live=True, label="D updates a step",
        low=1, high=20, needs=("order", ("alternating",)), paper=GOODFELLOW)
    g_steps: int = knob(1, "Updates of G in one step.", short="gs", group=TRAINING, live=True, label="G updates a step",
        low=1, high=20, needs=("order", ("alternating",)))
    order: Literal["alternating", "simultaneous"] = knob("alternating", "Alternating: D moves, then G answers the "
        "new D. Simultaneous: both gradients at the same point, one update each.", short="ord", group=TRAINING,
        live=True, label="Order of updates", paper=MESCHEDER)

    smoothing: float = knob(0.0, "Real points get the label 1 minus this; fakes keep 0.", short="ls", group=TRICKS,
        live=True, label="Label smoothing", low=0.0, high=0.5, step=0.01, needs=("loss", losses.SMOOTHED),
        paper=SALIMANS)
    instance_noise: float = knob(0.0, "Noise added to all points D sees, real and fake, at step 0.", short="in",
        group=TRICKS, live=True, low=0.0, high=2.0, step=0.01, unit="data units",
        paper="Sønderby et al. 2017, arXiv 1610.04490")
    instance_noise_decay: int = knob(0, "Steps until the instance noise has fallen to 0 in a line; 0: it stays.",
        short="ind", group=TRICKS, live=True, low=0, high=1_000_000, scale="log", unit="steps",
        paper="Sønderby et al. 2017, arXiv 1610.04490")
    augment: augmentation.Augment = knob("none", "Change each image that D sees, real or fake, by chance, and let G "
        "learn through it; each choice does what those before it do.", short="aug", group=TRICKS, live=True,
        label="Augmentation", kinds=("images",), paper="Zhao et al. 2020, arXiv 2006.10738",
        choice_labels=("none", "translation", "and cutout", "and colour"))
    minibatch: nets.Minibatch = knob("none", "Let D see how alike its batch is.", short="mb", group=TRICKS,
        label="Minibatch feature", choice_labels=("none", "discrimination", "standard deviation"), paper=SALIMANS)
    packing: int = knob(1, "Independent points that D judges together as one row.", short="pack", group=TRICKS, low=1,
        high=4, paper="Lin et al. 2018, arXiv 1712.04086")
    replay: float = knob(0.0, "Share of D's fakes that come from earlier steps.", short="rep", group=TRICKS, live=True,
        label="Replay share", low=0.0, high=0.9, step=0.05, paper="Shrivastava et al. 2017, arXiv 1612.07828")
    replay_size: int = knob(4096, "How many past fakes are kept.", short="repn", group=TRICKS, label="Replay memory",
        low=64, high=65_536, scale="log", unit="rows", paper="Shrivastava et al. 2017, arXiv 1612.07828")
    unroll: int = knob(0, "G looks so many D updates ahead, and its gradient flows through them.", short="unroll",
        group=TRICKS, live=True, label="Unrolled D updates", low=0, high=10, paper="Metz et al. 2017, arXiv 1611.02163")
    ema: float = knob(0.0, "Draw fakes from a moving average of G's weights with this decay; 0 draws from G itself.",
        short="ema", group=TRICKS, live=True, label="Average of G", low=0.0, high=0.9999, step=0.0001,
        paper="Yazıcı et al. 2019, arXiv 1806.04498")
    # fmt: on

    @property
    def penalty_in_use(self) -> str:
        """The penalty that acts: the gradient penalty is part of the loss `wasserstein-gp`."""
        return "gp" if self.loss == "wasserstein-gp" else self.penalty

    @property
    def mixes(self) -> bool:
        """Whether D's output on a row depends on the other rows of its batch."""
        return self.minibatch != "none" or (self.body != "dense" and self.d_norm == "batch")

    @property
    def has_beta1(self) -> bool:
        return not {"adam", "optimistic-adam"}.isdisjoint((self.optimiser_d, self.optimiser_g))

    @property
    def has_beta2(self) -> bool:
        return not {"adam", "optimistic-adam", "rmsprop"}.isdisjoint((self.optimiser_d, self.optimiser_g))

    @property
    def has_momentum(self) -> bool:
        return not {"sgd", "rmsprop"}.isdisjoint((self.optimiser_d, self.optimiser_g))
