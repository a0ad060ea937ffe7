using System.Text.RegularExpressions;
using Piku.Core.Model;

namespace Piku.Core.Formats;

/// <summary>References to variables, <c>$NAME</c> and <c>${NAME}</c>, as upstream reads them: there is no escape.</summary>
public static partial class Expansion
{
    /// <summary>The text with its references replaced, once; unknown ones stay as they are.</summary>
    /// <exception cref="UserError">The result is longer than any variable can be.</exception>
    public static string Expand(string text, EnvMap known)
    {
        var length = text.Length;
        return Reference().Replace(text, match =>
        {
            var name = match.Groups["braced"] is { Length: > 0 } braced ? braced.Value : match.Groups["name"].Value;
            var value = known.Find(name) ?? match.Value;
            // Doubling a value line by line reaches any size; stop before the memory is taken.
            length += value.Length - match.Length;
            return length <= EnvFile.MaxVariableBytes ? value : throw new UserError($"${name} expands to more than {EnvFile.MaxVariableBytes} bytes.");
        });
    }

    /// <summary>The settings on top of those below, each expanded against all that is set before it.</summary>
    /// <exception cref="UserError">A value does not fit an environment.</exception>
    public static EnvMap Layer(EnvMap below, IEnumerable<KeyValuePair<string, string>> settings)
    {
        var map = below;
        foreach (var (name, raw) in settings)
        {
            var value = Expand(raw, map);
            EnvFile.Check(name, value);
            map = map.With(name, value);
        }
        return map;
    }

    [GeneratedRegex(@"\$(?:(?<name>\w+)|\{(?<braced>[^}]*)\})")]
    private static partial Regex Reference();
}
