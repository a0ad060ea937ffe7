using System.Collections.Immutable;

namespace Piku.Server.Ssh.Authentication;

/// <summary>The options at the head of a line of authorized_keys (sshd(8), AUTHORIZED_KEYS FILE FORMAT).</summary>
internal sealed record KeyOptions
{
    public static readonly KeyOptions None = new();

    /// <summary>Options without a value, in lower case: <c>restrict</c>, <c>no-pty</c>, …</summary>
    public ImmutableHashSet<string> Flags { get; init; } = ImmutableHashSet.Create<string>(StringComparer.Ordinal);

    /// <summary>What runs instead of the command that the client asks for; null when there is no such thing.</summary>
    public string? Command { get; init; }

    /// <summary>Variables set by <c>environment="NAME=value"</c>; the first of a name counts, as for sshd.</summary>
    public ImmutableDictionary<string, string> Environment { get; init; } =
        ImmutableDictionary.Create<string, string>(StringComparer.Ordinal);

    /// <summary>False with <c>no-touch-required</c>: signatures of a FIDO key count without its owner's touch.</summary>
    public bool NeedsTouch => !Flags.Contains("no-touch-required");

    /// <summary><c>verify-required</c>: signatures of a FIDO key count only when it has verified its owner, as by a PIN.</summary>
    public bool NeedsVerification => Flags.Contains("verify-required");
}
