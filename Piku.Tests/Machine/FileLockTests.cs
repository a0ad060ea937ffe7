using System.Globalization;
using Piku.Core.Machine;
using Piku.Core.Model;

namespace Piku.Tests.Machine;

public sealed class FileLockTests : IDisposable
{
    private readonly TempFolder _folder = new();

    private string Path => _folder.File("blog.lock");

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void A_held_lock_is_refused_and_says_by_whom()
    {
        using var held = FileLock.TryAcquire(Path, "push by alice", TimeProvider.System);
        Assert.Null(FileLock.TryAcquire(Path, "push by bob", TimeProvider.System));
        var holder = FileLock.Holder(Path)!;
        Assert.Equal((Environment.ProcessId, "push by alice"), (holder.ProcessId, holder.Purpose));
        Assert.InRange(TimeProvider.System.GetUtcNow() - holder.Since, TimeSpan.Zero, TimeSpan.FromMinutes(1));
    }

    [Fact]
    public void A_released_lock_is_free_and_has_no_holder()
    {
        FileLock.TryAcquire(Path, "push by alice", TimeProvider.System)!.Dispose();
        Assert.Null(FileLock.Holder(Path));
        using var next = FileLock.TryAcquire(Path, "push by bob", TimeProvider.System);
        Assert.NotNull(next);
    }

    [Fact]
    public async Task A_waiter_is_told_once_and_gets_the_lock_after_its_holder()
    {
        var told = new List<string>();
        var held = FileLock.TryAcquire(Path, "push by alice", TimeProvider.System)!;
        var waiting = FileLock.AcquireAsync(Path, "push by bob", TimeProvider.System, holder =>
        {
            told.Add(holder.Purpose);
            return Task.CompletedTask;
        }, Cancelled);
        await Eventually.TrueAsync(() => told.Count > 0);
        Assert.False(waiting.IsCompleted);
        held.Dispose();
        using var acquired = await waiting.WaitAsync(Pace.Scale(TimeSpan.FromSeconds(10)), Cancelled);
        Assert.Equal(["push by alice"], told);
    }

    [Fact]
    public async Task A_waiter_can_give_up()
    {
        using var held = FileLock.TryAcquire(Path, "push by alice", TimeProvider.System);
        using var patience = new CancellationTokenSource();
        var waiting = FileLock.AcquireAsync(Path, "push by bob", TimeProvider.System, _ => patience.CancelAsync(), patience.Token);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => waiting);
    }

    [Fact]
    public async Task Other_processes_respect_it()
    {
        using (FileLock.TryAcquire(Path, "push by alice", TimeProvider.System))
            Assert.Equal(1, (await FlockAsync("true")).Code);
        Assert.Equal(0, (await FlockAsync("true")).Code);
    }

    [Fact]
    public async Task A_killed_process_holds_nothing()
    {
        await using var holder = await ChildProcess.StartAsync(Flock("-x", "sleep 60"));
        await Eventually.TrueAsync(() =>
        {
            using var free = FileLock.TryAcquire(Path, "look", TimeProvider.System);
            return free is null;
        });
        holder.Signal(Signals.Kill);
        using var acquired = await FileLock.AcquireAsync(Path, "next", TimeProvider.System, null, Cancelled)
            .WaitAsync(Pace.Scale(TimeSpan.FromSeconds(10)), Cancelled);
    }

    [Fact]
    public async Task A_program_started_meanwhile_does_not_inherit_it()
    {
        var held = FileLock.TryAcquire(Path, "push by alice", TimeProvider.System)!;
        await using var child = await ChildProcess.StartAsync(new()
        {
            Program = "/bin/sleep",
            Arguments = ["60"],
            Folder = "/",
            Environment = EnvMap.Empty,
        });
        held.Dispose();
        using var next = FileLock.TryAcquire(Path, "push by bob", TimeProvider.System);
        Assert.NotNull(next);
    }

    [Theory]
    [InlineData("")]
    [InlineData("12 34 push")]
    [InlineData("x 34 push\n")]
    [InlineData("12 34\n")]
    public void A_line_that_is_not_whole_names_nobody(string line)
    {
        File.WriteAllText(Path, line);
        Assert.Null(FileLock.Holder(Path));
    }

    [Fact]
    public void A_holder_that_died_is_no_holder()
    {
        File.WriteAllText(Path, string.Create(CultureInfo.InvariantCulture, $"{int.MaxValue} 0 push by a ghost\n"));
        Assert.Null(FileLock.Holder(Path));
    }

    private ProgramCall Flock(string wait, string command) => new()
    {
        Program = "/usr/bin/flock",
        Arguments = [wait, Path, "-c", command],
        Folder = "/",
        Environment = EnvMap.Empty.With("PATH", "/usr/bin:/bin"),
    };

    private Task<ExitStatus> FlockAsync(string command) => ChildProcess.RunAsync(Flock("-n", command), Cancelled);
}
