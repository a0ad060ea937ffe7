using System.Globalization;

namespace Piku.Core.Machine;

/// <summary>Who holds a <see cref="FileLock"/>: a process, since when, and what for.</summary>
public sealed record LockHolder(int ProcessId, DateTimeOffset Since, string Purpose)
{
    /// <summary>One line: process id, milliseconds since 1970 (UTC), purpose.</summary>
    internal string Format() => $"{ProcessId} {Since.ToUnixTimeMilliseconds()} {Purpose.ReplaceLineEndings(" ")}\n";

    /// <summary>Null for a line that is empty or not whole: its holder is just writing it.</summary>
    internal static LockHolder? Parse(string text) =>
        text.EndsWith('\n') && text[..^1].Split(' ', 3) is [var pid, var since, var purpose]
        && int.TryParse(pid, NumberStyles.None, null, out var id)
        && long.TryParse(since, NumberStyles.None, null, out var time)
            ? new(id, DateTimeOffset.FromUnixTimeMilliseconds(time), purpose)
            : null;
}
