"""One thing done to many machines at the same time."""

import queue
import threading
from collections.abc import Callable, Iterable

from lab.machines.base import Machine
from lab.rack import RackError

Result = tuple[str, BaseException | None]


def together(machines: Iterable[Machine], action: Callable[[Machine], None]) -> None:
    """Run `action` for every machine, all at once, and wait for all. Raise one `RackError` for all that failed.

    The threads are daemons: an interrupted program ends at once instead of waiting for a machine to boot. That is
    harmless, because every action can be cut short and repeated.
    """
    results: queue.SimpleQueue[Result] = queue.SimpleQueue()

    def work(machine: Machine) -> None:
        try:
            action(machine)
        except BaseException as error:  # handed to the waiting thread
            results.put((machine.spec.name, error))
        else:
            results.put((machine.spec.name, None))

    threads = [threading.Thread(target=work, args=(machine,), daemon=True) for machine in machines]
    for thread in threads:
        thread.start()
    outcomes = [results.get() for _ in threads]
    for _, error in outcomes:
        if error is not None and not isinstance(error, RackError):
            raise error
    if failures := [str(error) for _, error in outcomes if error is not None]:
        raise RackError("\n".join(failures))
