"""A WSGI app without dependencies: / greets, /env shows the settings it runs with."""
import json
import os
import platform

VERSION = "1"
SECRETS = ("KEY", "TOKEN", "SECRET", "PASSWORD")


def app(environ, start_response):
    if environ["PATH_INFO"] == "/env":
        settings = {k: v for k, v in os.environ.items() if not any(s in k.upper() for s in SECRETS)}
        kind, body = "application/json", json.dumps(settings, indent=2, sort_keys=True)
    else:
        kind, body = "text/plain", f"{os.environ['GREETING']} {platform.python_version()}, version {VERSION}\n"
    body = body.encode()
    start_response("200 OK", [("Content-Type", f"{kind}; charset=utf-8"), ("Content-Length", str(len(body)))])
    return [body]
