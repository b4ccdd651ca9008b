"""Optimistic Adam (Daskalakis et al. 2018, arXiv 1711.00141)."""

import torch


class OptimisticAdam(torch.optim.Optimizer):
    """Adam that goes twice along each direction and takes the last one back."""

    def __init__(self, params, lr, betas):
        super().__init__(params, {"lr": lr, "betas": betas})

    @torch.no_grad()
    def step(self):
        (group,) = self.param_groups
        lr, (beta1, beta2) = group["lr"], group["betas"]
        for p in group["params"]:
            s = self.state[p]
            if not s:
                s.update(t=0, mean=torch.zeros_like(p), square=torch.zeros_like(p))
            s["t"] += 1
            s["mean"].lerp_(p.grad, 1 - beta1)
            s["square"].mul_(beta2).addcmul_(p.grad, p.grad, value=1 - beta2)
            root = s["square"].sqrt() / (1 - beta2 ** s["t"]) ** 0.5 + 1e-8
            direction = s["mean"] / (1 - beta1 ** s["t"]) / root
            p.sub_(lr * (2 * direction - s.get("last", direction)))
            s["last"] = direction
