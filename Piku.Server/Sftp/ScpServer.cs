using System.Globalization;
using System.Text;
using Microsoft.Win32.SafeHandles;
using Piku.Core.Machine;

namespace Piku.Server.Sftp;

/// <summary>
/// The server's half of the old scp protocol, which has no specification but its source: lines (C file, D folder, E end
/// of folder, T times) and data, each answered by a byte: 0 good, 1 a warning and a line.
/// </summary>
internal sealed class ScpServer(FileTree tree, Stream input, Stream output)
{
    private const int BufferSize = 64 * 1024, LongestLine = 8 * 1024, DeepestFolder = 100;
    private const UnixFileMode PermissionBits = (UnixFileMode)0x1FF;

    private readonly byte[] _buffer = new byte[BufferSize];
    private int _start;
    private int _end;
    private bool _failed;

    /// <returns>The exit status: 1 when something could not be copied.</returns>
    public async Task<int> RunAsync(ScpArguments arguments, CancellationToken cancel)
    {
        try
        {
            if (arguments.IsSource)
                await SendAllAsync(arguments, cancel);
            else
                await ReceiveAllAsync(arguments, cancel);
        }
        catch (InvalidDataException wrong)
        {
            await WarnAsync(wrong.Message, cancel);
        }
        return _failed ? 1 : 0;
    }

    private async Task SendAllAsync(ScpArguments arguments, CancellationToken cancel)
    {
        await ExpectGoAsync(cancel);
        // A client of the old protocol leaves wildcards to the server's shell.
        foreach (var path in arguments.Paths.SelectMany(pattern => FilePattern.Expand(tree, pattern)))
            await SendAsync(path, arguments, 0, cancel);
    }

    private async Task SendAsync(string path, ScpArguments arguments, int depth, CancellationToken cancel)
    {
        var name = path[(path.LastIndexOf('/') + 1)..];
        if (await TryAsync<FileStatus?>(() => tree.Status(path, follow: true), path, cancel) is not { } status)
            return;
        if (name.Contains('\n', StringComparison.Ordinal) || depth > DeepestFolder)
            await WarnAsync($"{name}: its name or depth cannot be told to scp", cancel);
        else if (status.IsRegular)
            await SendFileAsync(path, name, arguments, cancel);
        else if (status.IsFolder && arguments.Recursive)
            await SendFolderAsync(path, name, status, arguments, depth, cancel);
        else
            await WarnAsync($"{path}: not a regular file", cancel);
    }

    private async Task SendFileAsync(string path, string name, ScpArguments arguments, CancellationToken cancel)
    {
        if (await TryAsync(() => tree.OpenFile(path, FileAccess.Read, FileMode.Open, 0), path, cancel) is not { } file)
            return;
        using var closing = file;
        var status = ConfinedFolder.Status(file);
        await SendTimesAsync(status, arguments, cancel);
        if (!await SayAsync($"C{Octal(status)} {status.Size} {name}\n", cancel))
            return;
        var buffer = new byte[BufferSize];
        for (var offset = 0L; offset < (long)status.Size;)
        {
            var count = RandomAccess.Read(file, buffer.AsSpan(0, (int)Math.Min(buffer.Length, (long)status.Size - offset)), offset);
            if (count == 0) // it has become shorter: the promised length is kept, and the client warned
            {
                count = (int)Math.Min(buffer.Length, (long)status.Size - offset);
                Array.Clear(buffer);
                _failed = true;
            }
            await output.WriteAsync(buffer.AsMemory(0, count), cancel);
            offset += count;
        }
        await (_failed ? WarnAsync($"{name}: it changed meanwhile", cancel) : GoAsync(cancel));
        await ExpectGoAsync(cancel);
    }

    private async Task SendFolderAsync(string path, string name, FileStatus status, ScpArguments arguments, int depth, CancellationToken cancel)
    {
        if (await TryAsync(() => tree.OpenFolder(path), path, cancel) is not { } entries)
            return;
        using var closing = entries;
        await SendTimesAsync(status, arguments, cancel);
        if (!await SayAsync($"D{Octal(status)} 0 {(name.Length == 0 ? "piku" : name)}\n", cancel))
            return;
        while (entries.Next() is { } entry)
            await SendAsync($"{path.TrimEnd('/')}/{entry.Name}", arguments, depth + 1, cancel);
        await SayAsync("E\n", cancel);
    }

    private Task SendTimesAsync(FileStatus status, ScpArguments arguments, CancellationToken cancel) =>
        arguments.KeepsTimes ? SayAsync($"T{status.Modified} 0 {status.Accessed} 0\n", cancel) : Task.CompletedTask;

    private async Task ReceiveAllAsync(ScpArguments arguments, CancellationToken cancel)
    {
        var target = FileTree.Normalize(arguments.Paths[0]);
        var isFolder = IsFolder(target);
        if (arguments.NeedsFolder && !isFolder)
            throw new InvalidDataException($"{target}: not a folder");
        await GoAsync(cancel);
        await ReceiveAsync(target, isFolder, arguments, 0, cancel);
    }

    private async Task ReceiveAsync(string target, bool isFolder, ScpArguments arguments, int depth, CancellationToken cancel)
    {
        (DateTime, DateTime)? times = null;
        while (await ReadLineAsync(cancel) is { } line)
        {
            switch (line)
            {
                case ['T', ..]:
                    times = Times(line);
                    await GoAsync(cancel);
                    continue;
                case ['C', ..]:
                    var file = Entry(line);
                    await ReceiveFileAsync(isFolder ? $"{target}/{file.Name}" : target, file, times, cancel);
                    break;
                case ['D', ..] when arguments.Recursive && depth < DeepestFolder:
                    var folder = Entry(line);
                    await ReceiveFolderAsync(isFolder ? $"{target}/{folder.Name}" : target, folder, times, arguments, depth, cancel);
                    break;
                case ['E', ..] when depth > 0:
                    await GoAsync(cancel);
                    return;
                case ['\u0001' or '\u0002', ..]:
                    _failed = true;
                    continue;
                default:
                    throw new InvalidDataException("protocol error: an unexpected line");
            }
            times = null;
        }
    }

    private async Task ReceiveFileAsync(string path, ScpEntry entry, (DateTime, DateTime)? times, CancellationToken cancel)
    {
        if (await TryAsync(() => tree.OpenFile(path, FileAccess.Write, FileMode.Create, entry.Permissions), path, cancel) is not { } file)
            return;
        using var closing = file;
        await GoAsync(cancel);
        Exception? failure = null;
        for (var offset = 0L; offset < entry.Size;)
        {
            if (_start == _end && !await FillAsync(cancel))
                throw new InvalidDataException($"{path}: the file ends too early");
            var count = (int)Math.Min(_end - _start, entry.Size - offset);
            failure ??= TryWrite(file, offset, count);
            (_start, offset) = (_start + count, offset + count);
        }
        failure ??= TryFinish(file, entry.Permissions, times);
        await ExpectGoAsync(cancel);
        await (failure is null ? GoAsync(cancel) : WarnAsync($"{path}: {Errors.Sentence(failure)}", cancel));
    }

    private async Task ReceiveFolderAsync(
        string path, ScpEntry entry, (DateTime, DateTime)? times, ScpArguments arguments, int depth, CancellationToken cancel)
    {
        if (!IsFolder(path) && !await TryAsync(() => tree.CreateFolder(path, entry.Permissions), path, cancel))
            return;
        await GoAsync(cancel);
        await ReceiveAsync(path, isFolder: true, arguments, depth + 1, cancel);
        if (times is not null)
            await TryAsync(() => tree.Change(path, null, null, times), path, cancel);
    }

    private Exception? TryWrite(SafeFileHandle file, long offset, int count) =>
        Catch(() => RandomAccess.Write(file, _buffer.AsSpan(_start, count), offset));

    private static Exception? TryFinish(SafeFileHandle file, UnixFileMode permissions, (DateTime Accessed, DateTime Modified)? times) => Catch(() =>
    {
        if (times is not { } at)
            return;
        File.SetUnixFileMode(file, permissions);
        File.SetLastAccessTimeUtc(file, at.Accessed);
        File.SetLastWriteTimeUtc(file, at.Modified);
    });

    private static Exception? Catch(Action action)
    {
        try
        {
            action();
            return null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return e;
        }
    }

    private bool IsFolder(string path) => Catch(() => _ = tree.Status(path, follow: true)) is null && tree.Status(path, follow: true).IsFolder;

    private async Task<bool> TryAsync(Action action, string path, CancellationToken cancel)
    {
        var failure = Catch(action);
        if (failure is not null)
            await WarnAsync($"{path}: {Errors.Sentence(failure)}", cancel);
        return failure is null;
    }

    /// <summary>Null when it failed, and the client has been told.</summary>
    private async Task<T?> TryAsync<T>(Func<T> action, string path, CancellationToken cancel)
    {
        T? result = default;
        return await TryAsync(() => { result = action(); }, path, cancel) ? result : default;
    }

    // C0644 size name, D0755 0 name
    private static ScpEntry Entry(string line) =>
        line[1..].Split(' ', 3) is [{ Length: 4 } mode, var size, var name]
        && long.TryParse(size, NumberStyles.None, CultureInfo.InvariantCulture, out var length)
        && mode.All(digit => digit is >= '0' and <= '7')
        && name is not ("" or "." or "..") && !name.Contains('/', StringComparison.Ordinal) && !name.Contains('\0', StringComparison.Ordinal)
            ? new((UnixFileMode)Convert.ToInt32(mode, 8) & PermissionBits, length, name)
            : throw new InvalidDataException("protocol error: a file's line is not well formed");

    // Tmodified 0 accessed 0
    private static (DateTime Accessed, DateTime Modified) Times(string line) =>
        line[1..].Split(' ') is [var modified, _, var accessed, _]
        && uint.TryParse(modified, NumberStyles.None, CultureInfo.InvariantCulture, out var modification)
        && uint.TryParse(accessed, NumberStyles.None, CultureInfo.InvariantCulture, out var access)
            ? (DateTimeOffset.FromUnixTimeSeconds(access).UtcDateTime, DateTimeOffset.FromUnixTimeSeconds(modification).UtcDateTime)
            : throw new InvalidDataException("protocol error: a line of times is not well formed");

    private static string Octal(FileStatus status) => "0" + Convert.ToString((int)(status.Permissions & PermissionBits), 8).PadLeft(3, '0');

    /// <summary>Says a line; false when the client wants nothing of it.</summary>
    private async Task<bool> SayAsync(string line, CancellationToken cancel)
    {
        await output.WriteAsync(Encoding.UTF8.GetBytes(line), cancel);
        return await ExpectGoAsync(cancel);
    }

    private async Task GoAsync(CancellationToken cancel) => await output.WriteAsync(new byte[1], cancel);

    private async Task WarnAsync(string message, CancellationToken cancel)
    {
        _failed = true;
        await output.WriteAsync(Encoding.UTF8.GetBytes($"\u0001scp: {message.Replace('\n', '?')}\n"), cancel);
    }

    private async Task<bool> ExpectGoAsync(CancellationToken cancel)
    {
        if (_start == _end && !await FillAsync(cancel))
            throw new InvalidDataException("the client has ended too early");
        if (_buffer[_start++] == 0)
            return true;
        _failed = true;
        await ReadLineAsync(cancel);
        return false;
    }

    private async Task<string?> ReadLineAsync(CancellationToken cancel)
    {
        using var line = new MemoryStream();
        while (_start < _end || await FillAsync(cancel))
        {
            var next = _buffer[_start++];
            if (next == (byte)'\n')
                return Encoding.UTF8.GetString(line.GetBuffer(), 0, (int)line.Length);
            if (line.Length == LongestLine)
                throw new InvalidDataException("protocol error: a line is too long");
            line.WriteByte(next);
        }
        return null;
    }

    private async Task<bool> FillAsync(CancellationToken cancel)
    {
        (_start, _end) = (0, await input.ReadAsync(_buffer, cancel));
        return _end > 0;
    }

    private sealed record ScpEntry(UnixFileMode Permissions, long Size, string Name);
}
