using System.Security.Cryptography;

namespace Piku.Tests.EndToEnd;

/// <summary>Size is no trouble: what passes through the daemon does not stay in it.</summary>
[NeedsMachine]
public sealed class BigPushTests
{
    /// <summary>55 to 58 on a quiet machine; on a busy one more buffers are in use at one moment.</summary>
    private const int MostResidentMegabytes = 66;

    [Fact]
    public Task What_is_three_times_as_large_as_the_daemon_may_be_is_pushed_and_cloned() => PushAndCloneAsync(3 * MostResidentMegabytes);

    [Fact(Explicit = true)]
    public Task Half_a_gigabyte_is_pushed_and_cloned_while_the_daemon_stays_small() => PushAndCloneAsync(500);

    private static async Task PushAndCloneAsync(int megabytes)
    {
        Assert.SkipWhen(Environment.GetEnvironmentVariable("PIKU_BINARY") is null, "it measures the release: ./test builds that");
        // Nobody tries to make random bytes fewer.
        await using var piku = await PikuInstance.StartAsync(piku => File.WriteAllTextAsync(Path.Combine(piku.Home, ".gitconfig"), "[core]\n\tcompression = 0\n"));
        var repository = await Repository.FromExampleAsync(piku.Client, "static", "big");
        var blob = Path.Combine(repository.Folder, "blob");
        await Programs.RunAsync("sh", ["-c", $"head -c {megabytes}M /dev/urandom > '{blob}'"]);
        await Programs.RunAsync("git", ["config", "core.compression", "0"], repository.Folder);
        await repository.PushAsync();
        var copy = Path.Combine(piku.Client.Folder, "copy");
        var clone = await Programs.CaptureAsync(piku.Client.Git(piku.Client.Folder, "clone", "--quiet", piku.Client.Remote("big"), copy));
        Assert.True(clone.Status.Succeeded, clone.Error);

        Assert.Equal(await HashAsync(blob), await HashAsync(Path.Combine(copy, "blob")));
        var resident = ProcessFigures.Of(piku.ProcessId).MostResident / 1024;
        TestContext.Current.TestOutputHelper!.WriteLine($"{megabytes} MB pushed and cloned: {resident} MB resident at the most");
        Assert.InRange(resident, 1, MostResidentMegabytes);
    }

    private static async Task<string> HashAsync(string path)
    {
        await using var file = File.OpenRead(path);
        return Convert.ToHexString(await SHA256.HashDataAsync(file, TestContext.Current.CancellationToken));
    }
}
