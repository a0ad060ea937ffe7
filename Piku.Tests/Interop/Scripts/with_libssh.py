"""ssh and sftp as far as the tests need them, with libssh: its C interface, without a compiler."""
import ctypes
import os
import select
import sys

import session

HOST, PORT, USER, ADD_IDENTITY, KNOWN_HOSTS, KEY_EXCHANGE, MACS_OUT, MACS_IN, READ_CONFIG, REKEY_BYTES = 0, 1, 4, 7, 8, 24, 29, 30, 38, 39
KNOWN, EOF, CHUNK, PROTOCOL = 1, -127, 32 * 1024, 2

ssh = ctypes.CDLL("libssh.so.4")
for constructor in ("ssh_new", "ssh_channel_new", "sftp_new", "sftp_open", "sftp_opendir", "sftp_readdir"):
    getattr(ssh, constructor).restype = ctypes.c_void_p
ssh.ssh_get_error.restype = ctypes.c_char_p
ssh.ssh_channel_window_size.restype = ctypes.c_uint32
ssh.sftp_read.restype = ssh.sftp_write.restype = ctypes.c_ssize_t


def pointer(value):
    return ctypes.c_void_p(value)


def connect(options):
    connection = pointer(ssh.ssh_new())
    choices = {
        HOST: options.host.encode(), PORT: ctypes.byref(ctypes.c_uint(options.port)), USER: options.user.encode(),
        ADD_IDENTITY: options.key.encode(), KNOWN_HOSTS: options.known_hosts.encode(), READ_CONFIG: ctypes.byref(ctypes.c_bool(False)),
    }
    if options.older:
        choices |= {KEY_EXCHANGE: b"ecdh-sha2-nistp256", MACS_OUT: b"hmac-sha2-256", MACS_IN: b"hmac-sha2-256"}
    if options.rekey:
        ssh.ssh_set_log_level(PROTOCOL)
        ssh.ssh_set_log_callback(report_key_exchange)
        choices[REKEY_BYTES] = ctypes.byref(ctypes.c_uint64(options.rekey))
    for option, value in choices.items():
        check(connection, ssh.ssh_options_set(connection, option, value))
    check(connection, ssh.ssh_connect(connection))
    if ssh.ssh_session_is_known_server(connection) != KNOWN:
        sys.exit("the host's key is not the known one")
    check(connection, ssh.ssh_userauth_publickey_auto(connection, None, None))
    return connection


@ctypes.CFUNCTYPE(None, ctypes.c_int, ctypes.c_char_p, ctypes.c_char_p, ctypes.c_void_p)
def report_key_exchange(priority, function, message, _):
    if b"Received SSH_MSG_NEWKEYS" in message:
        print("new keys", file=sys.stderr, flush=True)


def check(connection, result):
    if result is None or result < 0:
        sys.exit(ssh.ssh_get_error(connection).decode())
    return result


def main():
    options = session.arguments()
    connection = connect(options)
    try:
        if options.sftp:
            return Files(connection).run_batch()
        channel = pointer(ssh.ssh_channel_new(connection))
        if options.forward:
            host, port = options.forward
            check(connection, ssh.ssh_channel_open_forward(channel, host.encode(), port, b"127.0.0.1", 0))
            exchange(connection, channel)
            return 0
        check(connection, ssh.ssh_channel_open_session(channel))
        check(connection, ssh.ssh_channel_request_exec(channel, options.command.encode()))
        exchange(connection, channel)
        return ssh.ssh_channel_get_exit_status(channel)
    finally:
        ssh.ssh_disconnect(connection)


def exchange(connection, channel):
    """Never sends more than the window takes: a write that waited for it would not read."""
    buffer = ctypes.create_string_buffer(CHUNK)
    waiting, has_input = b"", True
    while not ssh.ssh_channel_is_eof(channel):
        if has_input and not waiting and select.select([0], [], [], 0)[0]:
            waiting = os.read(0, CHUNK)
            has_input = bool(waiting)
            if not has_input:
                check(connection, ssh.ssh_channel_send_eof(channel))
        room = min(len(waiting), ssh.ssh_channel_window_size(channel))
        if room:
            waiting = waiting[check(connection, ssh.ssh_channel_write(channel, waiting, room)):]
        quiet = not room
        for is_error in (0, 1):
            count = ssh.ssh_channel_read_nonblocking(channel, buffer, CHUNK, is_error)
            if count == EOF:
                continue
            session.write(1 + is_error, buffer.raw[:check(connection, count)])
            quiet = quiet and count == 0
        if quiet:
            ssh.ssh_channel_poll_timeout(channel, 5, 0)


class Files:
    def __init__(self, connection):
        self.connection = connection
        self.sftp = pointer(ssh.sftp_new(connection))
        self.check(ssh.sftp_init(self.sftp))

    def check(self, result):
        if result is None or result < 0:
            sys.exit(f"sftp failed with {ssh.sftp_get_error(self.sftp)}")
        return result

    def run_batch(self):
        for verb, *paths in session.batch():
            getattr(self, verb)(*paths)
        return 0

    def open(self, path, flags):
        return pointer(self.check(ssh.sftp_open(self.sftp, path.encode(), flags, 0o644)))

    def put(self, local, remote):
        target = self.open(remote, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        with open(local, "rb") as source:
            while chunk := source.read(CHUNK):
                self.check(ssh.sftp_write(target, chunk, ctypes.c_size_t(len(chunk))))
        self.check(ssh.sftp_close(target))

    def get(self, remote, local):
        source = self.open(remote, os.O_RDONLY)
        buffer = ctypes.create_string_buffer(CHUNK)
        with open(local, "wb") as target:
            while count := self.check(ssh.sftp_read(source, buffer, ctypes.c_size_t(CHUNK))):
                target.write(buffer.raw[:count])
        self.check(ssh.sftp_close(source))

    def ls(self, path):
        folder = pointer(self.check(ssh.sftp_opendir(self.sftp, path.encode())))
        while entry := ssh.sftp_readdir(self.sftp, folder):
            print(ctypes.cast(entry, ctypes.POINTER(ctypes.c_char_p))[0].decode(), flush=True)
        self.check(ssh.sftp_closedir(folder))

    def mkdir(self, path):
        self.check(ssh.sftp_mkdir(self.sftp, path.encode(), 0o755))

    def rename(self, path, new):
        self.check(ssh.sftp_rename(self.sftp, path.encode(), new.encode()))

    def rm(self, path):
        self.check(ssh.sftp_unlink(self.sftp, path.encode()))

    def rmdir(self, path):
        self.check(ssh.sftp_rmdir(self.sftp, path.encode()))


sys.exit(main())
