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

        var calls = LivePlan.Create(facts with { Host = facts.Host with { AcmeProgram = "/home/piku/.acme.sh/acme.sh" } }).CertificateCalls;

        var recorded = recording.Steps[0].Runs.Where(run => run.Tool == "acme.sh").Select(run => run.Arguments.ToArray());
        Assert.Equal(recorded, calls.Select(call => call.Argv.Skip(1).ToArray()));
        Assert.All(calls, call => Assert.Equal("/home/piku/.acme.sh/acme.sh", call.Argv[0]));
    }

    [Fact]
    public void Without_acme_sh_or_without_a_site_nothing_is_called()
    {
        Assert.Empty(LivePlan.Create(TestApp.With("wsgi: app:app", "NGINX_SERVER_NAME=a.test")).CertificateCalls);
        var withAcme = TestApp.With("wsgi: app:app");
        Assert.Empty(LivePlan.Create(withAcme with { Host = withAcme.Host with { AcmeProgram = "/x/acme.sh" } }).CertificateCalls);
    }
}
