using System.Collections;
using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;

namespace Piku.Core.Model;

/// <summary>
/// Environment variables in the order in which they were first set. Immutable: every change is a new map.
/// Names and values are exact text; nothing is expanded or escaped here.
/// </summary>
public sealed class EnvMap : IReadOnlyDictionary<string, string>, IEquatable<EnvMap>
{
    public static readonly EnvMap Empty = new([], ImmutableDictionary.Create<string, string>(StringComparer.Ordinal));

    private readonly ImmutableList<string> _order;
    private readonly ImmutableDictionary<string, string> _values;

    private EnvMap(ImmutableList<string> order, ImmutableDictionary<string, string> values) =>
        (_order, _values) = (order, values);

    public IEnumerable<string> Keys => _order;

    public IEnumerable<string> Values => _order.Select(key => _values[key]);

    public int Count => _order.Count;

    public string this[string key] => _values[key];

    public static EnvMap From(IEnumerable<KeyValuePair<string, string>> pairs) => Empty.WithAll(pairs);

    /// <summary>The map with one variable set; a variable that was there keeps its place.</summary>
    public EnvMap With(string key, string value) =>
        new(_values.ContainsKey(key) ? _order : _order.Add(key), _values.SetItem(key, value));

    /// <summary>The map with one variable set, unless it is set already.</summary>
    public EnvMap WithDefault(string key, string value) => _values.ContainsKey(key) ? this : With(key, value);

    public EnvMap WithAll(IEnumerable<KeyValuePair<string, string>> pairs) =>
        pairs.Aggregate(this, (map, pair) => map.With(pair.Key, pair.Value));

    public EnvMap Without(string key) =>
        _values.ContainsKey(key) ? new(_order.Remove(key), _values.Remove(key)) : this;

    /// <summary>The value, or null when the variable is not set.</summary>
    public string? Find(string key) => _values.GetValueOrDefault(key);

    public bool ContainsKey(string key) => _values.ContainsKey(key);

    public bool TryGetValue(string key, [MaybeNullWhen(false)] out string value) => _values.TryGetValue(key, out value);

    public IEnumerator<KeyValuePair<string, string>> GetEnumerator() =>
        _order.Select(key => KeyValuePair.Create(key, _values[key])).GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    /// <summary>Equal when the same variables have the same values, in any order.</summary>
    public bool Equals(EnvMap? other) =>
        other is not null && Count == other.Count && _values.All(pair => other.Find(pair.Key) == pair.Value);

    public override bool Equals(object? obj) => Equals(obj as EnvMap);

    public override int GetHashCode() =>
        _values.Aggregate(0, (hash, pair) => hash ^ HashCode.Combine(pair.Key, pair.Value));
}
