using System.Text;
using Piku.Core.Machine;
using Piku.Core.Model;
using Piku.Server.Ssh.Crypto;

namespace Piku.Tests.EndToEnd;

/// <summary>
/// A daemon as a person runs it: the built program, in a root of its own, on ports of its own. Started by root it runs
/// as the user piku, as ./run does.
/// </summary>
public sealed class PikuInstance : IAsyncDisposable
{
    private static readonly TimeSpan StartLimit = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan StopLimit = TimeSpan.FromSeconds(20);
    private static readonly HashSet<int> PromisedPorts = [];

    /// <summary>By their file's name. A daemon would take a second to make them, and there are a hundred daemons.</summary>
    private static readonly Lazy<(string File, string Text)[]> HostKeys = new(() =>
        [.. AlgorithmSuite.Default.HostKeys.Select(type => (type.FileName, HostKeyFile.Generate(type)))]);

    private readonly string _home;
    private readonly StringBuilder _output = new();
    private ChildProcess? _daemon;

    private PikuInstance(string home)
    {
        _home = home;
        Paths = new PikuPaths(Path.Combine(home, ".piku")) { HasAppUsers = AppUsers };
        Client = new Client(Path.Combine(home, "client"), this);
        lock (PromisedPorts)
        {
            var ports = FreePorts.Find(3, PromisedPorts);
            PromisedPorts.UnionWith(ports);
            (SshPort, HttpPort, HttpsPort) = (ports[0], ports[1], ports[2]);
        }
    }

    public PikuPaths Paths { get; }

    public int SshPort { get; }

    public int HttpPort { get; }

    public int HttpsPort { get; }

    /// <summary>Somebody whose key may log in.</summary>
    public Client Client { get; }

    /// <summary>The daemon's process.</summary>
    public int ProcessId => _daemon!.ProcessId;

    public bool IsRunning => _daemon is { Exit.IsCompleted: false };

    /// <summary>Of the daemon and its client; nobody else uses it.</summary>
    public string Home => _home;

    /// <summary>Variables that the daemon is started with, beside those that every daemon has.</summary>
    public EnvMap Environment { get; set; } = EnvMap.Empty;

    /// <summary>Words before the program's own, of something that becomes it.</summary>
    public string[] Launcher { get; set; } = [];

    /// <summary>All that the daemon has printed.</summary>
    public string Output
    {
        get
        {
            lock (_output)
                return _output.ToString();
        }
    }

    /// <summary>A new installation with this <c>piku.toml</c>, ready to be pushed to.</summary>
    public static Task<PikuInstance> StartAsync(string settings) => StartAsync(async instance =>
    {
        Directory.CreateDirectory(instance.Paths.Root);
        await File.WriteAllTextAsync(instance.Paths.Config, settings);
        await GiveToDaemonAsync(instance.Paths.Root, instance.Paths.Config);
    });

    /// <summary>A new installation, ready to be pushed to; empty, unless it is prepared before the daemon starts.</summary>
    /// <param name="makesHostKeys">As at the first start of a person's; else it has some already.</param>
    public static async Task<PikuInstance> StartAsync(Func<PikuInstance, Task>? prepare = null, bool makesHostKeys = false)
    {
        var instance = new PikuInstance(Directory.CreateTempSubdirectory("piku-e2e-").FullName);
        try
        {
            File.SetUnixFileMode(instance._home, (UnixFileMode)0b111_101_101);
            InstallProgram(Path.Combine(instance._home, "program"));
            await instance.Client.CreateKeyAsync();
            await GiveToDaemonAsync(instance._home);
            await VirtualenvCache.GiveToAsync(instance._home);
            if (prepare is not null)
                await prepare(instance);
            if (!makesHostKeys)
                await instance.GiveHostKeysAsync();
            if (AppUsers)
                await instance.GiveAppsUsersAsync();
            await instance.StartDaemonAsync();
            return instance;
        }
        catch
        {
            await instance.DisposeAsync();
            throw;
        }
    }

    /// <summary>Every test of this folder can be run with a user for each app; set PIKU_TEST_APP_USERS for it.</summary>
    private static bool AppUsers => System.Environment.GetEnvironmentVariable("PIKU_TEST_APP_USERS") is { Length: > 0 };

    /// <summary>Has each app run as a user of its own from the daemon's next start on.</summary>
    public async Task GiveAppsUsersAsync()
    {
        Directory.CreateDirectory(Paths.Root);
        const string users = "\n[apps]\nusers = true\n";
        if (!File.Exists(Paths.Config) || !(await File.ReadAllTextAsync(Paths.Config)).Contains(users, StringComparison.Ordinal))
            await File.AppendAllTextAsync(Paths.Config, users);
        await GiveToDaemonAsync(Paths.Root, Paths.Config);
    }

    private async Task GiveHostKeysAsync()
    {
        var folder = Paths.HostKeys;
        if (Directory.Exists(folder))
            return;
        Directory.CreateDirectory(Paths.Root);
        Directory.CreateDirectory(folder, AtomicFile.Secret | UnixFileMode.UserExecute);
        var files = HostKeys.Value.Select(key => (Path: Path.Combine(folder, key.File), key.Text)).ToArray();
        foreach (var (path, text) in files)
            AtomicFile.Write(path, text, AtomicFile.Secret);
        await GiveToDaemonAsync([Paths.Root, folder, .. files.Select(file => file.Path)]);
    }

    /// <summary>Makes files the daemon's own; started by root, it runs as another user.</summary>
    public static async Task GiveToDaemonAsync(params string[] paths)
    {
        if (UnixUser.Current.IsRoot)
            await Programs.RunAsync("chown", ["--no-dereference", "piku:", .. paths]);
    }

    /// <summary>Starts the daemon on what is there and waits until it says that it is ready.</summary>
    public async Task StartDaemonAsync()
    {
        lock (_output)
            _output.Clear();
        _daemon = await ChildProcess.StartAsync(Serve());
        await Eventually.TrueAsync(
            () => Output.Contains("piku is ready", StringComparison.Ordinal) || _daemon.Exit.IsCompleted, StartLimit, () => Output);
        Assert.False(_daemon.Exit.IsCompleted, Output);
    }

    /// <summary>Ends the daemon as ctrl-C does, and returns how it ended.</summary>
    public async Task<ExitStatus> StopDaemonAsync()
    {
        Signals.Send(ProcessId, Signals.Interrupt);
        return await _daemon!.Exit.WaitAsync(Pace.Scale(StopLimit));
    }

    /// <summary>Ends the daemon as a power cut would, with no word to anybody.</summary>
    public async Task KillDaemonAsync()
    {
        Signals.Send(ProcessId, Signals.Kill);
        await _daemon!.Exit.WaitAsync(Pace.Scale(StopLimit));
    }

    /// <summary>Processes whose command line, environment apart, names this installation's folder.</summary>
    public IEnumerable<int> Processes() => Programs.RunningWith(_home);

    public async ValueTask DisposeAsync()
    {
        if (_daemon is not null)
        {
            await _daemon.StopAsync(Pace.Scale(StopLimit));
            await _daemon.DisposeAsync();
        }
        foreach (var process in Processes())
            Signals.Send(process, Signals.Kill);
        await Eventually.TrueAsync(() => TryDelete(_home), TimeSpan.FromSeconds(10), () => $"{_home} is still in use");
    }

    /// <summary>Runs the program as somebody does who is logged in on the server.</summary>
    public Task<CapturedRun> LocalAsync(params string[] words) => Programs.CaptureAsync(Local(words));

    /// <summary>The same, not run yet.</summary>
    public ProgramCall Local(params string[] words) => Call(words);

    private ProgramCall Serve() => Call("serve", "--authorize", Client.PublicKey) with
    {
        Output = (bytes, _) =>
        {
            lock (_output)
                _output.Append(Encoding.UTF8.GetString(bytes.Span));
            return ValueTask.CompletedTask;
        },
        Grace = Pace.Scale(StopLimit),
    };

    private ProgramCall Call(params string[] words)
    {
        string[] command = [.. Launcher, Path.Combine(_home, "program", "piku"), .. words];
        return new ProgramCall
        {
            Program = UnixUser.Current.IsRoot ? "setpriv" : command[0],
            Arguments = UnixUser.Current.IsRoot ? ["--reuid=piku", "--regid=piku", "--init-groups", .. command] : command[1..],
            Folder = "/",
            Environment = EnvMap.From([
                new("HOME", _home),
                new("USER", UnixUser.Current.IsRoot ? "piku" : UnixUser.Current.Name),
                new("PATH", Programs.SearchPath),
                new("PIKU_ROOT", Paths.Root),
                new("PIKU_SSH_PORT", $"{SshPort}"),
                new("PIKU_HTTP_PORT", $"{HttpPort}"),
                new("PIKU_HTTPS_PORT", $"{HttpsPort}"),
            ]).WithAll(Environment),
        };
    }

    /// <summary>Where any user can read it: the release artefact when ./test made one, else what these tests were built with.</summary>
    private static void InstallProgram(string folder)
    {
        Directory.CreateDirectory(folder);
        var built = System.Environment.GetEnvironmentVariable("PIKU_BINARY") is { Length: > 0 } artefact
            ? [artefact]
            : Directory.GetFiles(AppContext.BaseDirectory).Where(file => !Path.GetFileName(file).StartsWith("Piku.Tests", StringComparison.Ordinal));
        foreach (var file in built)
            File.Copy(file, Path.Combine(folder, Path.GetFileName(file)));
    }

    private static bool TryDelete(string folder)
    {
        try
        {
            if (Directory.Exists(folder))
                Directory.Delete(folder, recursive: true);
            return true;
        }
        catch (IOException)
        {
            return false;
        }
    }
}
