using System.Collections.Immutable;
using Piku.Core.Model;

namespace Piku.Core.Runtimes;

/// <summary>One thing that a build does, in the order of its actions. The first that fails ends the deploy.</summary>
/// <param name="Name">A short name that stays, under which its fingerprint is kept.</param>
/// <param name="Title">What the one who pushes reads.</param>
/// <param name="Actions">What it does.</param>
public sealed record BuildStep(string Name, string Title, ImmutableArray<BuildAction> Actions)
{
    /// <summary>
    /// Files of the app whose content decides whether the step runs again (D24); one that is missing counts as
    /// such. A step with neither inputs nor values runs at every deploy.
    /// </summary>
    public ImmutableArray<string> Inputs { get; init; } = [];

    /// <summary>Settings that decide the same.</summary>
    public ImmutableArray<string> InputValues { get; init; } = [];

    /// <summary>True when what it installs is in the app's folder, and not in <c>envs/APP</c>.</summary>
    public bool IsInTree { get; init; }

    /// <summary>True when what the step makes is not there, so that it runs whatever its fingerprint says.</summary>
    public bool IsMissing { get; init; }
}

/// <summary>What a step does.</summary>
public abstract record BuildAction
{
    private BuildAction()
    {
    }

    /// <summary>Runs a program, found on the PATH of its environment; no shell reads the arguments.</summary>
    public sealed record Run(ImmutableArray<string> Argv, string Folder, EnvMap Environment) : BuildAction;

    /// <summary>Makes a folder and those above it, if they are not there.</summary>
    public sealed record MakeFolder(string Path) : BuildAction;

    /// <summary>Copies a file over what is there; where the source is missing, removes the copy.</summary>
    public sealed record CopyFile(string From, string To) : BuildAction;

    /// <summary>Makes a symbolic link, unless something has its name already.</summary>
    public sealed record Link(string Path, string Target) : BuildAction;
}
