"""Writes a line every INTERVAL seconds."""
import datetime
import os
import pathlib
import time

log = pathlib.Path(os.environ["DATA_ROOT"], "log")
while True:
    with log.open("a") as lines:
        lines.write(f"worker {datetime.datetime.now(datetime.timezone.utc):%FT%TZ} version 1\n")
    time.sleep(float(os.environ["INTERVAL"]))
