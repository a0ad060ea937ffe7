using Piku.Server.Ssh.Admission;

namespace Piku.Server.Ssh;

/// <summary>Every bound of the server, with where its default comes from.</summary>
internal sealed record SshLimits
{
    /// <summary>From the first byte to a verified key. Half of sshd's LoginGraceTime (120 s): nobody types a password here.</summary>
    public TimeSpan LoginGrace { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>Refused authentication requests until the connection ends: sshd's MaxAuthTries.</summary>
    public int AuthenticationTries { get; init; } = 6;

    /// <summary>Packets until authentication; OpenSSH needs about 12, and two for each further key that it offers.</summary>
    public int PacketsBeforeAuthentication { get; init; } = 100;

    /// <summary>Longest packet until authentication: what RFC 4253, section 6.1, obliges everyone to take.</summary>
    public int PacketLengthBeforeAuthentication { get; init; } = 35_000;

    /// <summary>Longest packet after it: OpenSSH's PACKET_MAX_SIZE.</summary>
    public int PacketLength { get; init; } = 256 * 1024;

    /// <summary>
    /// Connections that have not authenticated yet, from everywhere: sshd's MaxStartups (10:30:100), with more room,
    /// because one costs us 35 KB and no process.
    /// </summary>
    public Startups Startups { get; init; } = new(Start: 100, Rate: 30, Full: 200);

    /// <summary>And from one address (one /64 of IPv6): a class of pupils behind it who push at once, and not all places.</summary>
    public int StartingConnectionsPerAddress { get; init; } = 60;

    /// <summary>All connections of one address (one /64 of IPv6): that class, each pupil with a few terminals and an editor.</summary>
    public int ConnectionsPerAddress { get; init; } = 100;

    /// <summary>For addresses that keep failing.</summary>
    public PenaltyLimits Penalties { get; init; } = new();

    /// <summary>For a trusted proxy to say whose connection it passes on; it does so at once.</summary>
    public TimeSpan ProxyHeaderWithin { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>Bytes of what a proxy says after the first 16; addresses take 36, what it may say of its TLS some hundreds.</summary>
    public int ProxyHeaderLength { get; init; } = 2048;

    /// <summary>Sessions open at once on a connection: sshd's MaxSessions.</summary>
    public int SessionsPerConnection { get; init; } = 10;

    /// <summary>Forwarded connections open at once on a connection; a browser opens 6 to a host, and some tabs are open.</summary>
    public int ForwardsPerConnection { get; init; } = 64;

    /// <summary>To reach the port that a client wants to: it is on this machine, and full at worst.</summary>
    public TimeSpan ForwardConnect { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>As <see cref="Window"/>, for a forwarded connection; what a socket holds by default, so that 64 of them stay bearable.</summary>
    public int ForwardWindow { get; init; } = 256 * 1024;

    /// <summary>When nothing has come for so long the client is asked for a sign of life: sshd's ClientAliveInterval, which is off by default; 0 is off.</summary>
    public TimeSpan KeepAliveInterval { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>Questions without an answer until the client counts as gone: sshd's ClientAliveCountMax.</summary>
    public int KeepAliveMisses { get; init; } = 3;

    /// <summary>A connection without a channel ends after so long: sshd's UnusedConnectionTimeout, which is off by default; 0 is off.</summary>
    public TimeSpan IdleTimeout { get; init; } = TimeSpan.FromHours(1);

    /// <summary>Data of one channel that a client may send before we have consumed it: OpenSSH's CHAN_SES_WINDOW_DEFAULT.</summary>
    public int Window { get; init; } = 2 * 1024 * 1024;

    /// <summary>Most data in one message to us: twice OpenSSH's, because larger packets cost less.</summary>
    public int DataLength { get; init; } = 64 * 1024;

    /// <summary>Bytes that wait for the socket before those who produce them wait too: about what a socket takes at once.</summary>
    public int SendBuffer { get; init; } = 256 * 1024;

    /// <summary>Environment variables that a session may have; sshd's limit is 1000, a git client sends a handful.</summary>
    public int EnvironmentVariables { get; init; } = 64;

    /// <summary>Characters of a variable's name and value together.</summary>
    public int EnvironmentVariableLength { get; init; } = 4096;

    /// <summary>Keys are changed after so much data either way (RFC 4253, section 9: a gigabyte)…</summary>
    public long RekeyBytes { get; init; } = 1L << 30;

    /// <summary>…and after so long (ibid.: an hour).</summary>
    public TimeSpan RekeyAfter { get; init; } = TimeSpan.FromHours(1);

    /// <summary>From our wish to change keys to the change.</summary>
    public TimeSpan RekeyWithin { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>For the last words of a connection to arrive.</summary>
    public TimeSpan Farewell { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>
    /// For sessions that have an end of their own to come to it when the server stops: most deploys take less, and
    /// systemd's TimeoutStopSec (90 s) is longer than all that follows.
    /// </summary>
    public TimeSpan StopGrace { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>For sessions to end after their client has gone, or their time is over.</summary>
    public TimeSpan SessionEnd { get; init; } = TimeSpan.FromSeconds(10);
}
