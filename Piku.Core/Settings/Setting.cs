using System.Diagnostics.CodeAnalysis;
using Piku.Core.Model;

namespace Piku.Core.Settings;

/// <summary>
/// One key that an app may set, in its ENV file or with <c>config:set</c>: what the documentation, the help and the
/// messages about it say.
/// </summary>
/// <param name="Key">As it is written, in capitals.</param>
/// <param name="Summary">One sentence: what it does, with its unit.</param>
public abstract record Setting(string Key, string Summary)
{
    /// <summary>What stands when the key is not set, as it would be written; null when that is nothing.</summary>
    public string? Default { get; init; }

    /// <summary>What a value looks like.</summary>
    public abstract string Format { get; }

    /// <summary>True when a value that is none is passed over with a warning, as upstream does; false when it ends the deploy.</summary>
    public bool IsForgiving { get; init; }

    /// <summary>The sentence about the value that is set, or null when it is one.</summary>
    public abstract string? Complaint(EnvMap env);

    /// <summary>True when the key is set to something.</summary>
    public bool IsSetIn(EnvMap env) => !string.IsNullOrEmpty(env.Find(Key));
}

/// <summary>A setting whose values are read as <typeparamref name="T"/>.</summary>
public sealed record Setting<T>(string Key, ValueFormat<T> Values, string Summary) : Setting(Key, Summary)
{
    public override string Format => Values.Description;

    /// <summary>The value of a setting that always has one.</summary>
    /// <exception cref="UserError">The value that is set is not one of this setting's.</exception>
    public T In(EnvMap env) => TryIn(env, out var value) ? value : throw new UserError($"{Key} is not set.");

    /// <summary>
    /// The value that is set, or else the default; false when there is neither. An empty value is the same as none,
    /// as with any variable of a shell.
    /// </summary>
    /// <exception cref="UserError">The value is not one of this setting's, and it does not forgive.</exception>
    public bool TryIn(EnvMap env, [MaybeNullWhen(false)] out T value)
    {
        value = default;
        if ((IsSetIn(env) ? env[Key] : Default) is not { } text)
            return false;
        return Values.TryRead(text, out value) || (IsForgiving ? false : throw new UserError(Wrong(text)));
    }

    public override string? Complaint(EnvMap env) =>
        IsSetIn(env) && !Values.TryRead(env[Key], out _) ? Wrong(env[Key]) : null;

    private string Wrong(string text) => $"{Key} is '{text}', and must be {Values.Description}.{(Values.Advice(text) is { } advice ? $" {advice}" : "")}";
}
