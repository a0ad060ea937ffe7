using Piku.Core.Formats;
using Piku.Core.Model;
using Piku.Core.Workers;

namespace Piku.Tests.Plans;

/// <summary>What we write, nginx and uWSGI read: every recorded app, on this machine.</summary>
[NeedsMachine]
public sealed class AcceptedByTheRealPartsTests : IDisposable
{
    /// <summary>Files that were empty where fake tools read them.</summary>
    private static readonly Dictionary<string, string> RealFiles = new()
    {
        ["Gemfile"] = "source \"https://rubygems.org\"\ngem \"rack\"\n",
        ["config.ru"] = "run lambda { |env| [200, {}, []] }\n",
    };

    private readonly RealHost _host = new();

    public static TheoryData<string> Cases() => new(Recording.Names);

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Theory]
    [MemberData(nameof(Cases))]
    public async Task Nginx_and_uwsgi_accept_the_plan_of_a_recorded_app(string name)
    {
        var recording = Recording.Load(name);
        var machine = new UpstreamMachine(recording);
        foreach (var (index, step) in recording.Steps.Index().Where(one => one.Item.Do is "push" or "commit"))
        {
            if (step.Do == "commit")
                machine.Commit(step);
            else if (Plan(machine, step) is { } plan)
            {
                _host.Install(AppName.Parse(recording.App), recording.Files.Select(file => RealFiles.TryGetValue(file.Key, out var text) ? new(file.Key, text) : file));
                await CheckAsync(plan, $"{name}, step {index}");
            }
        }
    }

    public void Dispose() => _host.Dispose();

    /// <summary>Null for what is refused, and for Python 2, which Debian has no plugin for.</summary>
    private LivePlan? Plan(UpstreamMachine machine, RecordedStep step)
    {
        try
        {
            var facts = machine.Facts(step.ConfigEnv, Scaling.Default, [50000, 50001]);
            return LivePlan.Create(facts with { Paths = _host.Paths, Host = _host.Facts });
        }
        catch (UserError)
        {
            return null;
        }
    }

    private async Task CheckAsync(LivePlan plan, string when)
    {
        if (plan.Site is not null && await _host.NginxRefusalAsync(plan.Site, Cancelled) is { } nginx)
            Assert.Fail($"{when}: {nginx}");
        foreach (var vassal in plan.Vassals)
        {
            if (await _host.UwsgiRefusalAsync(vassal, Cancelled) is { } uwsgi)
                Assert.Fail($"{when}, {vassal.FileName}: {uwsgi}");
        }
    }
}
