using System.Collections.Immutable;

namespace Piku.Tests.Interop;

/// <summary>Every client that the server is tested with. Adding one is adding an entry.</summary>
internal static class SshClients
{
    private static readonly string Scripts = Path.Combine(AppContext.BaseDirectory, "Interop", "Scripts");

    public static ImmutableArray<SshClient> All { get; } =
    [
        new("OpenSSH")
        {
            Start = login => ["ssh", .. OpenSsh(login), "-p", $"{login.Port}"],
            Sftp = (login, errand) => (["sftp", .. OpenSsh(login), "-P", $"{login.Port}", "-b", "-", Login.Destination], errand.Batch()),
            GitVariant = "ssh",
            Forward = "-W",
            Listens = true,
            KeepAlive = ["-o", "ServerAliveInterval=1", "-o", "ServerAliveCountMax=5"],
            Rekey = ["-v", "-o", "RekeyLimit=1M"],
            NewKeys = "SSH2_MSG_NEWKEYS received",
            Older = ["-o", "KexAlgorithms=ecdh-sha2-nistp256", "-o", "Ciphers=aes128-ctr", "-o", "MACs=hmac-sha2-256", "-o", "HostKeyAlgorithms=ecdsa-sha2-nistp256"],
        },
        new("Dropbear")
        {
            Start = login => ["dbclient", "-i", login.DropbearKey, "-p", $"{login.Port}"],
            Forward = "-B",
            Listens = true,
            KeepAlive = ["-K", "1"],
            Older = ["-c", "aes128-ctr", "-m", "hmac-sha2-256"],
        },
        new("PuTTY")
        {
            Start = login => ["plink", "-ssh", .. Putty(login)],
            Sftp = (login, errand) => (["psftp", .. Putty(login), "-b", "/dev/stdin", Login.Destination], errand.Batch(rename: "mv")),
            GitVariant = "plink",
            Forward = "-nc",
            Listens = true,
            KeepAlive = ["-load", "keepalive"],
            Rekey = ["-v", "-load", "rekey"],
            NewKeys = "Initialised AES-256 SDCTR",
            Older = ["-load", "older"],
        },
        Script("Paramiko", login => [.. Python("with_paramiko.py"), "-i", login.Key]) with { Rekey = ["--rekey", "1000000"], Older = ["--older"] },
        Script("AsyncSSH", login => [.. Python("with_asyncssh.py"), "-i", login.Key]) with
        {
            // Debian's 2.10.1-2+deb12u2 goes on sending data after its KEXINIT (against RFC 4253, section 7.1): a patch has lost the check.
            ChangesKeys = false,
            Older = ["--older"],
        },
        Script("libssh", login => [.. Python("with_libssh.py"), "-i", login.Key]) with
        {
            KeepAlive = [], // its interface has none
            Rekey = ["--rekey", "1000000"],
            Older = ["--older"],
        },
        Script("JSch", login => ["java", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-cp", "/usr/share/java/jsch.jar", Path.Combine(Scripts, "WithJsch.java"), "-i", login.PemKey]) with
        {
            NeedsCompatible = true,
            KeyType = "ecdsa",
        },
        new("curl")
        {
            Sftp = (login, errand) => (Curl(login, errand), ""),
            NeedsCompatible = true,
        },
        new("libgit2")
        {
            Git = login => [.. Python("with_pygit2.py"), "-i", login.Key],
            NeedsCompatible = true,
        },
    ];

    public static SshClient Find(string name) => All.Single(client => client.Name == name);

    /// <summary>One of those beside this file, which share a command line.</summary>
    private static SshClient Script(string name, Func<Login, string[]> program)
    {
        string[] Start(Login login) => [.. program(login), "-p", $"{login.Port}", "--known-hosts", login.KnownHosts];
        return new(name)
        {
            Start = Start,
            Sftp = (login, errand) => ([.. Start(login), "--sftp", Login.Destination], errand.Batch()),
            Forward = "--forward",
            KeepAlive = ["--keepalive", "1"],
        };
    }

    // Debian's, because its packages are. AsyncSSH 2.10 knows ciphers of which its library warns.
    private static string[] Python(string script) => ["/usr/bin/python3", "-W", "ignore", Path.Combine(Scripts, script)];

    private static string[] OpenSsh(Login login) =>
    [
        "-F", "none", "-i", login.Key, "-o", "IdentitiesOnly=yes", "-o", "BatchMode=yes", "-o", "LogLevel=ERROR",
        "-o", "StrictHostKeyChecking=yes", "-o", $"UserKnownHostsFile={login.KnownHosts}",
    ];

    private static string[] Putty(Login login) => ["-batch", "-i", login.PuttyKey, "-P", $"{login.Port}", "-hostkey", login.HostFingerprint];

    // libssh2, which curl uses: one transfer, or what --quote says before it, for each part between two --next.
    private static string[] Curl(Login login, SftpErrand errand)
    {
        string[] start = ["--silent", "--show-error", "--fail", "--key", login.Key, "--pubkey", login.Key + ".pub", "--user", "piku:"];
        string Url(string path) => $"sftp://127.0.0.1:{login.Port}{path}";
        return
        [
            "curl", "--disable", .. start, "--quote", $"mkdir {errand.Folder}", "--upload-file", errand.File, Url(errand.First),
            "--next", .. start, "--list-only", Url(errand.Folder + "/"),
            "--next", .. start, "--quote", $"rename {errand.First} {errand.Second}", "--output", errand.Copy, Url(errand.Second),
            "--next", .. start, "--quote", $"rm {errand.Second}", "--quote", $"rmdir {errand.Folder}", "--list-only", "--output", "/dev/null", Url("/data/"),
        ];
    }
}
