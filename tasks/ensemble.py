"""An ensemble's servers: each model with its own, so that one that does not come up leaves the others."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from blocks.fleet import Fleet
from blocks.servers import ServerSpec
from nightschool.chunks import Chunk
from nightschool.errors import WorldError
from nightschool.wire import Endpoint
from tasks import progress
from tasks.ledger import Ledger
from tasks.night import Night
from tasks.serving import Desk, ensemble


class EnsembleDesk(Desk):
    """All models of a night's ensemble, up together.

    Raises:
        RecipeError: see `tasks.serving.ensemble`.
    """

    def __init__(self, night: Night, ledger: Ledger) -> None:
        specs = ensemble(night)
        super().__init__(night, ledger, [specs])
        self._fleets = [(spec, self._fleet_of(spec)) for spec in specs]
        self.silent: dict[str, str] = {}

    def served(self, chunks: Sequence[Chunk]) -> dict[str, Endpoint]:
        """Endpoints of all models that come up; `silent` says why the others did not.

        Raises:
            WorldError: none comes up.
        """
        self.silent.clear()
        with ThreadPoolExecutor(len(self._fleets)) as pool:
            found = list(pool.map(self._start, self._fleets))
        served = {name: endpoint for one in found for name, endpoint in one.items()}
        if not served:
            raise WorldError("\n".join(["no model of the ensemble comes up", *self.silent.values()]))
        return served

    def _start(self, one: tuple[ServerSpec, Fleet]) -> dict[str, Endpoint]:
        spec, fleet = one
        try:
            return fleet.start()
        except WorldError as error:
            said = str(error).splitlines()[0]
            self.silent |= dict.fromkeys(spec.served, said)
            progress.notice(f"{', '.join(spec.served)} does not come up: {said}", urgent=True)
            return {}

    def _fleet_of(self, spec: ServerSpec) -> Fleet:
        folder = self._night.servers / spec.name
        return Fleet([spec], log_dir=folder, on_progress=progress.notice, on_death=self._note_death)

    def stop(self) -> None:
        for _, fleet in self._fleets:
            fleet.stop()
