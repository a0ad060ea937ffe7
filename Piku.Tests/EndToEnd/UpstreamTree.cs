using Piku.Core.Formats;
using Piku.Core.Model;
using Piku.Tests.Plans;

namespace Piku.Tests.EndToEnd;

/// <summary>Writes an app to disk as upstream leaves it, after a recording of it.</summary>
internal sealed class UpstreamTree(PikuInstance piku)
{
    private static readonly PikuPaths Recorded = new(Recording.Home + "/.piku");

    private PikuPaths Paths => piku.Paths;

    /// <param name="step">The step of the recording that left it.</param>
    public async Task WriteAsync(string recording, int step, params (string Path, string Text)[] more)
    {
        var (read, left) = (Recording.Load(recording), Recording.Load(recording).Steps[step]);
        var app = AppName.Parse(read.App);
        await CommitAsync(app, [.. read.Files.Select(file => (file.Key, file.Value)), .. more]);
        foreach (var (name, vassal) in left.Vassals)
            Write(Path.Combine(Paths.VassalsEnabled, name), Ini(vassal));
        foreach (var (name, vassal) in left.Vassals)
            Write(Path.Combine(Paths.VassalsAvailable, name), Ini(vassal));
        if (left.Site is { } site)
        {
            Write(Paths.NginxSite(app), Here(NginxDirective.Write(site)));
            await Programs.RunAsync("openssl",
                ["req", "-new", "-newkey", "rsa:2048", "-days", "365", "-nodes", "-x509", "-subj", "/O=Piku/OU=Self-Signed/CN=x", "-keyout", Paths.CertificateKey(app), "-out", Paths.Certificate(app)]);
        }
        Write(Paths.LiveEnvFile(app), Here(EnvFile.Write(left.LiveEnv!)));
        Write(Paths.ScalingFile(app), left.Scaling!.Write());
        Write(Path.Combine(Paths.AppLogs(app), "old.1.log"), "a line of before\n");
        Write(Path.Combine(Paths.AppData(app), "precious"), "data\n");
        Write(Path.Combine(Paths.Repo(app), "hooks", "post-receive"), Hook(app));
        File.SetUnixFileMode(Path.Combine(Paths.Repo(app), "hooks", "post-receive"), (UnixFileMode)0b111_101_101);
    }

    public static void Write(string path, string text)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllText(path, text);
    }

    private async Task CommitAsync(AppName app, (string Path, string Text)[] files)
    {
        var author = await Repository.WithFilesAsync(piku.Client, app.Value, files);
        await author.CommitAsync();
        await Programs.RunAsync("git", ["clone", "--quiet", "--bare", author.Folder, Paths.Repo(app)]);
        await Programs.RunAsync("git", ["clone", "--quiet", Paths.Repo(app), Paths.App(app)]);
    }

    private string Ini(RecordedVassal vassal) =>
        Here($"[uwsgi]\n{string.Concat(vassal.Lines.Select(line => line + "\n"))}{string.Concat(vassal.Environment.Select(one => $"env = {one.Key}={one.Value}\n"))}");

    private string Here(string text) => text
        .Replace(Recorded.Root, Paths.Root, StringComparison.Ordinal)
        .Replace($"uid = {Recording.User}\n", $"uid = {User}\n", StringComparison.Ordinal)
        .Replace($"logfile-chown = {Recording.User}:", $"logfile-chown = {User}:", StringComparison.Ordinal);

    /// <summary>Upstream's, except that it tells of being run.</summary>
    private string Hook(AppName app) => $"""
        #!/usr/bin/env bash
        set -e; set -o pipefail;
        touch "$(dirname "$0")/was-run"
        cat | PIKU_ROOT="{Paths.Root}" {piku.Home}/piku.py git-hook {app}

        """;

    private static string User => Core.Machine.UnixUser.Current is { IsRoot: false } user ? user.Name : "piku";
}
