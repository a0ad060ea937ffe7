using System.Text;
using Piku.Core.Machine;

namespace Piku.Core.Deploy;

/// <summary>
/// The log of one release on disk: what the pusher reads, byte for byte, as it comes, up to <see cref="Limit"/>.
/// A log that cannot be written must not fail the deploy that it tells of: then it ends early.
/// </summary>
internal sealed class ReleaseLog : IDisposable
{
    /// <summary>Bytes kept of one deploy. A long build of a large app says some 100 KiB; thirty full ones are 120 MiB.</summary>
    public const int Limit = 4 << 20;

    private static readonly string Cut = $"\n[The log ends here: {Limit >> 20} MiB of a deploy are kept.]\n";

    private readonly Lock _writing = new();
    private readonly FileStream? _file;
    private bool _isCut;
    private bool _isWithinLine;

    /// <summary>Goes on with the log of a release, or begins it.</summary>
    public ReleaseLog(string path)
    {
        try
        {
            _file = new(path, new FileStreamOptions
            {
                Mode = FileMode.Append,
                Access = FileAccess.Write,
                Share = FileShare.ReadWrite | FileShare.Delete,
                UnixCreateMode = AtomicFile.Secret,
                BufferSize = 0,
            });
            _isCut = _file.Length >= Limit;
        }
        catch (IOException)
        {
            _file = null;
        }
    }

    public void Write(ReadOnlySpan<byte> bytes)
    {
        lock (_writing)
        {
            if (_isCut || _file is not { CanWrite: true })
                return;
            var room = Limit - _file.Position;
            if (bytes.Length <= room)
            {
                TryWrite(bytes);
                _isWithinLine = bytes is [.., not (byte)'\n'];
                return;
            }
            _isCut = true;
            TryWrite(bytes[..(int)room]);
            TryWrite(Encoding.UTF8.GetBytes(Cut));
            _isWithinLine = false;
        }
    }

    /// <summary>Writes how it ended, also in a log that is full.</summary>
    public void WriteLast(string line)
    {
        lock (_writing)
            TryWrite(Encoding.UTF8.GetBytes((_isWithinLine ? "\n" : "") + line));
    }

    public void Dispose()
    {
        lock (_writing)
            _file?.Dispose();
    }

    private void TryWrite(ReadOnlySpan<byte> bytes)
    {
        try
        {
            if (_file is { CanWrite: true })
                _file.Write(bytes);
        }
        catch (IOException)
        {
            _isCut = true;
        }
    }
}
