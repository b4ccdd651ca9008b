"""The verdict on a game of two numbers (Dirac-GAN, bilinear): does (theta, psi) spiral in, circle or spiral out?

Simultaneous gradient steps turn the circle of the continuous game into an outward spiral, alternating ones keep it
closed, damping (R1, instance noise, optimism) draws it in (Mescheder et al. 2018, arXiv 1801.04406; Daskalakis et al.
2018, arXiv 1711.00141). Watch: the radius over whole turns, since within a turn even a closed orbit breathes.
"""

from __future__ import annotations

import math

import numpy as np

from playground.diagnostics import reasons
from playground.diagnostics.signals import Array, Evidence, Finding, Signals, State

ARRIVED = 1e-3  # a radius this small is the equilibrium to the eye
TURN = 2 * math.pi
DRIFT = 0.03  # change of log radius from first to last third that is more than the breathing of a closed orbit
AWAY = 0.2  # a radius growing by a fifth within the window is no orbit any more


def judge_game(s: Signals) -> Finding | None:
    """Judge the path of a game by its distance from the equilibrium; None where the run is not a game."""
    theta, psi = (s.train.get(f"phase/{name}", np.empty(0)) for name in ("theta", "psi"))
    if not len(theta) or len(theta) != len(psi):
        return None
    radius = np.hypot(theta, psi)
    if np.isinf(radius[-1]) or not np.isfinite(radius).any():
        return Finding("diverged", "Diverged: the two players have spiralled off to infinity.", reasons.SPIRAL_OUT)
    known = np.isfinite(radius)  # a player that stood still leaves a gap
    return _judge_path(radius[known], _turns(theta[known], psi[known]))


def _judge_path(radius: Array, turns: float) -> Finding:
    evidence = (
        Evidence("Distance from the equilibrium", _far(radius[-1]), f"0; {_far(radius[0])} earlier in this window"),
        Evidence("Turns in this window", f"{turns:.1f}", "0 on a straight way in"),
    )
    state, sentence, why = _drift(radius, turns)
    return Finding(state, sentence, why, evidence)


def _drift(radius: Array, turns: float) -> tuple[State, str, str]:
    if len(radius) < 10:
        return "warming", "Warming up: too few steps to see which way the path bends.", reasons.CIRCLE
    if radius[-1] < ARRIVED:
        return "healthy", "Healthy: the players have reached the equilibrium and stay there.", reasons.SPIRAL_IN
    thirds = [float(third.mean()) for third in np.array_split(np.log(np.maximum(radius, 1e-12)), 3)]
    drift, now = thirds[2] - thirds[0], math.exp(min(thirds[2], 700.0))
    if drift > AWAY or (drift > DRIFT and turns >= 1):
        grown = math.exp(min(drift, 700.0))
        sentence = f"Diverging: the path spirals outwards, now {grown:.3g} times as far out as earlier in this window."
        result: tuple[State, str, str] = ("diverged", sentence, reasons.SPIRAL_OUT)
    elif drift < -DRIFT:
        sentence = f"Healthy: the path spirals in towards the equilibrium, now {radius[-1]:.3g} away from it."
        result = ("healthy", sentence, reasons.SPIRAL_IN)
    elif turns < 0.5:
        result = ("warming", "Warming up: the path is still on its first turn.", reasons.CIRCLE)
    else:
        sentence = f"Oscillating: the players circle the equilibrium at a distance of {now:.3g} and never meet."
        result = ("oscillating", sentence, reasons.CIRCLE)
    return result


def _far(radius: float) -> str:
    return f"{radius:.3g}" if radius >= ARRIVED else f"below {ARRIVED:g}"


def _turns(theta: Array, psi: Array) -> float:
    angle = np.unwrap(np.arctan2(psi, theta))
    return float(abs(angle[-1] - angle[0]) / TURN)
