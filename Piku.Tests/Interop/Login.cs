using Piku.Core.Model;
using Piku.Tests.EndToEnd;

namespace Piku.Tests.Interop;

/// <summary>A key that may come in to a server, in the formats of all clients.</summary>
/// <param name="Home">Of the client programs too: some look for what they know there only.</param>
/// <param name="KeyType">As <c>ssh-keygen -t</c> names it.</param>
/// <param name="HostFingerprint">Of the server's key that the client will see.</param>
internal sealed record Login(string Home, int Port, string KeyType, string HostFingerprint)
{
    public const string Destination = "piku@127.0.0.1";

    public string Key => Path.Combine(Home, $"id_{KeyType}");

    /// <summary>As OpenSSH wrote it before 2014; there is none of an Ed25519 key.</summary>
    public string PemKey => Key + ".pem";

    public string PuttyKey => Key + ".ppk";

    public string DropbearKey => Key + ".dropbear";

    public string KnownHosts => Path.Combine(Home, ".ssh", "known_hosts");

    public EnvMap Environment => EnvMap.From([new("HOME", Home), new("PATH", Programs.SearchPath), new("GIT_CONFIG_NOSYSTEM", "1")]);
}
