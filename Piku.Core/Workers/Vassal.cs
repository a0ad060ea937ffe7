using System.Collections.Immutable;
using Piku.Core.Formats;
using Piku.Core.Model;

namespace Piku.Core.Workers;

/// <summary>One file for the uWSGI emperor, and with it one process tree.</summary>
/// <param name="App">Whose it is; it is also the option <c>project</c> of the file.</param>
/// <param name="Kind">Of the Procfile.</param>
/// <param name="Ordinal">From 1.</param>
/// <param name="Settings">Of its ini file, in order.</param>
/// <param name="LogFile">Where its output goes.</param>
/// <param name="Probe">How one learns that it is up.</param>
public sealed record Vassal(AppName App, string Kind, int Ordinal, ImmutableArray<UwsgiSetting> Settings, string LogFile, Probe Probe)
{
    /// <summary>Where it stands; workers that answer nobody are always on the first.</summary>
    public Stand Stand { get; init; }

    /// <summary>Shell commands that piku runs before it starts, to hold it to its limits; null for none.</summary>
    public string? LimitScript { get; init; }

    public string FileName => $"{Name}.ini";

    public string Name => NameOf(App, Kind, Ordinal, Stand);

    /// <summary>True when it answers requests, and so can come up beside the version before.</summary>
    public bool Serves => Probe is Probe.UnixSocket or Probe.Tcp;

    /// <summary>The file's content. It has the app's whole environment, so it is for the service user alone (D13).</summary>
    public string Ini => UwsgiIni.Write(Settings);

    internal static string NameOf(AppName app, string kind, int ordinal, Stand stand) => $"{app}_{kind}.{ordinal}{stand.Mark()}";
}
