"""ssh and sftp as far as the tests need them, with AsyncSSH."""
import asyncio
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
            agent_path=None, config=None, keepalive_interval=options.keepalive, keepalive_count_max=1, **choices) as connection:
        if options.sftp:
            async with connection.start_sftp_client() as sftp:
                return await run_batch(sftp)
        if options.forward:
            return await exchange(*await connection.open_connection(*options.forward, encoding=None))
        process = await connection.create_process(
            options.command, encoding=None, stdin=sys.stdin.buffer, stdout=sys.stdout.buffer, stderr=sys.stderr.buffer)
        await process.wait_closed()
        return process.exit_status


async def exchange(reader, writer):
    async def send():
        chunks = session.standard_input()
        while chunk := await asyncio.to_thread(next, chunks, None):
            writer.write(chunk)
            await writer.drain()
        writer.write_eof()

    sending = asyncio.create_task(send())
    while chunk := await reader.read(session.CHUNK):
        session.write(1, chunk)
    await sending
    return 0


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


sys.exit(asyncio.run(main()))
