namespace Piku.Core.Nginx;

/// <summary>The forms that a host name of a site may have (nginx, server_name).</summary>
public static class HostPattern
{
    /// <summary>Every name, for an app that wants those that nobody else has.</summary>
    public const string Any = "_";

    /// <summary>Which a pattern of nginx's says; a server with it must come after all others with patterns.</summary>
    public const string AnyPattern = "~^";

    /// <summary>True for a name that a person can type.</summary>
    public static bool IsName(string name) => name != Any && name[0] is not ('.' or '~') && !name.Contains('*', StringComparison.Ordinal);

    /// <summary>What nginx takes a name for: <c>.example.com</c> for two. Two sites must have none in common.</summary>
    public static IEnumerable<string> Forms(string name) => name[0] == '.' ? [name[1..], $"*{name}"] : [name];

    /// <summary>Names that a certificate can be for: <c>*</c> only as the first label (RFC 6125, section 6.4.3).</summary>
    public static IEnumerable<string> InCertificate(string name) =>
        Forms(name).Where(form => IsName(form) || (form.StartsWith("*.", StringComparison.Ordinal) && !form.EndsWith(".*", StringComparison.Ordinal)));

    /// <summary>A name that such a site answers to.</summary>
    public static string Example(string name) => IsName(name) ? name
        : name[0] == '.' ? name[1..]
        : name.StartsWith("*.", StringComparison.Ordinal) ? Example($"www{name[1..]}")
        : name.EndsWith(".*", StringComparison.Ordinal) ? $"{name[..^2]}.localhost"
        : "localhost";

    /// <summary>In words, for one that is no name itself.</summary>
    public static string InWords(string name) => name == Any ? "every host name that no other app has"
        : name[0] == '~' ? $"every host name that matches {name[1..]}"
        : $"every host name of the form {name}";
}
