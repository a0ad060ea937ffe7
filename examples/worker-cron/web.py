"""Shows the last lines that worker and cron have written."""
import http.server
import os
import pathlib

log = pathlib.Path(os.environ["DATA_ROOT"], "log")


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        lines = log.read_text().splitlines(keepends=True) if log.exists() else []
        body = "".join(["version 1\n", *lines[-20:]]).encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/plain; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


http.server.ThreadingHTTPServer((os.environ["BIND_ADDRESS"], int(os.environ["PORT"])), Handler).serve_forever()
