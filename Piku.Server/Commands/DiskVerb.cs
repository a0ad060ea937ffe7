using System.Globalization;
using Piku.Core.Apps;

namespace Piku.Server.Commands;

/// <summary><c>disk</c>: what takes the room, of all apps or of one.</summary>
internal static class DiskVerb
{
    public static async Task<int> RunAsync(CommandCall call, CancellationToken cancel)
    {
        var rows = call.Target is null
            ? call.Piku.Apps.All().Where(call.Caller.Rights.MaySee).Select(app => new[] { Size(DiskUse.Of(call.Piku.Paths, app).Sum(part => part.Bytes)), app.Value }).ToArray()
            : DiskUse.Of(call.Piku.Paths, call.App) is var parts
                ? [.. parts.Select(part => new[] { Size(part.Bytes), part.Name }), [Size(parts.Sum(part => part.Bytes)), "all"]]
                : [];
        var width = rows.Select(row => row[0].Length).DefaultIfEmpty().Max();
        foreach (var row in rows)
            await call.SayAsync($"{row[0].PadLeft(width)}  {row[1]}", cancel);
        return 0;
    }

    private static string Size(long bytes) => bytes switch
    {
        < 1 << 20 => $"{(bytes + 1023) >> 10} KiB",
        < 1 << 30 => (bytes / (double)(1 << 20)).ToString("0.0 'MiB'", CultureInfo.InvariantCulture),
        _ => (bytes / (double)(1 << 30)).ToString("0.0 'GiB'", CultureInfo.InvariantCulture),
    };
}
