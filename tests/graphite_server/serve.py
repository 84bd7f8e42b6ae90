"""Serves the real graphite-web on a free loopback port, and writes the metrics it is told to on its standard input.

`python serve.py ROOT` prints `READY <port>`. Then each line of standard input is a JSON object
`{"write": [[name, [[time, value], ...]], ...], "archives": [[step_s, points], ...], "now": epoch_s or null}`, and is
answered by a line `{"written": <metrics>}` or `{"error": <text>}`. It ends when its standard input does, so that it
never outlives the process that started it, and after --max-seconds at the latest.
"""

import argparse
import base64
import json
import os
import sys
import threading
from collections.abc import Callable, Iterable
from pathlib import Path

import compat

SETTINGS = """
SECRET_KEY = "only for tests"
STORAGE_DIR = {root!r} + "/storage"
CONF_DIR = {root!r} + "/conf"
STATIC_ROOT = {root!r} + "/static"
CARBONLINK_HOSTS = []
REPLICATION_FACTOR = 0  # without it, an empty CARBONLINK_HOSTS logs an exception for every series read
LOG_INFO_PERFORMANCE = False
FETCH_TIMEOUT = 60.0
"""


def main() -> int:
    """Serve until standard input ends."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("root", type=Path)
    parser.add_argument("--max-seconds", type=float, default=900)
    parser.add_argument("--require-auth", metavar="USER:PASS")
    options = parser.parse_args()
    last_resort = threading.Timer(options.max_seconds, os._exit, [1])
    last_resort.daemon = True
    last_resort.start()

    # What graphite-web prints must not get between our own lines.
    answers, sys.stdout = sys.stdout, sys.stderr
    port = serve(options.root.resolve(), options.require_auth)
    print("READY", port, file=answers, flush=True)
    for line in sys.stdin:
        print(json.dumps(answer(options.root, line)), file=answers, flush=True)
    return 0


def serve(root: Path, credentials: str | None) -> int:
    """Start serving from a thread of its own; returns the port."""
    configure(root)
    compat.supply_cairo()

    import waitress
    from django.core.management import call_command
    from graphite.wsgi import application

    call_command("migrate", "--run-syncdb", verbosity=0)  # /metrics/find and /tags need their tables
    import graphite.render.views  # noqa: F401 - slow to import: not at the first request

    if credentials is not None:
        application = guarded(application, credentials)
    server = waitress.create_server(application, host="127.0.0.1", port=0, threads=4)
    threading.Thread(target=server.run, daemon=True).start()
    return server.effective_port


def configure(root: Path) -> None:
    """Make graphite-web live below root; it looks for its directories while its settings are imported."""
    for directory in ("storage/whisper", "storage/log/webapp", "conf", "static"):
        (root / directory).mkdir(parents=True, exist_ok=True)
    (root / "graphite_test_settings.py").write_text(SETTINGS.format(root=str(root)))
    sys.path.insert(0, str(root))
    os.environ["GRAPHITE_SETTINGS_MODULE"] = "graphite_test_settings"
    os.environ["DJANGO_SETTINGS_MODULE"] = "graphite.settings"

    import django

    django.setup()


def guarded(application: Callable[..., Iterable[bytes]], credentials: str) -> Callable[..., Iterable[bytes]]:
    """Put HTTP basic authentication before a WSGI application, as the web server before a Graphite does."""
    expected = "Basic " + base64.b64encode(credentials.encode()).decode()

    def guard(environ: dict[str, object], start_response: Callable[..., object]) -> Iterable[bytes]:
        if environ.get("HTTP_AUTHORIZATION") == expected:
            return application(environ, start_response)
        headers = [("WWW-Authenticate", 'Basic realm="Graphite"'), ("Content-Type", "text/html")]
        start_response("401 Unauthorized", headers)
        return [b"<html><head><title>401 Authorization Required</title></head></html>"]

    return guard


def answer(root: Path, line: str) -> dict[str, object]:
    """Do what one line of standard input says."""
    try:
        request = json.loads(line)
        for name, points in request["write"]:
            write(root / "storage" / "whisper", name, points, request["archives"], request["now"])
    except Exception as error:  # noqa: BLE001 - the one who asked is to hear of it, whatever it is
        return {"error": f"{type(error).__name__}: {error}"}
    return {"written": len(request["write"])}


def write(storage: Path, name: str, points: list[list[float]], archives: list[list[int]], now: int | None) -> None:
    """Write one metric's points; its file is made by the first write, whose archives it keeps."""
    import whisper  # here, as graphite-web must find its settings before it imports whisper itself

    path = storage.joinpath(*name.split(".")).with_suffix(".wsp")
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        whisper.create(str(path), [tuple(archive) for archive in archives], xFilesFactor=0.0)
    whisper.update_many(str(path), [(int(time), value) for time, value in points], now=now)


if __name__ == "__main__":
    sys.exit(main())
