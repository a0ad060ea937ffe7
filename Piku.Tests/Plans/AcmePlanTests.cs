using Piku.Core.Formats;
using Piku.Core.Model;
using Piku.Core.Workers;

namespace Piku.Tests.Plans;

public sealed class AcmePlanTests
{
    [Fact]
    public void Acme_sh_is_called_as_upstream_calls_it()
    {
        var recording = Recording.Load("g60-acme");
        var facts = new UpstreamMachine(recording).Facts(EnvMap.Empty, Scaling.Default, [9160]);
        var plan = LivePlan.Create(facts);

        var calls = AcmePlan.Create(facts, plan.LiveEnv, plan.Site!);

        var recorded = recording.Steps[0].Runs.Where(run => run.Tool == "acme.sh").Select(run => run.Arguments.ToArray());
        Assert.Equal(recorded, calls.Select(call => call.Argv.Skip(1).ToArray()));
        Assert.All(calls, call => Assert.Equal("/home/piku/.acme.sh/acme.sh", call.Argv[0]));
    }
}
