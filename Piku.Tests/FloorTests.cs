using System.Text.RegularExpressions;

namespace Piku.Tests;

/// <summary>
/// The house has floors: a room may use only the rooms below it, and the lower floors touch nothing outside
/// their arguments. See docs/ARCHITECTURE.md.
/// </summary>
public sealed partial class FloorTests
{
    /// <summary>From the ground up; the rooms of one line do not know each other.</summary>
    private static readonly string[][] Floors =
    [
        ["Piku.Core.Model"],
        ["Piku.Core.Formats"],
        ["Piku.Core.Settings"],
        ["Piku.Core.Runtimes", "Piku.Core.Nginx"],
        ["Piku.Core.Workers"],
        ["Piku.Core.Machine"],
        ["Piku.Core.Git", "Piku.Core.Logs", "Piku.Core.Services"],
        ["Piku.Core.Apps"],
        ["Piku.Core.Deploy"],
        ["Piku.Server.Ssh"],
        ["Piku.Server.Sftp"],
        ["Piku.Server.Commands"],
        ["Piku.Server.Hosting"],
    ];

    /// <summary>Rooms that knew nothing of piku stay so.</summary>
    private static readonly Dictionary<string, string[]> Knows = new()
    {
        ["Piku.Server.Ssh"] = [],
        ["Piku.Server.Sftp"] = ["Piku.Core.Machine", "Piku.Core.Model"],
        ["Piku.Core.Machine"] = ["Piku.Core.Model"],
    };

    private static readonly string[] PureRooms =
        ["Piku.Core.Model", "Piku.Core.Formats", "Piku.Core.Settings", "Piku.Core.Runtimes", "Piku.Core.Workers", "Piku.Core.Nginx"];

    public static TheoryData<string> Files() => new(SourceTree.Files("Piku.Core", "Piku.Server")
        .Where(file => Path.GetDirectoryName(file)!.Contains('/', StringComparison.Ordinal)));

    [Theory]
    [MemberData(nameof(Files))]
    public void A_room_uses_only_rooms_below_it(string file)
    {
        var room = RoomOf(file);
        var floor = FloorOf(room);
        Assert.True(floor >= 0, $"{file}: the room {room} has no floor; give it one here and in docs/ARCHITECTURE.md");
        var text = SourceTree.Read(file);
        Assert.Contains($"namespace {room}", text, StringComparison.Ordinal);
        foreach (var used in Mentioned(text).Where(used => used != room))
        {
            Assert.True(FloorOf(used) < floor, $"{file}: {room} may not use {used}");
            if (Knows.TryGetValue(room, out var known))
                Assert.True(known.Contains(used), $"{file}: {room} must not know {used}");
        }
    }

    [Theory]
    [MemberData(nameof(Files))]
    public void A_pure_room_touches_no_disk_clock_network_or_process(string file)
    {
        if (!PureRooms.Contains(RoomOf(file)))
            return;
        var match = Effect().Match(SourceTree.Read(file));
        Assert.False(match.Success, $"{file}: '{match.Value}' is an effect, and this room is pure");
    }

    [Fact]
    public void Every_source_file_is_short_enough_to_read_at_once()
    {
        var long_ones = SourceTree.Files("Piku.Core", "Piku.Server").Where(file => SourceTree.Read(file).Count(c => c == '\n') > 400);
        Assert.Empty(long_ones);
    }

    private static string RoomOf(string file)
    {
        var parts = file.Split('/');
        return $"{parts[0]}.{parts[1]}";
    }

    private static int FloorOf(string room) => Array.FindIndex(Floors, floor => floor.Contains(room));

    /// <summary>Rooms named in full, or by their last word as C# allows inside <c>Piku.Core</c>.</summary>
    private static IEnumerable<string> Mentioned(string text) =>
        FullName().Matches(Comment().Replace(text, "")).Select(match => match.Value).Distinct();

    [GeneratedRegex(@"Piku\.(Core|Server)\.[A-Z]\w+")]
    private static partial Regex FullName();

    [GeneratedRegex(@"//.*$", RegexOptions.Multiline)]
    private static partial Regex Comment();

    [GeneratedRegex(@"\b(File|Directory|FileStream|FileInfo|DirectoryInfo)\.|\bDateTime(Offset)?\.(Utc)?Now\b|\bStopwatch\b|\bProcess\.|\bSocket\b|\bRandom\b|\bEnvironment\.|\bConsole\.|\bGuid\.NewGuid|\bPath\.GetTemp")]
    private static partial Regex Effect();
}
