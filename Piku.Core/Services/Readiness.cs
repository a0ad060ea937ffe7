using System.Net;

namespace Piku.Core.Services;

/// <summary>What has to be seen before a vassal counts as up. See docs/decisions: readiness.</summary>
public abstract record Readiness
{
    private Readiness()
    {
    }

    /// <summary>uWSGI serves the app itself: the app is loaded and the first worker accepts requests.</summary>
    public sealed record Accepting : Readiness;

    /// <summary>A command that serves: something accepts connections on the address, and the command still runs.</summary>
    /// <param name="Address">Where to connect to; a loopback address for a command that binds them all.</param>
    public sealed record Listening(IPEndPoint Address) : Readiness;

    /// <summary>A command that serves nobody: it still runs this long after its start.</summary>
    public sealed record Running(TimeSpan For) : Readiness;

    /// <summary>Nothing runs yet, as with cron: uWSGI has read the settings and waits.</summary>
    public sealed record Started : Readiness;
}
