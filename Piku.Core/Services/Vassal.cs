using System.Collections.Immutable;
using Piku.Core.Formats;

namespace Piku.Core.Services;

/// <summary>One uWSGI instance under the emperor.</summary>
/// <param name="Name">Its file's name without <c>.ini</c>: <c>blog_web.1</c>.</param>
/// <param name="Settings">Its settings, apart from those by which the emperor's reader follows its start.</param>
/// <param name="Readiness">When it counts as up.</param>
public sealed record Vassal(string Name, ImmutableArray<UwsgiSetting> Settings, Readiness Readiness)
{
    /// <summary>Shell commands that hold it to its limits, run as piku before it starts as another user; null for none.</summary>
    public string? LimitScript { get; init; }

    /// <summary>
    /// With the option <c>cheap</c> uWSGI loads the app and listens, but starts no worker before the first request:
    /// none will be accepting.
    /// </summary>
    public Readiness Readiness { get; init; } =
        Readiness is Readiness.Accepting && Settings.Any(setting => setting is { Option: "cheap", Value: "true" })
            ? new Readiness.Started()
            : Readiness;
}

/// <summary>A vassal as installed: this version of it and no other is waited for.</summary>
/// <param name="Token">What uWSGI writes down when it has come up with these settings.</param>
/// <param name="Modified">The file's modification time, whole seconds since 1970: the emperor's idea of a version.</param>
public sealed record InstalledVassal(Vassal Vassal, string Token, long Modified)
{
    public string Name => Vassal.Name;
}

/// <summary>A vassal that did not come up, and why, as the end of a sentence: "ended while it was starting".</summary>
public sealed record VassalFailure(string Name, string Reason);
