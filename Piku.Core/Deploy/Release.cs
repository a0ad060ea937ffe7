using System.Text.Json.Serialization;

namespace Piku.Core.Deploy;

/// <summary>How a release has ended, if it has.</summary>
public enum ReleaseOutcome
{
    Running,
    Succeeded,
    Failed,

    /// <summary>Somebody ended it, or whoever wanted it went away.</summary>
    Cancelled,
}

/// <summary>One change of the version that runs, or the attempt: a push, a deploy, other settings or scaling, a rollback.</summary>
/// <param name="Number">From 1, for each app; never given twice.</param>
/// <param name="Purpose">What was wanted, in a few words: "push", "config: DEBUG".</param>
/// <param name="Branch">The branch of the commit.</param>
/// <param name="Commit">What was to be live.</param>
/// <param name="By">Who wanted it: the name of the key.</param>
/// <param name="Began">When it had the app for itself.</param>
public sealed record Release(int Number, string Purpose, string Branch, string Commit, string By, DateTimeOffset Began)
{
    public ReleaseOutcome Outcome { get; init; }

    /// <summary>From beginning to end; null while it runs, and when nobody saw its end.</summary>
    public TimeSpan? Duration { get; init; }

    /// <summary>Why it has not succeeded: one sentence.</summary>
    public string? Reason { get; init; }

    /// <summary>The release that a rollback brought back; null for every other.</summary>
    public int? BackTo { get; init; }

    /// <summary>Which dependencies it ran with (<see cref="DependencyHashes.Id"/>); null when it has none.</summary>
    public string? Dependencies { get; init; }

    [JsonIgnore]
    public bool Succeeded => Outcome is ReleaseOutcome.Succeeded;
}

[JsonSerializable(typeof(Release))]
[JsonSourceGenerationOptions(UseStringEnumConverter = true)]
internal sealed partial class ReleaseJson : JsonSerializerContext;
