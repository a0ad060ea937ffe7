using System.Collections.Immutable;
using Piku.Core.Formats;
using Piku.Core.Model;

namespace Piku.Core.Workers;

/// <summary>What <c>ps:scale</c> asks for.</summary>
/// <param name="Counts">By kind, in the order asked.</param>
public sealed record ScaleChange(ImmutableArray<KeyValuePair<string, int>> Counts)
{
    /// <summary>The scaling as it is to be.</summary>
    /// <param name="before">Of an app that was deployed, all kinds that it has.</param>
    /// <param name="isDeployed">False when its first Procfile is still to come, and so any kind may.</param>
    /// <exception cref="UserError">A kind that the app has not, or that has no such count.</exception>
    public Scaling Apply(Scaling before, AppName app, bool isDeployed) => Counts.Aggregate(before, (scaling, change) =>
        Problem(change.Key, change.Value) is { } problem ? throw new UserError(problem)
        : isDeployed && before.Counts.All(pair => pair.Key != change.Key) ? throw new UserError($"app '{app}' has no worker of kind '{change.Key}'.")
        : scaling.With(change.Key, change.Value));

    /// <summary>The sentence about a count that a kind cannot have; null for all others.</summary>
    public static string? Problem(string kind, int count) =>
        !Procfile.IsKind(kind) ? $"'{kind}' is not a kind: use up to {Procfile.MaxKindLength} letters, digits, '_', '-' and '.'."
        : kind is "preflight" or "release" ? $"'{kind}' runs once at each deploy and is not scaled."
        : kind == "static" && count != 1 ? "'static' has no processes to scale: nginx itself serves the folder. Take the line out of the Procfile to end that."
        : kind.StartsWith("cron", StringComparison.Ordinal) && count > 1 ? $"'{kind}' is a schedule, which runs its command once at each of its times: use {kind}=1, or {kind}=0 to suspend it."
        : null;
}
