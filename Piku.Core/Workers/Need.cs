using Piku.Core.Model;
using Piku.Core.Runtimes;

namespace Piku.Core.Workers;

/// <summary>How much of a deploy a change of settings or scaling needs, of an app whose code stays the same.</summary>
public enum Need
{
    /// <summary>The app would be what it is.</summary>
    Nothing,

    /// <summary>What is built stays; processes and site are made anew.</summary>
    Processes,

    /// <summary>A command that builds would do something else, or could: it sees what has changed.</summary>
    Build,
}

/// <summary>The one decision about it, by content.</summary>
public static class Needs
{
    /// <param name="before">The app as it runs.</param>
    /// <param name="after">The same commit, with other settings or scaling.</param>
    /// <exception cref="UserError">The app cannot run with what is wanted.</exception>
    public static Need Between(DeployFacts before, DeployFacts after)
    {
        var (was, wanted) = (AppEnvironment.Create(before).Variables, AppEnvironment.Create(after).Variables);
        if (was.Equals(wanted))
            return after.Procfile.Workers.All(worker => before.Scaling.Count(worker.Kind) == after.Scaling.Count(worker.Kind)) ? Need.Nothing : Need.Processes;
        var (old, plan) = (BuildPlan.Create(before), BuildPlan.Create(after));
        return plan.Preflight is not null || plan.Release is not null || plan.Steps.Any(step => Differs(step, old)) ? Need.Build : Need.Processes;
    }

    /// <summary>A step without inputs runs at every deploy, and may make something of any variable.</summary>
    private static bool Differs(BuildStep step, BuildPlan old) =>
        step is { Inputs: [], InputValues: [] } || step.IsMissing
        || old.Steps.FirstOrDefault(one => one.Name == step.Name) is not { } same
        || !same.InputValues.SequenceEqual(step.InputValues) || !same.Inputs.SequenceEqual(step.Inputs);
}
