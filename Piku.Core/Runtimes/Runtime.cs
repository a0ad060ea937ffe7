using System.Collections.Immutable;
using Piku.Core.Model;

namespace Piku.Core.Runtimes;

/// <summary>A way of building apps. All there are stand in <see cref="RuntimeTable"/>.</summary>
/// <param name="Name">As the one who pushes reads it.</param>
/// <param name="Marks">Whether an app looks like one.</param>
public sealed record Runtime(string Name, Func<DeployFacts, bool> Marks)
{
    /// <summary>All must be there.</summary>
    public ImmutableArray<Tool> Tools { get; init; } = [];

    /// <summary>How an app is built.</summary>
    public Func<BuildContext, IEnumerable<BuildStep>> Steps { get; init; } = _ => [];

    /// <summary>A sentence for everything that the app asks and the build passes over.</summary>
    public Func<BuildContext, IEnumerable<string>> Warnings { get; init; } = _ => [];

    /// <summary>What the steps leave in <c>envs/APP</c> that changes the environment of what runs after them.</summary>
    public ImmutableArray<string> Makes { get; init; } = [];

    /// <summary>Folders that the steps make inside the app's own, and the app runs from.</summary>
    public ImmutableArray<string> Outputs { get; init; } = [];

    /// <summary>What a web process sees more, so that it listens at its PORT.</summary>
    public Func<EnvMap, EnvMap> Serves { get; init; } = environment => environment;

    public IEnumerable<Tool> MissingOn(HostFacts host) => Tools.Where(tool => !tool.IsOn(host));
}
