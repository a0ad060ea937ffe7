using System.Net;
using System.Text;
using Microsoft.Extensions.Logging;

namespace Piku.Server.Ssh.Authentication;

/// <summary>
/// An authorized_keys file. It is read whenever someone asks, and parsed when its bytes are not those of the last
/// time: a change counts at once, and no clock can hide it. A file that is missing, unreadable, or open to the hands
/// of others (<see cref="StrictModes"/>) lets nobody in.
/// </summary>
/// <param name="path">The file.</param>
/// <param name="passThrough">The one program that a command may pass requests on to; see <see cref="ForcedCommand"/>.</param>
/// <param name="check">Judges lines that are well formed; without it, none may force a command.</param>
/// <param name="clock">For keys that expire.</param>
/// <param name="logger">Told of lines that cannot be honoured, once for each state of the file.</param>
internal sealed class AuthorizedKeys(
    string path, string? passThrough, CheckKeyLine? check, TimeProvider clock, ILogger<AuthorizedKeys> logger)
{
    /// <summary>In bytes. Thousands of keys; more is not a list of people but a mistake.</summary>
    private const int MaxLength = 4 * 1024 * 1024;

    private State _state = new([], AuthorizedKeysText.Empty);

    /// <summary>The key with this blob, if it may come in from this address now: the first line that lets it in counts.</summary>
    public async ValueTask<AuthorizedKey?> FindAsync(ReadOnlyMemory<byte> publicKey, IPAddress from, CancellationToken cancellationToken)
    {
        var text = await ReadAsync(cancellationToken);
        return text.Keys.FirstOrDefault(key =>
            !key.Options.IsAuthority && key.PublicKey.Span.SequenceEqual(publicKey.Span) && IsWelcome(key, from));
    }

    /// <summary>The key of a certificate, if an authority of the file has signed it: the first line that lets it in counts.</summary>
    /// <exception cref="Wire.SshProtocolException">The certificate is malformed.</exception>
    public async ValueTask<AuthorizedKey?> FindAsync(
        UserCertificate certificate, string user, IPAddress from, CancellationToken cancellationToken)
    {
        var text = await ReadAsync(cancellationToken);
        return text.Keys
            .Where(key => key.Options.IsAuthority && key.PublicKey.Span.SequenceEqual(certificate.Authority) && IsWelcome(key, from))
            .Select(authority => Admit(certificate, authority, user, from))
            .FirstOrDefault(key => key is not null);
    }

    private AuthorizedKey? Admit(UserCertificate certificate, AuthorizedKey authority, string user, IPAddress from)
    {
        try
        {
            var key = CertifiedKey.Admit(certificate, authority, user, from, clock.GetUtcNow(), passThrough);
            (check ?? AuthorizedKeysText.RefuseForcedCommand)(key);
            return key;
        }
        catch (FormatException e)
        {
            logger.CertificateNotWelcome(path, authority.Line, certificate.KeyId, certificate.Serial, from, e.Message);
            return null;
        }
    }

    /// <summary>Whether the options of the key let it in from this address now; the log hears why not.</summary>
    public bool IsWelcome(AuthorizedKey key, IPAddress from)
    {
        var refusal = key.Options.Refusal(from, clock.GetUtcNow());
        if (refusal is not null)
            logger.KeyNotWelcome(path, key.Line, key.Name, from, refusal);
        return refusal is null;
    }

    /// <summary>The file's content now.</summary>
    public async ValueTask<AuthorizedKeysText> ReadAsync(CancellationToken cancellationToken)
    {
        var last = Volatile.Read(ref _state);
        var bytes = await ReadBytesAsync(cancellationToken);
        if (bytes.AsSpan().SequenceEqual(last.Bytes))
            return last.Text;

        var text = AuthorizedKeysText.Parse(Encoding.UTF8.GetString(bytes), passThrough, check);
        if (Interlocked.CompareExchange(ref _state, new(bytes, text), last) == last)
        {
            logger.KeysRead(path, text.Keys.Count);
            foreach (var problem in text.Problems)
                logger.KeyLineIgnored(path, problem.Line, problem.Message);
        }
        return text;
    }

    private async ValueTask<byte[]> ReadBytesAsync(CancellationToken cancellationToken)
    {
        try
        {
            if (StrictModes.Objection(path) is { } objection)
                logger.KeysUnreadable(path, objection);
            else if (new FileInfo(path).Length > MaxLength)
                logger.KeysUnreadable(path, "it is too large");
            else
                return await File.ReadAllBytesAsync(path, cancellationToken);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            logger.KeysUnreadable(path, e.Message);
        }
        return [];
    }

    private sealed record State(byte[] Bytes, AuthorizedKeysText Text);
}
