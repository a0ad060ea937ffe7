using System.Collections.Frozen;

namespace Piku.Core.Runtimes;

/// <summary>What a plan must know of the machine.</summary>
public sealed record HostFacts
{
    /// <summary>The user that apps run as.</summary>
    public required string User { get; init; }

    /// <summary>The group that apps' sockets and logs belong to; nginx is in it.</summary>
    public required string Group { get; init; }

    public required string Home { get; init; }

    /// <summary>The user of the app, where apps have users of their own; null where all run as <see cref="User"/>.</summary>
    public AppUserFacts? AppUser { get; init; }

    /// <summary>Where the app's programs keep what belongs to a user: caches, their settings.</summary>
    public string AppHome => AppUser?.Home ?? Home;

    /// <summary>The PATH that the daemon itself has.</summary>
    public required string SystemPath { get; init; }

    /// <summary>Which of <see cref="RuntimeTable.ToolNames"/> are on the <see cref="SearchPath"/>.</summary>
    public FrozenSet<string> Tools { get; init; } = [];

    /// <summary>Names that uWSGI's <c>plugin</c> option takes here: <c>NAME_plugin.so</c> in its folder, and those built in.</summary>
    public FrozenSet<string> UwsgiPlugins { get; init; } = [];

    /// <summary>The path of acme.sh; null when it is not installed.</summary>
    public string? AcmeProgram { get; init; }

    /// <summary>Whether there is prlimit(1), of util-linux.</summary>
    public bool HasPrlimit { get; init; }

    /// <summary>Where apps get control groups; null when piku was given none.</summary>
    public GroupFacts? Groups { get; init; }

    /// <summary>For the syntax of http2, which changed with 1.25.1.</summary>
    public Version NginxVersion { get; init; } = new(1, 18);

    /// <summary>Whether nginx was built with the http2 module (<c>nginx -V</c>).</summary>
    public bool NginxHasHttp2 { get; init; }

    /// <summary>Connections that may wait at one socket (somaxconn); null when that is not known.</summary>
    public int? LongestQueue { get; init; }

    /// <summary>Where nginx listens for http (D18).</summary>
    public int HttpPort { get; init; } = 80;

    /// <summary>Where nginx listens for https (D18).</summary>
    public int HttpsPort { get; init; } = 443;

    /// <summary>Folders where programs are looked for, first to last, each once: the service user's, sbin, the system's.</summary>
    public IEnumerable<string> SearchPath =>
        [.. new[] { $"{Home}/bin", $"{Home}/.local/bin", "/usr/local/sbin", "/usr/sbin", "/sbin" }
            .Concat(SystemPath.Split(':', StringSplitOptions.RemoveEmptyEntries)).Distinct()];
}

/// <summary>A user of one app.</summary>
/// <param name="Id">The number, which is its group's too.</param>
public sealed record AppUserFacts(uint Id, string Name, string Home);

/// <summary>A folder of control groups (cgroups(7), version 2) that is piku's own, for a group for each vassal.</summary>
/// <param name="Folder">Its absolute path.</param>
/// <param name="HasMemory">The groups in it can be limited in memory.</param>
/// <param name="HasCpu">The groups in it can be limited in processor time.</param>
public sealed record GroupFacts(string Folder, bool HasMemory, bool HasCpu);
