using System.Text.Json;

namespace Piku.Core.Services;

/// <summary>
/// What the emperor tells on its stats socket (uWSGI option <c>emperor-stats</c>; core/emperor.c, emperor_send_stats).
/// </summary>
/// <param name="Failures">How often a vassal has ended without ever having served a request; absent is never.</param>
public sealed record EmperorStatus(
    int ProcessId, IReadOnlyList<VassalStatus> Vassals, IReadOnlyDictionary<string, int> Failures)
{
    public VassalStatus? Find(string name) => Vassals.FirstOrDefault(vassal => vassal.Name == name);

    internal static EmperorStatus Parse(ReadOnlyMemory<byte> json)
    {
        using var document = JsonDocument.Parse(json);
        var root = document.RootElement;
        return new(
            root.GetProperty("pid").GetInt32(),
            [.. root.GetProperty("vassals").EnumerateArray().Select(VassalStatus.Read)],
            root.GetProperty("blacklist").EnumerateArray().ToDictionary(
                VassalStatus.NameOf, item => item.GetProperty("attempt").GetInt32() + 1, StringComparer.Ordinal));
    }
}

/// <summary>One running vassal.</summary>
/// <param name="Name">Its file's name without <c>.ini</c>.</param>
/// <param name="ProcessId">Of its uWSGI master.</param>
/// <param name="Modified">Modification time of the file that it was last told to run, seconds since 1970.</param>
/// <param name="Accepting">Its first worker accepts requests; never true of a vassal without uWSGI workers.</param>
/// <param name="Ending">It has been told to end, or has closed its connection to the emperor.</param>
public sealed record VassalStatus(string Name, int ProcessId, long Modified, bool Accepting, bool Ending)
{
    internal static VassalStatus Read(JsonElement vassal) => new(
        NameOf(vassal),
        vassal.GetProperty("pid").GetInt32(),
        vassal.GetProperty("last_mod").GetInt64(),
        vassal.GetProperty("accepting").GetInt32() == 1,
        vassal.GetProperty("cursed").GetInt64() != 0);

    internal static string NameOf(JsonElement item) => Path.GetFileNameWithoutExtension(item.GetProperty("id").GetString()!);
}
