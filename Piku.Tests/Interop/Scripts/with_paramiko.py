"""ssh and sftp as far as the tests need them, with Paramiko."""
import logging
import sys
import threading

import paramiko

import session

OLDER = {"kex": "ecdh-sha2-nistp256", "macs": "hmac-sha2-256", "ciphers": "aes128-ctr"}


def main():
    options = session.arguments()
    client = paramiko.SSHClient()  # which refuses hosts that are not known
    client.load_host_keys(options.known_hosts)
    if options.rekey:
        paramiko.packet.Packetizer.REKEY_BYTES = options.rekey
        session.report_key_exchanges(logging.getLogger("paramiko.transport"), "Switch to new keys")
    client.connect(
        options.host, options.port, options.user, key_filename=options.key, allow_agent=False, look_for_keys=False,
        disabled_algorithms=without_all_but(OLDER) if options.older else None)
    transport = client.get_transport()
    if options.keepalive:
        transport.set_keepalive(options.keepalive)
    try:
        if options.sftp:
            return run_batch(client.open_sftp())
        if options.forward:
            return exchange(transport.open_channel("direct-tcpip", options.forward, ("127.0.0.1", 0)))
        channel = transport.open_session()
        channel.exec_command(options.command)
        exchange(channel)
        return channel.recv_exit_status()
    finally:
        client.close()


def without_all_but(wanted):
    return {
        kind: [name for name in getattr(paramiko.Transport, f"_preferred_{kind}") if name != only]
        for kind, only in wanted.items()}


def exchange(channel):
    def send():
        for chunk in session.standard_input():
            channel.sendall(chunk)
        channel.shutdown_write()

    def receive(read, descriptor):
        while chunk := read(session.CHUNK):
            session.write(descriptor, chunk)

    threading.Thread(target=send, daemon=True).start()
    errors = threading.Thread(target=receive, args=(channel.recv_stderr, 2))
    errors.start()
    receive(channel.recv, 1)
    errors.join()
    return 0


def run_batch(sftp):
    do = {
        "mkdir": sftp.mkdir, "put": sftp.put, "get": sftp.get, "rename": sftp.rename, "rm": sftp.remove, "rmdir": sftp.rmdir,
        "ls": lambda path: print(*sftp.listdir(path), sep="\n", flush=True),
    }
    for verb, *paths in session.batch():
        do[verb](*paths)
    return 0


sys.exit(main())
