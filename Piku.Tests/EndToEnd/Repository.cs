using Piku.Core.Machine;

namespace Piku.Tests.EndToEnd;

/// <summary>A client's working copy of an app.</summary>
public sealed class Repository
{
    private readonly Client _client;

    private Repository(Client client, string app) =>
        (_client, App, Folder) = (client, app, Path.Combine(client.Folder, app));

    public string App { get; }

    public string Folder { get; }

    /// <summary>A copy of one of examples/, under a name and host name of its own.</summary>
    public static async Task<Repository> FromExampleAsync(Client client, string example, string app)
    {
        var repository = await CreateAsync(client, app);
        await Programs.RunAsync("cp", ["-r", Path.Combine(SourceTree.Root, "examples", example) + "/.", repository.Folder]);
        repository.Replace("ENV", $"{example}.localhost", repository.Host);
        return repository;
    }

    /// <summary>A new app of the given files.</summary>
    public static async Task<Repository> WithFilesAsync(Client client, string app, params (string Path, string Text)[] files)
    {
        var repository = await CreateAsync(client, app);
        foreach (var (path, text) in files)
            repository.Write(path, text);
        return repository;
    }

    /// <summary>The host name that <see cref="FromExampleAsync"/> gives the app.</summary>
    public string Host => $"{App}.localhost";

    public void Write(string path, string text)
    {
        var file = Path.Combine(Folder, path);
        Directory.CreateDirectory(Path.GetDirectoryName(file)!);
        File.WriteAllText(file, text);
    }

    public void Replace(string path, string old, string by)
    {
        var file = Path.Combine(Folder, path);
        var text = File.ReadAllText(file);
        Assert.Contains(old, text, StringComparison.Ordinal);
        File.WriteAllText(file, text.Replace(old, by, StringComparison.Ordinal));
    }

    public async Task CommitAsync()
    {
        await GitAsync("add", "--all");
        await GitAsync("commit", "--quiet", "--allow-empty", "-m", "change");
    }

    /// <summary>Commits what has changed and pushes it; the outcome is the caller's to judge.</summary>
    public async Task<CapturedRun> TryPushAsync()
    {
        await CommitAsync();
        return await Programs.CaptureAsync(Push());
    }

    /// <summary>Commits what has changed and deploys it. What the server said is returned.</summary>
    public async Task<string> PushAsync()
    {
        var run = await TryPushAsync();
        Assert.True(run.Status.Succeeded, $"git push {App}: {run.Status}\n{run.Output}{run.Error}");
        return run.Error;
    }

    /// <summary>A push that is not run yet.</summary>
    public ProgramCall Push() => _client.Git(Folder, "push", _client.Remote(App), "main");

    public async Task<string> HeadAsync() => (await GitAsync("rev-parse", "HEAD")).Trim();

    /// <summary>The commit that the server has for the branch, or an empty text.</summary>
    public async Task<string> RemoteHeadAsync()
    {
        var lines = await GitAsync("ls-remote", _client.Remote(App), "refs/heads/main");
        return lines.Split('\t')[0];
    }

    private static async Task<Repository> CreateAsync(Client client, string app)
    {
        var repository = new Repository(client, app);
        Directory.CreateDirectory(repository.Folder);
        await repository.GitAsync("init", "--quiet", "--initial-branch=main");
        return repository;
    }

    /// <summary>Names another repository's commit in this one, as <c>git submodule add</c> does; it is not committed yet.</summary>
    public async Task LinkAsync(string path, string commit, string address)
    {
        await GitAsync("config", "--file", ".gitmodules", $"submodule.{path}.path", path);
        await GitAsync("config", "--file", ".gitmodules", $"submodule.{path}.url", address);
        await GitAsync("update-index", "--add", "--cacheinfo", $"160000,{commit},{path}");
        Directory.CreateDirectory(Path.Combine(Folder, path));
    }

    /// <summary>Runs a git that must succeed, and returns what it printed.</summary>
    public async Task<string> GitAsync(params string[] arguments)
    {
        var run = await Programs.CaptureAsync(_client.Git(Folder, arguments));
        Assert.True(run.Status.Succeeded, $"git {string.Join(' ', arguments)}: {run.Status}\n{run.Output}{run.Error}");
        return run.Output;
    }
}
