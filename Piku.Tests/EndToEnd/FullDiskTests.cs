using Piku.Core.Machine;

namespace Piku.Tests.EndToEnd;

/// <summary>
/// A disk that is full at any moment of a deploy: the old version runs on and is whole, what is said is one sentence, and
/// when there is room again the next push works. All is looked at while the disk is still full.
/// </summary>
[NeedsMachine]
public sealed class FullDiskTests(CrampedInstance cramped) : IClassFixture<CrampedInstance>
{
    private const string Fill = "cat /dev/zero >$DATA_ROOT/filler";
    private const long Page = 4096, Megabyte = 1 << 20;

    private static readonly int[] FewPages = [262, 270, 285, 0, 2, 5, 12, 30];

    private PikuInstance Piku => cramped.Piku;

    private SmallDisk Disk => cramped.Disk;

    private VersionedApp App => cramped.App;

    [Fact]
    public Task A_push_is_refused_or_whole_whatever_room_is_left() => PushEachAsync(FewPages, WithPagesAsync);

    [Fact(Explicit = true)]
    public Task A_push_is_refused_or_whole_with_a_hundred_amounts_of_room_left() =>
        PushEachAsync(Enumerable.Range(250, 50).Concat(Enumerable.Range(0, 50)), WithPagesAsync);

    [Fact]
    public Task A_push_is_refused_or_whole_however_few_files_may_be_made() => PushEachAsync([0, 5, 20, 120], Disk.NameAllButAsync);

    [Fact(Explicit = true)]
    public Task A_push_is_refused_or_whole_with_a_hundred_amounts_of_files_left() => PushEachAsync(Enumerable.Range(0, 150), Disk.NameAllButAsync);

    [Fact]
    public Task A_push_is_refused_or_whole_when_its_dependencies_find_no_room() => PushEachAsync([2, 11], WithMegabytesAsync, withDependencies: true);

    [Theory]
    [InlineData(Fill + "; true")]
    [InlineData(Fill)]
    public async Task A_build_that_fills_the_disk_is_undone_without_room(string release)
    {
        cramped.Begin();
        App.Repository.Write("Procfile", VersionedApp.Procfile + $"release: {release}\n");

        await PushAsync("filled by its build");

        await Piku.Client.CommandAsync("run", App.App.Value, "rm $DATA_ROOT/filler");
        App.Repository.Write("Procfile", VersionedApp.Procfile);
        await PushAgainAsync("after a build that filled the disk");
    }

    [Fact]
    public async Task A_disk_that_fills_just_before_the_refs_move_leaves_refs_and_version_of_one_mind()
    {
        cramped.Begin();
        Directory.CreateDirectory(Path.GetDirectoryName(cramped.Hook)!);
        await File.WriteAllTextAsync(cramped.Hook, "#!/bin/sh\ncat /dev/zero >$PIKU_ROOT/data/$PIKU_APP/filler 2>/dev/null\n", TestContext.Current.CancellationToken);
        File.SetUnixFileMode(cramped.Hook, AtomicFile.Executable);

        await PushAsync("filled by a hook");

        File.Delete(cramped.Hook);
        await Piku.Client.CommandAsync("run", App.App.Value, "rm $DATA_ROOT/filler");
        await PushAgainAsync("after a hook that filled the disk");
    }

    [Fact]
    public async Task A_daemon_killed_in_the_middle_starts_on_a_full_disk_and_puts_the_old_version_back()
    {
        cramped.Begin();
        await Eventually.TrueAsync(() => Directory.Exists(Piku.Paths.StartRoom));
        App.Next();
        App.Repository.Write("Procfile", VersionedApp.Procfile + $"release: {Fill}; touch $DATA_ROOT/filled; exec sleep 1000\n");
        await App.Repository.CommitAsync();
        await using (var push = await ChildProcess.StartAsync(App.Repository.Push()))
        {
            await Eventually.TrueAsync(() => File.Exists(Path.Combine(Piku.Paths.AppData(App.App), "filled")) || push.Exit.IsCompleted, TimeSpan.FromSeconds(60));
            await Piku.KillDaemonAsync();
        }

        await Piku.StartDaemonAsync();

        await App.AssertServesAsync(cramped.Served, "killed on a full disk");
        File.Delete(cramped.Filler);
        App.Repository.Write("Procfile", VersionedApp.Procfile);
        await PushAgainAsync("after a start on a full disk");
    }

    [Fact]
    public async Task An_app_can_be_destroyed_to_make_room()
    {
        cramped.Begin();
        var other = await Repository.FromExampleAsync(Piku.Client, "static", "bulky");
        await other.PushAsync();
        Disk.FillBut(0);

        await Piku.Client.CommandAsync("destroy", "bulky");

        Assert.DoesNotContain("bulky", await Piku.Client.CommandAsync("apps"), StringComparison.Ordinal);
        await App.AssertServesAsync(cramped.Served, "another was destroyed");
    }

    /// <summary>The room that is kept for the way back is taken by others the moment it is given back.</summary>
    [Fact]
    public async Task What_cannot_be_put_back_is_put_back_when_there_is_room()
    {
        cramped.Begin();
        App.Next();
        App.Repository.Write("Procfile", VersionedApp.Procfile + $"release: {Fill}; exit 1\n");
        using var over = new CancellationTokenSource();
        var others = Task.Run(() => Disk.KeepFull(over.Token), TestContext.Current.CancellationToken);

        var push = await App.Repository.TryPushAsync();
        await over.CancelAsync();
        await others;
        TestContext.Current.TestOutputHelper!.WriteLine(push.Error);

        Assert.False(push.Status.Succeeded, push.Error);
        Assert.DoesNotContain("internal error", push.Error, StringComparison.OrdinalIgnoreCase);
        Disk.Free();
        File.Delete(cramped.Filler);
        await Eventually.TrueAsync(() => !Directory.Exists(Path.Combine(Piku.Paths.AppState(App.App), "checkpoint")));
        await App.AssertServesAsync(cramped.Served, "filled by others too");
        App.Repository.Write("Procfile", VersionedApp.Procfile);
        await PushAgainAsync("after a way back without room");
    }

    private Task WithPagesAsync(int pages)
    {
        Disk.FillBut(pages * Page);
        return Task.CompletedTask;
    }

    private Task WithMegabytesAsync(int megabytes)
    {
        Disk.FillBut(megabytes * Megabyte);
        return Task.CompletedTask;
    }

    private async Task PushEachAsync(IEnumerable<int> amounts, Func<int, Task> leave, bool withDependencies = false)
    {
        cramped.Begin();
        foreach (var amount in amounts)
        {
            await leave(amount);
            await PushAsync($"with {amount} left", withDependencies);
            Disk.Free();
        }
        await PushAgainAsync("when there is room again");
    }

    /// <summary>A push that is refused with a sentence, or that succeeds.</summary>
    private async Task PushAsync(string when, bool withDependencies = false)
    {
        App.Next(withDependencies);
        var push = await App.Repository.TryPushAsync();
        TestContext.Current.TestOutputHelper!.WriteLine($"{when}: {push.Status}\n{push.Error}");
        if (push.Status.Succeeded)
            cramped.Served = App.Version;
        else
            AssertIsSentence(push.Error);
        await App.AssertServesAsync(cramped.Served, when);
    }

    private async Task PushAgainAsync(string when)
    {
        App.Next(withDependencies: false);
        await App.Repository.PushAsync();
        cramped.Served = App.Version;
        await App.AssertServesAsync(App.Version, when);
    }

    private static void AssertIsSentence(string error)
    {
        // The last two are git's own ways to say it.
        Assert.Matches("space left|Out of diskspace|unable to create temporary object directory", error);
        Assert.DoesNotContain("internal error", error, StringComparison.OrdinalIgnoreCase);
        Assert.DoesNotContain("   at ", error, StringComparison.Ordinal);
        Assert.InRange(error.Split('\n').Length, 1, 25);
    }
}

/// <summary>One daemon on a small disk, with one app.</summary>
public sealed class CrampedInstance : IAsyncLifetime
{
    private Browser? _browser;
    private SmallDisk? _disk;
    private PikuInstance? _piku;
    private VersionedApp? _app;

    public PikuInstance Piku => _piku!;

    /// <summary>The version that was deployed last.</summary>
    public int Served { get; set; } = 1;

    /// <summary>Where the app may fill the disk.</summary>
    public string Filler => Path.Combine(Piku.Paths.AppData(App.App), "filler");

    /// <summary>Where a plugin may.</summary>
    public string Hook => Path.Combine(Piku.Paths.Plugins, "filler/hooks/post-deploy");

    internal SmallDisk Disk => _disk!;

    internal VersionedApp App => _app!;

    /// <summary>What a test before has left, if it failed, is not for the next.</summary>
    public void Begin()
    {
        Assert.SkipUnless(_app is not null, "only root can mount a disk small enough to fill");
        Disk.Free();
        AtomicFile.Delete(Filler);
        AtomicFile.Delete(Hook);
        App.Repository.Write("Procfile", VersionedApp.Procfile);
    }

    public async ValueTask InitializeAsync()
    {
        if (!UnixUser.Current.IsRoot)
            return;
        _piku = await PikuInstance.StartAsync(async piku => _disk = await SmallDisk.MountAsync(piku));
        _browser = new(_piku);
        _app = await VersionedApp.DeployAsync(_piku, _browser, "cramped");
    }

    public async ValueTask DisposeAsync()
    {
        _browser?.Dispose();
        if (_piku is not null)
            await _piku.StopDaemonAsync();
        if (_disk is not null)
            await _disk.UnmountAsync();
        if (_piku is not null)
            await _piku.DisposeAsync();
    }
}
