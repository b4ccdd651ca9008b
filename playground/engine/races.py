"""The races of an engine: those under way, and those remembered on disk."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from playground.engine.race import Race
from playground.engine.record import EngineError
from playground.store import Group, RunFolder, StoreError, group, races
from playground.store.races import Card, new_race_id

if TYPE_CHECKING:
    from playground.engine.manager import Engine


class Races:
    """Any thread may call."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self._live: dict[str, Race] = {}
        self._lock = threading.Lock()

    def start(self, card: Card) -> Race:
        """Make a race ready."""
        race = Race(self.engine, card, begun=False)
        if race.together:
            self.engine.launcher.pool.stock(len(card.racers))
        with self._lock:
            self._live[card.id] = race
        return race

    def get(self, race: str) -> Race:
        """Return a race, from disk where it is not known yet; raises `EngineError` where there is none."""
        with self._lock:
            if race not in self._live:
                try:
                    self._live[race] = Race(self.engine, races.read(self.engine.root, race), begun=True)
                except StoreError as error:
                    raise EngineError(str(error)) from None
            return self._live[race]

    def fork(self, race: str, step: int) -> str:
        """Return the id of a race that goes on from a saved moment of all runs of another."""
        old = self.get(race)
        left = old.left()
        racers = [r.model_copy(update={"run": self.engine.fork(r.run, step)}) for r in old.card.racers if r.run in left]
        card = Card(
            id=new_race_id(), title=f"{old.card.title} (from step {step:,})", knob=old.card.knob, racers=tuple(racers)
        )
        old.send("look", step=None)
        try:
            for racer in racers:
                group.write(self.engine.root / racer.run, Group(kind="race", id=card.id, label=racer.label))
            races.write(self.engine.root, card)
        except StoreError as error:
            raise EngineError(str(error)) from None
        return card.id

    def cards(self) -> list[Card]:
        """Return the races that were begun and of which at least two runs are left, the latest first."""
        root = self.engine.root
        found = races.cards(root)
        return [card for card in found if sum(RunFolder(root / run).path.is_dir() for run in card.runs) > 1]

    def close(self) -> None:
        """Drive nobody any more."""
        for race in list(self._live.values()):
            race.close()
