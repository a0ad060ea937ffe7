using Piku.Server.Ssh.Crypto;

namespace Piku.Server.Ssh.Authentication;

/// <summary>A key that may come in: one line of authorized_keys.</summary>
/// <param name="Type">How its signatures are checked.</param>
/// <param name="PublicKey">The key's blob (RFC 4253, section 6.6).</param>
/// <param name="Name">Whose it is: the NAME of a forced command, else the comment, else the fingerprint.</param>
/// <param name="Comment">What follows the key; may be empty.</param>
/// <param name="Options">What precedes it.</param>
/// <param name="Line">Counted from 1.</param>
internal sealed record AuthorizedKey(
    UserKeyType Type, ReadOnlyMemory<byte> PublicKey, string Name, string Comment, KeyOptions Options, int Line)
{
    /// <summary><c>SHA256:…</c>, as <c>ssh-keygen -l</c> prints it.</summary>
    public string Fingerprint { get; } = Fingerprints.Of(PublicKey.Span);

    /// <summary>The command line that runs whatever the client asks for; null when it may ask.</summary>
    public string? ForcedCommand { get; init; }
}
