using System.Diagnostics.CodeAnalysis;

namespace Piku.Core.Settings;

/// <summary>Reads a value as it is written in ENV; false when it is not one.</summary>
public delegate bool ReadValue<T>(string text, [MaybeNullWhen(false)] out T value);

/// <summary>A kind of value: how it is read, and in words.</summary>
/// <param name="Description">Completes "must be …".</param>
/// <param name="TryRead">Reads it.</param>
public sealed record ValueFormat<T>(string Description, ReadValue<T> TryRead)
{
    /// <summary>For a text that is no value: a sentence with what to write instead, or null for none.</summary>
    public Func<string, string?> Advice { get; init; } = _ => null;
}
