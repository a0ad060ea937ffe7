using Piku.Core.Model;
using Piku.Core.Runtimes;

namespace Piku.Core.Workers;

/// <summary>
/// uWSGI's language plugins under the names that this machine has (D21): Debian calls them by their version as well,
/// as in <c>rack_ruby31</c>, and only sometimes by the short name.
/// </summary>
internal static class UwsgiPlugins
{
    /// <summary>The name for the <c>plugin</c> option. Where nothing is known of the plugins, the short name.</summary>
    /// <param name="host">Where it is to load.</param>
    /// <param name="name">As uWSGI's documentation has it.</param>
    /// <param name="package">Debian's, for the message.</param>
    /// <exception cref="UserError">It is not installed.</exception>
    public static string Find(HostFacts host, string name, string package) =>
        host.UwsgiPlugins.Count == 0 || host.UwsgiPlugins.Contains(name) ? name
        : host.UwsgiPlugins.Where(one => one.StartsWith(name + "_", StringComparison.Ordinal)).Order(StringComparer.Ordinal).LastOrDefault()
        ?? throw new UserError($"uWSGI's plugin '{name}' is not installed: apt install {package}.");

    /// <summary>
    /// The plugin for an app's Python: that of the very version if it is here (<c>python311</c>), else that of the
    /// major version, which runs any app whose packages are pure Python.
    /// </summary>
    /// <param name="host">Where it is to load.</param>
    /// <param name="version">As PYTHON_VERSION has it: 3 or 3.11 or 3.11.2.</param>
    public static string Python(HostFacts host, string version)
    {
        var parts = version.Split('.');
        return parts.Length > 1 && host.UwsgiPlugins.Contains($"python{parts[0]}{parts[1]}") ? $"python{parts[0]}{parts[1]}"
            : IsPython2(version) ? Find(host, "python", "uwsgi-plugin-python")
            : Find(host, "python3", "uwsgi-plugin-python3");
    }

    /// <summary>The sentence to an app whose Python is not the one that uWSGI's plugin has; null when that is not known to be so.</summary>
    public static string? PythonMismatch(HostFacts host, string version)
    {
        var plugin = Python(host, version);
        var known = host.UwsgiPlugins.Where(name => name.StartsWith("python3", StringComparison.Ordinal) && name.Length > "python3".Length).ToArray();
        return plugin != "python3" || version == "3" || known.Length == 0 ? null
            : $"uWSGI has no plugin for Python {version} here, only {string.Join(", ", known)}: packages with compiled parts may not load; a 'web' worker runs any version.";
    }

    public static bool IsPython2(string version) => version.Split('.')[0] == "2";
}
