namespace Piku.Core.Runtimes;

/// <summary>A program that a runtime needs.</summary>
/// <param name="Name">What it is called.</param>
/// <param name="Source">How to get it, as a sentence continues: "apt install npm".</param>
public sealed record Tool(string Name, string Source)
{
    /// <summary>Other programs, or <c>uwsgi_</c> plugins, that do as well.</summary>
    public string[] Instead { get; init; } = [];

    public static Tool Apt(string name, string? package = null) => new(name, $"apt install {package ?? name}");

    public bool IsOn(HostFacts host) => Instead.Prepend(Name).Any(name => host.Tools.Contains(name)
        || (name.StartsWith("uwsgi_", StringComparison.Ordinal) && host.UwsgiPlugins.Contains(name["uwsgi_".Length..])));
}
