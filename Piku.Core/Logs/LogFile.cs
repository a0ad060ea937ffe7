using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using System.Text;
using Piku.Core.Machine;
using Piku.Core.Workers;

namespace Piku.Core.Logs;

/// <summary>
/// One log that somebody else writes and rotates: gives its last lines, then the lines that are added, through
/// renames and truncation. Holds the file open only while it is followed.
/// </summary>
internal sealed class LogFile(string path) : IDisposable
{
    /// <summary>A line longer than this is given in pieces, so that a log without line ends does not fill memory.</summary>
    private const int MaxLine = 64 * 1024;

    private const int BlockSize = 16 * 1024;

    private readonly byte[] _block = new byte[BlockSize];
    private readonly ArrayBufferWriter<byte> _line = new();
    private FileStream? _file;
    private string? _openedAs;

    public string Path => path;

    /// <summary>Goes to where the last <paramref name="count"/> lines begin, found from the end without reading the whole file.</summary>
    /// <returns>How many of them the file has not.</returns>
    public async Task<int> SeekToLastLinesAsync(int count, CancellationToken cancel)
    {
        if (!TryOpen())
            return count;
        var position = _file!.Length;
        var ends = position == 0 ? -1 : 0;
        while (position > 0)
        {
            var size = (int)Math.Min(BlockSize, position);
            _file.Position = position - size;
            await _file.ReadExactlyAsync(_block.AsMemory(0, size), cancel);
            for (var i = size - 1; i >= 0; i--)
            {
                // The end of the last line does not begin another one.
                if (_block[i] == '\n' && position - size + i != _file.Length - 1 && ++ends == count)
                {
                    _file.Position = position - size + i + 1;
                    return 0;
                }
            }
            position -= size;
        }
        _file.Position = 0;
        return count - ends - 1;
    }

    /// <summary>The last lines of what the log was before it was begun anew, as far as that is kept.</summary>
    public async Task<IReadOnlyList<string>> LinesBeforeAsync(int count, CancellationToken cancel)
    {
        if (count == 0)
            return [];
        using var before = new LogFile(path + LogPipe.Full);
        await before.SeekToLastLinesAsync(count, cancel);
        var lines = new List<string>();
        // It has just become so: what we have open is that very file.
        if (_file is null || PathOf(_file) != path + LogPipe.Full)
        {
            await foreach (var line in before.NewLinesAsync(cancel))
                lines.Add(line);
        }
        return [.. lines.TakeLast(count)];
    }

    /// <summary>The lines that are there now and were not given yet.</summary>
    public async IAsyncEnumerable<string> NewLinesAsync([EnumeratorCancellation] CancellationToken cancel)
    {
        if (!TryOpen())
            yield break;
        await foreach (var line in RestAsync(cancel))
            yield return line;
        if (!WasRotated())
            yield break;
        await _file!.DisposeAsync();
        _file = null;
        if (!TryOpen())
            yield break;
        await foreach (var line in RestAsync(cancel))
            yield return line;
    }

    public void Dispose() => _file?.Dispose();

    private async IAsyncEnumerable<string> RestAsync([EnumeratorCancellation] CancellationToken cancel)
    {
        if (_file!.Length < _file.Position)
            _file.Position = 0;
        int read;
        while ((read = await _file.ReadAsync(_block, cancel)) > 0)
        {
            for (var start = 0; start < read;)
            {
                var end = _block.AsSpan(start, read - start).IndexOf((byte)'\n');
                _line.Write(_block.AsSpan(start, end < 0 ? read - start : end));
                start = end < 0 ? read : start + end + 1;
                if (end >= 0 || _line.WrittenCount >= MaxLine)
                    yield return TakeLine();
            }
        }
    }

    private string TakeLine()
    {
        var line = Encoding.UTF8.GetString(_line.WrittenSpan);
        _line.ResetWrittenCount();
        return line;
    }

    [SuppressMessage("Reliability", "CA2000", Justification = "The stream owns the file.")]
    private bool TryOpen()
    {
        if (_file is not null)
            return true;
        // As the user of the app, whose folder it is in: a link leads where they may look, and no further.
        if (Owner.Around(path).Do(() => AtomicFile.OpenIfExists(path)) is not { } file)
            return false;
        _file = new FileStream(file, FileAccess.Read, bufferSize: 0);
        _openedAs = PathOf(_file);
        return true;
    }

    /// <summary>An open file that was renamed or deleted has another path in /proc (proc(5), /proc/pid/fd) than when it was opened.</summary>
    private bool WasRotated() => PathOf(_file!) != _openedAs && File.Exists(path);

    private static string? PathOf(FileStream file) =>
        File.ResolveLinkTarget($"/proc/self/fd/{file.SafeFileHandle.DangerousGetHandle()}", returnFinalTarget: false)?.FullName;
}
