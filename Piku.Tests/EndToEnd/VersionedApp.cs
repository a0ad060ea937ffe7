using Piku.Core.Machine;
using Piku.Core.Model;

namespace Piku.Tests.EndToEnd;

/// <summary>An app of which everything changes with its version: code, settings and, if wanted, dependencies.</summary>
internal sealed class VersionedApp
{
    /// <summary>A site and a worker.</summary>
    public const string Procfile = "wsgi: app:application\nworker: exec sleep 1000\n";

    private readonly PikuInstance _piku;
    private readonly Browser _browser;

    private VersionedApp(PikuInstance piku, Browser browser, AppName app, Repository repository) =>
        (_piku, _browser, App, Repository) = (piku, browser, app, repository);

    public AppName App { get; }

    public Repository Repository { get; }

    /// <summary>Of what is committed next, or was last.</summary>
    public int Version { get; private set; }

    /// <summary>The first version, deployed.</summary>
    /// <param name="procfile">With the same site, and one worker.</param>
    public static async Task<VersionedApp> DeployAsync(PikuInstance piku, Browser browser, string name, string procfile = Procfile)
    {
        var repository = await Repository.WithFilesAsync(piku.Client, name, ("Procfile", procfile));
        var app = new VersionedApp(piku, browser, AppName.Parse(name), repository);
        app.Next();
        await repository.PushAsync();
        return app;
    }

    /// <param name="withDependencies">Install them anew.</param>
    public void Next(bool withDependencies = true)
    {
        Version++;
        if (withDependencies)
            Repository.Write("requirements.txt", $"# {Version}\n");
        Repository.Write("ENV", $"NGINX_SERVER_NAME={Repository.Host}\nVERSION={Version}\n");
        Repository.Write("app.py",
            $"""
            import os
            def application(environ, start):
                start('200 OK', [('Content-Type', 'text/plain')])
                return [b'code {Version} setting ' + os.environ['VERSION'].encode() + b';']
            """);
    }

    /// <summary>Whether the server has the version that was committed last.</summary>
    public async Task<bool> HasArrivedAsync() => await Repository.HeadAsync() == await Repository.RemoteHeadAsync();

    /// <summary>Site, tree, settings and refs are of one version, and nothing tells of another.</summary>
    public async Task AssertServesAsync(int version, string when)
    {
        var head = (await Programs.RunAsync("git", ["-c", "safe.directory=*", "--git-dir", Path.Combine(_piku.Paths.App(App), ".git"), "rev-parse", "HEAD"])).Trim();
        Assert.Equal((await Repository.RemoteHeadAsync(), when), (head, when));
        await AssertRunsAsync(version, when);
    }

    /// <summary>The same, whatever the refs are, which a rollback leaves.</summary>
    public async Task AssertRunsAsync(int version, string when)
    {
        await _browser.AssertSaysAsync(_browser.Http(Repository.Host), $"code {version} setting {version};");
        var paths = _piku.Paths;
        Assert.Contains($"code {version} ", await File.ReadAllTextAsync(Path.Combine(paths.App(App), "app.py")), StringComparison.Ordinal);
        Assert.Contains($"VERSION={version}\n", await File.ReadAllTextAsync(paths.LiveEnvFile(App)), StringComparison.Ordinal);
        await NothingLeftAsync(when);
    }

    /// <summary>The version before ends after its pusher has been told.</summary>
    public Task NothingLeftAsync(string when) =>
        Eventually.TrueAsync(() => !Leftovers().Any(), TimeSpan.FromSeconds(40), () => $"{when}: {string.Join('\n', Leftovers())}\n{_piku.Output}");

    private IEnumerable<string> Leftovers()
    {
        var paths = _piku.Paths;
        var vassals = Directory.GetFiles(paths.VassalsEnabled, "*.ini");
        if (vassals.Length != 2)
            yield return string.Join(' ', vassals);
        var sockets = Directory.GetFiles(Path.GetDirectoryName(paths.NginxSocket(App, Stand.First))!, "*.sock");
        if (sockets.Length != 1)
            yield return string.Join(' ', sockets);
        foreach (var file in Directory.EnumerateFileSystemEntries(paths.AppState(App)).Where(entry => Path.GetFileName(entry).StartsWith("checkpoint", StringComparison.Ordinal)))
            yield return file;
        foreach (var file in Entries(Path.Combine(paths.Run, "push")).Concat(Entries(Path.Combine(paths.Run, "deploys"))))
            yield return file;
        foreach (var file in Directory.EnumerateFiles(paths.Root, ".*" + AtomicFile.TemporarySuffix, SearchOption.AllDirectories))
            yield return file;
        foreach (var file in Entries(Path.Combine(paths.App(App), ".git")).Where(entry => Path.GetFileName(entry).StartsWith("piku-", StringComparison.Ordinal) || entry.EndsWith(".lock", StringComparison.Ordinal)))
            yield return file;
        foreach (var folder in Entries(paths.Repo(App)).Concat(Entries(Path.Combine(paths.Repo(App), "objects"))).Where(entry => entry.Contains("incoming", StringComparison.Ordinal) || entry.Contains("tmp_objdir", StringComparison.Ordinal) || entry.EndsWith(".lock", StringComparison.Ordinal)))
            yield return folder;
        var tree = ProcessTable.TreeOf(_piku.ProcessId).ToHashSet();
        foreach (var stray in _piku.Processes().Where(process => !tree.Contains(process)))
            yield return $"{stray} {ProcessTable.CommandLine(stray)}";
    }

    private static IEnumerable<string> Entries(string folder) => Directory.Exists(folder) ? Directory.EnumerateFileSystemEntries(folder) : [];
}
