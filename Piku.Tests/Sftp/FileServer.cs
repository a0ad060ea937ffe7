using System.Diagnostics;
using System.Text;
using Piku.Core.Formats;
using Piku.Core.Model;
using Piku.Server.Sftp;
using Piku.Server.Ssh;
using Piku.Tests.Ssh;

namespace Piku.Tests.Sftp;

/// <summary>Files of the apps blog, shop and hidden, served over ssh; hidden may not be seen, shop only read.</summary>
internal sealed class FileServer : IAsyncDisposable
{
    private const string Destination = "alice@127.0.0.1";

    private readonly TemporaryFolder _folder = new();
    private readonly TestServer _server;

    private FileServer(TestServer server, PikuPaths paths) => (_server, Paths) = (server, paths);

    public PikuPaths Paths { get; private set; }

    public string ClientFolder => _server.Folder;

    public static async Task<FileServer> StartAsync()
    {
        FileServer? files = null;
        var server = await TestServer.StartAsync(
            (session, cancel) => ServeAsync(files!.Tree(), session, cancel), options => options with { Subsystems = ["sftp"] });
        files = new(server, new PikuPaths("/"));
        files.Paths = new PikuPaths(files._folder.Path);
        foreach (var app in (string[])["blog", "shop", "hidden"])
            foreach (var area in (string[])["apps", "data", "logs"])
                Directory.CreateDirectory(Path.Combine(files.Paths.Root, area, app));
        await File.WriteAllTextAsync(Path.Combine(files.Paths.Root, "authorized_keys"), "secret", TestContext.Current.CancellationToken);
        await File.WriteAllTextAsync(files.At("data/hidden/secret"), "secret", TestContext.Current.CancellationToken);
        await File.WriteAllTextAsync(files.At("data/shop/customers"), "secret", TestContext.Current.CancellationToken);
        await File.WriteAllTextAsync(files.At("apps/shop/stock"), "stock", TestContext.Current.CancellationToken);
        await File.WriteAllTextAsync(files.At("logs/blog/web.1.log"), "a line\n", TestContext.Current.CancellationToken);
        return files;
    }

    public FileTree Tree() => new(Paths, app => app.Value switch
    {
        "blog" => Access.Write,
        "shop" => Access.Read,
        _ => Access.None,
    });

    public string At(string path) => Path.Combine(Paths.Root, path);

    /// <summary>Runs sftp with a batch; it ends at the first command that fails, but for those with a dash before them.</summary>
    public Task<ProgramResult> SftpAsync(params string[] commands) => Programs.RunAsync(
        "sftp", ["-b", "-", .. Options("-P"), Destination], Encoding.UTF8.GetBytes(string.Join('\n', commands) + "\n"));

    public Task<ProgramResult> ScpAsync(params string[] arguments) => Programs.RunAsync("scp", [.. Options("-P"), .. arguments]);

    /// <summary>Speaks the protocol itself, as a client of its own does.</summary>
    public SftpConversation Converse() => new(Programs.Start("ssh", [.. _server.SshArguments().SkipLast(1), "-s", Destination, "sftp"]));

    /// <summary>Mounts all that there is to see; it stays until the program is ended.</summary>
    public Process Mount(string folder) => Programs.Start("sshfs",
    [
        "-f", $"{Destination}:/", folder, "-o", "ssh_command=" + string.Join(' ', ["ssh", .. _server.SshArguments().SkipLast(1)]),
    ]);

    /// <summary>A path at the server, for scp.</summary>
    public static string Remote(string path) => $"{Destination}:{path}";

    public async ValueTask DisposeAsync()
    {
        await _server.DisposeAsync();
        Assert.Empty(_server.Log.LinesAt(Microsoft.Extensions.Logging.LogLevel.Error));
        _folder.Dispose();
    }

    private IEnumerable<string> Options(string port) =>
        _server.SshArguments().SkipLast(1).Select(argument => argument == "-p" ? port : argument);

    private static async Task<int> ServeAsync(FileTree tree, SshSession session, CancellationToken cancel)
    {
        if (session.Subsystem is null)
            return await new ScpServer(tree, session.Input, session.Output).RunAsync(ScpArguments.Parse(ShellWords.Split(session.Command!)[1..]), cancel);
        using var server = new SftpServer(tree);
        return await server.ServeAsync(session.Input, session.Output, cancel) ? 0 : 1;
    }
}
