using System.Collections.Immutable;
using Piku.Core.Model;
using Piku.Core.Settings;

namespace Piku.Core.Runtimes;

/// <summary>What a deploy runs before any worker is touched, in order: preflight, the steps, release (D2).</summary>
/// <param name="Runtime">Its name, for the one who pushes.</param>
/// <param name="Preflight">Null when the Procfile has none.</param>
/// <param name="Steps">In order.</param>
/// <param name="Release">Null when the Procfile has none.</param>
/// <param name="Warnings">One sentence each.</param>
public sealed record BuildPlan(
    string Runtime, ShellCommand? Preflight, ImmutableArray<BuildStep> Steps, ShellCommand? Release, ImmutableArray<string> Warnings)
{
    /// <summary>Folders in the app's own that the steps make anew; absolute paths.</summary>
    public ImmutableArray<string> Outputs { get; init; } = [];

    /// <summary>For preflight, steps and release together.</summary>
    public TimeSpan Limit { get; init; } = TimeSpan.FromMinutes(30);

    /// <exception cref="UserError">The app cannot be built here as it is.</exception>
    public static BuildPlan Create(DeployFacts facts)
    {
        var (runtime, passedOver) = RuntimeTable.Detect(facts);
        var before = AppEnvironment.Create(facts);
        var built = facts with { EnvEntries = [.. facts.EnvEntries, .. runtime.Makes] };
        var context = new BuildContext(facts, AppEnvironment.Create(built).Variables);
        return new BuildPlan(
            runtime.Name,
            Shell(facts, facts.Procfile.Preflight, before.Variables),
            [.. runtime.Steps(context)],
            Shell(facts, facts.Procfile.Release, context.Variables),
            [.. facts.Procfile.Warnings, .. passedOver, .. runtime.Warnings(context), .. before.Warnings])
        {
            Outputs = [.. runtime.Outputs.Select(folder => $"{facts.AppFolder}/{folder}")],
            Limit = TimeSpan.FromSeconds(AppSettings.BuildTimeout.In(before.Variables)),
        };
    }

    private static ShellCommand? Shell(DeployFacts facts, string? line, EnvMap environment) =>
        line is null ? null : new ShellCommand(line, facts.AppFolder, environment);
}
