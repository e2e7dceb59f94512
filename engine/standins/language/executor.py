"""Runs one program: ``executor.py SETTINGS-JSON WORKING-DIRECTORY ENTRY-POINT [ARGUMENT...]``.

It runs under the project's own interpreter and so imports nothing but the standard library and the project's SDK.
"""

import asyncio
import json
import logging
import os
import runpy
import signal
import sys
import traceback
from concurrent.futures import ThreadPoolExecutor

ALREADY_REPORTED = 32
"""Exit status: the error has been shown, the engine must not add its own (as the official host and executor agree)."""


def users_traceback() -> str:
    """Return the current exception's traceback, from the program's first frame on: the one that runpy calls."""
    frames = traceback.extract_tb(sys.exc_info()[2])
    runners = [index for index, frame in enumerate(frames) if frame.filename == runpy.run_path.__code__.co_filename]
    first = runners[-1] + 1 if runners else 0
    return traceback.format_exc(limit=first - len(frames)) if first < len(frames) else traceback.format_exc()


def main() -> int:
    """Run the program and return the exit status."""
    sys.path.pop(0)  # this file's directory: nothing of it is the program's
    try:
        import pulumi
        import pulumi.runtime
    except ImportError:
        print(f"The pulumi package is not installed for {sys.executable}: run `uv sync`.", file=sys.stderr)
        return 1

    # The engine has given up by then and says why; a traceback from here would only hide that.
    signal.signal(signal.SIGINT, lambda *_: os._exit(ALREADY_REPORTED))
    settings = json.loads(sys.argv[1])
    directory, entry, *arguments = sys.argv[2:]
    pulumi.runtime.set_all_config(pulumi.runtime.get_config_env(), pulumi.runtime.get_config_secret_keys_env())
    pulumi.runtime.configure(pulumi.runtime.Settings(**settings))
    os.chdir(directory)
    sys.argv = [entry, *arguments]

    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    workers = ThreadPoolExecutor(max_workers=4 * max(settings["parallel"] or 0, 1))
    loop.set_default_executor(workers)
    # After a failure some futures are not awaited any more; complaints about them would hide the error.
    logging.getLogger("asyncio").setLevel(logging.CRITICAL)

    def run() -> None:
        runpy.run_path(entry, run_name="__main__")

    try:
        loop.run_until_complete(pulumi.runtime.run_in_stack(run))
    except pulumi.RunError as error:
        pulumi.log.error(str(error))
        return 1
    except Exception:  # whatever the program raises, the engine has to hear of it
        pulumi.log.error("Program failed with an unhandled exception:\n" + users_traceback())
        return ALREADY_REPORTED
    finally:
        workers.shutdown()
        loop.close()
        sys.stdout.flush()
        sys.stderr.flush()
    return 0


if __name__ == "__main__":
    sys.exit(main())
