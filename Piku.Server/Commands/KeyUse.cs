using System.Collections.Immutable;
using System.Net;
using System.Text.Json;
using System.Text.Json.Serialization;
using Piku.Core.Machine;
using Piku.Core.Model;

namespace Piku.Server.Commands;

/// <summary>When and from where a key came in last.</summary>
internal sealed record KeyUse(DateTimeOffset Time, string Address);

/// <summary>
/// <c>audit/keys.json</c>: who came in last, by fingerprint. To the minute: a key that comes in again from the same
/// address soon after is not written again, so that a busy key costs no disk. Only the daemon writes it.
/// </summary>
internal sealed class KeyUses(PikuPaths paths, TimeProvider clock)
{
    private static readonly TimeSpan Resolution = TimeSpan.FromMinutes(1);

    /// <summary>Fingerprints kept; those unused for the longest time go first. Certificates make a new one each.</summary>
    private const int MaxKeys = 10_000;

    private readonly Lock _gate = new();
    private ImmutableDictionary<string, KeyUse>? _uses;

    private string File => Path.Combine(paths.Audit, "keys.json");

    /// <summary>What the file says; nothing when it is not there or not whole.</summary>
    public ImmutableDictionary<string, KeyUse> Read()
    {
        try
        {
            var uses = AtomicFile.ReadIfExists(File) is { } text ? JsonSerializer.Deserialize(text, KeyUseJson.Default.DictionaryStringKeyUse) : null;
            return uses?.ToImmutableDictionary(StringComparer.Ordinal) ?? ImmutableDictionary<string, KeyUse>.Empty;
        }
        catch (JsonException)
        {
            return ImmutableDictionary<string, KeyUse>.Empty; // it is only for information, and written anew
        }
    }

    /// <summary>Remembers that a key has come in.</summary>
    /// <exception cref="IOException">It cannot be written.</exception>
    public void Remember(string fingerprint, IPAddress address)
    {
        lock (_gate)
        {
            _uses ??= Read();
            var use = new KeyUse(clock.GetUtcNow(), address.ToString());
            if (_uses.GetValueOrDefault(fingerprint) is { } last && last.Address == use.Address && use.Time - last.Time < Resolution)
                return;
            _uses = _uses.SetItem(fingerprint, use);
            if (_uses.Count > MaxKeys)
                _uses = _uses.Remove(_uses.MinBy(pair => pair.Value.Time).Key);
            AtomicFile.Write(File, JsonSerializer.Serialize(new(_uses), KeyUseJson.Default.DictionaryStringKeyUse), AtomicFile.Secret);
        }
    }
}

[JsonSerializable(typeof(Dictionary<string, KeyUse>))]
[JsonSourceGenerationOptions(WriteIndented = true, PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
internal sealed partial class KeyUseJson : JsonSerializerContext;
