using System.Collections.Immutable;
using System.Net;

namespace Piku.Server.Ssh.Authentication;

/// <summary>
/// The options at the head of a line of authorized_keys (sshd(8), AUTHORIZED_KEYS FILE FORMAT), as what they allow.
/// Without options everything is allowed, at any time and from anywhere.
/// </summary>
internal sealed record KeyOptions
{
    public static readonly KeyOptions None = new();

    /// <summary><c>from=</c>: the addresses that the key may come from; null for all.</summary>
    public AddressPatterns? From { get; init; }

    /// <summary><c>expiry-time=</c>: the last moment of the key; null for a key that lasts.</summary>
    public DateTimeOffset? Expiry { get; init; }

    /// <summary>False with <c>restrict</c> or <c>no-pty</c>.</summary>
    public bool MayHaveTerminal { get; init; } = true;

    /// <summary>False with <c>restrict</c> or <c>no-port-forwarding</c>.</summary>
    public bool MayForwardPorts { get; init; } = true;

    /// <summary><c>permitopen=</c>: the only targets that ports may be forwarded to; empty for all.</summary>
    public ImmutableArray<PermittedTarget> PermittedTargets { get; init; } = [];

    /// <summary><c>command=</c>: what runs instead of the command that the client asks for; null when there is no such thing.</summary>
    public string? Command { get; init; }

    /// <summary>Variables set by <c>environment="NAME=value"</c>; the first of a name counts, as for sshd.</summary>
    public ImmutableDictionary<string, string> Environment { get; init; } =
        ImmutableDictionary.Create<string, string>(StringComparer.Ordinal);

    /// <summary><c>cert-authority</c>: the key lets nobody in by itself, but signs certificates of those who may.</summary>
    public bool IsAuthority { get; init; }

    /// <summary><c>principals=</c> of an authority: one of them must be in the certificate; empty leaves it to the user name.</summary>
    public ImmutableArray<string> Principals { get; init; } = [];

    /// <summary>False with <c>no-touch-required</c>: signatures of a FIDO key count without its owner's touch.</summary>
    public bool NeedsTouch { get; init; } = true;

    /// <summary><c>verify-required</c>: signatures of a FIDO key count only when it has verified its owner, as by a PIN.</summary>
    public bool NeedsVerification { get; init; }

    /// <summary>Why the key may not come in from there and at that time; null when it may.</summary>
    public string? Refusal(IPAddress address, DateTimeOffset now) =>
        Expiry < now ? "it has expired"
        : From?.Contains(address) is false ? "it may not come from this address"
        : null;

    /// <summary>Whether a port may be forwarded to this target.</summary>
    public bool MayForwardTo(string host, int port) =>
        MayForwardPorts && (PermittedTargets.IsEmpty || PermittedTargets.Any(target => target.Covers(host, port)));
}
