using Piku.Core.Machine;
using Piku.Core.Model;

namespace Piku.Tests.EndToEnd;

/// <summary>An installation that starts with other ports, or in another folder, than it stopped with.</summary>
[NeedsMachine]
public sealed class RelocationTests
{
    [Fact]
    public async Task Sites_follow_the_ports_and_apps_the_folder()
    {
        await using var piku = await PikuInstance.StartAsync();
        using var browser = new Browser(piku);
        var app = await Repository.FromExampleAsync(piku.Client, "static", "follower");
        await app.PushAsync();
        var worker = await Repository.WithFilesAsync(piku.Client, "worker", ("Procfile", "worker: pwd > $DATA_ROOT/at; exec sleep 1000\n"), ("package.json", "{}"));
        await worker.PushAsync();
        Assert.True((await piku.StopDaemonAsync()).Succeeded, piku.Output);

        var ports = FreePorts.Find(2, new HashSet<int> { piku.SshPort, piku.HttpPort, piku.HttpsPort });
        piku.Environment = EnvMap.Empty.With("PIKU_HTTP_PORT", $"{ports[0]}").With("PIKU_HTTPS_PORT", $"{ports[1]}");
        await piku.StartDaemonAsync();
        Assert.Contains("The site of 'follower' has moved to the new ports.", piku.Output, StringComparison.Ordinal);
        await browser.AssertSaysAsync(At("http", ports[0]), "version 1");
        await browser.AssertSaysAsync(At("https", ports[1]), "version 1");
        foreach (var port in (int[])[piku.HttpPort, piku.HttpsPort])
            Assert.True(FreePorts.IsFree(System.Net.IPAddress.Any, port));
        Assert.True((await piku.StopDaemonAsync()).Succeeded, piku.Output);

        var root = Path.Combine(piku.Home, "elsewhere");
        Directory.Move(piku.Paths.Root, root);
        piku.Environment = piku.Environment.With("PIKU_ROOT", root);
        await piku.StartDaemonAsync();
        Assert.Contains($"The app 'follower' now runs in {root}; its data was in {piku.Paths.Data}/follower.", piku.Output, StringComparison.Ordinal);
        await browser.AssertSaysAsync(At("https", ports[1]), "version 1");
        await Eventually.TrueAsync(() => File.ReadAllText(Path.Combine(root, "data", "worker", "at")) == Path.Combine(root, "apps", "worker") + "\n");
        Assert.Equal(await app.HeadAsync() + "\n", await piku.Client.CommandAsync("run", "follower", "git log -1 --format=%H"));
        app.Replace("public/index.html", "version 1", "version 2");
        await app.PushAsync();
        await browser.AssertSaysAsync(At("http", ports[0]), "version 2");
        Assert.False(Directory.Exists(piku.Paths.Root));

        Uri At(string scheme, int port) => new($"{scheme}://{app.Host}:{port}/");
    }
}
