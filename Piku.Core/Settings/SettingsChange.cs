using System.Collections.Immutable;
using Piku.Core.Model;

namespace Piku.Core.Settings;

/// <summary>What <c>config:set</c> or <c>config:unset</c> asks for.</summary>
/// <param name="Set">In the order asked; of a repeated name the last counts.</param>
/// <param name="Unset">Names that are to have no value.</param>
public sealed record SettingsChange(ImmutableArray<KeyValuePair<string, string>> Set, ImmutableArray<string> Unset)
{
    public EnvMap Apply(EnvMap before) => Unset.Aggregate(before.WithAll(Set), (rest, name) => rest.Without(name));

    /// <summary>The names of <see cref="Set"/> that get another value.</summary>
    public IEnumerable<string> Changed(EnvMap before) =>
        Apply(before).Where(pair => before.Find(pair.Key) != pair.Value).Select(pair => pair.Key);

    /// <summary>The names of <see cref="Unset"/> that have a value.</summary>
    public IEnumerable<string> Removed(EnvMap before) => Unset.Where(before.ContainsKey).Distinct();

    /// <summary>A sentence for each name that is already as it is to be.</summary>
    public IEnumerable<string> Idle(EnvMap before) =>
    [
        .. Set.Select(pair => pair.Key).Distinct().Except(Changed(before)).Select(name => $"{name} has that value already."),
        .. Unset.Distinct().Where(name => !before.ContainsKey(name)).Select(name => $"{name} is not set with config:set."),
    ];
}
