using System.Text;
using Microsoft.Extensions.Logging;

namespace Piku.Server.Ssh.Authentication;

/// <summary>
/// An authorized_keys file. It is read whenever someone asks, and parsed when its bytes are not those of the last
/// time: a change counts at once, and no clock can hide it. A file that is missing or unreadable lets nobody in.
/// </summary>
/// <param name="path">The file.</param>
/// <param name="passThrough">The one program that a forced command may name; see <see cref="ForcedCommand"/>.</param>
/// <param name="logger">Told of lines that cannot be honoured, once for each state of the file.</param>
internal sealed class AuthorizedKeys(string path, string? passThrough, ILogger<AuthorizedKeys> logger)
{
    /// <summary>In bytes. Thousands of keys; more is not a list of people but a mistake.</summary>
    private const int MaxLength = 4 * 1024 * 1024;

    private State _state = new([], AuthorizedKeysText.Empty);

    /// <summary>The key with this blob, if it may come in.</summary>
    public async ValueTask<AuthorizedKey?> FindAsync(ReadOnlyMemory<byte> publicKey, CancellationToken cancellationToken)
    {
        var text = await ReadAsync(cancellationToken);
        return text.Keys.FirstOrDefault(key => key.PublicKey.Span.SequenceEqual(publicKey.Span));
    }

    /// <summary>The file's content now.</summary>
    public async ValueTask<AuthorizedKeysText> ReadAsync(CancellationToken cancellationToken)
    {
        var last = Volatile.Read(ref _state);
        var bytes = await ReadBytesAsync(cancellationToken);
        if (bytes.AsSpan().SequenceEqual(last.Bytes))
            return last.Text;

        var text = AuthorizedKeysText.Parse(Encoding.UTF8.GetString(bytes), passThrough);
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
            if (new FileInfo(path).Length <= MaxLength)
                return await File.ReadAllBytesAsync(path, cancellationToken);
            logger.KeysUnreadable(path, "it is too large");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            logger.KeysUnreadable(path, e.Message);
        }
        return [];
    }

    private sealed record State(byte[] Bytes, AuthorizedKeysText Text);
}
