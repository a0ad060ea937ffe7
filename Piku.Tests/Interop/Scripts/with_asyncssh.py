"""ssh and sftp as far as the tests need them, with AsyncSSH."""
import asyncio
import os
import sys

import asyncssh

import session

OLDER = {"kex_algs": ["ecdh-sha2-nistp256"], "mac_algs": ["hmac-sha2-256"], "encryption_algs": ["aes128-ctr"]}


async def main():
    options = session.arguments()
    choices = dict(OLDER) if options.older else {}
    if options.rekey:
        choices["rekey_bytes"] = options.rekey
        asyncssh.set_debug_level(1)
        session.report_key_exchanges(asyncssh.logging.logger.logger, "Completed key exchange")
    async with asyncssh.connect(
            options.host, options.port, username=options.user, client_keys=[options.key], known_hosts=options.known_hosts,
            agent_path=None, config=None, keepalive_interval=options.keepalive, keepalive_count_max=5, **choices) as connection:
        if options.sftp:
            async with connection.start_sftp_client() as sftp:
                return await run_batch(sftp)
        if options.forward:
            reader, writer = await connection.open_connection(*options.forward, encoding=None)
            await asyncio.gather(send(writer), receive(reader, 1))
            return 0
        # Given our standard streams, AsyncSSH may end before it has written all to them.
        process = await connection.create_process(options.command, encoding=None)
        sending = asyncio.create_task(send(process.stdin))
        await asyncio.gather(receive(process.stdout, 1), receive(process.stderr, 2))
        await process.wait_closed()
        sending.cancel()
        return process.exit_status


async def send(writer):
    chunks = session.standard_input()
    try:
        while chunk := await asyncio.to_thread(next, chunks, None):
            writer.write(chunk)
            await writer.drain()
        writer.write_eof()
    except OSError:
        pass  # the command has ended and wants no more


async def receive(reader, descriptor):
    while chunk := await reader.read(session.CHUNK):
        await asyncio.to_thread(session.write, descriptor, chunk)


async def run_batch(sftp):
    async def show(path):
        print(*await sftp.listdir(path), sep="\n", flush=True)

    do = {
        "mkdir": sftp.mkdir, "put": sftp.put, "get": sftp.get, "rename": sftp.rename, "rm": sftp.remove, "rmdir": sftp.rmdir,
        "ls": show,
    }
    for verb, *paths in session.batch():
        await do[verb](*paths)
    return 0


async def run():
    status = await main()
    # A thread that waits for standard input would hold up the end.
    sys.stdout.flush()
    os._exit(status)


asyncio.run(run())
