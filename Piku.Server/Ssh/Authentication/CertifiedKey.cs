using System.Net;
using Piku.Server.Ssh.Wire;

namespace Piku.Server.Ssh.Authentication;

/// <summary>
/// Turns a certificate and the line of its authority into a key that may come in, as sshd does for
/// <c>cert-authority</c> (sshd(8); OpenSSH's PROTOCOL.certkeys): what either of them forbids is forbidden.
/// </summary>
internal static class CertifiedKey
{
    private const string ForceCommand = "force-command", SourceAddress = "source-address", VerifyRequired = "verify-required";

    /// <param name="passThrough">See <see cref="ForcedCommand"/>.</param>
    /// <exception cref="FormatException">The certificate lets nobody in; the message says why.</exception>
    /// <exception cref="SshProtocolException">The certificate is malformed.</exception>
    public static AuthorizedKey Admit(
        UserCertificate certificate, AuthorizedKey authority, string user, IPAddress from, DateTimeOffset now, string? passThrough)
    {
        if (Refusal(certificate, authority.Options, user, from, now) is { } refusal)
            throw new FormatException(refusal);
        // Last, because it costs most.
        if (!certificate.IsSignedBy(authority.Type, authority.PublicKey.Span))
            throw new FormatException("it is not signed by its authority");
        return new(certificate.Type, certificate.PublicKey, Name(certificate, user), authority.Comment, Restrict(authority.Options, certificate), authority.Line)
        {
            ForcedCommand = Command(certificate, authority, passThrough),
        };
    }

    /// <summary>Why the certificate lets nobody in, whoever signed it; null when it may.</summary>
    public static string? Refusal(UserCertificate certificate, KeyOptions authority, string user, IPAddress from, DateTimeOffset now)
    {
        var seconds = (ulong)now.ToUnixTimeSeconds();
        return !certificate.IsForUsers ? "it is for a host"
            : seconds < certificate.ValidAfter ? "it is not valid yet"
            : seconds >= certificate.ValidBefore ? "it has expired"
            : !IsForOneOf(certificate, authority, user) ? "none of its principals may come in"
            : Unknown(certificate) is { } option ? $"its critical option '{option}' is not supported"
            : Value(certificate, SourceAddress) is { } addresses && !Covers(addresses, from) ? "it may not come from this address"
            : null;
    }

    /// <summary>The options of the authority's line, restricted by the certificate.</summary>
    public static KeyOptions Restrict(KeyOptions authority, UserCertificate certificate) => authority with
    {
        IsAuthority = false,
        Principals = [],
        MayHaveTerminal = authority.MayHaveTerminal && certificate.Extensions.Contains("permit-pty"),
        MayForwardPorts = authority.MayForwardPorts && certificate.Extensions.Contains("permit-port-forwarding"),
        NeedsTouch = authority.NeedsTouch || !certificate.Extensions.Contains("no-touch-required"),
        NeedsVerification = authority.NeedsVerification || certificate.CriticalOptions.ContainsKey(VerifyRequired),
    };

    // A certificate without principals is for nobody, not for everybody.
    private static bool IsForOneOf(UserCertificate certificate, KeyOptions authority, string user) =>
        certificate.Principals.Any(principal => authority.Principals.IsEmpty ? principal == user : authority.Principals.Contains(principal));

    private static string? Unknown(UserCertificate certificate) =>
        certificate.CriticalOptions.Keys.FirstOrDefault(name => name is not (ForceCommand or SourceAddress or VerifyRequired));

    private static string? Command(UserCertificate certificate, AuthorizedKey authority, string? passThrough)
    {
        var command = ForcedCommand.Read(Value(certificate, ForceCommand), passThrough).Line;
        return command is null || authority.ForcedCommand is null || command == authority.ForcedCommand
            ? command ?? authority.ForcedCommand
            : throw new FormatException("it forces another command than the line of its authority");
    }

    // The key id is the authority's word for who it is.
    private static string Name(UserCertificate certificate, string user) => certificate.KeyId.Length > 0 ? certificate.KeyId : user;

    private static bool Covers(string addresses, IPAddress from)
    {
        var plain = from.IsIPv4MappedToIPv6 ? from.MapToIPv4() : from;
        return addresses.Split(',').Any(text =>
            IPNetwork.TryParse(text, out var network) ? network.Contains(plain) : IPAddress.TryParse(text, out var address) && address.Equals(plain));
    }

    // The data of an option with a value is a string within the string.
    private static string? Value(UserCertificate certificate, string option)
    {
        if (!certificate.CriticalOptions.TryGetValue(option, out var data))
            return null;
        var reader = new SshReader(data);
        var value = reader.ReadText();
        reader.End();
        return value;
    }
}
