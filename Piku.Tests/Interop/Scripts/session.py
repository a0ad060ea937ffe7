"""What the clients written here share: a command line that is ssh's as far as it goes, and the batch of sftp's -b."""
import argparse
import logging
import os
import shlex
import sys

CHUNK = 64 * 1024


def arguments():
    parser = argparse.ArgumentParser()
    parser.add_argument("-i", dest="key", required=True)
    parser.add_argument("-p", dest="port", type=int, required=True)
    parser.add_argument("--known-hosts", required=True)
    parser.add_argument("--keepalive", type=float, default=0, metavar="SECONDS")
    parser.add_argument("--rekey", type=int, default=0, metavar="BYTES")
    parser.add_argument("--older", action="store_true", help="only algorithms of clients before OpenSSH 6.5")
    parser.add_argument("--forward", metavar="HOST:PORT", help="connect standard input and output with it")
    parser.add_argument("--sftp", action="store_true", help="run the batch on standard input")
    parser.add_argument("destination", metavar="USER@HOST")
    parser.add_argument("command", nargs="?")
    parsed = parser.parse_args()
    parsed.user, parsed.host = parsed.destination.split("@")
    if parsed.forward:
        host, port = parsed.forward.rsplit(":", 1)
        parsed.forward = host, int(port)
    return parsed


def standard_input():
    """What comes, piece by piece, as soon as it comes."""
    while chunk := os.read(0, CHUNK):
        yield chunk


def write(descriptor, data):
    while data:
        data = data[os.write(descriptor, data):]


def batch():
    return [shlex.split(line) for line in sys.stdin]


def report_key_exchanges(logger, message):
    """Says 'new keys' on standard error each time the client's log says the message."""
    class Reporter(logging.Handler):
        def emit(self, record):
            if message in record.getMessage():
                print("new keys", file=sys.stderr, flush=True)

    logger.setLevel(logging.DEBUG)
    logger.addHandler(Reporter())
