using System.Security.Cryptography;
using Piku.Core.Formats;
using Piku.Core.Machine;
using Piku.Core.Model;

namespace Piku.Tests.EndToEnd;

/// <summary>One running piku whose apps have users of their own, and an app there that others try to get at.</summary>
public sealed class AppUsersInstance : IAsyncLifetime
{
    /// <summary>In every file of the victim that others must not read, and in its settings.</summary>
    public const string Secret = "hunter2";

    public const string Server = """
        const http = require('http'), fs = require('fs'), os = require('os');
        http.createServer((ask, answer) => {
          if (ask.url === '/write') fs.writeFileSync(process.env.DATA_ROOT + '/written', 'by node');
          answer.end('version 1 by ' + os.userInfo().username + ' at ' + process.env.HOME);
        }).listen(process.env.PORT, process.env.BIND_ADDRESS);
        """;

    private PikuInstance? _piku;
    private Browser? _browser;

    /// <summary>Whose things they are that nobody else may have.</summary>
    public static AppName Victim { get; } = AppName.Parse("theirs");

    /// <summary>Does something every minute, from before the first test on.</summary>
    public static AppName Timely { get; } = AppName.Parse("timely");

    public PikuInstance Piku
    {
        get
        {
            SkipUnlessPossible();
            return _piku!;
        }
    }

    public Browser Browser => _browser!;

    public static void SkipUnlessPossible() => Assert.SkipWhen(Missing.Value is not null, Missing.Value ?? "");

    /// <summary>Why apps can have no users on this machine; null when they can.</summary>
    private static Lazy<string?> Missing { get; } = new(() =>
        !UnixUser.Current.IsRoot ? "only root can look at, and prepare, what belongs to several users"
        : Tools.Find("newuidmap", Programs.SearchPath) is null ? "newuidmap is not installed"
        : SubordinateIds.Parse(Text("/etc/subuid"), "piku", 0) is null || SubordinateIds.Parse(Text("/etc/subgid"), "piku", 0) is null ? "the user piku has no subordinate ids"
        : Text("/proc/sys/user/max_user_namespaces").Trim() == "0" || Text("/proc/sys/kernel/unprivileged_userns_clone").Trim() == "0"
            || Text("/proc/sys/kernel/apparmor_restrict_unprivileged_userns").Trim() == "1" ? "this kernel gives nobody a user namespace"
        : null);

    public async ValueTask InitializeAsync()
    {
        if (Missing.Value is not null)
            return;
        _piku = await PikuInstance.StartAsync(piku => piku.GiveAppsUsersAsync());
        _browser = new Browser(_piku);
        var timely = await Repository.WithFilesAsync(_piku.Client, Timely.Value, ("package.json", "{}"),
            ("Procfile", "worker: echo $(whoami) $HOME $(python3 -c 'import getpass; print(getpass.getuser())') > $DATA_ROOT/worker; exec sleep 1000\ncron: * * * * * whoami > $DATA_ROOT/cron\n"));
        await timely.PushAsync();
        var repository = await WebAppAsync(Victim.Value, ("secret.txt", Secret));
        await repository.PushAsync();
        await _piku.Client.CommandAsync("config:set", Victim.Value, $"TOKEN={Secret}");
        await _piku.Client.CommandAsync("run", Victim.Value, $"echo {Secret} | tee $DATA_ROOT/secret $HOME/secret >> {_piku.Paths.AppLogs(Victim)}/own.log");
    }

    public async ValueTask DisposeAsync()
    {
        _browser?.Dispose();
        if (_piku is not null)
            await _piku.DisposeAsync();
    }

    /// <summary>An app that answers, not pushed yet.</summary>
    public async Task<Repository> WebAppAsync(string app, params (string Path, string Text)[] more)
    {
        var repository = await Repository.WithFilesAsync(Piku.Client, app, [("Procfile", "web: node app.js\n"), ("package.json", "{}\n"), ("app.js", Server), .. more]);
        repository.Write("ENV", $"NGINX_SERVER_NAME={repository.Host}\n");
        return repository;
    }

    /// <summary>The number of an app's user.</summary>
    public static uint UserOf(PikuInstance piku, string app) => Owner.Of(piku.Paths.Home(AppName.Parse(app))).User;

    /// <summary>All that is said, good or bad, within a time.</summary>
    public async Task<string> SayAsync(params string[] words)
    {
        var run = await Piku.Client.SshAsync(words).WaitAsync(Pace.Scale(TimeSpan.FromSeconds(60)), TestContext.Current.CancellationToken);
        return run.Output + run.Error;
    }

    /// <summary>Runs lines of a shell script as the app.</summary>
    public Task<string> AsAppAsync(string app, string script) => SayAsync("run", app, script);

    /// <summary>Begins to follow the logs, and has seen enough soon.</summary>
    public async Task<string> LogsAsync(string app)
    {
        var call = Piku.Client.Ssh("logs", app);
        var run = await Programs.CaptureAsync(call with { Program = "timeout", Arguments = ["--signal=KILL", "3", call.Program, .. call.Arguments] });
        return run.Output + run.Error;
    }

    public async Task<CapturedRun> SftpAsync(params string[] commands)
    {
        using var batch = new MemoryStream(System.Text.Encoding.UTF8.GetBytes(string.Join('\n', commands) + "\n"));
        return await Programs.CaptureAsync(new ProgramCall
        {
            Program = "sftp",
            Arguments = ["-b", "-", .. Piku.Client.SshOptions, "-P", $"{Piku.SshPort}", "piku@127.0.0.1"],
            Folder = Piku.Client.Folder,
            Environment = Piku.Client.Environment,
            Input = batch,
        });
    }

    /// <summary>All that is the victim's or piku's own and does not change by itself: what it is, whose, and what is in it.</summary>
    public string[] Untouchable()
    {
        var paths = Piku.Paths;
        string[] folders = [paths.App(Victim), paths.Repo(Victim), paths.Env(Victim), paths.AppData(Victim), paths.Home(Victim), paths.HostKeys];
        return
        [
            .. folders.SelectMany(folder => Directory.EnumerateFileSystemEntries(folder, "*", SearchOption.AllDirectories).Append(folder))
                .Concat(Directory.EnumerateFiles(paths.VassalsEnabled, Victim + "_*"))
                .Append(paths.AuthorizedKeys).Append(paths.Config).Append(paths.NginxSite(Victim)).Append(paths.Root)
                .Select(path => $"{path} {File.GetUnixFileMode(path)} {Owner.Of(path)} {Content(path)}").Order(StringComparer.Ordinal),
        ];

        static string Content(string path) => File.Exists(path) ? Convert.ToHexString(SHA256.HashData(File.ReadAllBytes(path))) : "";
    }

    /// <summary>Processes of an app's user, wherever they have gone.</summary>
    public static IEnumerable<int> ProcessesOf(uint user) => ProcessTable.Read().Where(process => !process.IsZombie && RunsAs(process.Id) == user).Select(process => process.Id);

    /// <summary>The effective user of a process; null when it has ended.</summary>
    public static uint? RunsAs(int process)
    {
        try
        {
            return File.ReadLines($"/proc/{process}/status").Where(line => line.StartsWith("Uid:", StringComparison.Ordinal)).Select(line => uint.Parse(line.Split('\t')[2])).First();
        }
        catch (Exception gone) when (gone is IOException or InvalidOperationException)
        {
            return null;
        }
    }

    private static string Text(string file) => File.Exists(file) ? File.ReadAllText(file) : "";
}

[CollectionDefinition(nameof(AppUsersInstance))]
public sealed class AppUsersInstanceCollection : ICollectionFixture<AppUsersInstance>;
