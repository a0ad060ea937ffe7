using Piku.Core.Model;
using Piku.Core.Services;

namespace Piku.Tests.Services;

/// <summary>Groups as the kernel shows them, in a folder of ours: not every machine has version 2 with its controllers.</summary>
[NeedsMachine]
public sealed class ControlGroupsTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly PikuPaths _paths;
    private readonly ControlGroups _groups;

    public ControlGroupsTests()
    {
        _paths = new PikuPaths(Path.Combine(_folder.Path, "root"));
        _groups = new(_paths, _folder.Path);
        foreach (var folder in _paths.Folders)
            Directory.CreateDirectory(folder);
        Write("proc/self/mountinfo", "24 1 0:22 / /proc rw - proc proc rw\n38 31 0:38 / /sys/fs/cgroup rw,relatime - cgroup2 cgroup2 rw\n");
    }

    private string Unit => Path.Combine(_folder.Path, "sys/fs/cgroup/system.slice/piku.service");

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("/system.slice/piku.service")]
    [InlineData("/system.slice/piku.service/daemon")]
    public void What_systemd_delegates_is_divided_between_the_daemon_and_the_apps(string own)
    {
        Group("", "memory cpu io pids", "42");
        Group("daemon", "memory cpu", "");
        Group("apps", "memory cpu", "");
        Write("proc/self/cgroup", $"0::{own}\n");

        _groups.Claim();

        Assert.Equal("42", File.ReadAllText(Path.Combine(Unit, "daemon", "cgroup.procs")));
        Assert.All(["", "apps"], group => Assert.Equal("+memory +cpu", File.ReadAllText(Path.Combine(Unit, group, "cgroup.subtree_control"))));
        Write("sys/fs/cgroup/system.slice/piku.service/apps/cgroup.subtree_control", "cpu memory\n");
        Assert.Equal(new($"{Unit}/apps", HasMemory: true, HasCpu: true), _groups.Read());
    }

    [Fact]
    public void A_controller_that_was_not_given_is_not_promised()
    {
        Group("", "memory pids", "42");
        Group("daemon", "memory", "");
        Group("apps", "memory", "");
        Write("proc/self/cgroup", "0::/system.slice/piku.service\n");

        _groups.Claim();

        Write("sys/fs/cgroup/system.slice/piku.service/apps/cgroup.subtree_control", "memory\n");
        Assert.Equal(new($"{Unit}/apps", HasMemory: true, HasCpu: false), _groups.Read());
    }

    [Theory]
    [InlineData("0::/system.slice/piku.service\n")]
    [InlineData("9:name=systemd:/\n")]
    [InlineData("0::/it's\n")]
    public void Where_nothing_is_given_there_is_nothing(string own)
    {
        Write("proc/self/cgroup", own);
        _groups.Claim();
        Assert.Null(_groups.Read());
    }

    [Fact]
    public void What_an_earlier_start_was_given_is_forgotten()
    {
        What_systemd_delegates_is_divided_between_the_daemon_and_the_apps("/system.slice/piku.service");
        Write("proc/self/cgroup", "0::/user.slice\n");
        _groups.Claim();
        Assert.Null(_groups.Read());
    }

    [Fact]
    public void Groups_of_vassals_that_are_no_more_are_removed()
    {
        What_systemd_delegates_is_divided_between_the_daemon_and_the_apps("/system.slice/piku.service");
        foreach (var vassal in new[] { "blog_web.1", "blog_web.1~2", "gone_web.1" })
            Directory.CreateDirectory(Path.Combine(Unit, "apps", vassal));
        File.WriteAllText(Path.Combine(_paths.VassalsEnabled, "blog_web.1~2.ini"), "");

        _groups.Tidy();

        Assert.Equal(["blog_web.1~2"], Directory.GetDirectories(Path.Combine(Unit, "apps")).Select(Path.GetFileName));
    }

    [Fact]
    public void What_the_kernel_ended_for_want_of_memory_is_counted()
    {
        What_systemd_delegates_is_divided_between_the_daemon_and_the_apps("/system.slice/piku.service");
        Write("sys/fs/cgroup/system.slice/piku.service/apps/blog_web.1/memory.events", "low 0\nhigh 0\nmax 41\noom 3\noom_kill 2\noom_group_kill 0\n");

        Assert.Equal((2, 0), (_groups.OutOfMemory("blog_web.1"), _groups.OutOfMemory("gone_web.1")));
    }

    private void Group(string name, string controllers, string processes)
    {
        var folder = Path.Combine("sys/fs/cgroup/system.slice/piku.service", name);
        Write(Path.Combine(folder, "cgroup.controllers"), controllers + "\n");
        Write(Path.Combine(folder, "cgroup.subtree_control"), "");
        Write(Path.Combine(folder, "cgroup.procs"), processes);
    }

    private void Write(string path, string text)
    {
        var file = Path.Combine(_folder.Path, path);
        Directory.CreateDirectory(Path.GetDirectoryName(file)!);
        File.WriteAllText(file, text);
    }
}
