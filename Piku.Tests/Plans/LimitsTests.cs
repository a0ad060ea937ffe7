using Piku.Core.Model;
using Piku.Core.Runtimes;
using Piku.Core.Workers;
using Piku.Tests.EndToEnd;

namespace Piku.Tests.Plans;

/// <summary>What an app that limits its memory and processor time becomes, on machines that differ in what they give piku.</summary>
public sealed class LimitsTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void An_app_without_limits_has_no_trace_of_them()
    {
        var settings = VassalOf("web: ./srv", "A=1", Groups(memory: true, cpu: true)).Settings;
        Assert.DoesNotContain(settings, setting => setting.Option is "hook-asap" or "reload-on-rss");
    }

    [Theory]
    [InlineData("wsgi: app:app", 1, 128, "64")]
    [InlineData("web: ./srv", 1, 128, null)]
    public void Without_groups_the_kernel_limits_each_process(string procfile, int count, int data, string? replaced)
    {
        var vassal = VassalOf(procfile, "PIKU_MEMORY_LIMIT=64", groups: null, count);
        Assert.Equal($"exec:prlimit --pid=$PPID --data={data * 1024 * 1024}:; true", Hook(vassal));
        Assert.Equal(replaced, Value(vassal, "reload-on-rss"));
    }

    [Theory]
    [InlineData("web: ./srv", 1, 64 + 16, "50000 100000")]
    [InlineData("wsgi: app:app", 1, (2 * 64) + 16, "50000 100000")]
    [InlineData("wsgi: app:app", 3, (6 * 64) + 16, "150000 100000")]
    public async Task With_groups_a_vassal_enters_its_own_and_all_its_processes_count(string procfile, int count, int memory, string cpu)
    {
        var vassal = VassalOf(procfile, "PIKU_MEMORY_LIMIT=64\nPIKU_CPU_LIMIT=0.5", Groups(memory: true, cpu: true), count);
        await RunAsync(Hook(vassal));
        Assert.Equal($"{memory * 1024L * 1024}\n", Told(vassal, "memory.max"));
        Assert.Equal($"{cpu}\n", Told(vassal, "cpu.max"));
        Assert.NotEqual("", Told(vassal, "cgroup.procs"));
    }

    [Theory]
    [InlineData("PIKU_MEMORY_LIMIT=64", "0\n")]
    [InlineData("PIKU_CPU_LIMIT=2", "max\n")]
    public async Task What_leaks_does_not_end_in_swap_where_the_kernel_counts_it(string env, string swap)
    {
        var limited = VassalOf("web: ./srv", env, Groups(memory: true, cpu: true));
        await RunAsync(Hook(limited));
        Assert.False(File.Exists(Path.Combine(_folder.Path, limited.Name, "memory.swap.max")));

        await File.WriteAllTextAsync(Path.Combine(_folder.Path, limited.Name, "memory.swap.max"), "max\n", TestContext.Current.CancellationToken);
        await RunAsync(Hook(limited));
        Assert.Equal(swap, Told(limited, "memory.swap.max"));

        await RunAsync(HookIn(Limits.Lifted(limited.Ini, VassalOf("web: ./srv", "A=1", groups: null).Ini)));
        Assert.Equal("max\n", Told(limited, "memory.swap.max"));
    }

    [Fact]
    public async Task A_limit_that_an_app_has_no_more_is_taken_from_its_group()
    {
        var vassal = VassalOf("web: ./srv", "PIKU_CPU_LIMIT=2", Groups(memory: true, cpu: true));
        await RunAsync(Hook(vassal));
        Assert.Equal(("max\n", "200000 100000\n"), (Told(vassal, "memory.max"), Told(vassal, "cpu.max")));
    }

    [Fact]
    public async Task A_group_that_cannot_be_had_keeps_nothing_from_starting_and_the_kernel_limits_the_process()
    {
        var vassal = VassalOf("web: ./srv", "PIKU_MEMORY_LIMIT=64", new GroupFacts("/proc/nothing", HasMemory: true, HasCpu: true));
        Assert.Equal($"{(64 + 64) * 1024 * 1024}", (await RunAsync(Hook(vassal), "; awk '/Max data size/ { print $4 }' /proc/self/limits")).Trim());
    }

    [Fact]
    public void Who_deploys_is_told_what_this_machine_cannot_do()
    {
        var limited = TestApp.With("web: ./srv", "PIKU_MEMORY_LIMIT=64\nPIKU_CPU_LIMIT=1");
        Assert.Contains("PIKU_CPU_LIMIT has no effect", Assert.Single(Warnings(limited, new HostFacts { User = "", Group = "", Home = "", SystemPath = "", HasPrlimit = true })), StringComparison.Ordinal);
        Assert.Empty(Warnings(limited, limited.Host with { HasPrlimit = true, Groups = Groups(memory: false, cpu: true) }));
        var memory = TestApp.With("web: ./srv", "PIKU_MEMORY_LIMIT=64");
        Assert.Contains("PIKU_MEMORY_LIMIT has no effect", Assert.Single(Warnings(memory, memory.Host)), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("PIKU_MEMORY_LIMIT=15")]
    [InlineData("PIKU_MEMORY_LIMIT=64M")]
    [InlineData("PIKU_CPU_LIMIT=0")]
    [InlineData("PIKU_CPU_LIMIT=-1")]
    [InlineData("PIKU_CPU_LIMIT=50%")]
    [InlineData("PIKU_CPU_LIMIT=1e3")]
    public void A_limit_that_is_none_is_refused(string env)
    {
        var wrong = Assert.Throws<UserError>(() => LivePlan.Create(TestApp.With("web: ./srv", env)));
        Assert.StartsWith(env.Split('=')[0] + " is '", wrong.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_only_the_file_before_limits_is_lifted_by_the_one_that_replaces_it()
    {
        var limited = VassalOf("web: ./srv", "PIKU_MEMORY_LIMIT=64\nPIKU_CPU_LIMIT=1", Groups(memory: true, cpu: true));
        await RunAsync(Hook(limited));
        var free = VassalOf("web: ./srv", "A=1", Groups(memory: true, cpu: true)).Ini;

        var lifted = Limits.Lifted(limited.Ini, free);

        await RunAsync(HookIn(lifted));
        Assert.Equal(("max\n", "max\n"), (Told(limited, "memory.max"), Told(limited, "cpu.max")));
        Assert.Equal(free, Limits.Lifted(lifted, free));
        Assert.Equal(limited.Ini, Limits.Lifted(limited.Ini, limited.Ini));
        Assert.Equal(free, Limits.Lifted(null, free));
    }

    private static IEnumerable<string> Warnings(DeployFacts facts, HostFacts host) =>
        LivePlan.Create(facts with { Host = facts.Host with { HasPrlimit = host.HasPrlimit, Groups = host.Groups } }).Warnings;

    private GroupFacts Groups(bool memory, bool cpu) => new(_folder.Path, memory, cpu);

    private static Piku.Core.Workers.Vassal VassalOf(string procfile, string env, GroupFacts? groups, int count = 1)
    {
        var facts = TestApp.With(procfile, env);
        var kind = procfile.Split(':')[0];
        return LivePlan.Create(facts with
        {
            Host = facts.Host with { HasPrlimit = true, Groups = groups },
            Scaling = Core.Formats.Scaling.Default.With(kind, count),
        }).Vassals[0];
    }

    private static string? Value(Piku.Core.Workers.Vassal vassal, string option) => vassal.Settings.SingleOrDefault(setting => setting.Option == option)?.Value;

    private static string Hook(Piku.Core.Workers.Vassal vassal) => Value(vassal, "hook-asap")!;

    private static string HookIn(string ini) =>
        ini.Split('\n').Single(line => line.StartsWith("hook-asap = ", StringComparison.Ordinal))["hook-asap = ".Length..];

    private string Told(Piku.Core.Workers.Vassal vassal, string file) => File.ReadAllText(Path.Combine(_folder.Path, vassal.Name, file));

    /// <summary>As uWSGI runs a hook: in a shell that is a child of the vassal.</summary>
    private static async Task<string> RunAsync(string hook, string then = "") =>
        await Programs.RunAsync("sh", ["-c", $"sh -c \"$1\"{then}", "vassal", hook["exec:".Length..]]);
}
