"""From a phase's chunks to their states: so many at once, and what another night makes is come back to."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from queue import SimpleQueue

from prefect.client.schemas.objects import State
from prefect.futures import PrefectFuture
from prefect.states import Crashed

from nightschool.chunks import Chunk

Future = PrefectFuture[State]


def dispatch(
    chunks: Sequence[Chunk],
    submit: Callable[[Chunk], Future],
    *,
    at_once: int,
    elsewhere: Callable[[Chunk], bool],
) -> Iterator[tuple[int, State]]:
    """Each chunk's place and final state, as they end.

    Chunks go out in order, but one that is being made elsewhere is passed over as long as another can be made: it is
    waited for when nothing else is left to do.
    """
    waiting = dict(enumerate(chunks))
    ended: SimpleQueue[tuple[int, Future]] = SimpleQueue()
    running = 0
    while waiting or running:
        while waiting and running < at_once:
            place = next((one for one, chunk in waiting.items() if not elsewhere(chunk)), next(iter(waiting)))
            future = submit(waiting.pop(place))
            future.add_done_callback(lambda future, place=place: ended.put((place, future)))
            running += 1
        place, future = ended.get()
        running -= 1
        future.wait()
        state = future.state
        # Of a task whose process died Dask's future has no state, and Prefect's server knows none that is final.
        yield place, state if state.is_final() else Crashed(message="the process that made it has died")
