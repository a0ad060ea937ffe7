using System.Collections.Immutable;
using Piku.Core.Formats;
using Piku.Core.Model;
using Piku.Core.Runtimes;
using Piku.Core.Workers;

namespace Piku.Tests.Plans;

/// <summary>
/// The same app in the same place is planned as upstream ran it: every recording, every step that deploys.
/// What differs is in the table of <see cref="Differences"/>, each with its reason.
/// </summary>
public sealed class ParityTests
{
    /// <summary>Commands that plan anew. The others change nothing that a plan says; the tests of commands have them.</summary>
    private static readonly string[] Planning = ["config:set", "config:unset", "ps:scale", "deploy", "restart"];

    public static TheoryData<string> Cases() => new(Recording.Names);

    [Theory]
    [MemberData(nameof(Cases))]
    public void Plans_are_what_upstream_did(string name)
    {
        var unexplained = Replay(Recording.Load(name)).Where(line => !Differences.All.Any(known => known.Covers(name, line)));
        Assert.All(unexplained, Assert.Fail);
    }

    [Fact]
    public void Every_difference_in_the_table_exists()
    {
        var found = Recording.Names.SelectMany(name => Replay(Recording.Load(name)).Select(line => (name, line))).Distinct().ToArray();
        var stale = Differences.All.Where(known => !found.Any(one => known.Covers(one.name, one.line)));
        Assert.All(stale, one => Assert.Fail($"{one}"));
    }

    private static IEnumerable<string> Replay(Recording recording)
    {
        var machine = new UpstreamMachine(recording);
        var scaling = Scaling.Default;
        foreach (var (index, step) in recording.Steps.Index())
        {
            if (step.Do == "commit")
                machine.Commit(step);
            if (step.Command.StartsWith("ps:scale", StringComparison.Ordinal))
                scaling = step.Scaling ?? scaling;
            var isPush = step.Do == "push" && (index == 0 || recording.Steps[index - 1].Do != "push");
            foreach (var line in isPush || IsPlanning(step, recording.App) ? Compare(machine, step, scaling, isPush) : [])
                yield return $"{index}: {line}";
            scaling = step.Scaling ?? scaling;
        }
    }

    /// <summary>A command that plans for this app, which is deployed.</summary>
    private static bool IsPlanning(RecordedStep step, string app) =>
        step is { Do: "ssh", LiveEnv: not null } && step.Command.Split(' ') is [var verb, var name, ..] && Planning.Contains(verb) && name == app;

    private static IEnumerable<string> Compare(UpstreamMachine machine, RecordedStep step, Scaling scaling, bool isPush)
    {
        try
        {
            // A port that upstream picked is the one that is free.
            ImmutableArray<int> ports = [int.Parse(step.LiveEnv?.Find("PORT") ?? "50000"), 50001];
            DeployFacts Facts() => machine.Facts(step.ConfigEnv, scaling, ports);
            var runs = isPush ? machine.Build(Facts(), BuildPlan.Create(Facts())) : [];
            var live = LivePlan.Create(Facts());
            return
            [
                .. isPush ? Comparison.Runs(step.Runs, runs) : [],
                .. Comparison.Vassals(step.Vassals, live.Vassals),
                .. Comparison.Sites(step.Site, live.Site),
                .. Comparison.LiveEnv(step.LiveEnv, live.LiveEnv),
                .. Comparison.ScalingFile(step.Scaling, live.Scaling),
            ];
        }
        catch (UserError refusal)
        {
            return [$"refused: {refusal.Message}", .. machine.Mend(refusal) ? Compare(machine, step, scaling, isPush) : []];
        }
    }
}
